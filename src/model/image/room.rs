//! Room: the memory that decoding may take at the same time, whatever the number of threads.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A number of bytes that is given out in the order in which it is asked for. Who wants more than all of it gets that,
/// alone: so the memory is bounded by the room or by the largest picture, whichever is more.
#[derive(Debug)]
pub(super) struct Room {
    bytes: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that are given out.
    taken: u64,
    /// Number of the next to ask, and of the next to get: a large picture is not passed by small ones for ever.
    last: u64,
    next: u64,
}

/// Bytes of a room, given back when dropped.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Room {
    pub(super) fn new(bytes: u64) -> Self {
        Self { bytes, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Takes `bytes`, or all there is. Blocks until those who came before have theirs and enough is free.
    pub(super) fn take(&self, bytes: u64) -> Taken<'_> {
        let bytes = bytes.min(self.bytes);
        let mut state = self.lock();
        let turn = state.last;
        state.last += 1;
        let mut state = self
            .changed
            .wait_while(state, |state| state.next != turn || state.taken + bytes > self.bytes)
            .unwrap_or_else(PoisonError::into_inner);
        state.next += 1;
        state.taken += bytes;
        drop(state);
        self.changed.notify_all();
        Taken { room: self, bytes }
    }

    /// Nothing panics while the lock is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.room.lock().taken -= self.bytes;
        self.room.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_is_taken_at_the_same_time_stays_within_the_room() {
        let room = Room::new(100);
        let (inside, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (room, inside, most) = (&room, &inside, &most);
                scope.spawn(move || {
                    for round in 0..200 {
                        // some want more than there is
                        let bytes = (thread * 31 + round * 17) % 130;
                        let _taken = room.take(bytes);
                        let now = inside.fetch_add(bytes.min(100), Ordering::SeqCst) + bytes.min(100);
                        most.fetch_max(now, Ordering::SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(bytes.min(100), Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 100, "never more, and at times all of it");
        assert_eq!(room.lock().taken, 0);
    }

    #[test]
    fn a_large_one_is_not_passed_by_small_ones_and_is_then_alone() {
        let room = Room::new(100);
        let first = room.take(10);
        let (sender, order) = channel();
        std::thread::scope(|scope| {
            let ask = |bytes: u64, waiting: u64| {
                let (room, sender) = (&room, sender.clone());
                scope.spawn(move || {
                    let _taken = room.take(bytes);
                    sender.send(bytes).expect("the test listens");
                });
                while room.lock().last != waiting {
                    std::thread::yield_now();
                }
            };
            ask(1000, 2);
            ask(1, 3);
            assert!(order.try_recv().is_err(), "both wait for the first");
            drop(first);
        });
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [1000, 1]);
    }
}
