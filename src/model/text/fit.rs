//! Fitting: a ridge and a logistic regression over the same columns, joined by a third.
//!
//! Ridge ranks best and shrinks its scores towards the mean; logistic regression is calibrated and ranks a little worse.
//! smartcore's logistic regression of two inputs joins their scores. It is fitted on scores of rows that neither had
//! learnt from, and on sites that they had not seen (stacking: Wolpert 1992, "Stacked generalization"). All three are
//! linear before the link, so they fold into one weight a column. Targets other than 0 and 1 get the ridge alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};

use super::rows::Rows;
use super::solve::Problem;
use super::weights::NgramWeights;
use crate::model::groups::{Grouping, folds};

/// Penalty of the joining regression: none to speak of for thousands of rows, and enough to keep the weights of a few
/// rows that are told apart perfectly from growing without end.
const JOIN_ALPHA: f64 = 1.0;

/// What to learn from and how.
pub(in crate::model) struct TextFit<'a> {
    pub(in crate::model) urls: &'a [String],
    pub(in crate::model) targets: &'a [f64],
    /// Standardised features, `width` for each URL.
    pub(in crate::model) dense: Vec<f64>,
    pub(in crate::model) width: usize,
    /// Penalty of the ridge.
    pub(in crate::model) alpha: f64,
    /// Inverse penalty of the logistic regression.
    pub(in crate::model) c: f64,
    /// Parts that the joining regression's scores come from.
    pub(in crate::model) folds: usize,
    pub(in crate::model) seed: u64,
}

/// One weight a column.
pub(in crate::model) struct TextWeights {
    /// Of the standardised features.
    pub(in crate::model) dense: Vec<f64>,
    pub(in crate::model) intercept: f64,
    pub(in crate::model) ngrams: NgramWeights,
    /// Whether a score is the logit of the answer, not the answer.
    pub(in crate::model) is_logit: bool,
}

/// Why nothing was fitted.
#[derive(Debug)]
pub(in crate::model) enum FoldsError {
    /// Some part of the rows leaves only one kind of result to learn from.
    TooFew,
    /// smartcore refused, panicked, or gave weights that are not finite.
    Failed(String),
}

/// One regression to fit.
#[derive(Clone, Copy)]
struct Job {
    /// The part that is left out; none where it is past the last.
    fold: usize,
    is_ridge: bool,
}

/// Fits; `progress` is told how many of how many regressions are done.
pub(in crate::model) fn fit(
    data: TextFit<'_>,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<TextWeights, FoldsError> {
    let is_binary = data.targets.iter().all(|&target| target == 0.0 || target == 1.0);
    let varies = data.targets.windows(2).any(|pair| pair[0] != pair[1]);
    let rows = Rows::of(data.urls, data.width, data.dense);
    if !(is_binary && varies) {
        return ridge_alone(&rows, data.targets, data.alpha, progress);
    }

    let fold_of = usable_folds(data.urls, data.targets, data.folds, data.seed).ok_or(FoldsError::TooFew)?;
    let jobs: Vec<Job> =
        (0..=data.folds).flat_map(|fold| [true, false].map(|is_ridge| Job { fold, is_ridge })).collect();
    let correlations = rows.correlations();
    let all = run(&jobs, progress, |job| {
        let chosen: Vec<usize> = (0..rows.len()).filter(|&row| fold_of[row] != job.fold).collect();
        let problem = Problem { rows: &rows, correlations: &correlations, chosen, targets: data.targets };
        let weights = if job.is_ridge { problem.ridge(data.alpha) } else { problem.logistic(data.c) };
        let left_out = (0..rows.len()).filter(|&row| fold_of[row] == job.fold);
        let scores: Vec<(usize, f64)> = left_out.map(|row| (row, rows.score(row, &weights))).collect();
        // the weights of a part are of no further use, and there are 2 MB of them
        (scores, (job.fold == data.folds).then_some(weights))
    });

    let mut scores = [vec![0.0; rows.len()], vec![0.0; rows.len()]];
    let mut weights = Vec::new();
    for (job, (left_out, whole)) in jobs.iter().zip(all) {
        left_out.into_iter().for_each(|(row, score)| scores[usize::from(!job.is_ridge)][row] = score);
        weights.extend(whole);
    }
    let [ridge_weights, logistic_weights] =
        <[Vec<f64>; 2]>::try_from(weights).map_err(|_| FoldsError::Failed("a regression is missing".to_owned()))?;
    let join = join(&scores, data.targets)?;
    let mut joined: Vec<f64> =
        ridge_weights.iter().zip(&logistic_weights).map(|(a, b)| join.factors[0] * a + join.factors[1] * b).collect();
    joined[rows.intercept()] += join.intercept;
    folded(&rows, &joined, 0.0, 1.0, true)
}

