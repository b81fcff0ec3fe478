//! Artifact: a trained model of URLs as the body of a [container](super::container), and how a model file fails.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::container::{FORMAT_VERSION, Kind, Schema, Stamp, open, seal};
use super::features::FEATURE_SCHEMA_VERSION;
use super::file::MAX_FILE_BYTES;
use super::regression::Regression;
use super::{Algorithm, Metrics};

/// What a body of this build is marked with.
const SCHEMA: Schema = Schema { kind: Kind::Urls, version: FEATURE_SCHEMA_VERSION as u16 };

/// Why a model file is refused, as one sentence.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// A file could not be used; the reason says why.
    #[error("cannot load model {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: Box<ArtifactError>,
    },
    /// A file could not be written.
    #[error("cannot write model {}: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// The operating system could not read the file.
    #[error("{0}")]
    Read(std::io::Error),
    /// More bytes than any model has.
    #[error("it is larger than {MAX_FILE_BYTES} bytes, which no augur model is")]
    TooLarge,
    /// Some other kind of file.
    #[error("it is not an augur model file")]
    NotAModel,
    /// The file ends too early or goes on too long.
    #[error("it is truncated or padded: {found} bytes where its header says {expected}")]
    Length {
        /// Bytes there are.
        found: u64,
        /// Bytes there should be.
        expected: u64,
    },
    /// Some byte changed since the file was written.
    #[error("it is damaged: its checksum does not match")]
    Checksum,
    /// Written by a build that lays files out otherwise.
    #[error("it has format version {found}, and this build reads version {FORMAT_VERSION}")]
    FormatVersion {
        /// Version in the file.
        found: u32,
    },
    /// A model of something else, where one of URLs is wanted.
    #[error("it is no model of URLs")]
    NotOfUrls,
    /// A model of something else, where one of pictures is wanted.
    #[error("it is no model of pictures")]
    NotOfPictures,
    /// Trained on other features than this build extracts.
    #[error("it was trained on feature schema {found}, and this build extracts schema {expected}")]
    FeatureSchema {
        /// Version in the file.
        found: u32,
        /// Version of this build.
        expected: u32,
    },
    /// Whole, yet no model that can be served.
    #[error("it holds no usable model: {0}")]
    Invalid(String),
}

impl ArtifactError {
    /// Whether the same file may be fine the next time: the operating system failed, not the model.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::File { reason, .. } => reason.may_pass(),
            Self::Read(_) => true,
            _ => false,
        }
    }
}

/// A data set that a model was trained or judged on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataInfo {
    /// SHA-256 of the CSV file, lower-case hexadecimal.
    pub sha256: String,
    /// Number of rows.
    pub rows: usize,
}

/// Everything known about a model except its weights.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArtifactInfo {
    /// Name of the model: `url` for the shipped one.
    pub name: String,
    /// Creation time in UTC and content hash, as `20261123T150102Z-0123456789ab`.
    pub version: String,
    /// Creation time in UTC, RFC 3339, to the second.
    pub created_at: String,
    /// First digits of the SHA-256 of recipe, data digest and weights; the same for the same data and seed.
    pub content_hash: String,
    /// Layout version of the file.
    pub format_version: u32,
    /// Version of the features that the model reads.
    pub feature_schema_version: u32,
    /// Regression that was fitted.
    pub algorithm: Algorithm,
    /// Parameters of the algorithm by name.
    pub parameters: BTreeMap<String, f64>,
    /// Seed of training.
    pub seed: u64,
    /// Number of features that carry a weight.
    pub features_used: usize,
    /// Whether answers are clamped to [0, 1], as they are where the targets were 0 and 1.
    pub is_clamped: bool,
    /// What the model was trained on.
    pub training_data: DataInfo,
    /// Figures on the training data itself.
    pub training_metrics: Metrics,
    /// What the model was judged on, where hold-out data was given.
    pub validation_data: Option<DataInfo>,
    /// Figures on the hold-out data.
    pub validation_metrics: Option<Metrics>,
}

/// What makes two models the same; its hash is part of the version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) name: String,
    pub(super) algorithm: Algorithm,
    pub(super) parameters: BTreeMap<String, f64>,
    pub(super) seed: u64,
    pub(super) training_data: DataInfo,
    pub(super) is_clamped: bool,
    pub(super) regression: Regression,
}

/// The postcard body of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) content: Content,
    /// Seconds since 1970.
    pub(super) created_at_s: i64,
    pub(super) training_metrics: Metrics,
    pub(super) validation: Option<(DataInfo, Metrics)>,
    /// Answers for the probe URLs at training time, before clamping.
    pub(super) probe_answers: Vec<f64>,
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

    /// The metadata, with the version worked out from content and time.
    pub(super) fn info(&self) -> Result<ArtifactInfo, ArtifactError> {
        let stamp = Stamp::of(self.created_at_s, &FEATURE_SCHEMA_VERSION.to_le_bytes(), &self.content)?;
        let content = &self.content;
        Ok(ArtifactInfo {
            version: stamp.version,
            created_at: stamp.created_at,
            content_hash: stamp.content_hash,
            format_version: FORMAT_VERSION,
            feature_schema_version: FEATURE_SCHEMA_VERSION,
            name: content.name.clone(),
            algorithm: content.algorithm,
            parameters: content.parameters.clone(),
            seed: content.seed,
            features_used: content.regression.columns().len(),
            is_clamped: content.is_clamped,
            training_data: content.training_data.clone(),
            training_metrics: self.training_metrics.clone(),
            validation_data: self.validation.as_ref().map(|(data, _)| data.clone()),
            validation_metrics: self.validation.as_ref().map(|(_, metrics)| metrics.clone()),
        })
    }
}

#[cfg(test)]
mod tests;
