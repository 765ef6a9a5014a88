//! How much of what is wrong a policy found: what it let through is estimated from samples of it.
//!
//! Each sample was drawn with a known probability and stands for as many comments as that is contained in 1 (Horvitz and
//! Thompson, 1952). Samples that nobody answered are stood for by answered ones that were about as likely to be drawn,
//! that is, about as close to a threshold. The interval is that of a weighted sum of rare events (Fay and Feuer, 1997):
//! it holds where few or none were found, and is rather too wide.

use serde::Serialize;
use utoipa::ToSchema;

/// Whether a sample was answered, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    NotYet,
    /// Because it was a sample.
    AsSample,
    /// It would have been without that: readers reported it, or a moderator came upon it.
    Otherwise,
}

/// A sample, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// With which probability it was drawn.
    pub probability: f64,
    pub answered: Answered,
    /// A moderator hid it for what it says.
    pub wrong: bool,
}

/// A number, and between which two it is in 95 of 100 cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Interval {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// How many wrong comments were published, as samples tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Missed(pub Interval);

impl Missed {
    /// With fewer answers nothing is said.
    pub const LEAST_ANSWERS: usize = 50;
    /// Into how many classes samples are put, by the probability with which they were drawn.
    const CLASSES: usize = 5;
    /// The fewest answers of a class, and so of a site of which some samples are not answered.
    pub const LEAST_OF_CLASS: usize = 10;

    /// The estimate from the samples of each site, which stand for nothing of another; none from too few answers, in all or
    /// of a site.
    #[must_use]
    pub fn estimate<S: AsRef<[Answer]>>(sites: &[S]) -> Option<Self> {
        let answers = (sites.iter().flat_map(AsRef::as_ref))
            .filter(|sample| sample.answered != Answered::NotYet);
        if answers.count() < Self::LEAST_ANSWERS {
            return None;
        }
        let mut sum = WeightedSum::default();
        for samples in sites {
            sum.add_site(samples.as_ref())?;
        }
        Some(Self(sum.interval()))
    }

    /// What share of all that is wrong was held, where `held` of it was, and at least `known` of it is known to have been
    /// published. None where nothing was wrong.
    #[must_use]
    pub fn recall(self, held: u64, known: u64) -> Option<Interval> {
        let (held, known) = (held as f64, known as f64);
        let share = |missed: f64| held / (held + missed.max(known));
        let Interval { value, low, high } = self.0;
        (held + value.max(known) > 0.0).then(|| Interval {
            value: share(value),
            low: share(high),
            // Nothing held and perhaps nothing missed: it may be all or nothing.
            high: if held + low.max(known) > 0.0 {
                share(low)
            } else {
                1.0
            },
        })
    }
}

fn is_answered(sample: &Answer) -> bool {
    sample.answered == Answered::AsSample
}

/// Cuts samples that are sorted by probability into classes of about the same size, each with answers enough to stand for
/// the others in it.
fn classes(sorted: &[Answer]) -> Vec<&[Answer]> {
    let size = sorted.len().div_ceil(Missed::CLASSES).max(1);
    let mut cuts = vec![0];
    let (mut begin, mut answered) = (0, 0);
    for (index, sample) in sorted.iter().enumerate() {
        answered += usize::from(is_answered(sample));
        let end = index + 1;
        if end - begin >= size && answered >= Missed::LEAST_OF_CLASS {
            cuts.push(end);
            (begin, answered) = (end, 0);
        }
    }
    if begin < sorted.len() {
        // What is left goes with the class before, if there is one.
        if answered < Missed::LEAST_OF_CLASS && cuts.len() > 1 {
            cuts.pop();
        }
        cuts.push(sorted.len());
    }
    cuts.windows(2).map(|cut| &sorted[cut[0]..cut[1]]).collect()
}

/// A sum of the weights of rare events.
#[derive(Default)]
struct WeightedSum {
    value: f64,
    variance: f64,
    /// The greatest weight, that of an event that was not seen.
    greatest: f64,
}

impl WeightedSum {
    /// Adds what a site's samples stand for; none where some are not answered and too few are to stand for them.
    fn add_site(&mut self, samples: &[Answer]) -> Option<()> {
        let (otherwise, mut rest): (Vec<Answer>, Vec<Answer>) = samples
            .iter()
            .partition(|sample| sample.answered == Answered::Otherwise);
        let answered = rest.iter().filter(|sample| is_answered(sample)).count();
        if answered < rest.len() && answered < Missed::LEAST_OF_CLASS {
            return None;
        }
        // What was answered anyway stands for nothing that was not.
        for sample in &otherwise {
            self.add(1.0 / sample.probability, sample.wrong);
        }
        rest.sort_by(|a, b| a.probability.total_cmp(&b.probability));
        for class in classes(&rest) {
            let answered = class.iter().filter(|sample| is_answered(sample));
            let stands_for = class.len() as f64 / answered.clone().count() as f64;
            for sample in answered {
                self.add(stands_for / sample.probability, sample.wrong);
            }
        }
        Some(())
    }

