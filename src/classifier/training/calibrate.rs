//! Log-odds to probabilities that mean something in a comment section.
//!
//! Training sees half of everything; a comment section sees one threat in a hundred comments. Platt scaling (Platt 1999) fits
//! a slope and an offset on held-out rows that are weighted to natural rates. Both are folded into the second stage's weights,
//! so that serving stays one dot product.

use super::stack::sigmoid;
use crate::domain::Label;

/// How often a label is met among ordinary comments, roughly.
pub(crate) const fn natural_rate(label: Label) -> f64 {
    match label {
        Label::Toxicity => 0.08,
        Label::Insult => 0.05,
        Label::Threat => 0.015,
        Label::IdentityAttack => 0.02,
        Label::Profanity => 0.04,
        Label::Spam => 0.03,
    }
}

/// Probability = sigmoid(slope · log-odds + offset).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Platt {
    pub slope: f64,
    pub offset: f64,
}

/// Fits on (log-odds, present, weight) by Newton's method.
pub(crate) fn fit(points: &[(f64, bool, f64)]) -> Platt {
    let mut platt = Platt {
        slope: 1.0,
        offset: 0.0,
    };
    let total: f64 = points.iter().map(|(_, _, weight)| weight).sum();
    for _ in 0..50 {
        let (mut g, mut h) = ([0.0; 2], [1e-9, 0.0, 1e-9]);
        for (z, present, weight) in points {
            let p = sigmoid(platt.slope * z + platt.offset);
            let error = (p - f64::from(u8::from(*present))) * weight / total;
            let curve = p * (1.0 - p) * weight / total;
            g[0] += error * z;
            g[1] += error;
            h[0] += curve * z * z;
            h[1] += curve * z;
            h[2] += curve;
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        if determinant.abs() < 1e-18 {
            break;
        }
        let step = [
            (h[2] * g[0] - h[1] * g[1]) / determinant,
            (h[0] * g[1] - h[1] * g[0]) / determinant,
        ];
        platt.slope = (platt.slope - step[0].clamp(-0.5, 0.5)).clamp(0.05, 5.0);
        platt.offset -= step[1].clamp(-1.0, 1.0);
        if step[0].abs() + step[1].abs() < 1e-9 {
            break;
        }
    }
    platt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_probability_is_the_weighted_rate() {
        let points: Vec<_> = (0..1000)
            .map(|i| {
                let z = f64::from(i % 100) / 10.0 - 5.0;
                (
                    z,
                    i % 7 < (i % 100) / 16,
                    if i % 2 == 0 { 1.0 } else { 0.3 },
                )
            })
            .collect();
        let platt = fit(&points);
        let weights: f64 = points.iter().map(|p| p.2).sum();
        let rate = points.iter().filter(|p| p.1).map(|p| p.2).sum::<f64>() / weights;
        let mean = points
            .iter()
            .map(|(z, _, w)| w * sigmoid(platt.slope * z + platt.offset))
            .sum::<f64>()
            / weights;
        assert!((mean - rate).abs() < 1e-3, "{mean} {rate}");
        assert!(platt.slope > 0.0);
    }

    #[test]
    fn separable_scores_stay_finite() {
        let platt = fit(&[(-2.0, false, 1.0), (2.0, true, 1.0)]);
        assert!(platt.slope.is_finite() && platt.offset.is_finite());
    }
}
