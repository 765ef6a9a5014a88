//! Labelled comments: JSON lines, plain or gzipped.
//!
//! A bad line stops the reading with its number: a training set that is silently shorter than one thinks is worse than none.

use crate::domain::{Label, PerLabel};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use std::io::{BufRead, BufReader, Read};
use xxhash_rust::xxh3::xxh3_64;

/// Rows next to each other that are held out together.
const NEIGHBOURS: usize = 4;

/// What a row is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Both stages learn from it.
    Train,
    /// Calibration and thresholds are chosen on it.
    Valid,
    /// Only measured on.
    Test,
}

/// One labelled comment.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The comment.
    pub text: String,
    /// The comment it answers, if known.
    pub parent: Option<String>,
    /// Language code, as given.
    pub lang: String,
    /// Where it comes from.
    pub source: String,
    /// What it is for.
    pub split: Split,
    /// `None`: not annotated for this label, which is not the same as absent.
    pub labels: PerLabel<Option<bool>>,
    /// What somebody would underline, as it stands in the text; empty where nobody was asked.
    pub marked: Vec<String>,
}

/// A file that cannot be used, and where.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}, line {line}: {reason}")]
pub struct DatasetError {
    /// Name of the file, as given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

#[derive(Deserialize)]
struct Row {
    text: String,
    #[serde(default)]
    lang: String,
    labels: Labels,
    #[serde(default)]
    source: String,
    split: Option<Split>,
    parent_text: Option<String>,
    thread: Option<String>,
    #[serde(default)]
    marked: Vec<String>,
}

#[derive(Deserialize)]
struct Labels {
    toxic: Option<u8>,
    insult: Option<u8>,
    threat: Option<u8>,
    identity_hate: Option<u8>,
    obscene: Option<u8>,
    spam: Option<u8>,
}

impl Labels {
    fn parse(&self) -> Result<PerLabel<Option<bool>>, String> {
        let mut parsed = PerLabel::default();
        for (label, name, value) in [
            (Label::Toxicity, "toxic", self.toxic),
            (Label::Insult, "insult", self.insult),
            (Label::Threat, "threat", self.threat),
            (Label::IdentityAttack, "identity_hate", self.identity_hate),
            (Label::Profanity, "obscene", self.obscene),
            (Label::Spam, "spam", self.spam),
        ] {
            *parsed.get_mut(label) = match value {
                None => None,
                Some(0) => Some(false),
                Some(1) => Some(true),
                Some(other) => {
                    return Err(format!("label {name} is {other}; it must be 0, 1 or null"));
                }
            };
        }
        Ok(parsed)
    }
}

/// Reads a file of labelled comments; `name` is for messages.
///
/// A file without `valid` or `test` rows has a fifth of its threads held out, half for each. Rows without a thread go by fours:
/// sentences that were written to differ in one thing stand next to each other, and must not be parted.
///
/// # Errors
/// On the first line that is no labelled comment, and on a damaged gzip stream.
///
/// ```
/// use palabre::classifier::training::dataset;
///
/// let line = br#"{"text": "Bonjour", "lang": "fr", "labels": {"toxic": 0}, "source": "mine"}"#;
/// let rows = dataset::read(&line[..], "mine.jsonl")?;
/// assert_eq!(rows[0].labels.toxicity, Some(false));
/// assert_eq!(rows[0].labels.spam, None);
///
/// let error = dataset::read(&b"{\"text\": 1}"[..], "bad.jsonl").unwrap_err();
/// assert_eq!(error.line, 1);
/// # Ok::<(), dataset::DatasetError>(())
/// ```
pub fn read(reader: impl Read, name: &str) -> Result<Vec<Example>, DatasetError> {
    let at = |line: usize, reason: String| DatasetError {
        file: name.to_owned(),
        line,
        reason,
    };
    let mut reader = BufReader::new(reader);
    let start = reader
        .fill_buf()
        .map_err(|error| at(1, error.to_string()))?;
    let plain: Box<dyn BufRead + '_> = if start.starts_with(&[0x1F, 0x8B]) {
        Box::new(BufReader::new(MultiGzDecoder::new(reader)))
    } else {
        Box::new(reader)
    };
    let mut examples = Vec::new();
    let mut threads = Vec::new();
    let mut has_splits = false;
    for (index, line) in plain.lines().enumerate() {
        let number = index + 1;
        let line = line.map_err(|error| at(number, error.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        let row: Row =
            serde_json::from_str(&line).map_err(|error| at(number, error.to_string()))?;
        let labels = row.labels.parse().map_err(|reason| at(number, reason))?;
        let split = row.split.unwrap_or(Split::Train);
        has_splits |= split != Split::Train;
        threads.push(row.thread);
        examples.push(Example {
            text: row.text,
            parent: row.parent_text,
            lang: row.lang,
            source: if row.source.is_empty() {
                name.to_owned()
            } else {
                row.source
            },
            split,
            labels,
            marked: row.marked,
        });
    }
    if !has_splits {
        for (rows, threads) in examples
            .chunks_mut(NEIGHBOURS)
            .zip(threads.chunks(NEIGHBOURS))
        {
            let together = rows.first().map_or(Split::Train, |row| held_out(&row.text));
            for (row, thread) in rows.iter_mut().zip(threads) {
                row.split = thread.as_deref().map_or(together, held_out);
            }
        }
    }
    Ok(examples)
}

/// The same key always falls on the same side.
fn held_out(key: &str) -> Split {
    match xxh3_64(key.as_bytes()) % 10 {
        0 => Split::Valid,
        1 => Split::Test,
        _ => Split::Train,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn line(n: usize) -> String {
        format!(
            "{{\"text\": \"phrase {n}\", \"lang\": \"fr\", \"labels\": {{\"toxic\": {}, \"spam\": null}}, \"more\": 1}}\n",
            n % 2
        )
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_and_plain_read_alike() {
        let text: String = (0..200).map(line).collect();
        let plain = read(text.as_bytes(), "a").unwrap();
        assert_eq!(plain, read(&gzip(&text)[..], "a").unwrap());
        assert_eq!(plain.len(), 200);
    }

    #[test]
    fn a_fifth_is_held_out_if_the_file_does_not_say() {
        let text: String = (0..1000).map(line).collect();
        let rows = read(text.as_bytes(), "a").unwrap();
        let held = rows.iter().filter(|row| row.split != Split::Train).count();
        assert!((150..250).contains(&held), "{held}");
        let split = line(0).replace("\"more\"", "\"split\": \"test\", \"more\"");
        let rows = read(format!("{split}{text}").as_bytes(), "a").unwrap();
        assert_eq!(
            rows.iter().filter(|row| row.split != Split::Train).count(),
            1
        );
    }

    #[test]
    fn a_thread_is_held_out_as_one() {
        let text: String = (0..50)
            .map(|n| line(n).replace("\"more\"", "\"thread\": \"t\", \"more\""))
            .collect();
        let rows = read(text.as_bytes(), "a").unwrap();
        assert!(rows.iter().all(|row| row.split == rows[0].split));
    }

    #[test]
    fn rows_written_as_pairs_are_not_parted() {
        let text: String = (0..400).map(line).collect();
        let rows = read(text.as_bytes(), "a").unwrap();
        for pair in rows.chunks(2) {
            assert_eq!(pair[0].split, pair[1].split);
        }
    }

    #[test]
    fn a_bad_line_is_named() {
        let two = line(0).replace("\"toxic\": 0", "\"toxic\": 2");
        let error = read(
            format!("{}{}\n{two}", line(0), line(1)).as_bytes(),
            "f.jsonl",
        )
        .unwrap_err();
        assert_eq!((error.file.as_str(), error.line), ("f.jsonl", 4));
        assert!(error.reason.contains("toxic is 2"), "{error}");
        assert_eq!(read(&b"nonsense"[..], "f").unwrap_err().line, 1);
        assert!(read(&b"{\"text\":\"a\",\"labels\":{\"toxic\":\"yes\"}}"[..], "f").is_err());
    }

    #[test]
    fn a_cut_gzip_file_is_an_error() {
        let text: String = (0..200).map(line).collect();
        let whole = gzip(&text);
        assert!(read(&whole[..whole.len() - 20], "f.gz").is_err());
    }
}
