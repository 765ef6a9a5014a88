//! The replay sample: what a model takes along of the comments it learned from, so that it can be adapted to a site without them.
//!
//! It holds dense vectors and labels, and no text: hashed features could be turned back into words, two hundred sums
//! cannot. Rows come from those that the sparse part has not seen: held-out ones to learn from again, test ones to measure
//! on. Labels, languages and sources are evened out among them; a part of it are calm comments as they come.
//!
//! Values are kept as steps of a column's largest, column by column, and deflated: a few hundred kilobytes.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use super::Random;
use super::dataset::{Example, Split};
use super::evaluate::is_calm;
use crate::classifier::ModelError;
use crate::classifier::dense::{self, SIZE, Vector};
use crate::domain::{Label, PerLabel};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use serde::{Deserialize, Serialize};

/// Rows to learn from, and to measure on.
const LEARNED: usize = 4_500;
const MEASURED: usize = 3_000;
/// Share of them that are calm comments as they come.
const AS_THEY_COME: f32 = 0.35;
/// Steps of a column's largest value.
const STEPS: f32 = 32_767.0;
/// More bytes than this no sample has; what inflates to more is no sample.
const MOST_BYTES: u64 = 64 << 20;

/// A comment that the base's training held out, as its dense vector.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub vector: Vector,
    pub labels: PerLabel<Option<bool>>,
    pub lang: String,
    /// Measured on, never learned from.
    pub measured: bool,
    /// Calm, of a source that was not collected for its abuse.
    pub natural: bool,
}

/// A replay sample.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Replay {
    pub rows: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    rows: usize,
    inputs: Vec<String>,
    /// Per column, what a step is worth.
    steps: Vec<f32>,
    langs: Vec<String>,
}

impl Replay {
    /// Takes a sample of held-out rows. `vectors` are as the model itself reads them.
    pub fn sample(
        examples: &[Example],
        vectors: &[Vector],
        natural: &dyn Fn(&Example) -> bool,
        seed: u64,
    ) -> Self {
        let mut random = Random(seed);
        let mut rows = Vec::new();
        for (split, most) in [(Split::Valid, LEARNED), (Split::Test, MEASURED)] {
            let mut calm = Vec::new();
            let mut groups: BTreeMap<(&str, &str, Option<Label>), Vec<usize>> = BTreeMap::new();
            for (at, example) in examples.iter().enumerate() {
                if example.split != split || example.labels.iter().all(|(_, l)| l.is_none()) {
                    continue;
                }
                if natural(example) && is_calm(example) {
                    calm.push(at);
                } else {
                    let group = (
                        example.lang.as_str(),
                        example.source.as_str(),
                        rarest(example),
                    );
                    groups.entry(group).or_default().push(at);
                }
            }
            random.shuffle(&mut calm);
            calm.truncate((most as f32 * AS_THEY_COME) as usize);
            let mut chosen = evenly(groups.into_values(), most - calm.len(), &mut random);
            chosen.append(&mut calm);
            chosen.sort_unstable();
            rows.extend(chosen.into_iter().map(|at| {
                let example = &examples[at];
                Row {
                    vector: vectors[at],
                    labels: example.labels,
                    lang: example.lang.clone(),
                    measured: split == Split::Test,
                    natural: natural(example) && is_calm(example),
                }
            }));
        }
        Self { rows }
    }

    /// For a model file; empty of no rows.
    pub fn to_bytes(&self) -> std::io::Result<Vec<u8>> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        let steps: Vec<f32> = (0..SIZE)
            .map(|column| {
                let values = self.rows.iter().map(|row| row.vector[column].abs());
                values.fold(0.0, f32::max) / STEPS
            })
            .collect();
        let mut langs: Vec<String> = self.rows.iter().map(|row| row.lang.clone()).collect();
        langs.sort_unstable();
        langs.dedup();
        let head = serde_json::to_vec(&Head {
            rows: self.rows.len(),
            inputs: dense::names(),
            steps: steps.clone(),
            langs: langs.clone(),
        })?;
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&(head.len() as u32).to_le_bytes())?;
        encoder.write_all(&head)?;
        for (column, step) in steps.iter().enumerate() {
            for row in &self.rows {
                let value = if *step > 0.0 {
                    row.vector[column] / step
                } else {
                    0.0
                };
                encoder.write_all(&(value.round() as i16).to_le_bytes())?;
            }
        }
        for row in &self.rows {
            let lang = langs.binary_search(&row.lang).unwrap_or_default();
            let flags = u8::from(row.measured) | u8::from(row.natural) << 1;
            encoder.write_all(&[lang as u8, flags])?;
            for (_, label) in row.labels.iter() {
                encoder.write_all(&[label.map_or(2, u8::from)])?;
            }
        }
        encoder.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let unfit = || ModelError::Unfit("its replay sample cannot be read".into());
        let mut inflated = Vec::new();
        DeflateDecoder::new(bytes)
            .take(MOST_BYTES)
            .read_to_end(&mut inflated)
            .map_err(|_| unfit())?;
        let (length, rest) = inflated.split_at_checked(4).ok_or_else(unfit)?;
        let length = u32::from_le_bytes(length.try_into().map_err(|_| unfit())?);
        let (head, rest) = rest.split_at_checked(length as usize).ok_or_else(unfit)?;
        let head: Head = serde_json::from_slice(head).map_err(|_| unfit())?;
        if head.inputs != dense::names() || head.steps.len() != SIZE {
            return Err(ModelError::Unfit(
                "its replay sample has other inputs".into(),
            ));
        }
        let per_row = 2 + Label::ALL.len();
        let columns = (head.rows.checked_mul(2 * SIZE)).ok_or_else(unfit)?;
        let (columns, rows) = rest.split_at_checked(columns).ok_or_else(unfit)?;
        if rows.len() != head.rows * per_row {
            return Err(unfit());
        }
        let parsed = rows.chunks_exact(per_row).enumerate().map(|(at, row)| {
            let mut vector = [0.0; SIZE];
            for (column, value) in vector.iter_mut().enumerate() {
                let place = (column * head.rows + at) * 2;
                let steps = i16::from_le_bytes([columns[place], columns[place + 1]]);
                *value = f32::from(steps) * head.steps[column];
            }
            let label = |label: Label| match row[2 + label.index()] {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            };
            Ok(Row {
                vector,
                labels: PerLabel::from_fn(label),
                lang: head.langs.get(row[0] as usize).ok_or_else(unfit)?.clone(),
                measured: row[1] & 1 != 0,
                natural: row[1] & 2 != 0,
            })
        });
        Ok(Self {
            rows: parsed.collect::<Result<_, ModelError>>()?,
        })
    }
}

