//! A site's own part of a model: a second sparse table, learned from the decisions of its moderators, beside the frozen base.
//!
//! The table gives each label the same three sums as the base's does: over the whole text, over its worst run of words,
//! and over its worst sentence. Which sentence that is stays the base's to say. The weights of the second stage, fitted
//! anew on the base's vector and these sums together, stand in place of the base's; so all of it is linear still, and
//! highlights stay exact.
//!
//! A model without such a part is read as ever and pays nothing.

use super::dense::{self, Evidence, Peak, Totals};
use super::features::{self, BLOCKS};
use super::table::{LABELS, Sums, Table};
use super::tokens::Text;
use crate::domain::Label;

/// Where each group of sums begins.
pub(crate) const WHOLE: usize = 0;
pub(crate) const PEAK: usize = LABELS;
pub(crate) const SENTENCE: usize = 2 * LABELS;
/// How many sums there are.
pub(crate) const SIZE: usize = 3 * LABELS;

/// What a site's part makes of a text: further inputs of the second stage.
pub(crate) type Vector = [f32; SIZE];

/// A site's part of a loaded model.
#[derive(Debug)]
pub(crate) struct Site {
    pub table: Table,
    /// Weights of its sums, per label.
    pub weights: [Vector; LABELS],
}

/// What is known of a text by a site's part; kept to explain the answer.
pub(crate) struct SiteEvidence {
    pub vector: Vector,
    /// Per token and group of features, the summed weights.
    pub tokens: Vec<[Sums; BLOCKS]>,
    /// Per label the tokens of its peak.
    pub peaks: [Peak; LABELS],
}

/// Names of the sums, to check that a model file fits this program.
pub(crate) fn names() -> Vec<String> {
    ["whole", "peak", "sentence"]
        .iter()
        .flat_map(|group| Label::ALL.map(|label| format!("site_{group}_{label}")))
        .collect()
}

/// Reads `text` with a site's table; `base` is what the base made of it.
pub(crate) fn read(table: &Table, text: &Text, base: &Evidence) -> SiteEvidence {
    let mut tokens = vec![[Sums::default(); BLOCKS]; text.tokens.len()];
    let mut counts = vec![[0u32; BLOCKS]; text.tokens.len()];
    features::each(text, |feature| {
        let (token, block) = (feature.token as usize, feature.block as usize);
        counts[token][block] += 1;
        table.add(feature.hash, &mut tokens[token][block]);
    });
    let sum_of = |from: usize, to: usize| {
        let mut totals = Totals::default();
        for (token, count) in tokens[from..to].iter().zip(&counts[from..to]) {
            totals.add(token, *count);
        }
        totals
    };
    let whole = sum_of(0, tokens.len());
    let sentence = sum_of(base.sentence.from, base.sentence.to);
    let peaks = dense::peaks(table, &tokens, &counts);
    let mut vector = [0.0; SIZE];
    for label in 0..LABELS {
        vector[WHOLE + label] = whole.scaled(base.whole_factor, label, table);
        vector[PEAK + label] = peaks[label].0;
        vector[SENTENCE + label] = sentence.scaled(base.sentence.factor, label, table);
    }
    SiteEvidence {
        vector,
        tokens,
        peaks: peaks.map(|(_, peak)| peak),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lexicon::Lexicon;
    use super::super::normalise::glyphs;
    use super::super::tokens::tokenise;
    use super::*;

    #[test]
    fn a_table_reads_the_same_on_either_side() {
        let text = tokenise(
            &glyphs("Quel zozo ! Il fait beau au marché de Médine."),
            &[],
        );
        let mut entries = Vec::new();
        features::each(&text, |feature| {
            entries.push((feature.hash, [0.5, 1.0, 2.0, 0.1, 0.2, 0.3]));
        });
        let table = Table::pack(64, &entries).0;
        let lexicon = Lexicon::new().unwrap();
        let base = dense::read(&table, &lexicon, &dense::Scout::sparse(), &text);
        let site = read(&table, &text, &base);
        for (own, bases) in [
            (WHOLE, dense::WHOLE),
            (PEAK, dense::PEAK),
            (SENTENCE, dense::SENTENCE),
        ] {
            assert_eq!(
                site.vector[own..own + LABELS],
                base.vector[bases..bases + LABELS]
            );
        }
        assert_eq!(names().len(), SIZE);
    }
}
