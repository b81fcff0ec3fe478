//! Source: where a model comes from, as `models.*.path` says it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{ArtifactError, ImageModel, Predictor, UrlModel, Versions, VersionsError};
use crate::stamp::Stamp;

/// A model that is kept in a file.
pub trait StoredModel: Predictor + Sized {
    /// Loads and checks a file. Blocks.
    ///
    /// # Errors
    /// The file, and why it is no model that can be served.
    fn load(path: &Path) -> Result<Self, ArtifactError>;

    /// The model that ships inside the binary.
    ///
    /// # Errors
    /// None in a binary that was built whole.
    fn embedded() -> Result<Self, ArtifactError>;

    /// All that is known of it except what it learnt, for people and programs that look at it.
    fn card(&self) -> Value;
}

impl StoredModel for UrlModel {
    fn load(path: &Path) -> Result<Self, ArtifactError> {
        Self::load(path)
    }

    fn embedded() -> Result<Self, ArtifactError> {
        Self::embedded()
    }

    fn card(&self) -> Value {
        serde_json::json!(self.info())
    }
}

impl StoredModel for ImageModel {
    fn load(path: &Path) -> Result<Self, ArtifactError> {
        Self::load(path)
    }

    fn embedded() -> Result<Self, ArtifactError> {
        Self::embedded()
    }

    fn card(&self) -> Value {
        let mut card = serde_json::json!(self.info());
        card["version"] = self.version().into();
        card["validation"] = serde_json::json!(self.validation());
        card
    }
}

/// Where a model comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The binary.
    Embedded,
    /// A file.
    File(PathBuf),
    /// A folder of versions, one of which is live.
    Versions(Versions),
}

impl Source {
    /// What a path stands for: nothing for the model inside the binary, else a folder of versions or a file. Blocks.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        if path.as_os_str().is_empty() {
            Self::Embedded
        } else if path.is_dir() {
            Self::Versions(Versions::of(path))
        } else {
            Self::File(path.to_owned())
        }
    }

    /// Loads and checks the model that is to answer. Blocks.
    ///
    /// # Errors
    /// What the operator has to change.
    pub fn load<P: StoredModel>(&self) -> Result<P, VersionsError> {
        Ok(match self {
            Self::Embedded => P::embedded()?,
            Self::File(path) => P::load(path)?,
            Self::Versions(versions) => versions.load(&versions.live()?)?,
        })
    }

    /// Differs from an earlier one where another model may be there since: the pointer has changed, or the file. Blocks.
    #[must_use]
    pub fn stamps(&self) -> [Option<Stamp>; 2] {
        match self {
            Self::Embedded => [None, None],
            Self::File(path) => [None, Stamp::of(path).ok()],
            Self::Versions(versions) => {
                let pointer = Stamp::of(&versions.pointer()).ok();
                let live = versions.live().and_then(|live| versions.path_of(&live)).ok();
                [pointer, live.and_then(|path| Stamp::of(&path).ok())]
            }
        }
    }
}
