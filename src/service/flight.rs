//! Flights: a key that waits or is being worked on, and everybody who wants its answer.

use std::sync::{Arc, Weak};
use std::time::Instant;

use super::gathering::Gathering;
use super::mailbox::{Mailbox, Post, ReplyTo};
use super::{Answer, ServiceError};

/// Somebody who waits for an answer.
pub(super) struct Waiter {
    pub(super) deadline: Instant,
    pub(super) recipient: Recipient,
}

/// Where the answer goes.
pub(super) enum Recipient {
    /// A request of one key.
    Single {
        /// Where the request waits.
        reply: ReplyTo,
        /// What its worker gets answers by.
        mailbox: Weak<Mailbox>,
    },
    /// An entry of a batch, which lives as long as its caller waits.
    Entry {
        /// The batch.
        batch: Weak<Gathering>,
        /// The entry's place in it.
        at: usize,
    },
}

impl Recipient {
    pub(super) fn entry(batch: &Arc<Gathering>, at: usize) -> Self {
        Self::Entry { batch: Arc::downgrade(batch), at }
    }

    fn send(self, answer: Result<Answer, ServiceError>, post: &mut Post) {
        match self {
            Self::Single { reply, mailbox } => post.add(mailbox, reply, answer),
            Self::Entry { batch, at } => {
                if let Some(batch) = batch.upgrade() {
                    batch.put(at, answer);
                }
            }
        }
    }
}

impl Waiter {
    pub(super) fn is_single(&self) -> bool {
        matches!(self.recipient, Recipient::Single { .. })
    }

    fn is_gone(&self, now: Instant) -> bool {
        let left = match &self.recipient {
            Recipient::Single { reply, .. } => reply.is_closed(),
            Recipient::Entry { batch, .. } => batch.strong_count() == 0,
        };
        left || self.deadline <= now
    }
}

/// One piece of work and everybody who waits for it. The first one started it; the others share it.
pub(super) struct Flight<I> {
    pub(super) number: u64,
    /// Taken out by the lane that begins to work on it.
    pub(super) input: Option<I>,
    /// Whether it waits among the keys of batches, which go last.
    pub(super) is_bulk: bool,
    waiters: Vec<Waiter>,
    /// Whether somebody joined; the first waiter may be gone since.
    starter_is_first: bool,
}

impl<I> Flight<I> {
    pub(super) fn new(number: u64, input: I, starter: Waiter) -> Self {
        Self {
            number,
            input: Some(input),
            is_bulk: !starter.is_single(),
            waiters: vec![starter],
            starter_is_first: true,
        }
    }

    pub(super) fn join(&mut self, waiter: Waiter) {
        self.waiters.push(waiter);
    }

    /// Answers everybody, by `post` where they wait alone.
    pub(super) fn land(self, answer: &Result<Answer, ServiceError>, post: &mut Post) {
        for (at, waiter) in self.waiters.into_iter().enumerate() {
            let mut answer = answer.clone();
            if let Ok(answer) = &mut answer {
                answer.collapsed = at > 0 || !self.starter_is_first;
            }
            waiter.recipient.send(answer, post);
        }
    }

    /// Forgets who is gone; `true` when nobody is left.
    pub(super) fn is_abandoned(&mut self, now: Instant) -> bool {
        if self.waiters.first().is_some_and(|starter| starter.is_gone(now)) {
            self.starter_is_first = false;
        }
        self.waiters.retain(|waiter| !waiter.is_gone(now));
        self.waiters.is_empty()
    }
}
