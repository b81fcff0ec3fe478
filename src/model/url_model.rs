//! URL model: a regression that scores URL texts.
//!
//! What smartcore fits for `linear` and `ridge` is one weight per standardised feature. Serving needs no more than that,
//! so the standardisation is folded into the weights at load and a prediction is one dot product: no matrix is allocated
//! per request, nothing in the way of an answer can panic, and a test holds the result against smartcore's own.

use std::path::Path;

use super::artifact::{Body, Weights};
use super::features::{Extractor, FEATURE_COUNT, FeatureRow};
use super::file::{read_bounded, write_atomically};
use super::{ArtifactError, ArtifactInfo, PredictError};

/// The model that ships inside the binary.
const EMBEDDED: &[u8] = include_bytes!("../../models/url-default.augur");

/// URLs whose scores are stored at training and worked out again at load. They touch every family of features, so a
/// build that extracts features otherwise, without saying so in its schema version, is found out.
const PROBE_URLS: [&str; 4] = [
    "",
    "https://www.example.com/",
    "http://user@login.paypal.secure-example.co.uk:8080/wp-admin/a1b2c3/index.php?id=7&amp;x=%40#top",
    "http://192.0.2.1/~me/The_Guide-to_news.pdf",
];
/// Largest difference of a probe score that counts as the same: logarithms may differ by an ULP between platforms.
const PROBE_TOLERANCE: f64 = 1e-6;

/// A loaded model. Scoring needs only `&self`, so one model serves all threads.
#[derive(Debug)]
pub struct UrlModel {
    body: Body,
    info: ArtifactInfo,
    scorer: Scorer,
}

impl UrlModel {
    /// Loads and checks the bytes of an artifact.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ArtifactError> {
        Self::from_body(Body::decode(bytes)?)
    }

    /// Loads and checks an artifact file.
    pub fn load(path: &Path) -> Result<Self, ArtifactError> {
        read_bounded(path)
            .and_then(|bytes| Self::from_bytes(&bytes))
            .map_err(|reason| ArtifactError::File { path: path.to_owned(), reason: Box::new(reason) })
    }

    /// The model that ships inside the binary.
    pub fn embedded() -> Result<Self, ArtifactError> {
        Self::from_bytes(EMBEDDED)
    }

    /// Scores URLs: one finite number for each, in their order.
    ///
    /// Equal texts get equal numbers, bit for bit, alone or in any batch. Blocks for microseconds per URL.
    pub fn predict(&self, urls: &[&str]) -> Result<Vec<f64>, PredictError> {
        let mut extractor = Extractor::default();
        let score = |(index, url): (usize, &&str)| {
            let score = self.scorer.score(&extractor.extract(url));
            if !score.is_finite() {
                return Err(PredictError::NotFinite { index });
            }
            Ok(if self.info.is_clamped { score.clamp(0.0, 1.0) } else { score })
        };
        urls.iter().enumerate().map(score).collect()
    }

    /// Name of the model: `url` for the shipped one.
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// Creation time in UTC and content hash, as `20261123T150102Z-0123456789ab`.
    pub fn version(&self) -> &str {
        &self.info.version
    }

    /// Everything known about the model except its weights.
    pub fn info(&self) -> &ArtifactInfo {
        &self.info
    }

    /// The bytes of the artifact, which [`UrlModel::from_bytes`] reads.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ArtifactError> {
        self.body.encode()
    }

    /// Writes the artifact in one step: whoever reads `path` sees the old file or the whole new one.
    pub fn save(&self, path: &Path) -> Result<(), ArtifactError> {
        write_atomically(path, &self.to_bytes()?)
            .map_err(|reason| ArtifactError::Write { path: path.to_owned(), reason })
    }

    /// Takes a body only if it can be served.
    pub(super) fn from_body(body: Body) -> Result<Self, ArtifactError> {
        let invalid = |reason: &str| Err(ArtifactError::Invalid(reason.to_owned()));
        if body.content.name.is_empty() {
            return invalid("it has no name");
        }
        let scorer = Scorer::fold(&body.content.weights)?;
        let scores = scorer.probe_scores();
        // written so that a NaN on either side counts as different
        let agrees = |(new, old): (&f64, &f64)| (new - old).abs() <= PROBE_TOLERANCE * old.abs().max(1.0);
        if scores.len() != body.probe_scores.len() || !scores.iter().zip(&body.probe_scores).all(agrees) {
            return invalid("it scores the probe URLs otherwise than when it was trained");
        }
        Ok(UrlModel { info: body.info()?, scorer, body })
    }
}

/// A linear regression on raw features: `bias + weights . features`.
#[derive(Debug)]
pub(super) struct Scorer {
    weights: FeatureRow,
    bias: f64,
}

impl Scorer {
    /// Folds the standardisation into the weights, after checking widths, order and finiteness.
    pub(super) fn fold(weights: &Weights) -> Result<Self, ArtifactError> {
        let invalid = |reason: &str| Err(ArtifactError::Invalid(reason.to_owned()));
        let width = weights.columns.len();
        if [&weights.means, &weights.scales, &weights.coefficients].iter().any(|list| list.len() != width) {
            return invalid("its lists of weights differ in length");
        }
        if !weights.columns.is_sorted_by(|a, b| a < b) {
            return invalid("its columns are out of order");
        }
        let mut scorer = Scorer { weights: [0.0; FEATURE_COUNT], bias: weights.intercept };
        for (place, &column) in weights.columns.iter().enumerate() {
            let Some(weight) = scorer.weights.get_mut(column as usize) else {
                return invalid("it reads a feature that does not exist");
            };
            *weight = weights.coefficients[place] / weights.scales[place];
            scorer.bias -= *weight * weights.means[place];
        }
        // a zero scale or any NaN or infinity ends up in these sums
        if !scorer.bias.is_finite() || scorer.weights.iter().any(|weight| !weight.is_finite()) {
            return invalid("a weight is not finite");
        }
        Ok(scorer)
    }

    /// The score of one feature row, before clamping.
    pub(super) fn score(&self, row: &FeatureRow) -> f64 {
        self.weights.iter().zip(row).fold(self.bias, |sum, (weight, value)| sum + weight * value)
    }

    /// The scores of the probe URLs, before clamping.
    pub(super) fn probe_scores(&self) -> Vec<f64> {
        let mut extractor = Extractor::default();
        PROBE_URLS.iter().map(|url| self.score(&extractor.extract(url))).collect()
    }
}

#[cfg(test)]
mod tests;
