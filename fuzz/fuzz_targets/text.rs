//! Any comment, answering any other: scored without a panic, between 0 and 1, with highlights inside the text.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use palabre::classifier::{Comment, Model, WordList, fold};
use palabre::domain::Body;

static MODEL: OnceLock<Model> = OnceLock::new();

fuzz_target!(|texts: (&str, &str, Vec<&str>)| {
    let (text, above, words) = texts;
    let model = MODEL.get_or_init(|| Model::from_bytes(Model::SHIPPED).expect("it is whole"));
    let assessment = model.assess(&Comment {
        text,
        ancestors: &[above],
        lang: None,
    });
    for (label, score) in assessment.scores.iter() {
        assert!((0.0..=1.0).contains(&score.value()), "{label}");
    }
    let length = text.chars().count();
    for span in &assessment.highlights {
        assert!(span.start < span.end && span.end <= length);
    }
    let _ = fold(text);
    let _ = Body::parse(text);
    if let Ok(list) = WordList::new(words) {
        let _ = list.find(text);
    }
});
