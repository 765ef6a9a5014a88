//! The second stage: linfa's logistic regression on the dense vector, one per label.
//!
//! What linfa-logistic asks for, and does not say when it goes without: f64, standardised columns, column-major layout.
//! Its positive class is the more frequent one, and it never tells that it did not converge; both are seen to here.
//! It knows no weights for rows either, so rows are repeated in proportion to theirs.

use super::balance::Target;
use super::{Random, TrainError};
use crate::classifier::dense::{SIZE, Vector};
use crate::domain::Label;
use linfa::Dataset;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, ShapeBuilder};

/// Rows linfa sees, repeats included.
const ROWS: f32 = 60_000.0;
/// A row is seen no more often than this, on average.
const REPEATS: f32 = 4.0;
/// L2 penalty of a label, in examples of a full set. Insults and vulgar words are what sources see most differently: with a strong one
/// the model does better on a source that it has never seen, and as well on those it has.
const fn alpha(label: Label) -> f64 {
    match label {
        Label::Insult | Label::Profanity => 1000.0,
        Label::Toxicity | Label::Threat => 300.0,
        Label::IdentityAttack => 100.0,
        Label::Spam => 30.0,
    }
}
/// Mean absolute gradient above which a fit counts as not converged.
const STEEPEST: f64 = 1e-3;

/// One label's second stage, on raw (not standardised) inputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Linear {
    pub weights: [f64; SIZE],
    pub bias: f64,
}

impl Linear {
    /// Log-odds.
    pub fn apply(&self, vector: &Vector) -> f64 {
        let terms = self
            .weights
            .iter()
            .zip(vector)
            .map(|(w, x)| w * f64::from(*x));
        self.bias + terms.sum::<f64>()
    }
}

/// Fits one label on the rows that are annotated for it, using only the inputs for which `used` holds.
pub(crate) fn fit(
    label: Label,
    rows: &[(&Vector, Target)],
    used: impl Fn(usize) -> bool,
    seed: u64,
) -> Result<Linear, TrainError> {
    let repeated = repeat(rows, ROWS.min(REPEATS * rows.len() as f32), seed);
    let scales = Scales::of(&repeated);
    let columns: Vec<usize> = (0..SIZE)
        .filter(|i| used(*i) && scales.deviation[*i] > 1e-6)
        .collect();
    let mut inputs = Array2::<f64>::zeros((repeated.len(), columns.len()).f());
    for (at, column) in columns.iter().enumerate() {
        for (row, (vector, _)) in repeated.iter().enumerate() {
            inputs[[row, at]] = scales.standardise(*column, vector);
        }
    }
    let wanted: Array1<bool> = repeated.iter().map(|(_, present)| *present).collect();
    let failed = |reason: String| TrainError::SecondStage { label, reason };
    let alpha = alpha(label) * f64::from((REPEATS * rows.len() as f32 / ROWS).min(1.0));
    let (params, intercept) = regress(&inputs, &wanted, alpha, true).map_err(failed)?;

    let mut linear = Linear {
        weights: [0.0; SIZE],
        bias: intercept,
    };
    for (param, column) in params.iter().zip(columns) {
        linear.weights[column] = param / scales.deviation[column];
        linear.bias -= param * scales.mean[column] / scales.deviation[column];
    }
    Ok(linear)
}

/// linfa's logistic regression, with presence as the positive class, and a fit that is finished.
pub(super) fn regress(
    inputs: &Array2<f64>,
    wanted: &Array1<bool>,
    alpha: f64,
    with_intercept: bool,
) -> Result<(Array1<f64>, f64), String> {
    let model = LogisticRegression::default()
        .alpha(alpha)
        .max_iterations(200)
        .with_intercept(with_intercept)
        .fit(&Dataset::new(inputs.clone(), wanted.clone()))
        .map_err(|error| error.to_string())?;
    // linfa models the more frequent class.
    let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
    let params = model.params() * sign;
    let intercept = model.intercept() * sign;
    check(inputs, wanted, &params, intercept, alpha)?;
    Ok((params, intercept))
}

/// Turns weights into repetitions, about `most` in all: the whole part always, the rest by chance.
pub(super) fn repeat<T: Copy>(rows: &[(T, Target)], most: f32, seed: u64) -> Vec<(T, bool)> {
    let sum: f32 = rows.iter().map(|(_, target)| target.weight).sum();
    let per_weight = most / sum.max(f32::MIN_POSITIVE);
    let mut random = Random(seed);
    let mut repeated = Vec::new();
    for (row, target) in rows {
        let times = target.weight * per_weight;
        let times = times.floor() + f32::from(u8::from(random.unit() < times.fract()));
        repeated.extend(std::iter::repeat_n((*row, target.present), times as usize));
    }
    repeated
}

