//! Fits what the comment above adds to a reply's log-odds.
//!
//! The examples are replies that stand twice, below a comment that makes them abuse and below one that does not, as often
//! the one as the other: unlike any comment section. So nothing is learned of how frequent abuse is. There is no intercept,
//! a reply's own log-odds go in as their distance from the threshold, and come out with weight one.

use super::TrainError;
use super::dataset::{Example, Split};
use super::pipeline::LEAST_ROWS;
use super::stack::regress;
use crate::classifier::context::{self, Inputs, SIZE, logit};
use crate::domain::{Label, PerLabel, Thresholds};
use ndarray::{Array1, Array2, ShapeBuilder};

/// L2 penalty, in examples.
const ALPHA: f64 = 1.0;

/// A reply below a comment.
pub(crate) struct Reply {
    pub row: usize,
    /// Log-odds of the reply by itself.
    pub own: PerLabel<f32>,
    pub inputs: PerLabel<Inputs>,
}

/// Weights of the inputs, per label; nought where there is too little to learn from.
pub(crate) fn fit(
    examples: &[Example],
    replies: &[Reply],
    thresholds: &Thresholds,
) -> Result<PerLabel<Inputs>, TrainError> {
    let mut weights = PerLabel::<Inputs>::default();
    for label in Label::ALL.into_iter().filter(|l| context::may_change(*l)) {
        let rows: Vec<(&Reply, bool)> = replies
            .iter()
            .filter(|reply| examples[reply.row].split == Split::Train)
            .filter_map(|reply| Some((reply, (*examples[reply.row].labels.get(label))?)))
            .collect();
        let present = rows.iter().filter(|(_, present)| *present).count();
        if present < LEAST_ROWS || rows.len() - present < LEAST_ROWS {
            continue;
        }
        *weights.get_mut(label) = fit_label(label, &rows, thresholds.get(label).value())?;
    }
    Ok(weights)
}

fn fit_label(label: Label, rows: &[(&Reply, bool)], threshold: f32) -> Result<Inputs, TrainError> {
    let mut used: Vec<usize> = (0..SIZE).collect();
    // linfa knows no signs: what comes out with the wrong one is left out, and the rest fitted again.
    loop {
        let mut inputs = Array2::<f64>::zeros((rows.len(), used.len() + 1).f());
        for (at, (reply, _)) in rows.iter().enumerate() {
            inputs[[at, 0]] = f64::from(*reply.own.get(label) - logit(threshold));
            for (column, input) in used.iter().enumerate() {
                inputs[[at, column + 1]] = f64::from(reply.inputs.get(label)[*input]);
            }
        }
        let wanted: Array1<bool> = rows.iter().map(|(_, present)| *present).collect();
        let (params, _) =
            regress(&inputs, &wanted, ALPHA, false).map_err(|reason| TrainError::SecondStage {
                label,
                reason: format!("what stands above a reply: {reason}"),
            })?;
        if params[0] <= 0.0 {
            return Ok(Inputs::default());
        }
        let right = |at: usize| (params[at + 1] > 0.0) == context::speaks_for(used[at]);
        if let Some(wrong) = (0..used.len()).rev().find(|at| !right(*at)) {
            used.remove(wrong);
            continue;
        }
        let mut weights = Inputs::default();
        for (at, input) in used.iter().enumerate() {
            weights[*input] = (params[at + 1] / params[0]) as f32;
        }
        return Ok(weights);
    }
}
