//! Image model: a look and a classifier that were trained together, as one artifact.

use std::path::Path;

use image::{DynamicImage, GrayImage, Luma};
use serde::{Deserialize, Serialize};

use super::classifier::{Classifier, Fitted, ImageAlgorithm};
use super::decode::Decoder;
use super::look::Look;
use super::train::ImageMetrics;
use crate::domain::Score;
use crate::model::container::{Kind, Schema, Stamp, open, seal};
use crate::model::file::read_bounded;
use crate::model::{ArtifactError, DataInfo, PredictError};

/// The model that ships inside the binary.
const EMBEDDED: &[u8] = include_bytes!("../../../models/image-default.augur");
/// Changes whenever a picture gets other features than before.
const SCHEMA: Schema = Schema { kind: Kind::Pictures, version: 1 };
/// Largest difference of a probe's share that counts as the same.
const PROBE_TOLERANCE: f64 = 1e-4;
/// Pixels of a picture at most where nobody says otherwise.
const DEFAULT_MAX_PIXELS: u64 = 50_000_000;

/// Everything known about a model except what it learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageInfo {
    /// Name of the model: `image` for the shipped one.
    pub name: String,
    /// Classifier that was fitted.
    pub algorithm: ImageAlgorithm,
    /// How it sees a picture.
    pub look: Look,
    /// Seed of training.
    pub seed: u64,
    /// The labels it knows, in order.
    pub labels: Vec<String>,
    /// What it was trained on.
    pub training_data: DataInfo,
}

/// The postcard body of the file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) content: Content,
    /// Seconds since 1970.
    pub(super) created_at_s: i64,
    /// What the model was judged on, where hold-out data was given.
    pub(super) validation: Option<(DataInfo, ImageMetrics)>,
    /// The shares of the probe picture at training time.
    pub(super) probe: Vec<f64>,
}

/// What makes two models the same; its hash is part of the version.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) info: ImageInfo,
    pub(super) fitted: Fitted,
}

/// A loaded model. Asking needs only `&self`, so one model serves all threads.
#[derive(Debug)]
pub struct ImageModel {
    info: ImageInfo,
    version: String,
    validation: Option<(DataInfo, ImageMetrics)>,
    classifier: Classifier,
    decoder: Decoder,
}

