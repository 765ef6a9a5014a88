//! The vector that the second stage sees: what the sparse part makes of the text, the frames, and its shape.
//!
//! The sparse part gives each label two numbers. The *whole* is its sum over the text, scaled by length. The *peak* is the
//! same over the worst run of [`WINDOW`] tokens: an insult in the ninth sentence weighs as much as one said alone. Both are
//! sums over tokens, so each token's share in the answer is known exactly.
//!
//! Threats are judged by the *worst sentence*: the sparse sums and the frames of that one sentence stand in the vector
//! beside those of the text, and only they speak of a threat. In a long comment of thanks and prayers a single sentence calls
//! for a killing; counted over the text, each blessing around it would be a reason to let it through. Which sentence is the
//! worst is for the threat label's own weights to say ([`Scout`]), so that its log-odds are a maximum over sentences, found
//! in one pass.

use super::features::{self, BLOCKS};
use super::frames::{self, Sighting};
use super::lexicon::{Class, Classes, Lexicon};
use super::table::{LABELS, Sums, Table};
use super::tokens::{Gap, Kind, Text};
use crate::domain::Label;
use std::ops::Range;

/// Tokens in the run over which a peak is taken.
pub(crate) const WINDOW: usize = 12;

/// More stretched words say no more.
const MOST_STRETCHED: usize = 3;

const SHAPE: [&str; 10] = [
    "words",
    "exclamations",
    "questions",
    "ellipses",
    "emoji",
    "links",
    "phones",
    "numbers",
    "stretched",
    "you",
];

/// Where each group of values begins.
pub(crate) const WHOLE: usize = 0;
pub(crate) const PEAK: usize = LABELS;
pub(crate) const FRAMES: usize = 2 * LABELS;
const SHAPES: usize = FRAMES + frames::COUNT;
/// The worst sentence: its sparse sums, then its frames.
pub(crate) const SENTENCE: usize = SHAPES + SHAPE.len();
pub(crate) const SENTENCE_FRAMES: usize = SENTENCE + LABELS;
/// Length of the vector.
pub(crate) const SIZE: usize = SENTENCE_FRAMES + frames::COUNT;

/// The input of the second stage.
pub(crate) type Vector = [f32; SIZE];

/// What is known of one sentence.
type Sentence = [f32; SIZE - SENTENCE];

/// Weights on a sentence's values; the sentence with the highest sum is the worst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scout([f32; SIZE - SENTENCE]);

impl Scout {
    /// Goes by the sparse part's word on threats alone, for want of anything better.
    pub fn sparse() -> Self {
        let mut weights = [0.0; SIZE - SENTENCE];
        weights[Label::Threat.index()] = 1.0;
        Self(weights)
    }

    /// Goes by what the threat label makes of a sentence.
    pub fn of(threat: &[f32; SIZE]) -> Self {
        let mut weights = [0.0; SIZE - SENTENCE];
        weights.copy_from_slice(&threat[SENTENCE..]);
        Self(weights)
    }

    fn danger(&self, sentence: &Sentence) -> f32 {
        self.0.iter().zip(sentence).map(|(w, x)| w * x).sum()
    }
}

/// Names of the values, for reports and to check that a model file fits this program.
pub(crate) fn names() -> Vec<String> {
    let labels = Label::ALL;
    let whole = labels.iter().map(|label| format!("whole_{label}"));
    let peak = labels.iter().map(|label| format!("peak_{label}"));
    let rest = frames::NAMES.iter().chain(&SHAPE).map(ToString::to_string);
    let sentence = labels.iter().map(|label| format!("sentence_{label}"));
    let in_sentence = frames::NAMES.iter().map(|name| format!("sentence_{name}"));
    whole
        .chain(peak)
        .chain(rest)
        .chain(sentence)
        .chain(in_sentence)
        .collect()
}

/// Whether a label may use an input.
///
/// Links, telephone numbers and advertisers' words speak for spam. They would speak against all else too, since the abuse
/// people collect has no links in it, and whoever put a link under a threat would be let through.
///
/// A threat is judged by the worst sentence, the worst run of words, and whether the text asks; all else by the text.
pub(crate) fn may_use(label: Label, input: &str) -> bool {
    let in_sentence = input.strip_prefix("sentence_");
    let may_judge = if label == Label::Threat {
        in_sentence.is_some() || input.starts_with("peak_") || input == "questions"
    } else {
        in_sentence.is_none()
    };
    let advertises = matches!(
        in_sentence.unwrap_or(input),
        "links" | "phones" | "numbers" | "Spam" | "spam" | "whole_spam" | "peak_spam"
    );
    may_judge && (label == Label::Spam || !advertises)
}

