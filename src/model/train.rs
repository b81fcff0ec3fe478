//! Training: from rows of URLs and results to a model.
//!
//! smartcore fits the regression, and this file keeps its known faults away: columns that are constant or follow from
//! others are dropped (they break ridge and blow QR up), the rest is standardised, widths and finiteness are checked
//! before and after, and a panic inside the library becomes an error.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::linear_regression::{LinearRegression, LinearRegressionParameters, LinearRegressionSolverName};
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};

use super::artifact::{Body, Content, Weights};
use super::design::Design;
use super::features::{Extractor, FeatureRow};
use super::url_model::Scorer;
use super::{ArtifactError, DataInfo, Dataset, Metrics, PredictError, UrlModel, evaluate};

/// Strength of ridge's penalty: too weak to shrink anything that thousands of rows support.
const RIDGE_ALPHA: f64 = 1.0;
/// Rows between two reports of progress.
const PROGRESS_ROWS: usize = 512;

/// The regressions on offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// Ordinary least squares, by QR.
    Linear,
    /// Least squares with a quadratic penalty on the weights, by Cholesky.
    #[default]
    Ridge,
}

impl fmt::Display for Algorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Algorithm::Linear => "linear",
            Algorithm::Ridge => "ridge",
        })
    }
}

/// What to train.
#[derive(Debug, Clone)]
pub struct TrainOptions<'a> {
    /// Name of the model; results that it predicts are marked with it.
    pub name: String,
    /// Regression to fit.
    pub algorithm: Algorithm,
    /// Recorded with the model. Both regressions are deterministic, so it changes the content hash and nothing else.
    pub seed: u64,
    /// Hold-out data to judge the model on.
    pub validation: Option<&'a Dataset>,
}

/// What training is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Turning URLs into features; counted in rows.
    Features,
    /// Fitting the regression; one step.
    Fit,
    /// Judging the model; one step.
    Judge,
}

/// How far a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// Steps done, up to `total`.
    pub done: usize,
    /// Steps of this stage.
    pub total: usize,
}

/// What came out besides the model; figures are in the model's [`info`](UrlModel::info).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainReport {
    /// Names of features left out because they were constant or followed from others on this data.
    pub dropped_features: Vec<&'static str>,
}

/// Why there is no model, as one sentence.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A regression needs more rows than it has weights.
    #[error("{rows} rows are too few to fit {features} features; at least {} are needed", features + 2)]
    TooFewRows {
        /// Rows there are.
        rows: usize,
        /// Features that vary on them.
        features: usize,
    },
    /// No feature tells one row from another.
    #[error("all URLs look the same to the features, so there is nothing to learn from")]
    NothingVaries,
    /// smartcore refused, panicked, or gave weights that are not finite.
    #[error("the regression could not be fitted: {0}")]
    Fit(String),
    /// The fitted model failed the checks that a loaded one has to pass.
    #[error("the fitted model cannot be served: {0}")]
    Unusable(ArtifactError),
    /// The fitted model gives no number for a row.
    #[error("the fitted model cannot be judged: {0}")]
    Unjudged(PredictError),
}