impl ImageModel {
    /// Loads and checks the bytes of an artifact.
    ///
    /// # Errors
    /// Why the bytes are no model that can be served.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let body = Body::decode(bytes)?;
        let trained = body.probe.clone();
        let model = Self::assembled(body)?;
        // written so that a NaN on either side counts as different
        let agrees = |(new, old): (&f64, &f64)| (new - old).abs() <= PROBE_TOLERANCE;
        let seen = model.probe()?;
        if seen.len() != trained.len() || !seen.iter().zip(&trained).all(agrees) {
            return Err(ArtifactError::Invalid(
                "it sees the probe picture otherwise than when it was trained".to_owned(),
            ));
        }
        Ok(model)
    }

    /// A body as a model, checked but for its probe.
    pub(super) fn assembled(body: Body) -> Result<Self, ArtifactError> {
        let stamp = Stamp::of(body.created_at_s, &SCHEMA.version.to_le_bytes(), &body.content)?;
        let Content { info, fitted } = body.content;
        let invalid = |reason: &str| ArtifactError::Invalid(reason.to_owned());
        if info.name.is_empty() || info.labels.len() < 2 {
            return Err(invalid("it has no name, or fewer than two labels"));
        }
        if !Look::SIZES.contains(&info.look.size) {
            return Err(invalid("it looks at pictures of a size that does not exist"));
        }
        let classifier = fitted.ready(info.look.width(), info.labels.len()).map_err(ArtifactError::Invalid)?;
        Ok(Self {
            info,
            version: stamp.version,
            validation: body.validation,
            classifier,
            decoder: Decoder::new(DEFAULT_MAX_PIXELS),
        })
    }

    /// The shares for a ring on a plain ground. They are stored at training and worked out again at load, so that a build
    /// that looks at pictures otherwise, without saying so in its schema version, is found out.
    pub(super) fn probe(&self) -> Result<Vec<f64>, ArtifactError> {
        let ring = GrayImage::from_fn(40, 60, |x, y| {
            let (x, y) = (f64::from(x) - 17.0, (f64::from(y) - 28.0) * 0.6);
            Luma([if (7.0..11.0).contains(&x.hypot(y)) { 30 } else { 220 }])
        });
        let features = self.info.look.features(&DynamicImage::ImageLuma8(ring));
        self.votes_for(&features).map_err(|error| ArtifactError::Invalid(error.to_string()))
    }

    /// Loads and checks an artifact file.
    ///
    /// # Errors
    /// The file, and why it is no model that can be served.
    pub fn load(path: &Path) -> Result<Self, ArtifactError> {
        read_bounded(path)
            .and_then(|bytes| Self::from_bytes(&bytes))
            .map_err(|reason| ArtifactError::File { path: path.to_owned(), reason: Box::new(reason) })
    }

    /// The model that ships inside the binary: handwritten digits.
    ///
    /// # Errors
    /// None in a binary that was built whole.
    pub fn embedded() -> Result<Self, ArtifactError> {
        Self::from_bytes(EMBEDDED)
    }

    /// Refuses pictures of more than `max_pixels`.
    #[must_use]
    pub fn with_max_pixels(self, max_pixels: u64) -> Self {
        Self { decoder: Decoder::new(max_pixels), ..self }
    }

    /// The label of an encoded picture. Blocks for milliseconds up to seconds, by the size of the picture.
    ///
    /// # Errors
    /// [`PredictError::Picture`] where the file is no picture within the limits.
    pub fn classify(&self, bytes: &[u8]) -> Result<&str, PredictError> {
        Ok(self.label(self.best(&self.votes(bytes)?)))
    }

    /// The `top` best labels of an encoded picture, best first: probabilities with logistic regression, else shares of
    /// the votes. Blocks as [`classify`](Self::classify).
    ///
    /// # Errors
    /// As for [`classify`](Self::classify).
    pub fn scores(&self, bytes: &[u8], top: usize) -> Result<Vec<Score>, PredictError> {
        let votes = self.votes(bytes)?;
        let mut places: Vec<usize> = (0..votes.len()).collect();
        // stable, so that equals stand in the order of the labels, as in `best`
        places.sort_by(|a, b| votes[*b].total_cmp(&votes[*a]));
        let score = |place: usize| Score { label: self.label(place).to_owned(), probability: votes[place] };
        Ok(places.into_iter().take(top).map(score).collect())
    }

    /// Everything known about the model except what it learnt.
    #[must_use]
    pub fn info(&self) -> &ImageInfo {
        &self.info
    }

    /// Creation time in UTC and content hash, as `20261123T150102Z-0123456789ab`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the model was judged on when it was trained, where hold-out data was given.
    #[must_use]
    pub fn validation(&self) -> Option<&(DataInfo, ImageMetrics)> {
        self.validation.as_ref()
    }

    fn votes(&self, bytes: &[u8]) -> Result<Vec<f64>, PredictError> {
        let picture = self.decoder.decode(bytes).map_err(PredictError::Picture)?;
        self.votes_for(&self.info.look.features(&picture))
    }

    /// The shares of the labels for features of this model's look.
    pub(super) fn votes_for(&self, features: &[u8]) -> Result<Vec<f64>, PredictError> {
        self.classifier.votes(features, self.info.labels.len()).map_err(PredictError::Classifier)
    }

    /// The label with most votes; the first of equals.
    pub(super) fn best(&self, votes: &[f64]) -> usize {
        (0..votes.len()).rev().max_by(|a, b| votes[*a].total_cmp(&votes[*b])).unwrap_or(0)
    }

    fn label(&self, place: usize) -> &str {
        self.info.labels.get(place).map_or("", String::as_str)
    }
}

impl Body {
    /// The file's bytes.
    pub(super) fn encode(&self) -> Result<Vec<u8>, ArtifactError> {
        seal(SCHEMA, self)
    }

    /// Reads the file's bytes; the caller still has to check what they say.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ArtifactError> {
        open(SCHEMA, bytes)
    }
}