/// What an input can only say of a label, by its meaning: that it is there (`true`), or that it is not. A rare coincidence in
/// the examples must not make an order to kill a reason to let a comment through, nor a smile a reason to hold it.
pub(crate) fn speaks_for(label: Label, input: &str) -> Option<bool> {
    if label != Label::Threat {
        return None;
    }
    match input.strip_prefix("sentence_").unwrap_or(input) {
        "threat" | "peak_threat" | "DeathCry" | "DeathWish" | "DeathWished" | "FateAtYou"
        | "HomeFated" | "Order" | "OrderAtGroup" | "OrderAtThem" | "Violence"
        | "ViolenceAtGroup" | "ViolenceAtThem" | "ViolenceAtYou" | "ViolenceMust"
        | "ViolenceWilled" | "WeaponAtYou" | "WeaponWilled" => Some(true),
        "Bless" | "DeathTold" | "DeathWishQuoted" | "DeathWishTold" | "InsultNegated"
        | "InsultQuoted" | "KindEmoji" | "Quoted" | "Report" | "SlurQuoted" | "Victim"
        | "ViolenceNegated" | "ViolenceQuoted" | "ViolenceTold" | "questions" => Some(false),
        _ => None,
    }
}

/// What is known of a text before the second stage; kept to explain its answer.
pub(crate) struct Evidence {
    pub vector: Vector,
    pub sightings: Vec<Sighting>,
    /// Per token, the word classes it belongs to.
    pub classes: Vec<Classes>,
    /// Per token and group of features, the summed weights.
    pub tokens: Vec<[Sums; BLOCKS]>,
    /// Factor of each group's sums in the whole.
    pub whole_factor: [f32; BLOCKS],
    /// Per label the tokens of its peak, and the factor of each group there.
    pub peaks: [Peak; LABELS],
    /// The worst sentence.
    pub sentence: Peak,
}

impl Evidence {
    /// The frames of the worst sentence.
    pub fn sightings_in_sentence(&self) -> &[Sighting] {
        within(&self.sightings, self.sentence.from..self.sentence.to)
    }
}

