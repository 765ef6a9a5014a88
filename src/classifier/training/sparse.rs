//! Learns the weights of the sparse part: logistic regression for all labels at once, by stochastic gradient descent with
//! a step size per weight (`AdaGrad`; Duchi, Hazan and Singer 2011), which gives rare features a fair chance.
//!
//! Each source has an intercept of its own, which is thrown away afterwards: it takes up what is peculiar to how the
//! source was collected, so that the words need not.

use super::Random;
use super::balance::Targets;
use crate::classifier::features::{self, BLOCKS};
use crate::classifier::table::{LABELS, Table};
use crate::classifier::tokens::Text;
use crate::domain::Label;
use rayon::prelude::*;
use std::borrow::Borrow;
use std::collections::HashMap;

/// A feature must be in this many rows to be learned.
const LEAST_ROWS: u32 = 3;
/// Rows read at a time while the vocabulary is made.
const CHUNK: usize = 4096;

/// How the descent goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Descent {
    pub epochs: usize,
    pub rate: f32,
    /// Pull towards zero at each touch of a weight.
    pub decay: f32,
    pub seed: u64,
}

/// Rows as features: ids and values.
pub(crate) struct Matrix {
    rows: Vec<Box<[(u32, f32)]>>,
    hashes: Vec<u64>,
    /// In how many rows each feature is.
    counts: Vec<u32>,
}

impl Matrix {
    /// Reads the features of so many texts, each twice, and numbers those that are in enough of them.
    pub fn build<T: Borrow<Text>>(
        texts: usize,
        text: impl Fn(usize) -> T + Sync,
        rows_done: impl Fn(u64),
    ) -> Self {
        let chunks = || {
            (0..texts)
                .step_by(CHUNK)
                .map(|from| from..texts.min(from + CHUNK))
        };
        let mut sketch = vec![0u8; 1 << 25];
        for chunk in chunks() {
            let found: Vec<Vec<u64>> = chunk
                .clone()
                .into_par_iter()
                .map(|at| {
                    let found = distinct(text(at).borrow()).into_iter();
                    found.map(|(hash, _)| hash).collect()
                })
                .collect();
            for hash in found.iter().flatten() {
                let cell = &mut sketch[(*hash >> 39) as usize];
                *cell = cell.saturating_add(1);
            }
            rows_done(chunk.len() as u64);
        }
        let mut ids: HashMap<u64, u32> = HashMap::new();
        let mut hashes = Vec::new();
        let mut counts: Vec<u32> = Vec::new();
        let mut rows = Vec::with_capacity(texts);
        for chunk in chunks() {
            let found: Vec<Vec<(u64, f32)>> = chunk
                .clone()
                .into_par_iter()
                .map(|at| distinct(text(at).borrow()))
                .collect();
            for row in found {
                let frequent = row
                    .into_iter()
                    .filter(|(hash, _)| u32::from(sketch[(*hash >> 39) as usize]) >= LEAST_ROWS);
                let row: Box<[(u32, f32)]> = frequent
                    .map(|(hash, value)| {
                        let id = *ids.entry(hash).or_insert_with(|| {
                            hashes.push(hash);
                            counts.push(0);
                            counts.len() as u32 - 1
                        });
                        counts[id as usize] += 1;
                        (id, value)
                    })
                    .collect();
                rows.push(row);
            }
            rows_done(chunk.len() as u64);
        }
        Self {
            rows,
            hashes,
            counts,
        }
    }

    /// Adds rows, of which only the features count that are known already.
    pub fn extend<T: Borrow<Text>>(&mut self, texts: usize, text: impl Fn(usize) -> T + Sync) {
        let ids: HashMap<u64, u32> = self.hashes.iter().copied().zip(0..).collect();
        let rows = (0..texts).into_par_iter().map(|at| {
            let found = distinct(text(at).borrow()).into_iter();
            found
                .filter_map(|(hash, value)| Some((*ids.get(&hash)?, value)))
                .collect()
        });
        self.rows.par_extend(rows);
    }

    /// How many features there are.
    pub fn features(&self) -> usize {
        self.hashes.len()
    }
}

/// What is fitted on.
pub(crate) struct Rows<'a> {
    pub matrix: &'a Matrix,
    pub targets: &'a [Targets],
    /// The source of each row.
    pub sources: &'a [usize],
    /// Log-odds that are known of each row beforehand; what is fitted is the rest.
    pub known: Option<&'a [[f32; 8]]>,
}

