//! Live model: the one that answers now, which another may take the place of at any time.

use std::sync::{Arc, PoisonError, RwLock};

/// The place of the model that answers. Whoever works with a model keeps the one that he took until he is done: what is in
/// flight ends with the model that it began with.
#[derive(Debug)]
pub struct Live<P>(RwLock<Arc<P>>);

impl<P> Live<P> {
    /// The place, with its first model.
    #[must_use]
    pub fn new(model: P) -> Self {
        Self(RwLock::new(Arc::new(model)))
    }

    /// The model that answers now. Taken once a batch, not once a URL: so all of a batch has one model.
    #[must_use]
    pub fn get(&self) -> Arc<P> {
        // Nothing panics while the lock is held.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another model there, for all who take it from now on.
    pub fn replace(&self, model: P) {
        // The old one is let go of behind the lock, not under it: its last owner frees megabytes.
        let _old = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), Arc::new(model));
    }
}