    fn add(&mut self, weight: f64, happened: bool) {
        self.greatest = self.greatest.max(weight);
        if happened {
            self.value += weight;
            self.variance += spread(weight);
        }
    }

    /// Between which two numbers the sum is in 95 of 100 cases: quantiles of gamma distributions with the moments of the
    /// sum, and of the sum with one more event of the greatest weight.
    fn interval(&self) -> Interval {
        let low = gamma_quantile(self.value, self.variance, -Z);
        let high = gamma_quantile(
            self.value + self.greatest,
            self.variance + spread(self.greatest),
            Z,
        );
        Interval {
            value: self.value,
            low,
            // Where everything was looked at nothing was overlooked.
            high: if self.greatest > 1.0 {
                high
            } else {
                self.value
            },
        }
    }
}

/// What one event of this weight adds to the variance: nothing where all were looked at.
fn spread(weight: f64) -> f64 {
    weight * (weight - 1.0).max(0.0)
}

/// The standard normal distribution's quantile at 97.5 %.
const Z: f64 = 1.959_964;

/// The quantile of the gamma distribution with this mean and variance, at the probability that `z` has in the standard
/// normal one (Wilson and Hilferty, 1931): within a hundredth of the upper one where one event or more is expected.
fn gamma_quantile(mean: f64, variance: f64, z: f64) -> f64 {
    if mean <= 0.0 || variance <= 0.0 {
        return mean;
    }
    let ninth = variance / (9.0 * mean * mean);
    mean * (1.0 - ninth + z * ninth.sqrt()).max(0.0).powi(3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PerLabel, Sample, Score, Scores, Share};
    use xxhash_rust::xxh3::xxh3_64;

    /// Numbers that look random between 0 and 1, the same each time.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> f64 {
            self.0 += 1;
            (xxh3_64(&self.0.to_le_bytes()) >> 11) as f64 / (1u64 << 53) as f64
        }
    }

    fn answer(probability: f64, answered: Answered, wrong: bool) -> Answer {
        Answer {
            probability,
            answered,
            wrong,
        }
    }

    /// What the policy of a simulated site published: scores, and which are wrong, more of them the higher the score.
    fn published(numbers: &mut Numbers, comments: usize, wrong: f64) -> Vec<(Scores, bool)> {
        (0..comments)
            .map(|_| {
                let score = 0.25 * numbers.next().powi(3);
                let scores = Scores {
                    toxicity: Score::clamped(score as f32),
                    ..Scores::default()
                };
                (scores, numbers.next() < wrong * score)
            })
            .collect()
    }

    /// How often the truth is within the interval, and by how many standard errors the mean of the estimates is off.
    fn tried(
        share: f64,
        wrong: f64,
        answers: impl Fn(&Scores, bool, f64) -> Answered,
    ) -> (f64, f64) {
        const TRIES: usize = 300;
        let mut numbers = Numbers(7);
        let hold = PerLabel::from_fn(|_| Score::clamped(0.25));
        let site = published(&mut numbers, 6_000, wrong);
        let truth = site.iter().filter(|(_, wrong)| *wrong).count() as f64;
        let share = Share::try_from(share).unwrap();
        let mut within = 0;
        let mut estimates = Vec::new();
        for _ in 0..TRIES {
            let samples: Vec<Answer> = site
                .iter()
                .filter_map(|(scores, wrong)| {
                    let sample = Sample::draw(share, scores, &hold, numbers.next())?;
                    let answered = answers(scores, *wrong, numbers.next());
                    let wrong = *wrong && answered != Answered::NotYet;
                    Some(answer(sample.probability, answered, wrong))
                })
                .collect();
            let Missed(estimate) = Missed::estimate(&[&samples]).unwrap();
            within += usize::from(estimate.low <= truth && truth <= estimate.high);
            estimates.push(estimate.value);
        }
        let mean = estimates.iter().sum::<f64>() / TRIES as f64;
        let square = |estimate: &f64| (estimate - mean).powi(2);
        let variance = estimates.iter().map(square).sum::<f64>() / (TRIES - 1) as f64;
        let off = (mean - truth) / (variance / TRIES as f64).sqrt();
        (within as f64 / TRIES as f64, off)
    }

    #[test]
    fn the_estimate_is_right_in_the_mean_and_its_interval_holds() {
        let all = |_: &Scores, _, _| Answered::AsSample;
        for (share, wrong) in [(0.03, 1.0), (0.03, 0.2), (0.3, 0.2), (0.9, 0.2)] {
            let (within, off) = tried(share, wrong, all);
            assert!(off.abs() < 3.0, "{share} {wrong}: {off} standard errors");
            assert!(within >= 0.94, "{share} {wrong}: {within}");
        }
    }

    #[test]
    fn that_the_highest_scores_are_answered_first_does_not_mislead() {
        let some = |scores: &Scores, _, number: f64| {
            let likely = 0.2 + 3.0 * f64::from(scores.toxicity.value());
            if number < likely {
                Answered::AsSample
            } else {
                Answered::NotYet
            }
        };
        let (within, off) = tried(0.1, 1.0, some);
        // Classes are not infinitely fine: a little is left, against a standard error of all tries together.
        assert!(off.abs() < 6.0, "{off} standard errors");
        assert!(within >= 0.94, "{within}");
    }

    #[test]
    fn what_readers_reported_stands_for_itself_alone() {
        // Half of what is wrong is reported, and then answered; of the rest half is answered.
        let reported = |_: &Scores, wrong, number: f64| match number {
            number if wrong && number < 0.5 => Answered::Otherwise,
            number if number.fract() * 2.0 % 1.0 < 0.5 => Answered::AsSample,
            _ => Answered::NotYet,
        };
        let (within, off) = tried(0.1, 1.0, reported);
        assert!(off.abs() < 3.0, "{off} standard errors");
        assert!(within >= 0.94, "{within}");
    }

    #[test]
    fn too_few_answers_say_nothing() {
        let of = |answered: usize, waiting: usize| {
            let mut samples = vec![answer(0.1, Answered::AsSample, false); answered];
            samples.extend(vec![answer(0.1, Answered::NotYet, false); waiting]);
            Missed::estimate(&[&samples])
        };
        assert_eq!(of(49, 100), None);
        assert!(of(50, 100).is_some());
        let mut reported = vec![answer(0.1, Answered::Otherwise, true); 60];
        assert!(Missed::estimate(&[&reported]).is_some());
        reported.push(answer(0.1, Answered::NotYet, false));
        assert_eq!(Missed::estimate(&[&reported]), None, "nobody speaks for it");
    }

    #[test]
    fn samples_of_one_site_stand_for_none_of_another() {
        // All of one site are answered and fine; of the other one in five, all wrong.
        let calm = vec![answer(0.02, Answered::AsSample, false); 100];
        let mut rough = vec![answer(0.02, Answered::AsSample, true); 10];
        rough.extend(vec![answer(0.02, Answered::NotYet, false); 40]);
        let Missed(both) = Missed::estimate(&[&calm, &rough]).unwrap();
        assert!((both.value - 50.0 * 50.0).abs() < 1e-6, "{}", both.value);
        // One more event of the greatest weight of all may be in either.
        let Missed(swapped) = Missed::estimate(&[&rough, &calm]).unwrap();
        assert!((both.low - swapped.low).abs() < 1e-6 && (both.high - swapped.high).abs() < 1e-6);

        rough.push(answer(0.02, Answered::AsSample, true));
        let few = vec![
            answer(0.02, Answered::AsSample, false),
            answer(0.02, Answered::NotYet, false),
        ];
        assert!(Missed::estimate(&[&calm, &rough]).is_some());
        assert_eq!(
            Missed::estimate(&[&calm, &rough, &few]),
            None,
            "nobody speaks for it"
        );
        let none: Vec<Answer> = Vec::new();
        assert!(Missed::estimate(&[&calm, &none]).is_some());
    }

    #[test]
    fn none_found_is_not_none_there() {
        let samples = vec![answer(0.02, Answered::AsSample, false); 200];
        let Missed(missed) = Missed::estimate(&[&samples]).unwrap();
        assert_eq!((missed.value, missed.low), (0.0, 0.0));
        // So many would all be passed over in one case of forty.
        let exact = 0.025f64.ln() / 0.98f64.ln();
        assert!((missed.high / exact - 1.0).abs() < 0.01, "{}", missed.high);
    }

    #[test]
    fn where_all_were_looked_at_there_is_no_doubt() {
        let mut samples = vec![answer(1.0, Answered::AsSample, false); 90];
        samples.extend(vec![answer(1.0, Answered::AsSample, true); 10]);
        let Missed(missed) = Missed::estimate(&[&samples]).unwrap();
        assert_eq!((missed.low, missed.value, missed.high), (10.0, 10.0, 10.0));
        let recall = Missed(missed).recall(30, 0).unwrap();
        assert_eq!((recall.low, recall.value, recall.high), (0.75, 0.75, 0.75));
    }

    #[test]
    fn what_is_known_to_be_missed_is_missed() {
        let missed = Missed(Interval {
            value: 0.0,
            low: 0.0,
            high: 40.0,
        });
        let recall = missed.recall(10, 10).unwrap();
        assert_eq!((recall.low, recall.value, recall.high), (0.2, 0.5, 0.5));
        assert_eq!(missed.recall(0, 0), None);
        assert_eq!(missed.recall(10, 0).unwrap().value, 1.0);
    }

    #[test]
    fn a_class_has_answers_enough() {
        let mut samples = vec![answer(0.01, Answered::NotYet, false); 95];
        samples.extend(vec![answer(0.02, Answered::AsSample, false); 12]);
        assert_eq!(classes(&samples).len(), 1);
        samples.extend(vec![answer(0.03, Answered::AsSample, false); 100]);
        let cut = classes(&samples);
        assert!(cut.len() > 2);
        assert_eq!(
            cut.iter().map(|class| class.len()).sum::<usize>(),
            samples.len()
        );
        assert!(
            cut.iter()
                .all(|class| class.iter().filter(|s| is_answered(s)).count() >= 10)
        );
        assert!(classes(&[]).is_empty());
    }
}
