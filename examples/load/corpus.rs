//! Texts in the register of real threads, as many as one likes and hardly one like another: made of the sentences of our
//! own sample threads and labelled comments (`seeds/`).
//!
//! Those are chosen to be hard for the model. What is written here as calm is made of the calmer ones among them, so that a
//! server holds about as much of it as of what people write.

use std::{collections::HashMap, fs, path::Path};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    client::{Client, Target},
    language::Language,
    rng::Rng,
};

/// Length of a comment in characters: half of them are shorter.
const MEDIAN_CHARS: f64 = 215.0;
/// How far lengths spread: the standard deviation of their logarithm. The mean is then about 300.
const SPREAD: f64 = 0.8;
const MAX_CHARS: usize = 1_500;
/// Below this a comment is one of those that many write: "merci".
const SHORT_CHARS: usize = 20;
/// Below this it is one of a sentence or two.
const FEW_SENTENCES: usize = 150;
const SHORT_SHARE: f64 = 0.03;
const ENGLISH_SHARE: f64 = 0.2;
/// Share of comments with something toxic, a threat or spam in them, as a site gets them.
const HARSH_SHARE: f64 = 0.06;
const PARAGRAPH_SHARE: f64 = 0.08;
/// Share of the calm sentences that are calm enough.
const CALMEST: f64 = 0.65;

/// What a comment is to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As they come.
    Natural,
    Calm,
    /// With something toxic, a threat or spam in it.
    Harsh,
}

/// Everything that texts are made of.
pub struct Corpus {
    french: Language,
    english: Language,
    short: Vec<String>,
    names: Vec<String>,
}

/// The texts of one language as they were read.
#[derive(Default)]
struct Texts {
    sentences: Vec<String>,
    harsh: Vec<String>,
}

#[derive(Deserialize)]
struct SampleThread {
    thread: SampleHead,
    comments: Vec<SampleComment>,
}

#[derive(Deserialize)]
struct SampleHead {
    lang: String,
}

#[derive(Deserialize)]
struct SampleComment {
    author: SampleAuthor,
    body: String,
}

#[derive(Deserialize)]
struct SampleAuthor {
    name: String,
}

#[derive(Deserialize)]
struct Labelled {
    text: String,
    lang: String,
    labels: HashMap<String, Value>,
}

#[derive(Deserialize)]
struct Scored {
    scores: HashMap<String, f64>,
}