/// The label that tells most of a row: the rarest it has, by how often labels are met.
fn rarest(example: &Example) -> Option<Label> {
    [
        Label::Threat,
        Label::Spam,
        Label::IdentityAttack,
        Label::Profanity,
        Label::Insult,
        Label::Toxicity,
    ]
    .into_iter()
    .find(|label| *example.labels.get(*label) == Some(true))
}

/// `most` rows, as many of each group as there are, or as fit.
fn evenly(
    groups: impl Iterator<Item = Vec<usize>>,
    most: usize,
    random: &mut Random,
) -> Vec<usize> {
    let mut groups: Vec<Vec<usize>> = groups.collect();
    for group in &mut groups {
        random.shuffle(group);
    }
    groups.sort_by_key(Vec::len);
    let mut chosen = Vec::new();
    let mut left = groups.len();
    for group in groups {
        let share = (most - chosen.len()).div_ceil(left);
        chosen.extend(group.into_iter().take(share.min(most - chosen.len())));
        left -= 1;
    }
    chosen
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn example(n: usize) -> Example {
        Example {
            text: format!("phrase {n}"),
            parent: None,
            lang: if n.is_multiple_of(3) { "fr" } else { "en" }.into(),
            source: if n.is_multiple_of(100) {
                "small"
            } else {
                "big"
            }
            .into(),
            split: [Split::Train, Split::Valid, Split::Test][n % 3],
            labels: PerLabel {
                toxicity: Some(n.is_multiple_of(5)),
                threat: n.is_multiple_of(500).then_some(true),
                ..PerLabel::default()
            },
            marked: Vec::new(),
        }
    }

    fn sample() -> Replay {
        let examples: Vec<Example> = (0..60_000).map(example).collect();
        let vectors: Vec<Vector> = (0..examples.len())
            .map(|n| {
                let mut vector = [0.0; SIZE];
                (vector[0], vector[7]) = (n as f32 / 1000.0 - 3.0, (n % 4) as f32);
                vector
            })
            .collect();
        Replay::sample(&examples, &vectors, &|example| example.source == "big", 1)
    }

    #[test]
    fn what_is_rare_is_taken_first_and_nothing_that_was_learned_from() {
        let sample = sample();
        let of = |measured| {
            sample
                .rows
                .iter()
                .filter(move |row| row.measured == measured)
        };
        assert_eq!((of(false).count(), of(true).count()), (LEARNED, MEASURED));
        for measured in [false, true] {
            let threats = of(measured).filter(|row| row.labels.threat == Some(true));
            assert_eq!(threats.count(), 40, "all of them");
            let natural = of(measured).filter(|row| row.natural).count() as f32;
            assert!((natural / of(measured).count() as f32 - AS_THEY_COME).abs() < 0.01);
        }
    }

    #[test]
    fn values_come_back_within_a_step() {
        let sample = sample();
        let bytes = sample.to_bytes().unwrap();
        let back = Replay::from_bytes(&bytes).unwrap();
        assert_eq!(back.rows.len(), sample.rows.len());
        for (row, back) in sample.rows.iter().zip(&back.rows) {
            assert_eq!((row.labels, &row.lang), (back.labels, &back.lang));
            assert_eq!((row.measured, row.natural), (back.measured, back.natural));
            assert!((row.vector[0] - back.vector[0]).abs() < 0.002);
            assert_eq!(
                row.vector[7] == 0.0,
                back.vector[7] == 0.0,
                "nought stays nought"
            );
        }
    }

    #[test]
    fn what_is_no_sample_is_refused() {
        let bytes = sample().to_bytes().unwrap();
        assert_eq!(Replay::from_bytes(&[]).unwrap(), Replay::default());
        assert!(Replay::from_bytes(&bytes[..bytes.len() / 2]).is_err());
        assert!(Replay::from_bytes(b"something else").is_err());
    }
}
