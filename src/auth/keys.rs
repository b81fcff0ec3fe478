//! The keys that are admitted now: read at the start, and again whenever the file has changed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context;
use subtle::ConstantTimeEq;

use super::file::{Entry, parse};
use super::{Holder, hash};
use crate::stamp::Stamp;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The keys of a file.
pub struct Keys {
    path: PathBuf,
    entries: RwLock<Arc<Vec<Entry>>>,
}

/// What is known of the file from looking at it.
struct Seen {
    /// The file as it was when it was last read, good or bad.
    stamp: Option<Stamp>,
    /// What was said last of a file that could not be read.
    to_retry: Option<String>,
}

/// # Errors
/// An [`io::Error`] where the file cannot be read; else what is wrong with it.
fn read(path: &Path) -> anyhow::Result<Vec<Entry>> {
    let read = std::fs::read_to_string(path).map_err(anyhow::Error::from);
    let entries = read.and_then(|text| parse(&text).map_err(anyhow::Error::msg));
    entries.with_context(|| format!("auth.keys_file {}", path.display()))
}

impl Keys {
    /// How many keys the file holds.
    ///
    /// # Errors
    /// As [`watch`](Self::watch).
    pub fn count(path: &Path) -> anyhow::Result<usize> {
        read(path).map(|entries| entries.len())
    }

    /// Reads the file and starts a thread that looks once a second whether it has changed, so that no request waits for a
    /// disk. The thread ends with the last owner of what is returned. Blocks.
    ///
    /// # Errors
    /// What is wrong with the file, with the line's number; never what a line holds.
    pub fn watch(path: &Path) -> anyhow::Result<Arc<Self>> {
        // Taken first: what changes while it is read is read again.
        let mut seen = Seen { stamp: Stamp::of(path).ok(), to_retry: None };
        let entries = RwLock::new(Arc::new(read(path)?));
        let keys = Arc::new(Self { path: path.to_owned(), entries });
        let watched = Arc::downgrade(&keys);
        std::thread::Builder::new()
            .name("keys-file".to_owned())
            .spawn(move || {
                while let Some(keys) = watched.upgrade() {
                    keys.look(&mut seen);
                    drop(keys);
                    std::thread::sleep(LOOK_EVERY);
                }
            })
            .context("cannot start a thread")?;
        Ok(keys)
    }

    /// Takes the file over where it has changed; a bad one is told of once, and the keys before stay. One that cannot be read,
    /// as where too many files are open, is tried again each time: a key may have been withdrawn in it.
    fn look(&self, seen: &mut Seen) {
        let told = seen.to_retry.take();
        let stamp = Stamp::of(&self.path).ok();
        if stamp.is_some() && seen.stamp == stamp {
            return;
        }
        match read(&self.path) {
            Ok(entries) => {
                log::info!(target: "augur::auth", "auth.keys_file was read again: {} keys", entries.len());
                *self.entries.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(entries);
            }
            Err(error) => {
                let reason = format!("{error:#}");
                if told.as_ref() != Some(&reason) {
                    log::error!(target: "augur::auth", "the keys before stay in force: {reason}");
                }
                if error.is::<io::Error>() {
                    seen.to_retry = Some(reason);
                    return;
                }
            }
        }
        seen.stamp = stamp;
    }

    /// Whose key this is. Compares with every key there is, each in constant time, so that the time tells nothing of them.
    #[must_use]
    pub fn holder(&self, key: &str) -> Option<Holder> {
        let hash = hash(key);
        let entries = Arc::clone(&self.entries.read().unwrap_or_else(PoisonError::into_inner));
        let found = entries.iter().fold(None, |found, entry| {
            if bool::from(entry.hash[..].ct_eq(&hash[..])) { Some(&entry.holder) } else { found }
        });
        found.cloned()
    }
}