struct Scales {
    mean: [f64; SIZE],
    deviation: [f64; SIZE],
}

impl Scales {
    fn of(rows: &[(&Vector, bool)]) -> Self {
        let count = rows.len().max(1) as f64;
        let mut mean = [0.0; SIZE];
        let mut square = [0.0; SIZE];
        for (vector, _) in rows {
            for (at, value) in vector.iter().enumerate() {
                mean[at] += f64::from(*value) / count;
                square[at] += f64::from(*value).powi(2) / count;
            }
        }
        let deviation =
            std::array::from_fn(|at| (square[at] - mean[at] * mean[at]).max(0.0).sqrt());
        Self { mean, deviation }
    }

    fn standardise(&self, column: usize, vector: &Vector) -> f64 {
        (f64::from(vector[column]) - self.mean[column]) / self.deviation[column]
    }
}

/// Refuses a fit that stopped on its way, or knows less than how often the label occurs.
fn check(
    inputs: &Array2<f64>,
    wanted: &Array1<bool>,
    params: &Array1<f64>,
    intercept: f64,
    alpha: f64,
) -> Result<(), String> {
    let count = wanted.len() as f64;
    let odds = inputs.dot(params) + intercept;
    let errors = Array1::from_iter(
        odds.iter()
            .zip(wanted)
            .map(|(z, y)| sigmoid(*z) - f64::from(u8::from(*y))),
    );
    let gradient = (inputs.t().dot(&errors) + params * alpha) / count;
    let steepest = gradient.iter().fold(0f64, |most, g| most.max(g.abs()));
    if steepest > STEEPEST {
        return Err(format!(
            "it did not converge: a gradient of {steepest:.1e} is left"
        ));
    }
    let loss = odds
        .iter()
        .zip(wanted)
        .map(|(z, y)| log_loss(*z, *y))
        .sum::<f64>()
        / count;
    let share = wanted.iter().filter(|y| **y).count() as f64 / count;
    let prior = -(share * share.ln() + (1.0 - share) * (1.0 - share).ln());
    if loss >= prior {
        return Err(format!(
            "it learned nothing: log loss {loss:.4}, without any input {prior:.4}"
        ));
    }
    Ok(())
}

/// The logistic function.
pub(crate) fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Log loss of log-odds `z`, finite for any of them.
fn log_loss(z: f64, present: bool) -> f64 {
    let z = if present { -z } else { z };
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(share: f32, signal: f32) -> Vec<(Vector, Target)> {
        let mut random = Random(7);
        (0..2000)
            .map(|_| {
                let present = random.unit() < share;
                let mut vector = [0.0; SIZE];
                vector[3] = random.unit() * 50.0 + if present { signal } else { 0.0 };
                vector[5] = random.unit();
                (
                    vector,
                    Target {
                        present,
                        weight: 1.0,
                    },
                )
            })
            .collect()
    }

    fn fitted(share: f32, signal: f32) -> Result<Linear, TrainError> {
        let rows = rows(share, signal);
        let rows: Vec<_> = rows
            .iter()
            .map(|(vector, target)| (vector, *target))
            .collect();
        fit(Label::Spam, &rows, |_| true, 1)
    }

    #[test]
    fn presence_is_positive_whichever_class_is_larger() {
        for share in [0.2, 0.5, 0.8] {
            let linear = fitted(share, 40.0).unwrap();
            assert!(linear.weights[3] > 0.0, "at a share of {share}");
            let (mut low, mut high) = ([0.0; SIZE], [0.0; SIZE]);
            (low[3], high[3]) = (0.0, 90.0);
            assert!(linear.apply(&low) < 0.0 && linear.apply(&high) > 0.0);
        }
    }

    #[test]
    fn one_class_is_an_error() {
        assert!(fitted(0.0, 1.0).is_err());
    }

    #[test]
    fn an_unfinished_fit_is_refused() {
        let inputs = Array2::from_shape_fn((100, 1), |(row, _)| if row < 50 { -1.0 } else { 1.0 });
        let wanted = Array1::from_shape_fn(100, |row| row >= 40);
        let error = check(&inputs, &wanted, &Array1::zeros(1), 0.0, 30.0).unwrap_err();
        assert!(error.contains("converge"), "{error}");
    }

    #[test]
    fn a_row_of_weight_three_counts_three_times() {
        let vector = [0.0; SIZE];
        let target = |present, weight| Target { present, weight };
        let rows = vec![(&vector, target(true, 3.0)), (&vector, target(false, 1.0))];
        let repeated = repeat(&rows, 8.0, 1);
        assert_eq!(repeated.iter().filter(|(_, present)| *present).count(), 6);
        assert_eq!(repeated.len(), 8);
    }
}