/// The distinct features of a text with their values, scaled as [`crate::classifier::dense`] will scale them.
fn distinct(text: &Text) -> Vec<(u64, f32)> {
    let mut blocks: [Vec<u64>; BLOCKS] = Default::default();
    features::each(text, |feature| {
        blocks[feature.block as usize].push(feature.hash);
    });
    let mut found = Vec::new();
    for mut block in blocks {
        let factor = 1.0 / (block.len().max(1) as f32).sqrt();
        block.sort_unstable();
        for same in block.chunk_by(|a, b| a == b) {
            found.push((same[0], same.len() as f32 * factor));
        }
    }
    found
}

/// A weight per label and its sum of squared gradients, side by side in one cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Cell {
    weight: [f32; 8],
    square: [f32; 8],
}

const FRESH: Cell = Cell {
    weight: [0.0; 8],
    square: [1e-6; 8],
};

/// Fits the rows whose index is in `chosen` and packs the weights into `lines` lines.
pub(crate) fn fit(
    rows: &Rows<'_>,
    chosen: &[usize],
    descent: Descent,
    lines: usize,
    epoch_done: impl Fn(),
) -> Table {
    let Rows {
        matrix,
        targets,
        sources,
        known,
    } = *rows;
    let mut cells = vec![FRESH; matrix.hashes.len()];
    let mut intercepts = vec![FRESH; sources.iter().max().map_or(0, |most| most + 1)];
    let mut order = chosen.to_vec();
    let mut random = Random(descent.seed);
    for _ in 0..descent.epochs {
        random.shuffle(&mut order);
        for &row in &order {
            let features = &matrix.rows[row];
            let intercept = &mut intercepts[sources[row]];
            let mut odds = intercept.weight;
            if let Some(known) = known {
                for (sum, known) in odds.iter_mut().zip(&known[row]) {
                    *sum += known;
                }
            }
            for (id, value) in features {
                let cell = &cells[*id as usize];
                for (sum, weight) in odds.iter_mut().zip(&cell.weight) {
                    *sum += weight * value;
                }
            }
            let slope = slopes(&odds, &targets[row]);
            step(intercept, &slope, 1.0, descent.rate, 0.0);
            for (id, value) in features {
                step(
                    &mut cells[*id as usize],
                    &slope,
                    *value,
                    descent.rate,
                    descent.decay,
                );
            }
        }
        epoch_done();
    }
    pack(matrix, &cells, lines)
}

/// Gradient of the weighted log loss with respect to the log-odds; 0 where the row says nothing.
fn slopes(odds: &[f32; 8], targets: &Targets) -> [f32; 8] {
    let mut slopes = [0.0; 8];
    for label in Label::ALL {
        if let Some(target) = targets.get(label) {
            let probability = 1.0 / (1.0 + (-odds[label.index()]).exp());
            let wanted = f32::from(u8::from(target.present));
            slopes[label.index()] = (probability - wanted) * target.weight.min(20.0);
        }
    }
    slopes
}

#[inline]
fn step(cell: &mut Cell, slope: &[f32; 8], value: f32, rate: f32, decay: f32) {
    let learned = cell.weight.iter_mut().zip(&mut cell.square);
    for ((weight, square), slope) in learned.zip(slope) {
        let pull = if *slope == 0.0 { 0.0 } else { decay * *weight };
        let gradient = slope * value + pull;
        *square += gradient * gradient;
        *weight -= rate * gradient / square.sqrt();
    }
}

/// Keeps the features that matter most: far from zero, and often met.
fn pack(matrix: &Matrix, cells: &[Cell], lines: usize) -> Table {
    let spread: [f32; LABELS] = std::array::from_fn(|label| {
        let squares: f64 = cells
            .iter()
            .map(|cell| f64::from(cell.weight[label]).powi(2))
            .sum();
        ((squares / cells.len().max(1) as f64).sqrt() as f32).max(1e-9)
    });
    let mut ranked: Vec<(f32, usize)> = cells
        .iter()
        .enumerate()
        .filter(|(id, _)| matrix.counts[*id] >= LEAST_ROWS)
        .map(|(id, cell)| {
            let relative = (0..LABELS).map(|label| cell.weight[label].abs() / spread[label]);
            (
                relative.fold(0.0, f32::max) * (matrix.counts[id] as f32).powf(0.4),
                id,
            )
        })
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.truncate(lines * 8);
    let entries: Vec<_> = ranked
        .iter()
        .map(|(_, id)| {
            (
                matrix.hashes[*id],
                std::array::from_fn(|label| cells[*id].weight[label]),
            )
        })
        .collect();
    Table::pack(lines, &entries).0
}
