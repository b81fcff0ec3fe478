//! What a lane has begun, and what becomes of it where that ends early.

use std::time::Instant;

use super::Shared;
use crate::model::Predictor;
use crate::service::ServiceError;
use crate::service::work::{Reply, Ticket};

/// A batch at work. However it ends, also by a panic, nobody is left without an answer.
pub(super) struct Batch<'a, P: Predictor> {
    shared: &'a Shared<P>,
    open: Vec<Ticket>,
    settled: usize,
}

/// A lane's turn at storing. However it ends, also by a panic, the next one gets its turn.
pub(super) struct Storing<'a, P: Predictor> {
    shared: &'a Shared<P>,
    /// When the store took the rows.
    pub(super) stored_at: Option<Instant>,
}

impl<'a, P: Predictor> Batch<'a, P> {
    pub(super) fn of(shared: &'a Shared<P>, tickets: impl IntoIterator<Item = Ticket>) -> Self {
        Self { shared, open: tickets.into_iter().collect(), settled: 0 }
    }

    pub(super) fn settle(&mut self, replies: Vec<Reply>) {
        self.settled += replies.len();
        self.shared.land(replies);
    }

    /// So many are somebody else's from now on.
    pub(super) fn hand_on(&mut self, count: usize) {
        self.settled += count;
    }
}

impl<'a, P: Predictor> Storing<'a, P> {
    pub(super) fn of(shared: &'a Shared<P>) -> Self {
        Self { shared, stored_at: None }
    }
}

impl<P: Predictor> Drop for Batch<'_, P> {
    fn drop(&mut self) {
        if self.settled < self.open.len() {
            let error = ServiceError::internal("a batch ended without all its answers");
            let replies = self.open.drain(..).map(|ticket| Reply { ticket, answer: Err(error.clone()) }).collect();
            self.shared.land(replies);
        }
    }
}

impl<P: Predictor> Drop for Storing<'_, P> {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.stored(self.stored_at);
        self.shared.unlock(queue);
    }
}
