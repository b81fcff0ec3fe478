//! Fitting: one algorithm on one design.
//!
//! smartcore's known faults are kept away here: widths and finiteness are checked after every fit, and a panic inside the
//! library becomes an error.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::linear_regression::{LinearRegression, LinearRegressionParameters, LinearRegressionSolverName};
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};

use super::design::Design;
use super::features::FeatureRow;
use super::regression::Regression;
use super::text::{self, FoldsError, TextFit};
use super::trees::{Growth, grow};
use super::{Algorithm, Dataset, Progress, Stage, TrainError, TrainOptions};

/// Fits `options.algorithm` with all its `parameters` to the rows of `data`, of which `rows` are the features.
pub(super) fn fit(
    options: &TrainOptions<'_>,
    parameters: &BTreeMap<String, f64>,
    design: &Design,
    rows: &[FeatureRow],
    data: &Dataset,
    progress: &mut dyn FnMut(Progress),
) -> Result<Regression, TrainError> {
    let parameter = |name: &str| parameters.get(name).copied().unwrap_or_default();
    let whole = |name: &str| parameter(name) as usize;
    let mut fitted = |done, total| progress(Progress { stage: Stage::Fit, done, total });
    if options.algorithm == Algorithm::Text {
        let folds = whole("folds");
        let data = TextFit {
            urls: data.urls(),
            targets: data.targets(),
            dense: design.values(),
            width: design.columns.len(),
            alpha: parameter("alpha"),
            c: parameter("c"),
            folds,
            seed: options.seed,
        };
        let fit = text::fit(data, &mut fitted).map_err(|error| match error {
            FoldsError::TooFew => TrainError::TooFewForFolds { folds },
            FoldsError::Failed(reason) => TrainError::Fit(reason),
        })?;
        let features = design.weights(fit.dense, fit.intercept);
        return Ok(Regression::Text { features, ngrams: fit.ngrams, is_logit: fit.is_logit });
    }

    fitted(0, 1);
    let (trees, depth) = (whole("trees"), whole("depth") as u16);
    let growth = match options.algorithm {
        Algorithm::RandomForest => Some(Growth::Forest { trees, depth, leaf: whole("leaf") }),
        Algorithm::GradientBoosting => Some(Growth::Boosting { trees, depth, rate: parameter("rate") }),
        Algorithm::Text | Algorithm::Linear | Algorithm::Ridge => None,
    };
    let targets = data.targets().to_vec();
    let regression = match growth {
        Some(growth) => {
            let trees = grow(growth, &design.columns, rows, &targets, options.seed);
            Regression::Trees(trees.map_err(TrainError::Fit)?)
        }
        None => {
            let alpha = (options.algorithm == Algorithm::Ridge).then(|| parameter("alpha"));
            let matrix = design.matrix().map_err(|error| TrainError::Fit(error.to_string()))?;
            let (coefficients, intercept) = least_squares(&matrix, &targets, alpha)?;
            if coefficients.len() != design.columns.len() {
                return Err(TrainError::Fit("the numeric library gave a wrong number of weights".to_owned()));
            }
            if !intercept.is_finite() || coefficients.iter().any(|coefficient| !coefficient.is_finite()) {
                return Err(TrainError::Fit("a weight is not finite".to_owned()));
            }
            Regression::Linear(design.weights(coefficients, intercept))
        }
    };
    fitted(1, 1);
    Ok(regression)
}

/// smartcore's ridge with a penalty, or its QR without one.
fn least_squares(
    matrix: &DenseMatrix<f64>,
    targets: &Vec<f64>,
    alpha: Option<f64>,
) -> Result<(Vec<f64>, f64), TrainError> {
    let failed = |error: smartcore::error::Failed| TrainError::Fit(error.to_string());
    let solve = || match alpha {
        Some(alpha) => {
            let parameters = RidgeRegressionParameters::default().with_alpha(alpha);
            let model = RidgeRegression::fit(matrix, targets, parameters).map_err(failed)?;
            Ok((column_of(model.coefficients()), *model.intercept()))
        }
        None => {
            let parameters = LinearRegressionParameters { solver: LinearRegressionSolverName::QR };
            let model = LinearRegression::fit(matrix, targets, parameters).map_err(failed)?;
            Ok((column_of(model.coefficients()), *model.intercept()))
        }
    };
    // the closure only reads, so nothing half-changed is left behind by a panic
    catch_unwind(AssertUnwindSafe(solve))
        .unwrap_or_else(|_| Err(TrainError::Fit("the numeric library panicked".to_owned())))
}

fn column_of(matrix: &DenseMatrix<f64>) -> Vec<f64> {
    matrix.iterator(0).copied().collect()
}
