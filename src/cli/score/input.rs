//! The file that is read, and what tells it from another one of that name.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Context;

/// Opened input.
pub(super) struct Input {
    /// Its bytes from the beginning.
    pub(super) bytes: Box<dyn Read + Send>,
    /// Tells the file as it is now from every other one; `None` for what cannot be read twice.
    pub(super) identity: Option<String>,
}

impl Input {
    /// Opens a file, or standard input where the path is `-`.
    ///
    /// # Errors
    /// One sentence: it cannot be read.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self { bytes: Box::new(io::stdin()), identity: None });
        }
        let cannot = || format!("cannot read {}", path.display());
        let file = File::open(path).with_context(cannot)?;
        let state = file.metadata().with_context(cannot)?;
        let identity = state.is_file().then(|| {
            let (size, inode, seconds, nanoseconds) = (state.size(), state.ino(), state.mtime(), state.mtime_nsec());
            format!("{}, {size} bytes, inode {inode}, written at {seconds}.{nanoseconds:09}", path.display())
        });
        Ok(Self { bytes: Box::new(file), identity })
    }
}
