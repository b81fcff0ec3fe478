//! [`Turn`]: the right to write, which the sessions of one process hand on.
//!
//! SQLite's own lock stays the truth, and other processes know only that one; but whoever waits for it has to nap and
//! try again, which cost more than the writing itself where eight sessions write all the time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::time::Instant;

#[derive(Default)]
struct Place {
    taken: Mutex<bool>,
    free: Condvar,
}

/// By the database's folder.
static PLACES: LazyLock<Mutex<HashMap<PathBuf, Arc<Place>>>> = LazyLock::new(Mutex::default);

/// No other session of this process writes to the database until it is dropped.
pub(crate) struct Turn {
    place: Arc<Place>,
}

impl Turn {
    /// Waits until the deadline at the longest; then there is none.
    pub(crate) fn take(folder: &Path, deadline: Instant) -> Option<Self> {
        let place = {
            let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
            match places.get(folder) {
                Some(place) => place.clone(),
                None => places.entry(folder.to_owned()).or_default().clone(),
            }
        };
        let taken = place.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = deadline.saturating_duration_since(Instant::now());
        let waited = place.free.wait_timeout_while(taken, wait, |taken| *taken);
        let (mut taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *taken {
            return None;
        }
        *taken = true;
        drop(taken);
        Some(Self { place })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.place.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.place.free.notify_one();
    }
}
