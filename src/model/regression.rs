//! Regression: what a model file holds of a fitted regression, and what serves it.
//!
//! The linear ones need no more than one weight per column, so the standardisation is folded into the weights at load and a
//! prediction is one dot product and one look-up for each n-gram: no matrix is allocated per request, and nothing in the
//! way of an answer can panic. Trees are smartcore's, behind a panic boundary.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

use super::features::{Extractor, FEATURE_COUNT, FeatureRow};
use super::text::{Buckets, NgramWeights};
use super::trees::{Trees, TreesFile};
use super::{ArtifactError, PredictError};

/// What was fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Regression {
    /// Linear in the features.
    Linear(Weights),
    /// Linear in the features and the n-grams.
    Text {
        features: Weights,
        ngrams: NgramWeights,
        /// Whether the sum is the logit of the answer, not the answer.
        is_logit: bool,
    },
    /// Trees over the features.
    Trees(TreesFile),
}

/// A linear regression over standardised features: `intercept + sum(coefficient * (feature - mean) / scale)`.
/// The four lists run side by side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Weights {
    /// Columns of the feature table, ascending; the others carry no weight.
    pub(super) columns: Vec<u32>,
    pub(super) means: Vec<f64>,
    pub(super) scales: Vec<f64>,
    pub(super) coefficients: Vec<f64>,
    pub(super) intercept: f64,
}

impl Weights {
    /// What each feature adds to the intercept.
    pub(super) fn contributions(&self, row: &FeatureRow) -> impl Iterator<Item = (usize, f64)> {
        self.columns.iter().enumerate().map(|(place, &column)| {
            let column = column as usize;
            (column, self.coefficients[place] * (row[column] - self.means[place]) / self.scales[place])
        })
    }
}

impl Regression {
    /// Columns of the feature table that are read.
    pub(super) fn columns(&self) -> &[u32] {
        match self {
            Self::Linear(features) | Self::Text { features, .. } => &features.columns,
            Self::Trees(trees) => &trees.columns,
        }
    }

    /// What serves it, once everything that a file may say wrongly is checked.
    pub(super) fn scorer(&self) -> Result<Scorer, ArtifactError> {
        match self {
            Self::Linear(features) => Ok(Scorer::Linear(Box::new(Linear::fold(features)?))),
            Self::Text { ngrams, .. } if !ngrams.is_usable() => invalid("its n-gram weights are not usable"),
            Self::Text { features, ngrams, is_logit } => {
                let linear = Linear { ngrams: Some(ngrams.clone()), is_logit: *is_logit, ..Linear::fold(features)? };
                Ok(Scorer::Linear(Box::new(linear)))
            }
            Self::Trees(trees) => Ok(Scorer::Trees(Trees::open(trees)?)),
        }
    }
}

fn invalid<T>(reason: &str) -> Result<T, ArtifactError> {
    Err(ArtifactError::Invalid(reason.to_owned()))
}

thread_local! {
    /// Kept from one call to the next: zeroing 32 KB anew would take half a microsecond, and a prediction takes four.
    static BUCKETS: RefCell<Buckets> = RefCell::default();
}

/// A regression that can be asked.
#[derive(Debug)]
pub(super) enum Scorer {
    Linear(Box<Linear>),
    Trees(Trees),
}

impl Scorer {
    /// The finite answers for `urls`, in their order, not clamped.
    pub(super) fn answers(&self, urls: &[&str]) -> Result<Vec<f64>, PredictError> {
        let mut extractor = Extractor::default();
        let answers: Vec<f64> = match self {
            Self::Linear(linear) => BUCKETS.with_borrow_mut(|buckets| {
                urls.iter().map(|url| linear.answer(linear.score(&mut extractor, buckets, url))).collect()
            }),
            Self::Trees(trees) => trees.answers(&mut extractor, urls).map_err(PredictError::Regression)?,
        };
        match answers.iter().position(|answer| !answer.is_finite()) {
            Some(index) => Err(PredictError::NotFinite { index }),
            None => Ok(answers),
        }
    }
}

/// A linear regression on raw features and n-grams: `bias + weights . features + n-grams`.
#[derive(Debug)]
pub(super) struct Linear {
    weights: FeatureRow,
    bias: f64,
    ngrams: Option<NgramWeights>,
    is_logit: bool,
}

impl Linear {
    /// Folds the standardisation into the weights, after checking widths, order and finiteness.
    fn fold(weights: &Weights) -> Result<Self, ArtifactError> {
        let width = weights.columns.len();
        if [&weights.means, &weights.scales, &weights.coefficients].iter().any(|list| list.len() != width) {
            return invalid("its lists of weights differ in length");
        }
        if !weights.columns.is_sorted_by(|a, b| a < b) {
            return invalid("its columns are out of order");
        }
        let mut linear =
            Linear { weights: [0.0; FEATURE_COUNT], bias: weights.intercept, ngrams: None, is_logit: false };
        for (place, &column) in weights.columns.iter().enumerate() {
            let Some(weight) = linear.weights.get_mut(column as usize) else {
                return invalid("it reads a feature that does not exist");
            };
            *weight = weights.coefficients[place] / weights.scales[place];
            linear.bias -= *weight * weights.means[place];
        }
        // a zero scale or any NaN or infinity ends up in these sums
        if !linear.bias.is_finite() || linear.weights.iter().any(|weight| !weight.is_finite()) {
            return invalid("a weight is not finite");
        }
        Ok(linear)
    }

    /// The sum before the link.
    fn score(&self, extractor: &mut Extractor, buckets: &mut Buckets, url: &str) -> f64 {
        let row = extractor.extract(url);
        let features = self.weights.iter().zip(&row).fold(self.bias, |sum, (weight, value)| sum + weight * value);
        features + self.ngrams.as_ref().map_or(0.0, |ngrams| ngrams.score(buckets, extractor.lower()))
    }

    /// The answer that a score stands for.
    fn answer(&self, score: f64) -> f64 {
        // an overflow stays one, where the link would make a sound answer of it
        if self.is_logit && score.is_finite() { 1.0 / (1.0 + (-score).exp()) } else { score }
    }
}
