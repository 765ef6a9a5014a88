//! The model file.
//!
//! ```text
//! "PALABRE\n"             8 bytes
//! format version          u32
//! length of each section  u32 each: two in format 1, four in format 2
//! header                  JSON: version, second stage, thresholds, training report
//! table                   lines of the sparse part, as in memory
//! site's table            the same of a site's own part; empty if there is none
//! replay                  dense vectors to train on without the base's texts (see `training::replay`); empty if there are none
//! xxh3 of all the above   u64
//! ```
//! Numbers are little-endian. The header is JSON so that a model can be looked at with any tool; the table is most of the
//! file and is used as it lies there. The check sum finds damage, not forgery: who can write the file can run the program.
//!
//! A file without the last two sections is written in format 1, which every program reads.

use super::context;
use super::dense;
use super::site;
use super::table::{LABELS, Table};
use crate::domain::{PerLabel, Thresholds};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: &[u8; 8] = b"PALABRE\n";
const FORMAT: u32 = 2;
/// Magic number and format.
const FIXED: usize = 8 + 4;
const SECTIONS: usize = 4;
const CHECK: usize = 8;

/// Why bytes are no model this program can use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file does not begin as a model does.
    #[error("this is no Palabre model")]
    NotAModel,
    /// Made by a newer program.
    #[error(
        "the model has format {found}, this program reads up to {FORMAT}: a newer Palabre is needed"
    )]
    NewerFormat {
        /// The file's format.
        found: u32,
    },
    /// Shorter or longer than its header says.
    #[error(
        "the model file is {actual} bytes long but should be {expected}: it was cut off or mixed up"
    )]
    WrongLength {
        /// What the header says, at least.
        expected: u64,
        /// What there is.
        actual: u64,
    },
    /// A byte has changed since the file was written.
    #[error("the model file is damaged: its check sum does not match")]
    Damaged,
    /// Whole, but not made for this program.
    #[error("the model does not fit this program: {0}")]
    Unfit(String),
}

/// A model file, read.
#[derive(Debug, Clone)]
pub(crate) struct Artefact {
    pub header: Header,
    pub table: Table,
    /// The table of a site's own part, where the header has one.
    pub site: Option<Table>,
}

/// The small part of a model: all but the tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub version: String,
    /// Names of the inputs of the second stage, in the order of its weights.
    pub inputs: Vec<String>,
    /// Second stage and calibration in one: weights on raw inputs.
    pub weights: PerLabel<Vec<f32>>,
    pub bias: PerLabel<f32>,
    pub table_scale: [f32; LABELS],
    pub thresholds: Thresholds,
    /// Names of the inputs that say what the comment above makes of a reply. None: the model does not look above.
    #[serde(default)]
    pub context_inputs: Vec<String>,
    #[serde(default)]
    pub context: PerLabel<Vec<f32>>,
    pub report: serde_json::Value,
    /// A site's own part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteHeader>,
}

/// What a site's own part puts in place of the base's, which stays in the header as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SiteHeader {
    /// Version of the base.
    pub base: String,
    /// Names of the further inputs of the second stage.
    pub inputs: Vec<String>,
    /// Weights of the base's inputs, then of the further ones.
    pub weights: PerLabel<Vec<f32>>,
    pub bias: PerLabel<f32>,
    pub table_scale: [f32; LABELS],
    pub thresholds: Thresholds,
}

/// Writes a model file, with a replay sample if `replay` is not empty.
pub(crate) fn write(artefact: &Artefact, replay: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let header = serde_json::to_vec(&artefact.header)?;
    let site = artefact.site.as_ref().map_or(&[][..], Table::bytes);
    let sections = [&header, artefact.table.bytes(), site, replay];
    let format = if site.is_empty() && replay.is_empty() {
        1
    } else {
        FORMAT
    };
    let sections = &sections[..section_count(format)];
    let length = sections.iter().map(|section| 4 + section.len());
    let mut bytes = Vec::with_capacity(FIXED + length.sum::<usize>() + CHECK);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&format.to_le_bytes());
    for section in sections {
        bytes.extend_from_slice(&(section.len() as u32).to_le_bytes());
    }
    for section in sections {
        bytes.extend_from_slice(section);
    }
    bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
    Ok(bytes)
}

