//! Clients that keep asking while something happens to the database.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::app::App;

/// What a client got, and when.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    client: usize,
    pub(super) asked: Instant,
    pub(super) took: Duration,
    pub(super) status: u16,
    pub(super) retry_after: bool,
}

/// The answers so far.
pub(super) struct Load {
    clients: usize,
    seen: Mutex<Vec<Seen>>,
    stop: AtomicBool,
}

impl Load {
    pub(super) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Waits until that many more answers have come.
    pub(super) fn wait_for(&self, more: usize) {
        let enough = self.count() + more;
        super::wait_until("more answers", || self.count() >= enough);
    }

    /// Waits until what is being asked now is answered.
    pub(super) fn wait_for_those_asked(&self) {
        let now = Instant::now();
        let is_past = |client| self.seen.lock().unwrap().iter().any(|seen| seen.client == client && seen.asked >= now);
        super::wait_until("the answers of those who have asked", || (0..self.clients).all(is_past));
    }
}

/// Ends the clients also when `meanwhile` panics: the scope waits for them.
struct Stop<'a>(&'a Load);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

/// Runs `meanwhile` while `clients` ask one URL after the other: every second one is new, the others are repeated.
pub(super) fn under_load(app: &App, clients: usize, meanwhile: impl FnOnce(&Load)) -> Vec<Seen> {
    let load = Load { clients, seen: Mutex::default(), stop: AtomicBool::new(false) };
    std::thread::scope(|scope| {
        for client in 0..clients {
            let load = &load;
            scope.spawn(move || {
                for n in 0.. {
                    if load.stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let url = match n % 2 {
                        0 => format!("http://example.com/{client}/{n}"),
                        _ => "http://example.com/again".to_owned(),
                    };
                    let asked = Instant::now();
                    let answer = app.ask(&url);
                    load.seen.lock().unwrap().push(Seen {
                        client,
                        asked,
                        took: asked.elapsed(),
                        status: answer.status,
                        retry_after: answer.header("retry-after").is_some(),
                    });
                }
            });
        }
        let _stop = Stop(&load);
        meanwhile(&load);
    });
    load.seen.into_inner().unwrap()
}

/// Asserts that these answers are all 503, say when to come back, and took no longer than `longest`.
pub(super) fn assert_refused_within(seen: &[Seen], longest: Duration) {
    assert!(!seen.is_empty());
    for answer in seen {
        assert!(answer.status == 503 && answer.retry_after && answer.took < longest, "{answer:?}");
    }
}
