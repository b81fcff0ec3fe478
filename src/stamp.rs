//! Stamp: what tells one version of a file from another, for those who look again and again whether it has changed.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file as it was when it was looked at. Differs also where the file was replaced within one tick of the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Looks at the file, or at the one that a link leads to. Blocks.
    ///
    /// # Errors
    /// Where there is none, or it must not be looked at.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let file = std::fs::metadata(path)?;
        Ok(Self {
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}
