//! Which words raised a score, and by how much.
//!
//! Every value of the dense vector is a sum over tokens (the sparse part) or over sightings of frames, and the second stage
//! is linear, so a token's share in the log-odds of a label is computed, not estimated. Shares are gathered per word, which
//! is what a reader can judge, and neighbouring words that raise the score become one span.

use super::dense::{Evidence, FRAMES, PEAK, Peak, SENTENCE, SENTENCE_FRAMES, SIZE, WHOLE};
use super::features::BLOCKS;
use super::frames::{self, Sighting};
use super::site::{self, SiteEvidence};
use super::table::{LABELS, Sums, Table};
use super::tokens::{Gap, Text};
use crate::domain::{Highlight, Label};

/// A word is shown if it has at least this share of the label's strongest word.
const RELATIVE: f32 = 0.22;
/// Log-odds below which a word is not worth a moderator's eye.
const ABSOLUTE: f32 = 0.12;
/// Spans shown for one label.
const MOST: usize = 6;

/// The spans of `text` that raised `label`, in the order of the text; `per_token` is each token's part.
pub(crate) fn spans(label: Label, per_token: &[f32], text: &Text) -> Vec<Highlight> {
    let strongest = per_token.iter().copied().fold(0.0, f32::max);
    let least = (strongest * RELATIVE).max(ABSOLUTE);
    let mut spans: Vec<Highlight> = Vec::new();
    let mut latest: Option<usize> = None;
    for (index, (token, share)) in text.tokens.iter().zip(per_token).enumerate() {
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

/// What one label makes of a table's sums: the weights of the three, per label of the table.
struct SumWeights<'a> {
    whole: &'a [f32],
    peak: &'a [f32],
    sentence: &'a [f32],
}

/// Each token's part of the label's log-odds, by the base's inputs.
pub(crate) fn shares(weights: &[f32; SIZE], evidence: &Evidence, table: &Table) -> Vec<f32> {
    let mut shares = vec![0.0; evidence.tokens.len()];
    let sums = SumWeights {
        whole: &weights[WHOLE..],
        peak: &weights[PEAK..],
        sentence: &weights[SENTENCE..],
    };
    share_sums(
        &mut shares,
        &sums,
        &evidence.tokens,
        &evidence.peaks,
        evidence,
        table,
    );
    let inside = evidence.sightings_in_sentence();
    share_frames(&mut shares, &weights[FRAMES..], &evidence.sightings);
    share_frames(&mut shares, &weights[SENTENCE_FRAMES..], inside);
    shares
}

/// Adds each token's part by the inputs of a site's own part.
pub(crate) fn add_site(
    shares: &mut [f32],
    weights: &site::Vector,
    evidence: &SiteEvidence,
    base: &Evidence,
    table: &Table,
) {
    let sums = SumWeights {
        whole: &weights[site::WHOLE..],
        peak: &weights[site::PEAK..],
        sentence: &weights[site::SENTENCE..],
    };
    share_sums(
        shares,
        &sums,
        &evidence.tokens,
        &evidence.peaks,
        base,
        table,
    );
}

/// Hands the sums of a table to the tokens whose features they are of. Factors and the worst sentence are the base's.
fn share_sums(
    shares: &mut [f32],
    weights: &SumWeights<'_>,
    tokens: &[[Sums; BLOCKS]],
    peaks: &[Peak; LABELS],
    base: &Evidence,
    table: &Table,
) {
    let sentence = &base.sentence;
    for (at, (share, token)) in shares.iter_mut().zip(tokens).enumerate() {
        let in_sentence = (sentence.from..sentence.to).contains(&at);
        *share += (0..LABELS)
            .map(|sparse| {
                let peak = &peaks[sparse];
                let in_peak = (peak.from..peak.to).contains(&at);
                let per_block = (0..BLOCKS).map(|block| {
                    let mut factor = weights.whole[sparse] * base.whole_factor[block];
                    if in_peak {
                        factor += weights.peak[sparse] * peak.factor[block];
                    }
                    if in_sentence {
                        factor += weights.sentence[sparse] * sentence.factor[block];
                    }
                    token[block][sparse] as f32 * factor
                });
                per_block.sum::<f32>() * table.scale()[sparse]
            })
            .sum::<f32>();
    }
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
