//! The queue between handlers and lanes: which keys wait, and which predictions are to be stored.

mod crew;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use super::flight::{Flight, Waiter};
use super::work::{Job, Prediction, Ticket, Work};
use crate::domain::Key;
use crew::Crew;

/// Keys in the order in which they came, each with the time when it did. A key whose flight is over, or has been begun from
/// the other line, is passed over.
type Line = VecDeque<(Key, Instant)>;

/// The store takes rows while the last ones came within this time.
const RECENTLY: Duration = Duration::from_millis(100);

pub(super) struct Queue<I> {
    /// Keys of single requests that no lane has taken yet.
    singles: Line,
    /// Those that only batches ask for. They leave the singles three quarters of each lane's batch, so that nobody waits
    /// behind a batch of 500, and take what the singles leave.
    bulk: Line,
    /// All keys that are waiting or being worked on.
    flights: HashMap<Key, Flight<I>, RandomState>,
    predictions: VecDeque<Prediction>,
    /// Lanes that may store at the same time, and those that do.
    max_writers: usize,
    writers: usize,
    /// How long keys that wait are left to the lane at work while the store takes rows, see [`ResultStore::commit_patience`].
    ///
    /// [`ResultStore::commit_patience`]: crate::store::ResultStore::commit_patience
    commit_patience: Duration,
    /// When a lane last stored something.
    stored_at: Option<Instant>,
    /// Most keys that a lane takes at a time.
    max_batch: usize,
    /// The lanes. One of them wakes by itself when the `commit_patience` of a key ends.
    pub(super) crew: Crew,
    next_number: u64,
    closed: bool,
}

impl<I> Queue<I> {
    pub(super) fn new(max_batch: usize, max_writers: usize, commit_patience: Duration) -> Self {
        Self {
            singles: VecDeque::new(),
            bulk: VecDeque::new(),
            flights: HashMap::default(),
            predictions: VecDeque::new(),
            max_writers,
            writers: 0,
            commit_patience,
            stored_at: None,
            max_batch,
            crew: Crew::default(),
            next_number: 0,
            closed: false,
        }
    }

    /// Adds a request: to the flight of its key, or as a new one.
    pub(super) fn join(&mut self, key: Key, input: I, waiter: Waiter) {
        let is_single = waiter.is_single();
        match self.flights.entry(key.clone()) {
            Entry::Occupied(mut flight) => {
                let flight = flight.get_mut();
                flight.join(waiter);
                if !(is_single && flight.is_bulk && flight.input.is_some()) {
                    return;
                }
                flight.is_bulk = false;
            }
            Entry::Vacant(place) => {
                place.insert(Flight::new(self.next_number, input, waiter));
                self.next_number += 1;
            }
        }
        let line = if is_single { &mut self.singles } else { &mut self.bulk };
        line.push_back((key, Instant::now()));
    }

    /// How many keys no lane has taken yet.
    pub(super) fn waiting(&self) -> usize {
        self.singles.len() + self.bulk.len()
    }

    /// Removes the keys that nobody waits for any more.
    pub(super) fn sweep(&mut self) {
        let now = Instant::now();
        let flights = &mut self.flights;
        for line in [&mut self.singles, &mut self.bulk] {
            line.retain(|(key, _)| {
                let Some(flight) = flights.get_mut(key).filter(|flight| flight.input.is_some()) else { return false };
                let abandoned = flight.is_abandoned(now);
                if abandoned {
                    flights.remove(key);
                }
                !abandoned
            });
        }
    }

    /// The next piece of work for a lane with a session: predictions first, since their callers wait longest.
    pub(super) fn take(&mut self, now: Instant) -> Option<Work<I>> {
        if !self.predictions.is_empty() && !self.is_storing() {
            self.writers += 1;
            let count = self.predictions.len().min(self.max_batch);
            return Some(Work::Store(self.predictions.drain(..count).collect()));
        }
        if self.is_storing() && self.held_back_for(now).is_some() {
            return None;
        }
        let max_batch = self.max_batch;
        let mut jobs = Vec::new();
        let for_bulk = if self.bulk.is_empty() { 0 } else { max_batch / 4 };
        for (line, limit) in [(&mut self.singles, max_batch - for_bulk), (&mut self.bulk, max_batch)] {
            while jobs.len() < limit
                && let Some((key, _)) = line.pop_front()
            {
                let Some(flight) = self.flights.get_mut(&key) else { continue };
                let Some(input) = flight.input.take() else { continue };
                if flight.is_abandoned(now) {
                    // Work that nobody waits for any more is not started.
                    self.flights.remove(&key);
                } else {
                    jobs.push(Job { ticket: Ticket { key, number: flight.number }, input, stale: None });
                }
            }
        }
        (!jobs.is_empty()).then_some(Work::Look(jobs))
    }

