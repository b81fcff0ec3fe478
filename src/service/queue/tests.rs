//! The order in which lanes take keys, and which lane does.

use std::sync::Weak;

use tokio::sync::oneshot;

use super::*;
use crate::domain::{NewResult, Outcome};
use crate::service::flight::Recipient;
use crate::service::gathering::Gathering;
use crate::service::{Answer, ServiceError};

fn key(n: usize) -> Key {
    Key::stored(&n.to_string())
}

/// The keys that a lane takes next.
fn take(queue: &mut Queue<()>) -> Vec<usize> {
    match queue.take(Instant::now()) {
        Some(Work::Look(jobs)) => jobs.iter().filter_map(|job| job.key().as_str().parse().ok()).collect(),
        Some(Work::Store(_)) | None => Vec::new(),
    }
}

#[test]
fn single_requests_go_before_batches_and_leave_them_a_quarter() {
    let mut queue = Queue::new(8, 1, Duration::ZERO);
    let deadline = Instant::now() + Duration::from_secs(60);
    let batch = Gathering::of(100);
    for at in 0..100 {
        queue.join(key(at), (), Waiter { deadline, recipient: Recipient::entry(&batch, at) });
    }
    let mut callers = vec![ask(&mut queue, 1000)];
    // Waits among the batch's, until somebody wants it for itself.
    callers.push(ask(&mut queue, 50));
    assert_eq!(take(&mut queue), [1000, 50, 0, 1, 2, 3, 4, 5]);
    callers.extend((2000..2020).map(|n| ask(&mut queue, n)));
    assert_eq!(take(&mut queue), [2000, 2001, 2002, 2003, 2004, 2005, 6, 7]);
    let left: Vec<usize> =
        std::iter::from_fn(|| Some(take(&mut queue)).filter(|keys| !keys.is_empty())).flatten().collect();
    assert_eq!(left.len(), 14 + 91, "each once, also what was asked for twice");
}

#[test]
fn the_entries_of_a_batch_whose_caller_left_are_not_begun() {
    let mut queue = Queue::new(8, 1, Duration::ZERO);
    let deadline = Instant::now() + Duration::from_secs(60);
    let (gone, stays) = (Gathering::of(2), Gathering::of(1));
    queue.join(key(0), (), Waiter { deadline, recipient: Recipient::entry(&gone, 0) });
    queue.join(key(1), (), Waiter { deadline, recipient: Recipient::entry(&gone, 1) });
    queue.join(key(1), (), Waiter { deadline, recipient: Recipient::entry(&stays, 0) });
    drop(gone);
    assert_eq!(take(&mut queue), [1]);
}

const PATIENCE: Duration = Duration::from_secs(60);

/// A queue with a lane at work, which stores.
fn storing(max_batch: usize) -> Queue<()> {
    let mut queue = Queue::new(max_batch, 1, PATIENCE);
    queue.crew.begin();
    let row = NewResult { key: key(0), outcome: Outcome::Null, model: None };
    queue.hand_over(vec![Prediction::new(Ticket { key: key(0), number: 0 }, row, None)]);
    assert!(matches!(queue.take(Instant::now()), Some(Work::Store(_))));
    queue
}

/// The key of a caller who stays.
fn ask(queue: &mut Queue<()>, n: usize) -> oneshot::Receiver<Result<Answer, ServiceError>> {
    let (reply, answer) = oneshot::channel();
    let deadline = Instant::now() + 2 * PATIENCE;
    queue.join(key(n), (), Waiter { deadline, recipient: Recipient::Single { reply, mailbox: Weak::new() } });
    answer
}

#[test]
fn keys_are_left_to_the_lane_that_stores() {
    let mut queue = storing(8);
    let _caller = ask(&mut queue, 1);
    let now = Instant::now();
    assert!(queue.oldest(now).is_none() && take(&mut queue).is_empty());
    queue.stored(Some(now));
    assert!(queue.oldest(now).is_none(), "nobody else begins");
    assert_eq!(take(&mut queue), [1], "but the lane at work goes on");
}

#[test]
fn no_key_is_left_to_a_lane_for_longer_than_its_patience() {
    let mut queue = storing(8);
    let now = Instant::now();
    assert_eq!(queue.fall_asleep(now), None, "nothing waits");
    let _caller = ask(&mut queue, 1);
    assert!(queue.claim_lane(now), "somebody has to wait for the end of the patience");
    assert!(!queue.sleeps_on());
    queue.crew.wake_up();
    let limit = queue.fall_asleep(now).expect("a limit");
    assert!(!queue.claim_lane(now), "there is such a lane");
    let later = now + PATIENCE + limit;
    queue.crew.end_deputy();
    assert_eq!(queue.crew.sleeping(), 0);
    assert!(queue.oldest(later).is_some());
    assert_eq!(queue.fall_asleep(later), Some(Duration::ZERO), "whoever sleeps all the same is awake at once");
}

#[test]
fn a_lane_that_wakes_by_itself_takes_a_claim_with_it() {
    let mut queue = storing(8);
    let now = Instant::now();
    let _caller = ask(&mut queue, 1);
    assert!(queue.fall_asleep(now).is_some());
    assert_eq!(queue.fall_asleep(now), None, "one is enough");
    queue.stored(None);
    assert!(queue.claim_lane(now), "nothing was stored, so nobody is waited for");
    queue.crew.end_deputy();
    assert_eq!((queue.crew.sleeping(), queue.sleeps_on()), (1, true));
}

#[test]
fn what_a_lane_cannot_take_at_once_is_not_left_to_it() {
    let mut queue = storing(1);
    let _caller = ask(&mut queue, 1);
    assert!(queue.oldest(Instant::now()).is_some());
}

#[test]
fn nobody_is_waited_for_once_no_lane_works() {
    let mut queue = storing(8);
    let now = Instant::now();
    queue.stored(Some(now));
    let _caller = ask(&mut queue, 1);
    assert!(queue.oldest(now).is_none());
    queue.crew.end();
    assert!(queue.oldest(now).is_some());
}