/// Ridge on the standardised targets, so that one penalty suits every unit.
fn ridge_alone(
    rows: &Rows,
    targets: &[f64],
    alpha: f64,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<TextWeights, FoldsError> {
    progress(0, 1);
    let (mean, deviation) = moments(targets);
    let standardised: Vec<f64> = targets.iter().map(|target| (target - mean) / deviation).collect();
    let correlations = rows.correlations();
    let chosen = (0..rows.len()).collect();
    let weights = Problem { rows, correlations: &correlations, chosen, targets: &standardised }.ridge(alpha);
    progress(1, 1);
    folded(rows, &weights, mean, deviation, false)
}

fn folded(rows: &Rows, weights: &[f64], mean: f64, scale: f64, is_logit: bool) -> Result<TextWeights, FoldsError> {
    let weights: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
    if weights.iter().any(|weight| !weight.is_finite()) {
        return Err(FoldsError::Failed("a weight is not finite".to_owned()));
    }
    let (dense, rest) = weights.split_at(rows.intercept());
    Ok(TextWeights {
        dense: dense.to_vec(),
        intercept: mean + rest[0],
        ngrams: NgramWeights::round(&rest[1..]),
        is_logit,
    })
}

/// Folds of sites, or of URLs where sites are too few, such that both results occur outside of every fold.
fn usable_folds(urls: &[String], targets: &[f64], count: usize, seed: u64) -> Option<Vec<usize>> {
    let occurs_outside = |fold_of: &[usize], fold: usize, target: f64| {
        fold_of.iter().zip(targets).any(|(&of, &found)| of != fold && found == target)
    };
    [Grouping::Host, Grouping::Url]
        .into_iter()
        .map(|grouping| folds(urls, grouping, count, seed))
        .find(|fold_of| (0..count).all(|fold| [0.0, 1.0].iter().all(|&target| occurs_outside(fold_of, fold, target))))
}

/// Does every job and gives back their results in order. Each is done by one thread from beginning to end, so the
/// number of cores changes the time and nothing else.
fn run<T: Send>(jobs: &[Job], progress: &mut dyn FnMut(usize, usize), work: impl Fn(Job) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut results: Vec<Option<T>> = jobs.iter().map(|_| None).collect();
    progress(0, jobs.len());
    std::thread::scope(|scope| {
        for _ in 0..cores.min(jobs.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&job) = jobs.get(place) else { break };
                    // the receiver outlives the scope
                    let _ = sender.send((place, work(job)));
                }
            });
        }
        drop(sender);
        for (done, (place, result)) in receiver.iter().enumerate() {
            results[place] = Some(result);
            progress(done + 1, jobs.len());
        }
    });
    results.into_iter().flatten().collect()
}

/// What a ridge and a logistic score count.
struct Join {
    factors: [f64; 2],
    intercept: f64,
}

fn join(scores: &[Vec<f64>; 2], targets: &[f64]) -> Result<Join, FoldsError> {
    let failed = |error: smartcore::error::Failed| FoldsError::Failed(error.to_string());
    let moments = [moments(&scores[0]), moments(&scores[1])];
    let standardised = |row: usize| [0, 1].map(|input| (scores[input][row] - moments[input].0) / moments[input].1);
    let values: Vec<f64> = (0..targets.len()).flat_map(standardised).collect();
    if values.iter().any(|value| !value.is_finite()) {
        return Err(FoldsError::Failed("a score is not finite".to_owned()));
    }
    let solve = || {
        let inputs = DenseMatrix::new(targets.len(), 2, values, false).map_err(failed)?;
        let classes: Vec<u32> = targets.iter().map(|&target| target as u32).collect();
        let parameters = LogisticRegressionParameters::default().with_alpha(JOIN_ALPHA);
        let model = LogisticRegression::fit(&inputs, &classes, parameters).map_err(failed)?;
        let weights = model.coefficients();
        if weights.shape() != (1, 2) {
            return Err(FoldsError::Failed("the numeric library gave a wrong number of weights".to_owned()));
        }
        Ok(([*weights.get((0, 0)), *weights.get((0, 1))], *model.intercept().get((0, 0))))
    };
    // the closure only reads, so nothing half-changed is left behind by a panic
    let (weights, intercept) = catch_unwind(AssertUnwindSafe(solve))
        .unwrap_or_else(|_| Err(FoldsError::Failed("the numeric library panicked".to_owned())))?;
    let factors = [weights[0] / moments[0].1, weights[1] / moments[1].1];
    Ok(Join { factors, intercept: intercept - factors[0] * moments[0].0 - factors[1] * moments[1].0 })
}

/// Mean and standard deviation, the latter 1 where all values are the same.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    (mean, if deviation > 0.0 { deviation } else { 1.0 })
}
