//! Mailboxes: how answers get from a lane to the workers whose requests wait for them.
//!
//! A lane could wake each request by itself. But under load every such wake-up takes the core from the lane, for the sake of
//! one request. So a lane puts all answers of a batch that one worker waits for into that worker's mailbox, and wakes it
//! once; a task of the worker's hands them out.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::{Handle, Id};
use tokio::sync::{Notify, oneshot};

use super::{Answer, ServiceError};

/// Where a request waits for its answer.
pub(super) type ReplyTo = oneshot::Sender<Result<Answer, ServiceError>>;

/// An answer, and who gets it.
type Letter = (ReplyTo, Result<Answer, ServiceError>);

/// The answers for the requests of one thread in one runtime. It lives as long as the task that empties it, which the runtime
/// drops at its end.
#[derive(Default)]
pub(super) struct Mailbox {
    letters: Mutex<Vec<Letter>>,
    arrival: Notify,
}

impl Mailbox {
    /// That of this thread in the runtime that it works for, which gets a task the first time.
    ///
    /// # Panics
    /// Outside a runtime.
    pub(super) fn here() -> Weak<Self> {
        thread_local! {
            static HERE: RefCell<Option<(Id, Weak<Mailbox>)>> = const { RefCell::new(None) };
        }
        let runtime = Handle::current().id();
        HERE.with_borrow_mut(|here| match here {
            Some((its, mailbox)) if *its == runtime => mailbox.clone(),
            _ => {
                let mailbox = Arc::new(Self::default());
                let weak = Arc::downgrade(&mailbox);
                tokio::spawn(mailbox.hand_out());
                here.insert((runtime, weak)).1.clone()
            }
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
    pub(super) fn add(&mut self, to: Weak<Mailbox>, reply: ReplyTo, answer: Result<Answer, ServiceError>) {
        match self.bags.iter_mut().find(|(mailbox, _)| mailbox.ptr_eq(&to)) {
            Some((_, letters)) => letters.push((reply, answer)),
            None => self.bags.push((to, vec![(reply, answer)])),
        }
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        for (mailbox, mut letters) in self.bags.drain(..) {
            // Without it, the runtime of its requests has ended.
            let Some(mailbox) = mailbox.upgrade() else { continue };
            let mut waiting = mailbox.lock();
            if waiting.is_empty() {
                *waiting = letters;
            } else {
                waiting.append(&mut letters);
            }
            drop(waiting);
            mailbox.arrival.notify_one();
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
    fn letters_for_several_threads_go_in_one_bag_each_and_reach_all_who_wait_there() {
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
    fn a_thread_has_a_mailbox_in_each_of_its_runtimes() {
        let first = runtime();
        first.block_on(asks_and_is_answered());
        // Whoever posts holds the first one's while the thread goes on to its second.
        let held = first.block_on(async { Mailbox::here() }).upgrade();
        runtime().block_on(asks_and_is_answered());
        first.block_on(asks_and_is_answered());
        drop(first);
        runtime().block_on(asks_and_is_answered());
        assert!(held.is_some());
    }

    #[test]
    fn letters_for_a_runtime_that_has_ended_are_dropped_with_their_requests() {
        let (mailbox, reply, mut answer) = runtime().block_on(async {
            let (reply, answer) = oneshot::channel();
            (Mailbox::here(), reply, answer)
        });
        let mut post = Post::default();
        post.add(mailbox, reply, late());
        drop(post);
        assert_eq!(answer.try_recv().expect_err("nobody to deliver it"), oneshot::error::TryRecvError::Closed);
    }
}