impl Corpus {
    /// Reads `seeds/`, and asks a server which sentences are calm. The same model gives the same texts.
    pub async fn read(server: &Target) -> anyhow::Result<Self> {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
        let (mut french, mut english) = (Texts::default(), Texts::default());
        let mut names = Vec::new();
        for text in files(&seeds.join("threads"))? {
            let SampleThread { thread, comments } = serde_json::from_str(&text)?;
            let texts = if thread.lang == "en" {
                &mut english
            } else {
                &mut french
            };
            for comment in comments {
                texts.add(&comment.body);
                names.push(comment.author.name);
            }
        }
        for text in files(&seeds.join("labels"))? {
            for line in text.lines() {
                let Labelled { text, lang, labels } = serde_json::from_str(line)?;
                let texts = if lang == "en" {
                    &mut english
                } else {
                    &mut french
                };
                if labels.values().any(|label| label == 1) {
                    texts.harsh.push(text);
                } else {
                    texts.add(&text);
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        let mut short = Vec::new();
        for texts in [&mut french, &mut english] {
            let is_short = |sentence: &mut String| sentence.chars().count() < SHORT_CHARS;
            short.extend(texts.sentences.extract_if(.., is_short));
            texts.keep_calmest(server).await?;
            anyhow::ensure!(
                texts.sentences.len() > 100 && texts.harsh.len() > 100 && short.len() > 10,
                "{} holds too few texts to make others of",
                seeds.display()
            );
        }
        Ok(Self {
            french: Language::new(&french.sentences, french.harsh),
            english: Language::new(&english.sentences, english.harsh),
            short,
            names,
        })
    }

    /// The name of a reader, always the same for the same number.
    pub fn name(&self, number: usize) -> &str {
        &self.names[number % self.names.len()]
    }

    /// A new comment.
    pub fn text(&self, tone: Tone, rng: &mut Rng) -> String {
        let harsh = tone == Tone::Harsh || (tone == Tone::Natural && rng.chance(HARSH_SHARE));
        if !harsh && rng.chance(SHORT_SHARE) {
            return self.short[rng.below(self.short.len())].clone();
        }
        let length = (MEDIAN_CHARS * (SPREAD * rng.normal()).exp()) as usize;
        self.text_of(length.min(MAX_CHARS), harsh, rng)
    }

    /// A new comment of about so many characters.
    pub fn text_of(&self, mut length: usize, harsh: bool, rng: &mut Rng) -> String {
        let language = if rng.chance(ENGLISH_SHARE) {
            &self.english
        } else {
            &self.french
        };
        // Where the harsh words stand among the others, which are as many at least: no two such comments are copies.
        let mut harsh = harsh.then(|| {
            let words = language.harsh(rng);
            length = length.max(2 * words.chars().count());
            (rng.below(length), words)
        });
        let mut text = String::new();
        let mut chars = 0;
        loop {
            let begin = text.len();
            match harsh {
                Some((at, words)) if chars >= at => {
                    text.push_str(words);
                    harsh = None;
                }
                _ => language.write_sentence(&mut text, length < FEW_SENTENCES, rng),
            }
            chars += text[begin..].chars().count() + 1;
            // Half a sentence short is as near as half a sentence over.
            if chars + 35 >= length && harsh.is_none() {
                return text;
            }
            text.push_str(if rng.chance(PARAGRAPH_SHARE) {
                "\n\n"
            } else {
                " "
            });
        }
    }

    /// The same comment with one word in twelve changed.
    pub fn near_copy(&self, text: &str, rng: &mut Rng) -> String {
        let offset = rng.below(12);
        let words: Vec<&str> = text
            .split(' ')
            .enumerate()
            .map(|(at, word)| {
                if at % 12 == offset {
                    self.french.word(rng)
                } else {
                    word
                }
            })
            .collect();
        words.join(" ")
    }
}

impl Texts {
    /// Takes a text apart into sentences, without what it quotes.
    fn add(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.starts_with('>')) {
            let mut sentence = Vec::new();
            for word in line.split_whitespace() {
                sentence.push(word);
                if word.ends_with(['.', '!', '?', '…']) {
                    self.sentences.push(std::mem::take(&mut sentence).join(" "));
                }
            }
            if !sentence.is_empty() {
                self.sentences.push(sentence.join(" "));
            }
        }
    }

    /// Keeps the sentences with the lowest scores: of each, the highest counts.
    async fn keep_calmest(&mut self, server: &Target) -> anyhow::Result<()> {
        let mut client = Client::new(server);
        let mut scored = Vec::new();
        for sentence in self.sentences.drain(..) {
            let json = serde_json::to_vec(&json!({"text": sentence}))?;
            let answer = client.post("/v1/score".parse()?, json.into()).await?;
            anyhow::ensure!(answer.status == 200, "/v1/score answered {}", answer.status);
            let Scored { scores } = serde_json::from_slice(&answer.body)?;
            scored.push((scores.into_values().fold(0.0, f64::max), sentence));
        }
        scored.sort_by(|(a, one), (b, other)| a.total_cmp(b).then_with(|| one.cmp(other)));
        scored.truncate((scored.len() as f64 * CALMEST) as usize);
        self.sentences
            .extend(scored.into_iter().map(|(_, sentence)| sentence));
        Ok(())
    }
}

/// The files of a directory, in the order of their names.
fn files(directory: &Path) -> anyhow::Result<Vec<String>> {
    let mut paths: Vec<_> = fs::read_dir(directory)
        .with_context(|| format!("cannot read {}", directory.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort_unstable();
    paths
        .iter()
        .map(|path| {
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
        })
        .collect()
}
