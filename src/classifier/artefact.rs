//! The model file.
//!
//! ```text
//! "PALABRE\n"             8 bytes
//! format version          u32
//! length of the header    u32
//! length of the table     u32
//! header                  JSON: version, second stage, thresholds, training report
//! table                   lines of the sparse part, as in memory
//! xxh3 of all the above   u64
//! ```
//! Numbers are little-endian. The header is JSON so that a model can be looked at with any tool; the table is most of the
//! file and is used as it lies there. The check sum finds damage, not forgery: who can write the file can run the program.

use super::context;
use super::dense;
use super::table::{LABELS, Table};
use crate::domain::{PerLabel, Thresholds};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: &[u8; 8] = b"PALABRE\n";
const FORMAT: u32 = 1;
const FIXED: usize = 8 + 3 * 4;
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

/// The small part of a model: all but the table.
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
}

/// Writes a model file.
pub(crate) fn write(header: &Header, table: &Table) -> Result<Vec<u8>, serde_json::Error> {
    let header = serde_json::to_vec(header)?;
    let mut bytes = Vec::with_capacity(FIXED + header.len() + table.bytes().len() + CHECK);
    bytes.extend_from_slice(MAGIC);
    for number in [FORMAT, header.len() as u32, table.bytes().len() as u32] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(table.bytes());
    bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
    Ok(bytes)
}

/// Reads a model file. Nothing is believed, nor allocated, before lengths and check sum agree.
pub(crate) fn read(bytes: &[u8]) -> Result<(Header, Table), ModelError> {
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
    let (Some(header), Some(table)) = (number(1), number(2)) else {
        return Err(cut_off(FIXED as u64));
    };
    let expected = FIXED as u64 + u64::from(header) + u64::from(table) + CHECK as u64;
    if bytes.len() as u64 != expected {
        return Err(cut_off(expected));
    }
    let (body, check) = bytes.split_at(bytes.len() - CHECK);
    if xxh3_64(body).to_le_bytes() != check {
        return Err(ModelError::Damaged);
    }
    let (header, table) = body[FIXED..].split_at(header as usize);
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
    let table = Table::from_bytes(table.to_vec(), header.table_scale)
        .ok_or_else(|| ModelError::Unfit("its table is not whole".into()))?;
    Ok((header, table))
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
        };
        write(&header, &table).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let (header, table) = read(&small()).unwrap();
        assert_eq!(header.version, "test-1");
        assert_eq!(write(&header, &table).unwrap(), small());
    }

    #[test]
    fn each_defect_has_its_name() {
        assert!(matches!(
            read(b"not a model at all"),
            Err(ModelError::NotAModel)
        ));
        assert!(matches!(read(b""), Err(ModelError::NotAModel)));
        let mut newer = small();
        newer[8] = 2;
        assert!(matches!(
            read(&newer),
            Err(ModelError::NewerFormat { found: 2 })
        ));
        let mut longer = small();
        longer.push(0);
        assert!(matches!(read(&longer), Err(ModelError::WrongLength { .. })));
    }

    #[test]
    fn a_model_with_other_inputs_is_refused() {
        let (mut header, table) = read(&small()).unwrap();
        header.inputs[3] = "something_else".into();
        let bytes = write(&header, &table).unwrap();
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
        fn no_cut_and_no_flipped_bit_goes_unseen(place in any::<prop::sample::Index>(), bit in 0u8..8) {
            let whole = small();
            let at = place.index(whole.len());
            prop_assert!(read(&whole[..at]).is_err());
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            prop_assert!(read(&flipped).is_err());
        }
    }
}
