//! Training: from rows of URLs and results to a model.
//!
//! Features that are constant or follow from others are dropped (they break ridge and blow QR up) and the rest is
//! standardised; then the algorithm is fitted, and the model is judged on what it would serve.

use std::collections::BTreeMap;

use super::artifact::{Body, Content};
use super::design::Design;
use super::features::{Extractor, FeatureRow, is_word_list};
use super::fit::fit;
use super::groups::folds;
use super::url_model::probe_answers;
use super::{Algorithm, ArtifactError, DataInfo, Dataset, Grouping, Metrics, PredictError, UrlModel, evaluate};

/// Results that lie closer together than this are as good as equal: the squares of their differences are 0.
const MIN_SPREAD: f64 = 1e-100;

/// Rows between two reports of progress.
const PROGRESS_ROWS: usize = 512;

/// What to train.
#[derive(Debug, Clone)]
pub struct TrainOptions<'a> {
    /// Name of the model; results that it predicts are marked with it.
    pub name: String,
    /// Regression to fit.
    pub algorithm: Algorithm,
    /// Parameters of the algorithm that differ from their defaults.
    pub parameters: BTreeMap<String, f64>,
    /// Of everything that is drawn by lot; recorded with the model. The same seed and data give the same model.
    pub seed: u64,
    /// Hold-out data to judge the model on.
    pub validation: Option<&'a Dataset>,
}

/// What training is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Turning URLs into features; counted in rows.
    Features,
    /// Fitting; counted in regressions.
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
    /// Names of features left out: constant on this data, following from others, or from word lists, which the default
    /// algorithm does without.
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
    /// A parameter that does not exist or is out of range.
    #[error("{0}")]
    Parameter(String),
    /// Parts of the rows are too few to learn from one and judge by another.
    #[error("the rows are too few or too much alike: results 0 and 1 must both occur outside of each of {folds} parts")]
    TooFewForFolds {
        /// Parts.
        folds: usize,
    },
    /// Fewer groups than folds.
    #[error("there are fewer than {folds} groups of rows, so {folds} folds cannot be made")]
    TooFewGroups {
        /// Folds.
        folds: usize,
    },
    /// Every row has the same result.
    #[error("all results are {result:?}, so there is nothing to learn")]
    OneResult {
        /// The result.
        result: f64,
    },
    /// The results differ by less than can be squared.
    #[error("the results lie within {MIN_SPREAD:e} of each other, so there is nothing to learn; scale them")]
    Indistinct,
    /// What is learnt from in a cross-validation cannot be learnt.
    #[error("without one of {folds} folds {reason}")]
    Fold {
        /// Folds.
        folds: usize,
        /// Why.
        reason: Box<TrainError>,
    },
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
    let parameters = options.algorithm.resolve(&options.parameters).map_err(TrainError::Parameter)?;
    ensure_varied(data.targets())?;
    let feature_rows = extract(data, progress);
    let is_text = options.algorithm == Algorithm::Text;
    let design = Design::of(&feature_rows, |column| !(is_text && is_word_list(column)));
    let (features, rows) = (design.columns.len(), data.urls().len());
    if features == 0 {
        return Err(TrainError::NothingVaries);
    }
    if rows < features + 2 {
        return Err(TrainError::TooFewRows { rows, features });
    }
    let regression = fit(options, &parameters, &design, &feature_rows, data, progress)?;

    progress(Progress { stage: Stage::Judge, done: 0, total: 1 });
    let content = Content {
        name: options.name.clone(),
        algorithm: options.algorithm,
        parameters,
        seed: options.seed,
        training_data: DataInfo { sha256: data.sha256().to_owned(), rows },
        is_clamped: data.is_binary(),
        regression,
    };
    let model = judged(content, data, options.validation)?;
    progress(Progress { stage: Stage::Judge, done: 1, total: 1 });
    Ok((model, TrainReport { dropped_features: design.dropped_names() }))
}

/// Judges the options by cross-validation: each fold is answered by a model of the others. One line of figures a fold.
pub fn cross_validate(
    data: &Dataset,
    options: &TrainOptions<'_>,
    count: usize,
    grouping: Grouping,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Metrics>, TrainError> {
    let fold_of = folds(data.urls(), grouping, count, options.seed);
    if (0..count).any(|fold| !fold_of.contains(&fold)) {
        return Err(TrainError::TooFewGroups { folds: count });
    }
    let options = TrainOptions { validation: None, ..options.clone() };
    let judge = |fold| {
        let others = data.part(|row| fold_of[row] != fold);
        ensure_varied(others.targets())
            .map_err(|reason| TrainError::Fold { folds: count, reason: Box::new(reason) })?;
        let (model, _) = train(&others, &options, progress)?;
        evaluate(&model, &data.part(|row| fold_of[row] == fold)).map_err(TrainError::Unjudged)
    };
    (0..count).map(judge).collect()
}

/// Refuses results that are all the same: whatever is fitted to them looks perfect.
fn ensure_varied(targets: &[f64]) -> Result<(), TrainError> {
    let (least, most) =
        targets.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &x| (least.min(x), most.max(x)));
    if least == most {
        Err(TrainError::OneResult { result: least })
    } else if most - least < MIN_SPREAD {
        Err(TrainError::Indistinct)
    } else {
        Ok(())
    }
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

/// Makes the model and judges it on what it would serve.
fn judged(content: Content, data: &Dataset, validation: Option<&Dataset>) -> Result<UrlModel, TrainError> {
    let probe_answers =
        content.regression.scorer().and_then(|scorer| probe_answers(&scorer)).map_err(TrainError::Unusable)?;
    // the model has to predict before its own figures are known
    let unknown = Metrics {
        rows: 0,
        rmse: 0.0,
        mae: 0.0,
        r2: None,
        roc_auc: None,
        mean_result: 0.0,
        mean_score: 0.0,
        accuracy: None,
    };
    let draft = Body {
        content,
        created_at_s: jiff::Timestamp::now().as_second(),
        training_metrics: unknown,
        validation: None,
        probe_answers,
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
