//! Files: model files are read with a bound and replaced in one step.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

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
        Err(io::Error::other(format!(
            "it would have {} bytes, and one of more than {MAX_FILE_BYTES} is not loaded; train fewer or less deep trees, with larger leaves, or on less data",
            bytes.len()
        )))
    } else {
        write_atomically(path, bytes)
    };
    written.map_err(|reason| ArtifactError::Write { path: path.to_owned(), reason })
}

/// The file that one written under the name `path` is or will be. A link is followed, so that it stays a link.
///
/// # Errors
/// Where what is there is no regular file, which a rename would do away with, or there is no folder for it.
pub(crate) fn destination(path: &Path) -> io::Result<PathBuf> {
    match std::fs::metadata(path) {
        Ok(there) if there.is_file() => return path.canonicalize(),
        Ok(_) => return Err(io::Error::other("there is something that is no regular file")),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) if path.is_symlink() => return Err(io::Error::other("it is a link to what does not exist")),
        Err(_) => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| io::Error::other("the path names no file"))?;
    match folder.canonicalize() {
        Ok(folder) => Ok(folder.join(name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(io::Error::other("its folder does not exist")),
        Err(error) => Err(error),
    }
}

/// Puts `bytes` at the [`destination`] of `path` in one step: a reader, or a run cut short, sees the old file or the whole
/// new one.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = destination(path)?;
    let none = || io::Error::other("the path names no file");
    let (folder, name) = (path.parent().ok_or_else(none)?, path.file_name().ok_or_else(none)?);
    // in the same folder, since a rename is atomic only within one file system
    let mut temporary_name = OsString::from(".");
    temporary_name.push(name);
    temporary_name.push(format!(".{}.tmp", std::process::id()));
    let temporary = folder.join(temporary_name);

    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, &path)?;
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
    fn a_link_stays_one_and_leads_to_what_was_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [link, file] = ["link", "sub/file"].map(|name| folder.path().join(name));
        std::fs::create_dir(folder.path().join("sub")).expect("the folder is writable");
        std::os::unix::fs::symlink("sub/file", &link).expect("the folder is writable");
        let refusal = write_atomically(&link, b"new").expect_err("it leads nowhere").to_string();
        assert_eq!(refusal, "it is a link to what does not exist");
        std::fs::write(&file, "old").expect("the folder is writable");
        write_atomically(&link, b"new").expect("it leads to a file");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&file).expect("the file is there"), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is there").count(), 2);
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("model");
        let _socket = std::os::unix::net::UnixListener::bind(&path).expect("the folder is writable");
        write_atomically(&path, b"new").expect_err("a socket is in the way");
        write_atomically(folder.path(), b"new").expect_err("a folder is in the way");
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is there").count(), 1);
        assert!(!path.is_file());
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
