//! Versions: a folder of model files and the note which of them answers.
//!
//! ```text
//! DIR/20261123T150102Z-0123456789ab.augur    a model, named by its version
//! DIR/live                                   text: the version that answers; below it those that did before, newest first
//! ```
//! Both are written in one step, so that a reader sees the old content or the new one.

use std::path::{Path, PathBuf};

use super::file::{read_bounded, write_atomically};
use super::{ArtifactError, StoredModel};

const POINTER: &str = "live";
const EXTENSION: &str = "augur";
/// Versions that the pointer remembers.
const MAX_HISTORY: usize = 100;
/// Bytes of a version at most: those of today have 29.
const MAX_VERSION_BYTES: usize = 100;

/// A folder of versions.
#[derive(Debug, Clone)]
pub struct Versions {
    folder: PathBuf,
}

/// Why a folder of versions cannot be used as asked, as one sentence.
#[derive(Debug, thiserror::Error)]
pub enum VersionsError {
    /// There is no pointer yet.
    #[error("no version in {} is live yet: `augur model add FILE` and `augur model activate VERSION` make one so", .0.display())]
    NoneLive(PathBuf),
    /// The pointer's first line is no version.
    #[error("{} does not begin with a version: `augur model activate VERSION` writes it anew", .0.display())]
    Pointer(PathBuf),
    /// A text that names no file of the folder.
    #[error("`{0}` is no version: one looks like 20261123T150102Z-0123456789ab")]
    NoVersion(String),
    /// No such file.
    #[error("there is no version {version} in {}", folder.display())]
    Unknown {
        /// The version.
        version: String,
        /// The folder.
        folder: PathBuf,
    },
    /// A file that was renamed.
    #[error("{} holds version {found}", path.display())]
    Misnamed {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
    },
    /// The pointer remembers nothing older.
    #[error("no version was live before {0}")]
    NothingBefore(String),
    /// The operating system said no.
    #[error("{}: {reason}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        reason: std::io::Error,
    },
    /// A model file cannot be used.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}

impl VersionsError {
    /// Whether the same files may be fine the next time: the operating system failed, not what is in them.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Io { .. } => true,
            Self::Artifact(error) => error.may_pass(),
            _ => false,
        }
    }
}

impl Versions {
    /// The versions in `folder`.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The file that says which version answers.
    #[must_use]
    pub fn pointer(&self) -> PathBuf {
        self.folder.join(POINTER)
    }

    /// The file of a version.
    ///
    /// # Errors
    /// Where the text is no version, such as one with a slash in it.
    pub fn path_of(&self, version: &str) -> Result<PathBuf, VersionsError> {
        let sane = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if !(1..=MAX_VERSION_BYTES).contains(&version.len()) || !version.bytes().all(sane) {
            return Err(VersionsError::NoVersion(version.to_owned()));
        }
        Ok(self.folder.join(format!("{version}.{EXTENSION}")))
    }

    /// The version that answers. Blocks.
    ///
    /// # Errors
    /// Where there is none, or it is not the name of one.
    pub fn live(&self) -> Result<String, VersionsError> {
        let live = self.lines()?.into_iter().next().filter(|live| self.path_of(live).is_ok());
        live.ok_or_else(|| VersionsError::Pointer(self.pointer()))
    }

    /// All versions there are files of, newest first. Blocks.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn list(&self) -> Result<Vec<String>, VersionsError> {
        let failed = |reason| self.io(&self.folder, reason);
        let mut versions = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION)
                && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
                && self.path_of(stem).is_ok()
            {
                versions.push(stem.to_owned());
            }
        }
        versions.sort_unstable_by(|a, b| b.cmp(a));
        Ok(versions)
    }

    /// Loads and checks a version. Blocks.
    ///
    /// # Errors
    /// Why it is no model that can be served.
    pub fn load<P: StoredModel>(&self, version: &str) -> Result<P, VersionsError> {
        let path = self.path_of(version)?;
        if !path.exists() {
            return Err(VersionsError::Unknown { version: version.to_owned(), folder: self.folder.clone() });
        }
        let model = P::load(&path)?;
        let held = model.version();
        if held.version() != version {
            return Err(VersionsError::Misnamed { path, found: held.version().to_owned() });
        }
        Ok(model)
    }

    /// Checks a model file and copies it here, under the name of its version, which is given back. Blocks.
    ///
    /// # Errors
    /// Why it is no model that can be served, or cannot be written.
    pub fn add<P: StoredModel>(&self, file: &Path) -> Result<String, VersionsError> {
        let model = P::load(file)?;
        let version = model.version().version().to_owned();
        let path = self.path_of(&version)?;
        let bytes = read_bounded(file)?;
        write_atomically(&path, &bytes).map_err(|reason| self.io(&path, reason))?;
        // The bytes may be others than those that were checked.
        self.load::<P>(&version)?;
        Ok(version)
    }

    /// Makes a version the one that answers, after it was loaded and checked. Blocks.
    ///
    /// # Errors
    /// Why it cannot be; the pointer is as it was then.
    pub fn activate<P: StoredModel>(&self, version: &str) -> Result<(), VersionsError> {
        self.load::<P>(version)?;
        let mut history = match self.history() {
            Ok(history) => history,
            Err(VersionsError::NoneLive(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        if history.first().is_none_or(|live| live != version) {
            history.insert(0, version.to_owned());
        }
        self.write(&history)
    }

    /// Makes the version that answered before the one that does, and gives it back. Blocks.
    ///
    /// # Errors
    /// Where there was none before, or it can no longer be used; the pointer is as it was then.
    pub fn rollback<P: StoredModel>(&self) -> Result<String, VersionsError> {
        let live = self.live()?;
        let history = self.history()?;
        let Some(before) = history.get(1) else { return Err(VersionsError::NothingBefore(live)) };
        self.load::<P>(before)?;
        self.write(&history[1..])?;
        Ok(before.clone())
    }

    /// The versions in the pointer, newest first; what else somebody wrote there is passed over.
    fn history(&self) -> Result<Vec<String>, VersionsError> {
        let mut lines = self.lines()?;
        lines.retain(|line| self.path_of(line).is_ok());
        Ok(lines)
    }

    /// The lines of the pointer, whatever is in them.
    fn lines(&self) -> Result<Vec<String>, VersionsError> {
        let path = self.pointer();
        match std::fs::read(&path) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
            }
            Err(reason) if reason.kind() == std::io::ErrorKind::NotFound => {
                Err(VersionsError::NoneLive(self.folder.clone()))
            }
            Err(reason) => Err(VersionsError::Io { path, reason }),
        }
    }

    fn write(&self, history: &[String]) -> Result<(), VersionsError> {
        let lines: String = history.iter().take(MAX_HISTORY).map(|version| format!("{version}\n")).collect();
        write_atomically(&self.pointer(), lines.as_bytes()).map_err(|reason| self.io(&self.pointer(), reason))
    }

    fn io(&self, path: &Path, reason: std::io::Error) -> VersionsError {
        VersionsError::Io { path: path.to_owned(), reason }
    }
}
