//! Pictures: a folder with one folder for each label, as torchvision's ImageFolder has it.
//!
//! Reading is strict: a file that cannot be used stops it with file and reason, because a picture dropped in silence
//! would show up only as a worse model.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::decode::Decoder;
use super::look::Look;
use crate::domain::{PictureError, hex};

/// Pixels of a training picture at most: the same that a server accepts by default.
const MAX_PIXELS: u64 = 50_000_000;
/// Longest label in bytes: what Oracle's column holds.
const MAX_LABEL_BYTES: usize = 4000;

/// Labelled pictures as files; they are decoded one at a time, when they are learnt from or judged.
#[derive(Debug, Clone)]
pub struct Pictures {
    labels: Vec<String>,
    /// Each with the place of its label; in order of label and name.
    files: Vec<(usize, PathBuf)>,
}

/// Why a folder cannot be used, as one sentence.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file or folder cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// The folder is not one of labelled pictures.
    #[error("{}: {reason}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong, for people.
        reason: String,
    },
    /// One file cannot be used.
    #[error("{}: {reason}", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: PictureError,
    },
}

impl Pictures {
    /// Lists the pictures of a folder. Files beside the label folders and names that begin with a dot are passed over.
    ///
    /// # Errors
    /// Where it cannot be read, or holds fewer than two labels, or a label without pictures.
    pub fn list(folder: &Path) -> Result<Self, FolderError> {
        let mut pictures = Self { labels: Vec::new(), files: Vec::new() };
        for label_folder in entries(folder)? {
            if !label_folder.is_dir() {
                continue;
            }
            let label = label_folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            let refused = |reason: &str| FolderError::Folder { path: label_folder.clone(), reason: reason.to_owned() };
            if label.is_empty() || label.len() > MAX_LABEL_BYTES || label.contains(char::is_control) {
                return Err(refused("its name cannot be a label"));
            }
            let files: Vec<PathBuf> = entries(&label_folder)?.into_iter().filter(|path| path.is_file()).collect();
            if files.is_empty() {
                return Err(refused("holds no pictures"));
            }
            let place = pictures.labels.len();
            pictures.files.extend(files.into_iter().map(|path| (place, path)));
            pictures.labels.push(label);
        }
        if pictures.labels.len() < 2 {
            let reason = format!("holds {} folders; one for each label is needed, at least two", pictures.labels.len());
            return Err(FolderError::Folder { path: folder.to_owned(), reason });
        }
        Ok(pictures)
    }

    /// The labels, in order.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Number of pictures; at least one for each label.
    #[must_use]
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// The label of each picture, as its place in [`labels`](Self::labels).
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.files.iter().map(|(label, _)| *label)
    }

    /// The features of all pictures, one after the other, and the SHA-256 over labels and files.
    pub(super) fn features(&self, look: Look, done: &mut dyn FnMut(usize)) -> Result<(Vec<u8>, String), FolderError> {
        let mut features = Vec::with_capacity(self.files.len() * look.width());
        let mut digest = Sha256::new();
        let decoder = Decoder::new(MAX_PIXELS);
        for (count, (label, path)) in self.files.iter().enumerate() {
            let bytes = std::fs::read(path).map_err(|reason| FolderError::Read { path: path.clone(), reason })?;
            let picture =
                decoder.decode(&bytes).map_err(|reason| FolderError::Picture { path: path.clone(), reason })?;
            features.extend(look.features(&picture));
            // Digests have a fixed length, so no two folders run together into the same text.
            digest.update(Sha256::digest(&self.labels[*label]));
            digest.update(Sha256::digest(&bytes));
            done(count + 1);
        }
        Ok((features, hex(&digest.finalize())))
    }
}

/// What a folder holds, in the order of the names' bytes, so that every machine reads the same data alike.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let failed = |reason| FolderError::Read { path: folder.to_owned(), reason };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden {
            paths.push(path);
        }
    }
    paths.sort_unstable_by(|a, b| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    Ok(paths)
}