    /// Whether anybody still waits for a flight that is being worked on; if not, it ends.
    pub(super) fn is_wanted(&mut self, ticket: &Ticket) -> bool {
        let Some(flight) = self.flights.get_mut(&ticket.key).filter(|flight| flight.number == ticket.number) else {
            return false;
        };
        let abandoned = flight.is_abandoned(Instant::now());
        if abandoned {
            self.flights.remove(&ticket.key);
        }
        !abandoned
    }

    pub(super) fn hand_over(&mut self, predictions: Vec<Prediction>) {
        self.predictions.extend(predictions);
    }

    /// A lane has ended a [`Work::Store`]: at this time, where the store took it.
    pub(super) fn stored(&mut self, at: Option<Instant>) {
        self.writers -= 1;
        self.stored_at = at.or(self.stored_at);
    }

    /// Takes a flight out to answer it; `None` when it has been answered before.
    pub(super) fn land(&mut self, ticket: &Ticket) -> Option<Flight<I>> {
        let (key, flight) = self.flights.remove_entry(&ticket.key)?;
        if flight.number == ticket.number {
            return Some(flight);
        }
        // The key has set out again since, which is rare: that flight goes on.
        self.flights.insert(key, flight);
        None
    }

    /// Takes out the flights that no lane has begun and that have waited as long as `patience`; without any patience also
    /// those whose prediction waits to be stored.
    pub(super) fn take_older_than(&mut self, patience: Duration) -> Vec<Flight<I>> {
        let now = Instant::now();
        let mut taken = Vec::new();
        for line in [&mut self.singles, &mut self.bulk] {
            while let Some((_, since)) = line.front()
                && *since + patience <= now
                && let Some((key, _)) = line.pop_front()
            {
                if self.flights.get(&key).is_some_and(|flight| flight.input.is_some()) {
                    taken.extend(self.flights.remove(&key));
                }
            }
        }
        if patience.is_zero() {
            while let Some(prediction) = self.predictions.pop_front() {
                taken.extend(self.land(&prediction.ticket()));
            }
        }
        taken
    }

    /// Since when the oldest work waits that a lane could begin now.
    pub(super) fn oldest(&self, now: Instant) -> Option<Instant> {
        if !self.predictions.is_empty() && !self.is_storing() {
            return Some(now);
        }
        if self.held_back_for(now).is_some() { None } else { self.waiting_since() }
    }

    fn waiting_since(&self) -> Option<Instant> {
        [&self.singles, &self.bulk].into_iter().filter_map(|line| line.front()).map(|(_, since)| *since).min()
    }

    /// Whether as many lanes store as may.
    fn is_storing(&self) -> bool {
        self.writers >= self.max_writers
    }

    /// How much longer the keys that wait are left to the lane at work; `None` where they are not, or there are none. What is
    /// more than it can take at once is not left to it.
    fn held_back_for(&self, now: Instant) -> Option<Duration> {
        let takes_rows = || self.stored_at.is_some_and(|at| now.saturating_duration_since(at) < RECENTLY);
        if self.waiting() >= self.max_batch || !(self.is_storing() || self.crew.is_at_work() && takes_rows()) {
            return None;
        }
        self.patience_left(now).filter(|left| !left.is_zero())
    }

    /// How much longer the first of the keys that wait may be left to the lane at work.
    fn patience_left(&self, now: Instant) -> Option<Duration> {
        Some((self.waiting_since()? + self.commit_patience).saturating_duration_since(now))
    }

    /// Claims a sleeping lane for the work that waits, or to wait for the end of its patience; `true`: the caller must signal.
    pub(super) fn claim_lane(&mut self, now: Instant) -> bool {
        let claims =
            self.crew.may_claim() && (self.oldest(now).is_some() || !self.crew.has_deputy() && self.waiting() > 0);
        if claims {
            self.crew.claim();
        }
        claims
    }

    /// How long the lane may sleep, where it is the one that wakes by itself. What waits here has been left to the lane at
    /// work: were it not, this one would have begun it.
    pub(super) fn fall_asleep(&mut self, now: Instant) -> Option<Duration> {
        let limit = if self.crew.has_deputy() { None } else { self.patience_left(now) };
        self.crew.fall_asleep(limit);
        limit
    }

    /// Whether a lane that was woken goes on sleeping: a wake-up without a claim is a spurious one.
    pub(super) fn sleeps_on(&self) -> bool {
        !self.crew.is_claimed() && !self.closed
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests;
