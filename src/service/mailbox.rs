//! Mailboxes: how answers get from a lane to the workers whose requests wait for them.
//!
//! A lane could wake each request by itself. But under load every such wake-up takes the core from the lane, for the sake of
//! one request. So a lane puts all answers of a batch that one worker waits for into that worker's mailbox, and wakes it
//! once; a task of the worker's hands them out.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{Notify, oneshot};

use super::{Answer, ServiceError};

/// Where a request waits for its answer.
pub(super) type Reply = oneshot::Sender<Result<Answer, ServiceError>>;

/// An answer, and who gets it.
type Letter = (Reply, Result<Answer, ServiceError>);

/// The answers for the requests of one thread. It lives as long as the task that empties it, and so as the thread's runtime.
#[derive(Default)]
pub(super) struct Mailbox {
    letters: Mutex<Vec<Letter>>,
    arrival: Notify,
}

impl Mailbox {
    /// That of this thread. To be called in a runtime.
    pub(super) fn here() -> Weak<Self> {
        thread_local! {
            static HERE: RefCell<Weak<Mailbox>> = const { RefCell::new(Weak::new()) };
        }
        HERE.with_borrow_mut(|here| {
            if here.strong_count() == 0 {
                let mailbox = Arc::new(Self::default());
                *here = Arc::downgrade(&mailbox);
                tokio::spawn(mailbox.hand_out());
            }
            here.clone()
        })
    }

    async fn hand_out(self: Arc<Self>) {
        loop {
            self.arrival.notified().await;
            let letters = std::mem::take(&mut *self.lock());
            for (reply, answer) in letters {
                // A receiver that is gone has withdrawn its request.
                let _ = reply.send(answer);
            }
        }
    }

    /// Nothing panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Vec<Letter>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The letters of one batch; when it is dropped they are in their mailboxes.
#[derive(Default)]
pub(super) struct Post {
    /// There are no more mailboxes than workers.
    bags: Vec<(Weak<Mailbox>, Vec<Letter>)>,
}

impl Post {
    pub(super) fn add(&mut self, to: Weak<Mailbox>, reply: Reply, answer: Result<Answer, ServiceError>) {
        match self.bags.iter_mut().find(|(mailbox, _)| mailbox.ptr_eq(&to)) {
            Some((_, letters)) => letters.push((reply, answer)),
            None => self.bags.push((to, vec![(reply, answer)])),
        }
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        for (mailbox, mut letters) in self.bags.drain(..) {
            // Without it, its requests are gone as well.
            if let Some(mailbox) = mailbox.upgrade() {
                mailbox.lock().append(&mut letters);
                mailbox.arrival.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn late() -> Result<Answer, ServiceError> {
        Err(ServiceError::Deadline)
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
    }

    async fn asks_and_is_answered() {
        let (reply, answer) = oneshot::channel();
        let mut post = Post::default();
        post.add(Mailbox::here(), reply, late());
        drop(post);
        let answer = tokio::time::timeout(Duration::from_secs(60), answer).await.expect("in time").expect("delivered");
        assert!(matches!(answer, Err(ServiceError::Deadline)));
    }

    #[test]
    fn letters_for_several_threads_reach_each_and_one_wake_up_delivers_all_of_a_thread() {
        let (send, receive) = std::sync::mpsc::channel();
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let send = send.clone();
                std::thread::spawn(move || {
                    runtime().block_on(async {
                        let (replies, answers): (Vec<_>, Vec<_>) = (0..3).map(|_| oneshot::channel()).unzip();
                        send.send((Mailbox::here(), replies)).expect("somebody who posts");
                        let answers = futures_util::future::join_all(answers);
                        tokio::time::timeout(Duration::from_secs(60), answers).await.expect("in time")
                    })
                })
            })
            .collect();
        let mut post = Post::default();
        for _ in 0..2 {
            let (mailbox, replies) = receive.recv().expect("a worker");
            replies.into_iter().for_each(|reply| post.add(mailbox.clone(), reply, late()));
        }
        assert_eq!(post.bags.len(), 2);
        drop(post);
        for worker in workers {
            let answers = worker.join().expect("a worker");
            assert!(answers.iter().all(|answer| matches!(answer, Ok(Err(ServiceError::Deadline)))), "{answers:?}");
        }
    }

    #[test]
    fn a_thread_gets_a_new_mailbox_with_its_next_runtime() {
        for _ in 0..2 {
            runtime().block_on(asks_and_is_answered());
        }
    }

    #[test]
    fn letters_for_a_runtime_that_has_ended_are_dropped_with_their_requests() {
        let (mailbox, reply, answer) = runtime().block_on(async {
            let (reply, answer) = oneshot::channel();
            (Mailbox::here(), reply, answer)
        });
        let mut post = Post::default();
        post.add(mailbox, reply, late());
        drop(post);
        assert!(answer.blocking_recv().is_err());
    }
}
