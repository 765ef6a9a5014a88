//! How long a comment takes, and how much memory: `cargo bench --bench classifier`.

use divan::{AllocProfiler, Bencher, black_box, counter::ItemsCount};
use palabre::classifier::{
    Comment, Model, Signature, fold,
    training::{self, Example, Split},
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// Ordinary, with something to highlight.
const TEXT: &str = "Le conseil a encore promis une route et un marché couvert, mais vous n’êtes que des menteurs et personne \
ne vous croit plus dans le quartier. On verra bien aux prochaines élections si les gens ont la mémoire courte ! ";

fn main() {
    divan::main();
}

fn text(chars: usize) -> String {
    TEXT.chars().cycle().take(chars).collect()
}

/// Letters from four alphabets, stacked marks, ligatures, emoji.
fn hostile(chars: usize) -> String {
    "а\u{301}𝓑ﷺœ😡.\u{200B}a b c d е"
        .chars()
        .cycle()
        .take(chars)
        .collect()
}

#[divan::bench]
fn load(bencher: Bencher) {
    bencher.bench(|| {
        Model::from_bytes(black_box(Model::SHIPPED)).map(|model| model.thresholds().threat)
    });
}

#[divan::bench(args = [130, 300, 1000, 10_000])]
fn score(bencher: Bencher, chars: usize) {
    on_model(bencher, &text(chars), |model, comment| {
        black_box(model.score(comment));
    });
}

#[divan::bench(args = [130, 300, 1000, 10_000])]
fn assess(bencher: Bencher, chars: usize) {
    on_model(bencher, &text(chars), |model, comment| {
        black_box(model.assess(comment));
    });
}

#[divan::bench(args = [300, 10_000])]
fn assess_hostile(bencher: Bencher, chars: usize) {
    on_model(bencher, &hostile(chars), |model, comment| {
        black_box(model.assess(comment));
    });
}

/// "Je suis partant !", below a comment of 300 characters that has to be read too.
#[divan::bench]
fn assess_short_reply(bencher: Bencher) {
    let parent = text(300);
    let Ok(model) = Model::from_bytes(Model::SHIPPED) else {
        return;
    };
    let ancestors = [parent.as_str()];
    bencher.bench_local(|| {
        model.assess(black_box(&Comment {
            text: "Je suis partant !",
            ancestors: &ancestors,
            lang: None,
        }))
    });
}

/// Thousands of comments on all cores.
#[divan::bench]
fn evaluate_batch(bencher: Bencher) {
    let Ok(model) = Model::from_bytes(Model::SHIPPED) else {
        return;
    };
    let rows: Vec<Example> = (0..4096)
        .map(|at| Example {
            text: format!("{} {at}", text(300)),
            parent: None,
            lang: "fr".into(),
            source: "bench".into(),
            split: Split::Test,
            labels: palabre::domain::PerLabel::default(),
            marked: Vec::new(),
        })
        .collect();
    bencher
        .counter(ItemsCount::new(rows.len()))
        .bench_local(|| training::evaluate(&model, black_box(&rows)));
}

#[divan::bench]
fn assess_reply_with_quote(bencher: Bencher) {
    let parent = text(1000);
    let reply = format!("« {parent} » Ce n'est pas vrai.");
    let Ok(model) = Model::from_bytes(Model::SHIPPED) else {
        return;
    };
    let ancestors = [parent.as_str()];
    bencher.bench_local(|| {
        model.assess(black_box(&Comment {
            text: &reply,
            ancestors: &ancestors,
            lang: None,
        }))
    });
}

#[divan::bench]
fn compare_fingerprints(bencher: Bencher) {
    let Ok(model) = Model::from_bytes(Model::SHIPPED) else {
        return;
    };
    let print = |text: &str| {
        model
            .assess(&Comment {
                text,
                ..Comment::default()
            })
            .fingerprint
    };
    let (a, b) = (print(&text(300)), print(&text(250)));
    bencher.bench_local(|| {
        black_box(a.signature()).similarity(black_box(b.signature())) >= Signature::NEAR
    });
}

#[divan::bench]
fn fold_for_search(bencher: Bencher) {
    let text = text(300);
    bencher.bench_local(|| fold(black_box(&text)));
}

fn on_model(bencher: Bencher, text: &str, run: impl Fn(&Model, &Comment<'_>)) {
    let Ok(model) = Model::from_bytes(Model::SHIPPED) else {
        return;
    };
    bencher.bench_local(|| {
        run(
            &model,
            black_box(&Comment {
                text,
                ..Comment::default()
            }),
        );
    });
}
