//! Artifact: a trained model as one file, refused unless it is whole and meant for this build.
//!
//! ```text
//! offset  bytes  what
//!      0      8  magic "AUGURMDL"
//!      8      4  format version, u32 little-endian
//!     12      4  feature schema version, u32 little-endian
//!     16      8  length of the body in bytes, u64 little-endian
//!     24      n  body: postcard of `Body` (floats bit for bit, which JSON does not promise)
//!   24+n     32  SHA-256 of everything before it
//! ```
//! Magic, versions, length and the closing checksum keep their places in every format version, so that a file from
//! another version is told apart from a damaged one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::dataset::hex;
use super::features::FEATURE_SCHEMA_VERSION;
use super::file::MAX_FILE_BYTES;
use super::{Algorithm, Metrics};

const MAGIC: &[u8; 8] = b"AUGURMDL";
const FORMAT_VERSION: u32 = 1;
const HEADER_BYTES: usize = 24;
const CHECKSUM_BYTES: usize = 32;
/// Digits of the content hash in a version: 48 bits tell the models of one server apart.
const HASH_DIGITS: usize = 12;

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
    /// Trained on other features than this build extracts.
    #[error("it was trained on feature schema {found}, and this build extracts schema {FEATURE_SCHEMA_VERSION}")]
    FeatureSchema {
        /// Version in the file.
        found: u32,
    },
    /// Whole, yet no model that can be served.
    #[error("it holds no usable model: {0}")]
    Invalid(String),
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
    pub(super) weights: Weights,
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

/// The postcard body of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) content: Content,
    /// Seconds since 1970.
    pub(super) created_at_s: i64,
    pub(super) training_metrics: Metrics,
    pub(super) validation: Option<(DataInfo, Metrics)>,
    /// Scores of the probe URLs at training time, before clamping.
    pub(super) probe_scores: Vec<f64>,
}

impl Body {
    /// The file's bytes.
    pub(super) fn encode(&self) -> Result<Vec<u8>, ArtifactError> {
        let body = to_postcard(self)?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len() + CHECKSUM_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&FEATURE_SCHEMA_VERSION.to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&body);
        let checksum = Sha256::digest(&bytes);
        bytes.extend_from_slice(&checksum);
        Ok(bytes)
    }

    /// Reads the file's bytes; the caller still has to check what they say.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let magic_bytes = bytes.len().min(MAGIC.len());
        if bytes.is_empty() || bytes[..magic_bytes] != MAGIC[..magic_bytes] {
            return Err(ArtifactError::NotAModel);
        }
        let found = bytes.len() as u64;
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(ArtifactError::Length { found, expected: (HEADER_BYTES + CHECKSUM_BYTES) as u64 });
        };
        let [.., v0, v1, v2, v3, s0, s1, s2, s3, l0, l1, l2, l3, l4, l5, l6, l7] = *header;
        let body_bytes = u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
        let expected = body_bytes.saturating_add((HEADER_BYTES + CHECKSUM_BYTES) as u64);
        let Some((body, checksum)) = rest.split_last_chunk::<CHECKSUM_BYTES>().filter(|_| found == expected) else {
            return Err(ArtifactError::Length { found, expected });
        };
        if Sha256::digest(&bytes[..bytes.len() - CHECKSUM_BYTES])[..] != checksum[..] {
            return Err(ArtifactError::Checksum);
        }
        let format_version = u32::from_le_bytes([v0, v1, v2, v3]);
        if format_version != FORMAT_VERSION {
            return Err(ArtifactError::FormatVersion { found: format_version });
        }
        let schema_version = u32::from_le_bytes([s0, s1, s2, s3]);
        if schema_version != FEATURE_SCHEMA_VERSION {
            return Err(ArtifactError::FeatureSchema { found: schema_version });
        }
        match postcard::take_from_bytes(body) {
            Ok((decoded, [])) => Ok(decoded),
            Ok(_) => Err(ArtifactError::Invalid("its body is longer than its contents".to_owned())),
            Err(error) => Err(ArtifactError::Invalid(error.to_string())),
        }
    }

    /// The metadata, with the version worked out from content and time.
    pub(super) fn info(&self) -> Result<ArtifactInfo, ArtifactError> {
        let created_at = jiff::Timestamp::from_second(self.created_at_s)
            .map_err(|_| ArtifactError::Invalid("its creation time is out of range".to_owned()))?;
        let mut hash = Sha256::new();
        hash.update(FEATURE_SCHEMA_VERSION.to_le_bytes());
        hash.update(to_postcard(&self.content)?);
        let mut content_hash = hex(&hash.finalize());
        content_hash.truncate(HASH_DIGITS);
        let content = self.content.clone();
        Ok(ArtifactInfo {
            version: format!("{}-{content_hash}", created_at.strftime("%Y%m%dT%H%M%SZ")),
            created_at: created_at.to_string(),
            content_hash,
            format_version: FORMAT_VERSION,
            feature_schema_version: FEATURE_SCHEMA_VERSION,
            name: content.name,
            algorithm: content.algorithm,
            parameters: content.parameters,
            seed: content.seed,
            features_used: content.weights.columns.len(),
            is_clamped: content.is_clamped,
            training_data: content.training_data,
            training_metrics: self.training_metrics.clone(),
            validation_data: self.validation.as_ref().map(|(data, _)| data.clone()),
            validation_metrics: self.validation.as_ref().map(|(_, metrics)| metrics.clone()),
        })
    }
}

fn to_postcard(value: &impl Serialize) -> Result<Vec<u8>, ArtifactError> {
    postcard::to_stdvec(value).map_err(|error| ArtifactError::Invalid(error.to_string()))
}

#[cfg(test)]
mod tests;
