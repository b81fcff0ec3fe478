//! The answers of a batch, gathered as they come: its caller is woken once, however many keys there are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::{Answer, ServiceError};

/// A batch whose caller waits.
pub(super) struct Gathering {
    answers: Mutex<Answers>,
    complete: Notify,
}

struct Answers {
    /// In the order of the entries.
    entries: Vec<Option<Result<Answer, ServiceError>>>,
    missing: usize,
}

impl Gathering {
    /// A batch of this many entries.
    pub(super) fn of(entries: usize) -> Arc<Self> {
        let complete = Notify::new();
        if entries == 0 {
            complete.notify_one();
        }
        Arc::new(Self { answers: Mutex::new(Answers { entries: vec![None; entries], missing: entries }), complete })
    }

    /// The answer of the entry at this place. Each is given once.
    pub(super) fn put(&self, at: usize, answer: Result<Answer, ServiceError>) {
        let mut answers = self.lock();
        // None where the caller has just taken what there was.
        let Some(entry) = answers.entries.get_mut(at) else { return };
        *entry = Some(answer);
        answers.missing -= 1;
        let is_complete = answers.missing == 0;
        drop(answers);
        if is_complete {
            self.complete.notify_one();
        }
    }

    /// Waits for the last answer.
    pub(super) async fn complete(&self) {
        self.complete.notified().await;
    }

    /// The answers, in the order of the entries; those that have not come are late.
    pub(super) fn take(&self) -> Vec<Result<Answer, ServiceError>> {
        let entries = std::mem::take(&mut self.lock().entries);
        entries.into_iter().map(|answer| answer.unwrap_or(Err(ServiceError::Deadline))).collect()
    }

    /// Nothing panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
