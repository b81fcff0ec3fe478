//! Metrics: how far a model's answers are from the known results.
//!
//! They are computed on what the server would answer, so after clamping.

use serde::{Deserialize, Serialize};

use super::{Dataset, PredictError, UrlModel};

/// Figures for one model on one data set. Errors are in the unit of the target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Number of rows judged.
    pub rows: usize,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// `1 - SSE / SST`: 1 is perfect, 0 is the mean as predictor. None where all targets are equal, or so close together
    /// that it is no number.
    pub r2: Option<f64>,
    /// Chance that a random row of target 1 scores above a random one of target 0, a tie counting half.
    /// None unless the targets are 0 and 1 and both occur.
    pub roc_auc: Option<f64>,
    /// Mean of the known results.
    pub mean_result: f64,
    /// Mean of the model's answers.
    pub mean_score: f64,
    /// Share of rows on the right side of 0.5 (0.5 itself counts as 1). None unless the targets are 0 and 1.
    pub accuracy: Option<f64>,
}

impl Metrics {
    /// Judges `predictions` against `targets`: equally many, at least one, all finite.
    #[must_use]
    pub fn of(targets: &[f64], predictions: &[f64]) -> Self {
        let count = targets.len() as f64;
        let pairs = || targets.iter().zip(predictions);
        let squared_error: f64 = pairs().map(|(target, found)| (target - found).powi(2)).sum();
        let absolute_error: f64 = pairs().map(|(target, found)| (target - found).abs()).sum();
        let mean = targets.iter().sum::<f64>() / count;
        let squared_total: f64 = targets.iter().map(|target| (target - mean).powi(2)).sum();

        let is_constant = targets.windows(2).all(|pair| pair[0] == pair[1]);
        let is_binary = targets.iter().all(|&target| target == 0.0 || target == 1.0);
        let right = pairs().filter(|&(&target, &found)| (found >= 0.5) == (target == 1.0)).count();
        Metrics {
            rows: targets.len(),
            rmse: (squared_error / count).sqrt(),
            mae: absolute_error / count,
            r2: (!is_constant).then(|| 1.0 - squared_error / squared_total).filter(|r2| r2.is_finite()),
            roc_auc: (is_binary && !is_constant).then(|| roc_auc(targets, predictions)),
            mean_result: mean,
            mean_score: predictions.iter().sum::<f64>() / count,
            accuracy: is_binary.then(|| right as f64 / count),
        }
    }
}

/// Area under the ROC curve by the Mann-Whitney rank sum; tied scores share their mean rank.
fn roc_auc(targets: &[f64], scores: &[f64]) -> f64 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));

    let (mut rank_sum, mut ranked) = (0.0, 0);
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        // ranks count from 1
        let mean_rank = ranked as f64 + (tied.len() as f64 + 1.0) / 2.0;
        let positives = tied.iter().filter(|&&row| targets[row] == 1.0).count();
        rank_sum += mean_rank * positives as f64;
        ranked += tied.len();
    }
    let positives = targets.iter().filter(|&&target| target == 1.0).count() as f64;
    let negatives = targets.len() as f64 - positives;
    (rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}

/// Judges a model on data, by the answers that it would serve.
///
/// # Errors
/// Where it has no answer, or answers so far off that the errors are no numbers.
pub fn evaluate(model: &UrlModel, data: &Dataset) -> Result<Metrics, PredictError> {
    let urls: Vec<&str> = data.urls().iter().map(String::as_str).collect();
    let metrics = Metrics::of(data.targets(), &model.predict(&urls)?);
    // The squared error is the first to overflow.
    if !metrics.rmse.is_finite() {
        return Err(PredictError::Regression("its answers are too far off to be judged".to_owned()));
    }
    Ok(metrics)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_agree_with_ones_worked_out_by_hand() {
        let metrics = Metrics::of(&[0.0, 1.0, 1.0, 0.0], &[0.25, 0.75, 0.25, 0.5]);
        // errors .25 .25 .75 .5
        assert_eq!(metrics.rows, 4);
        assert!((metrics.rmse - (0.9375_f64 / 4.0).sqrt()).abs() < 1e-15);
        assert!((metrics.mae - 0.4375).abs() < 1e-15);
        assert!((metrics.r2.expect("targets differ") - (1.0 - 0.9375)).abs() < 1e-15);
        // of the four pairs: .75 beats both, .25 ties once and loses once
        assert_eq!(metrics.roc_auc, Some(2.5 / 4.0));
        assert_eq!(metrics.accuracy, Some(0.5));
    }

    #[test]
    fn figures_that_mean_nothing_are_absent() {
        let numbers = Metrics::of(&[0.3, 7.0], &[0.3, 6.0]);
        assert_eq!((numbers.roc_auc, numbers.accuracy), (None, None));
        assert!(numbers.r2.is_some());
        let one_class = Metrics::of(&[1.0, 1.0], &[0.9, 0.2]);
        assert_eq!((one_class.r2, one_class.roc_auc, one_class.accuracy), (None, None, Some(0.5)));
        assert_eq!(Metrics::of(&[1e-310, 0.0], &[1e-310, 1e-311]).r2, None);
        assert_eq!(Metrics::of(&[1e-160, 0.0], &[1.0, 1.0]).r2, None);
    }

    proptest! {
        #[test]
        fn the_rank_sum_equals_counting_all_pairs(rows in prop::collection::vec((any::<bool>(), 0..6_u8), 2..40)) {
            let targets: Vec<f64> = rows.iter().map(|row| f64::from(u8::from(row.0))).collect();
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let (mut wins, mut pairs) = (0.0, 0.0);
            for (i, _) in rows.iter().enumerate().filter(|(_, row)| row.0) {
                for (j, _) in rows.iter().enumerate().filter(|(_, row)| !row.0) {
                    pairs += 1.0;
                    wins += if scores[i] > scores[j] { 1.0 } else if scores[i] == scores[j] { 0.5 } else { 0.0 };
                }
            }
            let found = Metrics::of(&targets, &scores).roc_auc;
            if pairs == 0.0 {
                prop_assert_eq!(found, None);
            } else {
                prop_assert!((found.expect("both classes occur") - wins / pairs).abs() < 1e-12);
            }
        }
    }
}