/// The sightings in a range of whole sentences; they come in the order of sentences.
fn within(sightings: &[Sighting], range: Range<usize>) -> &[Sighting] {
    let from = sightings.partition_point(|sighting| (sighting.to as usize) <= range.start);
    let to = sightings.partition_point(|sighting| (sighting.to as usize) <= range.end);
    &sightings[from..to]
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Peak {
    pub from: usize,
    pub to: usize,
    pub factor: [f32; BLOCKS],
}

/// Reads `text` with the sparse part and the frames.
pub(crate) fn read(table: &Table, lexicon: &Lexicon, scout: &Scout, text: &Text) -> Evidence {
    let mut tokens = vec![[Sums::default(); BLOCKS]; text.tokens.len()];
    let mut counts = vec![[0u32; BLOCKS]; text.tokens.len()];
    features::each(text, |feature| {
        let (token, block) = (feature.token as usize, feature.block as usize);
        counts[token][block] += 1;
        table.add(feature.hash, &mut tokens[token][block]);
    });
    let mut totals = Totals::default();
    for (token, count) in tokens.iter().zip(&counts) {
        totals.add(token, *count);
    }
    let whole_factor = totals.factors();
    let mut vector = [0.0; SIZE];
    for label in 0..LABELS {
        vector[WHOLE + label] = totals.scaled(whole_factor, label, table);
    }
    let peaks = peaks(table, &tokens, &counts);
    for (label, (value, _)) in peaks.iter().enumerate() {
        vector[PEAK + label] = *value;
    }
    let classes = lexicon.classify(text);
    let sightings = frames::sightings(text, &classes);
    vector[FRAMES..SHAPES].copy_from_slice(&frames::values(&sightings));

    let you = classes
        .iter()
        .filter(|token| token.has(Class::Second))
        .count();
    let shape_values = shape(text, you as f32 / (classes.len() as f32 + 1.0));
    vector[SHAPES..SENTENCE].copy_from_slice(&shape_values);

    let (sentence_values, sentence) =
        worst_sentence(table, scout, text, &tokens, &counts, &sightings);
    vector[SENTENCE..].copy_from_slice(&sentence_values);
    Evidence {
        vector,
        sightings,
        classes,
        tokens,
        whole_factor,
        peaks: peaks.map(|(_, peak)| peak),
        sentence,
    }
}

/// Sums of weights and numbers of features over some tokens.
#[derive(Default)]
pub(super) struct Totals {
    sums: [[i64; LABELS]; BLOCKS],
    features: [u32; BLOCKS],
}

impl Totals {
    pub fn add(&mut self, token: &[Sums; BLOCKS], count: [u32; BLOCKS]) {
        for block in 0..BLOCKS {
            self.features[block] += count[block];
            for (sum, value) in self.sums[block].iter_mut().zip(&token[block]) {
                *sum += i64::from(*value);
            }
        }
    }

    fn take_away(&mut self, token: &[Sums; BLOCKS], count: [u32; BLOCKS]) {
        for block in 0..BLOCKS {
            self.features[block] -= count[block];
            for (sum, value) in self.sums[block].iter_mut().zip(&token[block]) {
                *sum -= i64::from(*value);
            }
        }
    }

    /// By what each group's sums are scaled.
    fn factors(&self) -> [f32; BLOCKS] {
        self.features
            .map(|features| 1.0 / (features.max(1) as f32).sqrt())
    }

    pub fn scaled(&self, factors: [f32; BLOCKS], label: usize, table: &Table) -> f32 {
        let both = self.sums.iter().zip(factors);
        both.map(|(sums, factor)| sums[label] as f32 * factor)
            .sum::<f32>()
            * table.scale()[label]
    }
}

/// The worst run per label, found by sliding a window over the tokens.
pub(super) fn peaks(
    table: &Table,
    tokens: &[[Sums; BLOCKS]],
    counts: &[[u32; BLOCKS]],
) -> [(f32, Peak); LABELS] {
    let mut best = [(f32::NEG_INFINITY, Peak::default()); LABELS];
    let mut totals = Totals::default();
    for at in 0..tokens.len() {
        totals.add(&tokens[at], counts[at]);
        if at >= WINDOW {
            totals.take_away(&tokens[at - WINDOW], counts[at - WINDOW]);
        }
        if at + 1 < WINDOW.min(tokens.len()) {
            continue;
        }
        let factor = totals.factors();
        for (label, best) in best.iter_mut().enumerate() {
            let value = totals.scaled(factor, label, table);
            if value > best.0 {
                let from = (at + 1).saturating_sub(WINDOW);
                *best = (
                    value,
                    Peak {
                        from,
                        to: at + 1,
                        factor,
                    },
                );
            }
        }
    }
    best.map(|(value, peak)| (if value.is_finite() { value } else { 0.0 }, peak))
}

/// The sentence in which `scout` sees most danger; the first of several.
fn worst_sentence(
    table: &Table,
    scout: &Scout,
    text: &Text,
    tokens: &[[Sums; BLOCKS]],
    counts: &[[u32; BLOCKS]],
    sightings: &[Sighting],
) -> (Sentence, Peak) {
    let mut worst = ([0.0; SIZE - SENTENCE], Peak::default());
    let mut most = f32::NEG_INFINITY;
    for range in sentences(text) {
        let mut totals = Totals::default();
        for at in range.clone() {
            totals.add(&tokens[at], counts[at]);
        }
        let factor = totals.factors();
        let inside = within(sightings, range.clone());
        let mut values = [0.0; SIZE - SENTENCE];
        for (label, value) in values[..LABELS].iter_mut().enumerate() {
            *value = totals.scaled(factor, label, table);
        }
        values[LABELS..].copy_from_slice(&frames::values(inside));
        let danger = scout.danger(&values);
        if danger > most {
            most = danger;
            let (from, to) = (range.start, range.end);
            worst = (values, Peak { from, to, factor });
        }
    }
    worst
}

/// The tokens of each sentence. A colon or semicolon does not end one: "he said: ..." belongs together.
fn sentences(text: &Text) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.tokens.get(from + 1..)?;
        let to = from + 1 + rest.iter().take_while(|t| t.gap < Gap::Stop).count();
        Some(std::mem::replace(&mut from, to)..to)
    })
}

