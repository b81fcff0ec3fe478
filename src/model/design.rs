//! Design matrix: the feature columns that a regression can use, standardised.
//!
//! A column is kept when it says something that the kept columns before it do not: constant columns, duplicates and
//! linear combinations go. Ridge fails on the first and QR returns weights of 1e14 on the others.

use smartcore::error::Failed;
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::features::{FEATURE_COUNT, FEATURES, FeatureRow};
use super::regression::Weights;

/// Share of a column's variance that the kept columns must leave unexplained for it to be kept.
const MIN_UNEXPLAINED: f64 = 1e-6;
/// Standard deviation below which a column is constant; features are of order one.
const MIN_DEVIATION: f64 = 1e-9;

/// Kept columns, and what standardises them; the lists run side by side.
pub(super) struct Design {
    /// Columns of the feature table, ascending.
    pub(super) columns: Vec<u32>,
    pub(super) means: Vec<f64>,
    /// Standard deviations (divisor n); none is zero.
    pub(super) scales: Vec<f64>,
    /// Standardised values, row after row.
    values: Vec<f64>,
    rows: usize,
}

impl Design {
    /// Chooses and standardises some of the `offered` columns; no column is kept where there is no row.
    pub(super) fn of(rows: &[FeatureRow], offered: impl Fn(usize) -> bool) -> Self {
        let count = rows.len() as f64;
        let mut means = [0.0; FEATURE_COUNT];
        let mut scales = [0.0; FEATURE_COUNT];
        for row in rows {
            means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / count);
        }
        for row in rows {
            for column in 0..FEATURE_COUNT {
                scales[column] += (row[column] - means[column]).powi(2) / count;
            }
        }
        scales.iter_mut().for_each(|scale| *scale = scale.sqrt());

        let varying: Vec<usize> =
            (0..FEATURE_COUNT).filter(|&column| offered(column) && scales[column] > MIN_DEVIATION).collect();
        let standardised = |row: &FeatureRow, column: usize| (row[column] - means[column]) / scales[column];
        let mut correlations = vec![vec![0.0; varying.len()]; varying.len()];
        let mut values = vec![0.0; varying.len()];
        for row in rows {
            values.iter_mut().zip(&varying).for_each(|(value, &column)| *value = standardised(row, column));
            for (i, line) in correlations.iter_mut().enumerate() {
                line.iter_mut().zip(&values[..=i]).for_each(|(sum, value)| *sum += values[i] * value / count);
            }
        }
        let kept: Vec<usize> = independent(&correlations).into_iter().map(|place| varying[place]).collect();

        Design {
            columns: kept.iter().map(|&column| column as u32).collect(),
            means: kept.iter().map(|&column| means[column]).collect(),
            scales: kept.iter().map(|&column| scales[column]).collect(),
            values: rows.iter().flat_map(|row| kept.iter().map(move |&column| standardised(row, column))).collect(),
            rows: rows.len(),
        }
    }

    /// The standardised values, row after row.
    pub(super) fn values(&self) -> Vec<f64> {
        self.values.clone()
    }

    /// The weights of a regression that was fitted to the standardised values.
    pub(super) fn weights(&self, coefficients: Vec<f64>, intercept: f64) -> Weights {
        Weights {
            columns: self.columns.clone(),
            means: self.means.clone(),
            scales: self.scales.clone(),
            coefficients,
            intercept,
        }
    }

    /// The standardised values as smartcore wants them.
    pub(super) fn matrix(&self) -> Result<DenseMatrix<f64>, Failed> {
        DenseMatrix::new(self.rows, self.columns.len(), self.values.clone(), false)
    }

    /// Names of the features that were left out.
    pub(super) fn dropped_names(&self) -> Vec<&'static str> {
        let is_kept = |column: usize| self.columns.binary_search(&(column as u32)).is_ok();
        (0..FEATURE_COUNT).filter(|&column| !is_kept(column)).map(|column| FEATURES[column].name).collect()
    }
}

/// Places of the columns that are not linear combinations of kept ones before them.
///
/// A Cholesky decomposition of the correlation matrix (lower triangle given), column by column: its pivot is the share
/// of a column's variance that the columns before it leave unexplained.
fn independent(correlations: &[Vec<f64>]) -> Vec<usize> {
    let mut kept: Vec<usize> = Vec::new();
    let mut factors: Vec<Vec<f64>> = Vec::new();
    for (place, line) in correlations.iter().enumerate() {
        let mut factor: Vec<f64> = Vec::with_capacity(kept.len() + 1);
        for (other, other_factor) in kept.iter().zip(&factors) {
            let explained: f64 = factor.iter().zip(other_factor).map(|(a, b)| a * b).sum();
            factor.push((line[*other] - explained) / other_factor[factor.len()]);
        }
        let unexplained = line[place] - factor.iter().map(|a| a * a).sum::<f64>();
        if unexplained > MIN_UNEXPLAINED {
            factor.push(unexplained.sqrt());
            kept.push(place);
            factors.push(factor);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_duplicate_and_dependent_columns_are_dropped() {
        let rows: Vec<FeatureRow> = (0..40)
            .map(|i| {
                let (a, b) = (f64::from(i), f64::from(i * i % 17));
                let mut row = [3.0; FEATURE_COUNT];
                // b again in another unit, then a sum of both
                row[..4].copy_from_slice(&[a, b, 10.0 * b - 1.0, a - 2.0 * b]);
                row
            })
            .collect();
        let design = Design::of(&rows, |_| true);
        assert_eq!(design.columns, [0, 1]);
        assert_eq!(design.dropped_names().len(), FEATURE_COUNT - 2);
    }

    #[test]
    fn kept_columns_have_mean_zero_and_variance_one() {
        let rows: Vec<FeatureRow> = (0..10).map(|i| [f64::from(i); FEATURE_COUNT]).collect();
        let design = Design::of(&rows, |_| true);
        assert_eq!(design.columns.len(), 1);
        let mean: f64 = design.values.iter().sum::<f64>() / 10.0;
        let variance: f64 = design.values.iter().map(|value| value * value).sum::<f64>() / 10.0;
        assert!(mean.abs() < 1e-12 && (variance - 1.0).abs() < 1e-12);
    }
}
