//! Which words raised a score, and by how much.
//!
//! Every value of the dense vector is a sum over tokens (the sparse part) or over sightings of frames, and the second stage
//! is linear, so a token's share in the log-odds of a label is computed, not estimated. Shares are gathered per word, which
//! is what a reader can judge, and neighbouring words that raise the score become one span.

use super::dense::{Evidence, FRAMES, PEAK, SENTENCE, SENTENCE_FRAMES, SIZE, WHOLE};
use super::features::BLOCKS;
use super::frames::{self, Sighting};
use super::table::{LABELS, Table};
use super::tokens::{Gap, Text};
use crate::domain::{Highlight, Label};

/// A word is shown if it has at least this share of the label's strongest word.
const RELATIVE: f32 = 0.22;
/// Log-odds below which a word is not worth a moderator's eye.
const ABSOLUTE: f32 = 0.12;
/// Spans shown for one label.
const MOST: usize = 6;

/// The spans of `text` that raised `label`, in the order of the text.
pub(crate) fn spans(
    label: Label,
    weights: &[f32; SIZE],
    evidence: &Evidence,
    table: &Table,
    text: &Text,
) -> Vec<Highlight> {
    let per_token = shares(weights, evidence, table);
    let strongest = per_token.iter().copied().fold(0.0, f32::max);
    let least = (strongest * RELATIVE).max(ABSOLUTE);
    let mut spans: Vec<Highlight> = Vec::new();
    let mut latest: Option<usize> = None;
    for (index, (token, share)) in text.tokens.iter().zip(&per_token).enumerate() {
        if *share < least {
            continue;
        }
        let (start, end) = (token.span.0 as usize, token.span.1 as usize);
        // One weak word between two strong ones belongs to them, unless it speaks against the label.
        let joined = latest
            .and_then(|last| per_token.get(last + 1..=index))
            .filter(|run| {
                run.len() == 1 || (run.len() == 2 && run[0] > 0.0 && token.gap == Gap::Space)
            });
        match spans.last_mut().zip(joined) {
            Some((span, run)) => {
                span.end = end;
                span.weight += run.iter().sum::<f32>();
            }
            None => spans.push(Highlight {
                label,
                start,
                end,
                weight: *share,
            }),
        }
        latest = Some(index);
    }
    if spans.len() > MOST {
        spans.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        spans.truncate(MOST);
        spans.sort_by_key(|span| span.start);
    }
    spans
}

/// Each token's part of the label's log-odds.
fn shares(weights: &[f32; SIZE], evidence: &Evidence, table: &Table) -> Vec<f32> {
    let sentence = &evidence.sentence;
    let mut shares: Vec<f32> = evidence
        .tokens
        .iter()
        .enumerate()
        .map(|(at, token)| {
            let in_sentence = (sentence.from..sentence.to).contains(&at);
            (0..LABELS)
                .map(|sparse| {
                    let peak = &evidence.peaks[sparse];
                    let in_peak = (peak.from..peak.to).contains(&at);
                    let per_block = (0..BLOCKS).map(|block| {
                        let mut factor = weights[WHOLE + sparse] * evidence.whole_factor[block];
                        if in_peak {
                            factor += weights[PEAK + sparse] * peak.factor[block];
                        }
                        if in_sentence {
                            factor += weights[SENTENCE + sparse] * sentence.factor[block];
                        }
                        token[block][sparse] as f32 * factor
                    });
                    per_block.sum::<f32>() * table.scale()[sparse]
                })
                .sum()
        })
        .collect();
    let inside = evidence.sightings_in_sentence();
    share_frames(&mut shares, &weights[FRAMES..], &evidence.sightings);
    share_frames(&mut shares, &weights[SENTENCE_FRAMES..], inside);
    shares
}

/// Hands what `sightings` are worth to the tokens that made them.
fn share_frames(shares: &mut [f32], weights: &[f32], sightings: &[Sighting]) {
    let counts = frames::counts(sightings);
    let values = frames::values(sightings);
    for sighting in sightings {
        let frame = sighting.frame as usize;
        let each = weights[frame] * values[frame] / counts[frame];
        let range = sighting.from as usize..sighting.to as usize;
        // A frame's two ends made it; what lies between only had to be short.
        if range.len() == 1 {
            shares[range.start] += each;
        } else {
            shares[range.start] += each / 2.0;
            shares[range.end - 1] += each / 2.0;
        }
    }
}