const fn section_count(format: u32) -> usize {
    if format == 1 { 2 } else { SECTIONS }
}

/// The sections of a model file. Nothing is believed, nor allocated, before lengths and check sum agree.
fn sections(bytes: &[u8]) -> Result<[&[u8]; SECTIONS], ModelError> {
    let (magic, rest) = bytes
        .split_at_checked(MAGIC.len())
        .ok_or(ModelError::NotAModel)?;
    if magic != MAGIC {
        return Err(ModelError::NotAModel);
    }
    let number = |index: usize| {
        let bytes = rest.get(index * 4..index * 4 + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let cut_off = |expected: u64| ModelError::WrongLength {
        expected,
        actual: bytes.len() as u64,
    };
    let format = number(0).ok_or_else(|| cut_off(FIXED as u64))?;
    if format > FORMAT {
        return Err(ModelError::NewerFormat { found: format });
    }
    let count = section_count(format);
    let begin = FIXED + count * 4;
    let mut lengths = [0u32; SECTIONS];
    for (index, length) in lengths[..count].iter_mut().enumerate() {
        *length = number(index + 1).ok_or_else(|| cut_off(begin as u64))?;
    }
    let whole: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
    let expected = (begin + CHECK) as u64 + whole;
    if bytes.len() as u64 != expected {
        return Err(cut_off(expected));
    }
    let (body, check) = bytes.split_at(bytes.len() - CHECK);
    if xxh3_64(body).to_le_bytes() != check {
        return Err(ModelError::Damaged);
    }
    let mut rest = &body[begin..];
    Ok(lengths.map(|length| {
        let (section, after) = rest.split_at(length as usize);
        rest = after;
        section
    }))
}

/// The replay sample of a model file; empty if it has none.
pub(crate) fn replay(bytes: &[u8]) -> Result<&[u8], ModelError> {
    Ok(sections(bytes)?[3])
}

/// Reads a model file, all but its replay sample.
pub(crate) fn read(bytes: &[u8]) -> Result<Artefact, ModelError> {
    let [header, table, site, _] = sections(bytes)?;
    let header: Header =
        serde_json::from_slice(header).map_err(|error| ModelError::Unfit(error.to_string()))?;
    if header.inputs != dense::names() || header.weights.iter().any(|(_, w)| w.len() != dense::SIZE)
    {
        return Err(ModelError::Unfit("it has other inputs".into()));
    }
    if !header.context_inputs.is_empty() && header.context_inputs != context::INPUTS
        || (header.context.iter()).any(|(_, w)| w.len() != header.context_inputs.len())
    {
        return Err(ModelError::Unfit(
            "it looks for other things above a reply".into(),
        ));
    }
    let not_whole = || ModelError::Unfit("its table is not whole".into());
    let table = Table::from_bytes(table.to_vec(), header.table_scale).ok_or_else(not_whole)?;
    let site = match &header.site {
        Some(own) => {
            let inputs = dense::SIZE + site::SIZE;
            if own.inputs != site::names() || own.weights.iter().any(|(_, w)| w.len() != inputs) {
                return Err(ModelError::Unfit("its site's part has other inputs".into()));
            }
            Some(Table::from_bytes(site.to_vec(), own.table_scale).ok_or_else(not_whole)?)
        }
        None if site.is_empty() => None,
        None => {
            return Err(ModelError::Unfit("it has a table of no site's part".into()));
        }
    };
    Ok(Artefact {
        header,
        table,
        site,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::Score;
    use proptest::prelude::*;

    /// A small model with some weight on everything.
    pub(crate) fn small() -> Vec<u8> {
        let entries: Vec<_> = (0..50u64)
            .map(|i| ((i << 40) | (i + 1), [0.1 * i as f32; LABELS]))
            .collect();
        let table = Table::pack(16, &entries).0;
        let header = Header {
            version: "test-1".into(),
            inputs: dense::names(),
            weights: PerLabel::from_fn(|_| vec![0.5; dense::SIZE]),
            bias: PerLabel::from_fn(|_| -4.0),
            table_scale: *table.scale(),
            thresholds: PerLabel::from_fn(|_| Score::clamped(0.5)),
            context_inputs: context::INPUTS.map(str::to_owned).to_vec(),
            context: PerLabel::from_fn(|_| vec![0.5; context::SIZE]),
            report: serde_json::json!({}),
            site: None,
        };
        let artefact = Artefact {
            header,
            table,
            site: None,
        };
        write(&artefact, &[]).unwrap()
    }

    /// The same, with a site's part to which each of these features matters, and a replay sample.
    pub(crate) fn with_site(entries: &[(u64, [f32; LABELS])]) -> Vec<u8> {
        let mut artefact = read(&small()).unwrap();
        let table = Table::pack(16, entries).0;
        artefact.header.version = "test-site".into();
        artefact.header.site = Some(SiteHeader {
            base: "test-1".into(),
            inputs: site::names(),
            weights: PerLabel::from_fn(|_| {
                [vec![0.4; dense::SIZE], vec![0.7; site::SIZE]].concat()
            }),
            bias: PerLabel::from_fn(|_| -3.0),
            table_scale: *table.scale(),
            thresholds: PerLabel::from_fn(|_| Score::clamped(0.25)),
        });
        artefact.site = Some(table);
        write(&artefact, b"replay").unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let artefact = read(&small()).unwrap();
        assert_eq!(artefact.header.version, "test-1");
        assert_eq!(write(&artefact, &[]).unwrap(), small());
        assert!(replay(&small()).unwrap().is_empty());
    }

    #[test]
    fn a_sites_part_and_a_replay_sample_are_read() {
        let bytes = with_site(&[(7, [1.0; LABELS])]);
        let artefact = read(&bytes).unwrap();
        assert_eq!(artefact.header.site.as_ref().unwrap().base, "test-1");
        assert_eq!(replay(&bytes).unwrap(), b"replay");
        assert_eq!(write(&artefact, b"replay").unwrap(), bytes);
        let mut without = artefact;
        without.header.site = None;
        let bytes = write(&without, &[]).unwrap();
        assert!(matches!(read(&bytes), Err(ModelError::Unfit(_))));
    }

    #[test]
    fn a_model_of_the_first_format_stays_what_it_was() {
        let bytes = small();
        assert_eq!(bytes[8], 1);
        assert_eq!(with_site(&[(7, [1.0; LABELS])])[8], 2);
    }

    #[test]
    fn each_defect_has_its_name() {
        assert!(matches!(
            read(b"not a model at all"),
            Err(ModelError::NotAModel)
        ));
        assert!(matches!(read(b""), Err(ModelError::NotAModel)));
        let mut newer = small();
        newer[8] = 3;
        assert!(matches!(
            read(&newer),
            Err(ModelError::NewerFormat { found: 3 })
        ));
        let mut longer = small();
        longer.push(0);
        assert!(matches!(read(&longer), Err(ModelError::WrongLength { .. })));
    }

    #[test]
    fn a_model_with_other_inputs_is_refused() {
        let mut artefact = read(&small()).unwrap();
        artefact.header.inputs[3] = "something_else".into();
        let bytes = write(&artefact, &[]).unwrap();
        assert!(matches!(read(&bytes), Err(ModelError::Unfit(_))));
    }

    #[test]
    fn huge_lengths_allocate_nothing() {
        let mut bytes = small();
        bytes[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(read(&bytes), Err(ModelError::WrongLength { .. })));
    }

    proptest! {
        #[test]
        fn no_cut_and_no_flipped_bit_goes_unseen(place in any::<prop::sample::Index>(), bit in 0u8..8, of_a_site in any::<bool>()) {
            let whole = if of_a_site { with_site(&[(7, [1.0; LABELS])]) } else { small() };
            let at = place.index(whole.len());
            prop_assert!(read(&whole[..at]).is_err());
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            prop_assert!(read(&flipped).is_err());
        }
    }
}
