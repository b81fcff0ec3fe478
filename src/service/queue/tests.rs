//! The order in which lanes take keys.

use tokio::sync::oneshot;

use super::*;
use crate::service::flight::Recipient;
use crate::service::gathering::Gathering;

fn key(n: usize) -> Key {
    Key::stored(&n.to_string())
}

/// The keys that a lane takes next.
fn take(queue: &mut Queue<()>, max_batch: usize) -> Vec<usize> {
    match queue.take(max_batch) {
        Some(Work::Look(jobs)) => jobs.iter().filter_map(|job| job.key().as_str().parse().ok()).collect(),
        Some(Work::Store(_)) | None => Vec::new(),
    }
}

#[test]
fn single_requests_go_before_batches_and_leave_them_a_quarter() {
    let mut queue = Queue::new(1, Duration::ZERO);
    let deadline = Instant::now() + Duration::from_secs(60);
    let batch = Gathering::of(100);
    for at in 0..100 {
        queue.join(key(at), (), Waiter { deadline, recipient: Recipient::entry(&batch, at) });
    }
    let mut callers = Vec::new();
    let mut ask = |queue: &mut Queue<()>, n: usize| {
        let (reply, answer) = oneshot::channel();
        callers.push(answer);
        queue.join(key(n), (), Waiter { deadline, recipient: Recipient::Single(reply) });
    };
    ask(&mut queue, 1000);
    // Waits among the batch's, until somebody wants it for itself.
    ask(&mut queue, 50);
    assert_eq!(take(&mut queue, 8), [1000, 50, 0, 1, 2, 3, 4, 5]);
    (2000..2020).for_each(|n| ask(&mut queue, n));
    assert_eq!(take(&mut queue, 8), [2000, 2001, 2002, 2003, 2004, 2005, 6, 7]);
    let left: Vec<usize> =
        std::iter::from_fn(|| Some(take(&mut queue, 8)).filter(|keys| !keys.is_empty())).flatten().collect();
    assert_eq!(left.len(), 14 + 91, "each once, also what was asked for twice");
}

#[test]
fn the_entries_of_a_batch_whose_caller_left_are_not_begun() {
    let mut queue = Queue::new(1, Duration::ZERO);
    let deadline = Instant::now() + Duration::from_secs(60);
    let (gone, stays) = (Gathering::of(2), Gathering::of(1));
    queue.join(key(0), (), Waiter { deadline, recipient: Recipient::entry(&gone, 0) });
    queue.join(key(1), (), Waiter { deadline, recipient: Recipient::entry(&gone, 1) });
    queue.join(key(1), (), Waiter { deadline, recipient: Recipient::entry(&stays, 0) });
    drop(gone);
    assert_eq!(take(&mut queue, 8), [1]);
}
