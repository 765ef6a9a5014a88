//! The sparse part of the model: a static hash table from features to one weight per label.
//!
//! Plain feature hashing lets an unknown feature borrow the weights of whatever shares its bucket. Here each entry carries a
//! 16-bit tag, so that an unknown feature finds nothing (but for one in about ten thousand). A line of eight entries is 64
//! bytes, one cache line: a look-up is one access to memory for all six labels.
//!
//! A weight is a signed byte `q` that stands for `q·|q|` times the label's scale: fine steps near zero, where most weights
//! lie, and a wide range. Sums are exact integers, so a score does not depend on the order of addition.

use crate::domain::Label;

/// Entries in a line.
const SLOTS: usize = 8;
/// Bytes of a line: eight tags of two bytes, then eight times six weights.
pub(crate) const LINE: usize = SLOTS * (2 + LABELS);
const TAGS: usize = SLOTS * 2;
/// Labels a weight is kept for.
pub(crate) const LABELS: usize = Label::ALL.len();

/// Sums of `q·|q|` per label.
pub(crate) type Sums = [i32; LABELS];

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    bytes: Vec<u8>,
    /// Weight of the step `q = 1`, per label.
    scale: [f32; LABELS],
}

impl Table {
    /// Wraps stored lines; `None` if the length is no whole number of them.
    pub fn from_bytes(bytes: Vec<u8>, scale: [f32; LABELS]) -> Option<Self> {
        (!bytes.is_empty() && bytes.len().is_multiple_of(LINE)).then_some(Self { bytes, scale })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub const fn scale(&self) -> &[f32; LABELS] {
        &self.scale
    }

    /// Adds the feature's weights to `sums`, if it is known.
    #[inline]
    pub fn add(&self, hash: u64, sums: &mut Sums) {
        let lines = self.bytes.len() / LINE;
        let start = line_of(hash, lines) * LINE;
        let Some(line) = self.bytes.get(start..start + LINE) else {
            return;
        };
        let (tags, weights) = line.split_at(TAGS);
        let tag = tag_of(hash).to_le_bytes();
        let Some(slot) = tags.chunks_exact(2).position(|stored| stored == tag) else {
            return;
        };
        for (sum, weight) in sums.iter_mut().zip(&weights[slot * LABELS..]) {
            let weight = i32::from(weight.cast_signed());
            *sum += weight * weight.abs();
        }
    }

    /// Places `entries` (feature, weights), the most important first; what finds its line full is left out.
    ///
    /// Returns the table and how many entries were left out.
    pub fn pack(lines: usize, entries: &[(u64, [f32; LABELS])]) -> (Self, usize) {
        let lines = lines.max(1);
        let mut bytes = vec![0; lines * LINE];
        let scale = std::array::from_fn(|label| {
            let largest = entries
                .iter()
                .fold(0f32, |most, (_, weights)| most.max(weights[label].abs()));
            largest / (127.0 * 127.0)
        });
        let mut left_out = 0;
        for (hash, weights) in entries {
            let start = line_of(*hash, lines) * LINE;
            let (tags, stored) = bytes[start..start + LINE].split_at_mut(TAGS);
            let tag = tag_of(*hash).to_le_bytes();
            let free = tags
                .chunks_exact(2)
                .position(|taken| taken == [0, 0] || taken == tag);
            let Some(slot) = free.filter(|slot| tags[slot * 2..slot * 2 + 2] == [0, 0]) else {
                left_out += 1;
                continue;
            };
            tags[slot * 2..slot * 2 + 2].copy_from_slice(&tag);
            for label in 0..LABELS {
                stored[slot * LABELS + label] =
                    quantise(weights[label], scale[label]).cast_unsigned();
            }
        }
        (Self { bytes, scale }, left_out)
    }
}

fn line_of(hash: u64, lines: usize) -> usize {
    (((hash >> 32) * lines as u64) >> 32) as usize
}

/// Never 0, which marks a free entry.
fn tag_of(hash: u64) -> u16 {
    (hash as u16).max(1)
}

fn quantise(weight: f32, scale: f32) -> i8 {
    if scale <= 0.0 {
        return 0;
    }
    let steps = (weight.abs() / scale).sqrt().round().min(127.0);
    (steps.copysign(weight)) as i8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sums(table: &Table, hash: u64) -> Sums {
        let mut sums = [0; LABELS];
        table.add(hash, &mut sums);
        sums
    }

    #[test]
    fn a_full_line_drops_the_least_important() {
        let entries: Vec<_> = (1..=10u64).map(|i| (i, [1.0; LABELS])).collect();
        let (table, left_out) = Table::pack(1, &entries);
        assert_eq!(left_out, 2);
        assert_eq!(sums(&table, 8), [127 * 127; LABELS]);
        assert_eq!(sums(&table, 9), [0; LABELS]);
    }

    #[test]
    fn odd_lengths_are_refused() {
        assert!(Table::from_bytes(vec![0; LINE + 1], [0.0; LABELS]).is_none());
        assert!(Table::from_bytes(Vec::new(), [0.0; LABELS]).is_none());
    }

    proptest! {
        #[test]
        fn weights_come_back_within_a_step(hashes in proptest::collection::hash_set(any::<u64>(), 1..40), weight in -3f32..3.0) {
            let entries: Vec<_> = hashes.iter().map(|h| (*h, [weight, -weight, 3.0, 0.0, 1.0, 2.0])).collect();
            let (table, left_out) = Table::pack(64, &entries);
            prop_assume!(left_out == 0);
            for hash in &hashes {
                let back = sums(&table, *hash)[0] as f32 * table.scale()[0];
                prop_assert!((back - weight).abs() <= weight.abs() * 0.02 + 1e-6);
            }
        }
    }
}
