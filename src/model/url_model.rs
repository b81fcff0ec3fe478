//! URL model: a regression that scores URL texts, as it is loaded, checked and asked.

mod explain;
mod top;

use std::path::Path;

use super::artifact::Body;
use super::file::{read_bounded, write_bounded};
use super::regression::Scorer;
use super::{ArtifactError, ArtifactInfo, PredictError};
pub use top::TopWeight;

/// The model that ships inside the binary.
const EMBEDDED: &[u8] = include_bytes!("../../models/url-default.augur");

/// URLs whose answers are stored at training and worked out again at load. They touch every family of features, so a
/// build that extracts features otherwise, without saying so in its schema version, is found out.
const PROBE_URLS: [&str; 4] = [
    "",
    "https://www.example.com/",
    "http://user@login.paypal.secure-example.co.uk:8080/wp-admin/a1b2c3/index.php?id=7&amp;x=%40#top",
    "http://192.0.2.1/~me/The_Guide-to_news.pdf",
];
/// Largest difference of a probe answer that counts as the same: logarithms may differ by an ULP between platforms.
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
        let mut answers = self.scorer.answers(urls)?;
        if self.info.is_clamped {
            answers.iter_mut().for_each(|answer| *answer = answer.clamp(0.0, 1.0));
        }
        Ok(answers)
    }

    /// Like [`UrlModel::predict`], but a URL that has no score fails alone.
    pub fn predict_each(&self, urls: &[&str]) -> Vec<Result<f64, PredictError>> {
        match self.predict(urls) {
            Ok(scores) => scores.into_iter().map(Ok).collect(),
            Err(error) if urls.len() == 1 => vec![Err(error)],
            Err(_) => urls.chunks(1).flat_map(|url| self.predict_each(url)).collect(),
        }
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
    ///
    /// # Errors
    /// Where the file cannot be written, or would be larger than a model file may be.
    pub fn save(&self, path: &Path) -> Result<(), ArtifactError> {
        write_bounded(path, &self.to_bytes()?)
    }

    /// Takes a body only if it can be served.
    pub(super) fn from_body(body: Body) -> Result<Self, ArtifactError> {
        let invalid = |reason: &str| Err(ArtifactError::Invalid(reason.to_owned()));
        if body.content.name.is_empty() {
            return invalid("it has no name");
        }
        let scorer = body.content.regression.scorer()?;
        let answers = probe_answers(&scorer)?;
        // written so that a NaN on either side counts as different
        let agrees = |(new, old): (&f64, &f64)| (new - old).abs() <= PROBE_TOLERANCE * old.abs().max(1.0);
        if answers.len() != body.probe_answers.len() || !answers.iter().zip(&body.probe_answers).all(agrees) {
            return invalid("it scores the probe URLs otherwise than when it was trained");
        }
        Ok(UrlModel { info: body.info()?, scorer, body })
    }
}

/// The answers for the probe URLs, before clamping.
pub(super) fn probe_answers(scorer: &Scorer) -> Result<Vec<f64>, ArtifactError> {
    scorer.answers(&PROBE_URLS).map_err(|error| ArtifactError::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests;