/// Fits a model on `data`. The same data and options give the same model, creation time apart.
pub fn train(
    data: &Dataset,
    options: &TrainOptions<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<(UrlModel, TrainReport), TrainError> {
    let rows = extract(data, progress);
    let step = |stage, done| Progress { stage, done, total: 1 };

    progress(step(Stage::Fit, 0));
    let design = Design::of(&rows);
    let (features, rows) = (design.columns.len(), rows.len());
    if features == 0 {
        return Err(TrainError::NothingVaries);
    }
    if rows < features + 2 {
        return Err(TrainError::TooFewRows { rows, features });
    }
    let weights = fit(options.algorithm, &design, data.targets())?;
    progress(step(Stage::Fit, 1));

    progress(step(Stage::Judge, 0));
    let report = TrainReport { dropped_features: design.dropped_names() };
    let parameters = match options.algorithm {
        Algorithm::Linear => BTreeMap::new(),
        Algorithm::Ridge => BTreeMap::from([("alpha".to_owned(), RIDGE_ALPHA)]),
    };
    let content = Content {
        name: options.name.clone(),
        algorithm: options.algorithm,
        parameters,
        seed: options.seed,
        training_data: DataInfo { sha256: data.sha256().to_owned(), rows },
        is_clamped: data.is_binary(),
        weights,
    };
    let model = judged(content, data, options.validation)?;
    progress(step(Stage::Judge, 1));
    Ok((model, report))
}

fn extract(data: &Dataset, progress: &mut dyn FnMut(Progress)) -> Vec<FeatureRow> {
    let total = data.urls().len();
    let mut extractor = Extractor::default();
    let mut rows = Vec::with_capacity(total);
    for url in data.urls() {
        if rows.len() % PROGRESS_ROWS == 0 {
            progress(Progress { stage: Stage::Features, done: rows.len(), total });
        }
        rows.push(extractor.extract(url));
    }
    progress(Progress { stage: Stage::Features, done: total, total });
    rows
}

fn fit(algorithm: Algorithm, design: &Design, targets: &[f64]) -> Result<Weights, TrainError> {
    let failed = |error: smartcore::error::Failed| TrainError::Fit(error.to_string());
    let solve = || -> Result<(Vec<f64>, f64), TrainError> {
        let matrix = design.matrix().map_err(failed)?;
        let targets = targets.to_vec();
        match algorithm {
            Algorithm::Linear => {
                let parameters = LinearRegressionParameters { solver: LinearRegressionSolverName::QR };
                let model = LinearRegression::fit(&matrix, &targets, parameters).map_err(failed)?;
                Ok((column_of(model.coefficients()), *model.intercept()))
            }
            Algorithm::Ridge => {
                let parameters = RidgeRegressionParameters::default().with_alpha(RIDGE_ALPHA);
                let model = RidgeRegression::fit(&matrix, &targets, parameters).map_err(failed)?;
                Ok((column_of(model.coefficients()), *model.intercept()))
            }
        }
    };
    // the closure only reads, so nothing half-changed is left behind by a panic
    let (coefficients, intercept) = catch_unwind(AssertUnwindSafe(solve))
        .unwrap_or_else(|_| Err(TrainError::Fit("the numeric library panicked".to_owned())))?;

    if coefficients.len() != design.columns.len() {
        return Err(TrainError::Fit("the numeric library gave a wrong number of weights".to_owned()));
    }
    if !intercept.is_finite() || coefficients.iter().any(|coefficient| !coefficient.is_finite()) {
        return Err(TrainError::Fit("a weight is not finite".to_owned()));
    }
    Ok(Weights {
        columns: design.columns.clone(),
        means: design.means.clone(),
        scales: design.scales.clone(),
        coefficients,
        intercept,
    })
}

fn column_of(matrix: &DenseMatrix<f64>) -> Vec<f64> {
    matrix.iterator(0).copied().collect()
}

/// Makes the model and judges it on what it would serve.
fn judged(content: Content, data: &Dataset, validation: Option<&Dataset>) -> Result<UrlModel, TrainError> {
    let probe_scores = Scorer::fold(&content.weights).map_err(TrainError::Unusable)?.probe_scores();
    // the model has to predict before its own figures are known
    let unknown = Metrics { rows: 0, rmse: 0.0, mae: 0.0, r2: None, roc_auc: None, accuracy: None };
    let draft = Body {
        content,
        created_at_s: jiff::Timestamp::now().as_second(),
        training_metrics: unknown,
        validation: None,
        probe_scores,
    };
    let model = UrlModel::from_body(draft.clone()).map_err(TrainError::Unusable)?;
    let metrics_on = |data: &Dataset| evaluate(&model, data).map_err(TrainError::Unjudged);
    let validation = validation
        .map(|data| {
            let info = DataInfo { sha256: data.sha256().to_owned(), rows: data.urls().len() };
            metrics_on(data).map(|metrics| (info, metrics))
        })
        .transpose()?;
    let body = Body { training_metrics: metrics_on(data)?, validation, ..draft };
    UrlModel::from_body(body).map_err(TrainError::Unusable)
}

#[cfg(test)]
mod tests;
