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
    use super::super::artefact;
    use super::super::highlight;
    use super::super::lexicon::Lexicon;
    use super::super::model::{Comment, Model};
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

    #[test]
    fn a_sites_words_raise_its_scores_and_are_shown() {
        let mut entries = Vec::new();
        let word = tokenise(&glyphs("kwyx"), &[]);
        features::each(&word, |feature| entries.push((feature.hash, [3.0; LABELS])));
        let site = Model::from_bytes(&artefact::tests::with_site(&entries)).unwrap();
        let assess = |text| {
            site.assess(&Comment {
                text,
                ..Comment::default()
            })
        };
        let (with, without) = (
            assess("Oh le kwyx du marché."),
            assess("Oh le chef du marché."),
        );
        assert!(with.scores.insult.value() > without.scores.insult.value() + 0.2);
        let shown: Vec<_> = with.highlights.iter().map(|h| (h.start, h.end)).collect();
        assert!(shown.contains(&(6, 10)), "{shown:?}");
        assert_eq!(site.thresholds().spam.value(), 0.25);
    }

    #[test]
    fn a_sites_part_that_adds_nothing_changes_nothing() {
        let mut artefact = artefact::read(Model::SHIPPED).unwrap();
        let shipped = Model::from_bytes(Model::SHIPPED).unwrap();
        let table = Table::pack(1, &[]).0;
        let header = &mut artefact.header;
        header.site = Some(artefact::SiteHeader {
            base: header.version.clone(),
            inputs: names(),
            weights: (header.weights).map(|w| [w.clone(), vec![0.0; SIZE]].concat()),
            bias: header.bias,
            table_scale: *table.scale(),
            thresholds: header.thresholds,
        });
        artefact.site = Some(table);
        let neutral = Model::from_bytes(&artefact::write(&artefact, &[]).unwrap()).unwrap();
        for text in [
            "",
            "Ce ministre est un âne, et son voisin un menteur !",
            "Merci. Mort aux voleurs de bétail ! On va tous les pendre devant la mairie.",
            "gagnez 500 € par jour sur http://x.example 😡😡",
        ] {
            let comment = Comment {
                text,
                ancestors: &["Il faut tous les tuer."],
                lang: None,
            };
            assert_eq!(neutral.assess(&comment), shipped.assess(&comment));
        }
    }

    #[test]
    fn highlights_of_a_sites_part_are_exact() {
        let mut entries = Vec::new();
        let words = tokenise(&glyphs("kwyx du marché"), &[]);
        features::each(&words, |feature| {
            entries.push((feature.hash, [0.7; LABELS]));
        });
        let artefact = artefact::read(&artefact::tests::with_site(&entries)).unwrap();
        let text = tokenise(&glyphs("Oh le kwyx. Voici le marché du lundi !"), &[]);
        let table = artefact.site.unwrap();
        let lexicon = Lexicon::new().unwrap();
        let base = dense::read(&artefact.table, &lexicon, &dense::Scout::sparse(), &text);
        let seen = read(&table, &text, &base);
        let weights: Vector = std::array::from_fn(|at| at as f32 / 10.0);
        let mut shares = vec![0.0; text.tokens.len()];
        highlight::add_site(&mut shares, &weights, &seen, &base, &table);
        let sum: f32 = shares.iter().sum();
        let dot: f32 = weights.iter().zip(&seen.vector).map(|(w, x)| w * x).sum();
        assert!(sum > 1.0 && (sum - dot).abs() < 1e-3 * sum);
    }
}