fn shape(text: &Text, share_of_you: f32) -> [f32; SHAPE.len()] {
    let log = |count: usize| (count as f32).ln_1p();
    let of = |wanted: fn(&Kind) -> bool| text.tokens.iter().filter(|t| wanted(&t.kind)).count();
    // Some hold down every letter: that says no more than a few words do.
    let stretched = text.tokens.iter().filter(|token| token.stretched).count();
    let stretched = stretched.min(MOST_STRETCHED);
    [
        log(text.tokens.len()),
        log(text.marks.exclamations as usize),
        log(text.marks.questions as usize),
        log(text.marks.ellipses as usize),
        log(of(|kind| *kind == Kind::Emoji)),
        log(of(|kind| *kind == Kind::Url)),
        log(of(|kind| *kind == Kind::Number(true))),
        log(of(|kind| matches!(kind, Kind::Number(_)))),
        log(stretched),
        share_of_you,
    ]
}

#[cfg(test)]
mod tests {
    use super::super::normalise::glyphs;
    use super::super::tokens::tokenise;
    use super::*;

    fn text(text: &str) -> Text {
        tokenise(&glyphs(text), &[])
    }

    /// A table that knows every feature of `word`, with weight 1 for the first label.
    fn table_of(word: &str) -> Table {
        let mut entries = Vec::new();
        features::each(&text(word), |feature| {
            entries.push((feature.hash, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
        });
        Table::pack(64, &entries).0
    }

    #[test]
    fn a_peak_is_not_thinned_by_what_stands_around_it() {
        let table = table_of("kwyx");
        let lexicon = Lexicon::new().unwrap();
        let around = "le marché est ouvert toute la journée et chacun y trouve ce qu'il cherche ";
        let long = format!("{} kwyx {}", around.repeat(5), around.repeat(5));
        let short = read(&table, &lexicon, &Scout::sparse(), &text("oh kwyx alors")).vector;
        let long = read(&table, &lexicon, &Scout::sparse(), &text(&long)).vector;
        assert!(long[WHOLE] < short[WHOLE] / 3.0);
        assert!(long[PEAK] > 2.0 * long[WHOLE]);
    }

    #[test]
    fn tokens_add_up_to_the_whole() {
        let table = table_of("zut alors");
        let evidence = read(
            &table,
            &Lexicon::new().unwrap(),
            &Scout::sparse(),
            &text("zut, alors il a dit zut"),
        );
        let sum: f32 = evidence
            .tokens
            .iter()
            .flat_map(|token| token.iter().zip(&evidence.whole_factor))
            .map(|(sums, factor)| sums[0] as f32 * factor * table.scale()[0])
            .sum();
        assert!((sum - evidence.vector[WHOLE]).abs() < 1e-4);
    }

    #[test]
    fn an_empty_text_is_all_zero_but_finite() {
        let evidence = read(
            &table_of("zut"),
            &Lexicon::new().unwrap(),
            &Scout::sparse(),
            &text(""),
        );
        assert!(
            evidence
                .vector
                .iter()
                .all(|value| value.abs() < f32::EPSILON)
        );
    }

    #[test]
    fn a_calm_sentence_takes_nothing_from_the_worst_one() {
        let lexicon = Lexicon::new().unwrap();
        let sentence = |words: &str| {
            let table = table_of("kwyx");
            let evidence = read(&table, &lexicon, &Scout::of(&[1.0; SIZE]), &text(words));
            evidence.vector[SENTENCE..].to_vec()
        };
        let alone = sentence("Mort aux voleurs, brûlez tout !");
        let around =
            "Merci à tous, soyez bénis. Mort aux voleurs, brûlez tout ! Prions pour la paix.";
        assert_eq!(alone, sentence(around));
        assert_ne!(alone, sentence("Merci à tous, soyez bénis."));
    }

    #[test]
    fn every_value_has_a_name() {
        assert_eq!(names().len(), SIZE);
    }
}
