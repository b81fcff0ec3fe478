//! Files: model files are read with a bound and replaced in one step.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::ArtifactError;

/// Largest file that is read: far above any real model, far below what would hurt the server.
pub(super) const MAX_FILE_BYTES: u64 = 64 << 20;

/// Reads a model file, and no more of it than a model can have.
pub(super) fn read_bounded(path: &Path) -> Result<Vec<u8>, ArtifactError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > MAX_FILE_BYTES => Err(ArtifactError::TooLarge),
        Ok(_) => Ok(bytes),
        Err(error) => Err(ArtifactError::Read(error)),
    }
}

/// Writes a model file as [`write_atomically`] does, if [`read_bounded`] would read it again.
pub(super) fn write_bounded(path: &Path, bytes: &[u8]) -> Result<(), ArtifactError> {
    let written = if bytes.len() as u64 > MAX_FILE_BYTES {
        Err(std::io::Error::other(format!(
            "it would have {} bytes, and one of more than {MAX_FILE_BYTES} is not loaded; train fewer or less deep trees, with larger leaves, or on less data",
            bytes.len()
        )))
    } else {
        write_atomically(path, bytes)
    };
    written.map_err(|reason| ArtifactError::Write { path: path.to_owned(), reason })
}

/// Puts `bytes` at `path` in one step: a reader, or a run cut short, sees the old file or the whole new one.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or_else(|| std::io::Error::other("the path names no file"))?;
    // in the same folder, since a rename is atomic only within one file system
    let mut temporary_name = OsString::from(".");
    temporary_name.push(name);
    temporary_name.push(format!(".{}.tmp", std::process::id()));
    let temporary = folder.join(temporary_name);

    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        // the new name itself is durable only once the folder is
        File::open(folder)?.sync_all()
    });
    if written.is_err() {
        // best effort: the first failure is the one to report
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("model");
        write_atomically(&path, b"old").expect("the folder is writable");
        write_atomically(&path, b"new").expect("the folder is writable");
        assert_eq!(read_bounded(&path).expect("the file was written"), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is there").count(), 1);
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // a folder stands where the file should go, so the rename fails after the bytes are written
        let path = folder.path().join("model");
        std::fs::create_dir(&path).expect("the folder is writable");
        write_atomically(&path, b"new").expect_err("a folder is in the way");
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is there").count(), 1);
    }

    #[test]
    fn what_would_not_be_read_again_is_not_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("model");
        let mut bytes = vec![0; MAX_FILE_BYTES as usize + 1];
        let said = write_bounded(&path, &bytes).expect_err("a byte too many").to_string();
        assert!(
            said.contains("cannot write model") && said.contains("67108865 bytes") && said.contains("less deep"),
            "{said}"
        );
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is there").count(), 0);
        bytes.pop();
        write_bounded(&path, &bytes).expect("the folder is writable");
        assert_eq!(read_bounded(&path).expect("as many as may be").len(), bytes.len());
    }

    #[test]
    fn an_endless_file_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("model");
        File::create(&path).and_then(|file| file.set_len(MAX_FILE_BYTES + 1)).expect("a sparse file");
        assert!(matches!(read_bounded(&path), Err(ArtifactError::TooLarge)));
    }
}
