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

/// Folders in folders of a label at most: a link may lead back to a folder above.
const MAX_DEPTH: usize = 16;

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
    /// Lists the pictures of a folder; those in folders of a label's folder are that label's. Files beside the label
    /// folders and names that begin with a dot are passed over.
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
            let mut files = Vec::new();
            add_files(&label_folder, MAX_DEPTH, &mut files)?;
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

/// Adds the files of a folder and of the folders in it.
fn add_files(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), FolderError> {
    for path in entries(folder)? {
        if !path.is_dir() {
            files.push(path);
        } else if depth == 0 {
            return Err(FolderError::Folder { path, reason: format!("lies more than {MAX_DEPTH} folders deep") });
        } else {
            add_files(&path, depth - 1, files)?;
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_in_folders_of_a_label_are_that_labels() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["cat/a.png", "cat/b/c.png", "cat/b/d/e.png", "cat/.hidden/f.png", "dog/g/h.png", "beside.txt"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder is made");
            std::fs::write(path, b"").expect("a file is written");
        }
        let pictures = Pictures::list(folder.path()).expect("two labels");
        assert_eq!(pictures.labels(), ["cat", "dog"]);
        let names: Vec<_> = pictures.files.iter().map(|(label, path)| (*label, path.file_name().unwrap())).collect();
        assert_eq!(names, [(0, "a.png".as_ref()), (0, "c.png".as_ref()), (0, "e.png".as_ref()), (1, "h.png".as_ref())]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_above_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let label = folder.path().join("cat");
        std::fs::create_dir(&label).expect("a folder is made");
        std::os::unix::fs::symlink(folder.path(), label.join("up")).expect("a link is made");
        let refused = Pictures::list(folder.path()).expect_err("it has no end").to_string();
        assert!(refused.contains("folders deep"), "{refused}");
    }
}
