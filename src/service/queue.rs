//! The queue between handlers and lanes: which keys wait, who waits for each, and which predictions are to be stored.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Answer, ServiceError};
use crate::domain::{Key, NewResult};

/// Names a flight: a key can be in flight again as soon as it has been answered.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    key: Key,
    number: u64,
}

/// A key to look up, and what to predict from where the store has nothing.
pub(super) struct Job<I> {
    ticket: Ticket,
    pub(super) input: I,
}

impl<I> Job<I> {
    pub(super) fn key(&self) -> &Key {
        &self.ticket.key
    }

    pub(super) fn ticket(&self) -> Ticket {
        self.ticket.clone()
    }
}

/// A predicted row that is to be stored before it is answered.
pub(super) struct Prediction {
    number: u64,
    pub(super) row: NewResult,
}

impl Prediction {
    pub(super) fn new(ticket: Ticket, row: NewResult) -> Self {
        Self { number: ticket.number, row }
    }

    pub(super) fn ticket(&self) -> Ticket {
        Ticket { key: self.row.key.clone(), number: self.number }
    }
}

/// The answer for all who wait for a flight.
pub(super) struct Reply {
    pub(super) ticket: Ticket,
    pub(super) answer: Result<Answer, ServiceError>,
}

/// What a lane does next.
pub(super) enum Work<I> {
    /// Look these up.
    Look(Vec<Job<I>>),
    /// Store these.
    Store(Vec<Prediction>),
}

/// Somebody who waits for an answer.
pub(super) struct Waiter {
    pub(super) deadline: Instant,
    pub(super) reply: oneshot::Sender<Result<Answer, ServiceError>>,
}

impl Waiter {
    fn is_gone(&self, now: Instant) -> bool {
        self.reply.is_closed() || self.deadline <= now
    }
}

/// One piece of work and everybody who waits for it. The first one started it; the others share it.
pub(super) struct Flight<I> {
    number: u64,
    /// Taken out by the lane that works on it.
    input: Option<I>,
    waiters: Vec<Waiter>,
    /// Whether somebody joined; the first waiter may be gone since.
    starter_is_first: bool,
}

impl<I> Flight<I> {
    /// Answers everybody.
    pub(super) fn land(self, answer: &Result<Answer, ServiceError>) {
        for (at, waiter) in self.waiters.into_iter().enumerate() {
            let mut answer = answer.clone();
            if let Ok(answer) = &mut answer {
                answer.collapsed = at > 0 || !self.starter_is_first;
            }
            // A receiver that is gone has withdrawn its request.
            let _ = waiter.reply.send(answer);
        }
    }

    /// Forgets who is gone; `true` when nobody is left.
    fn is_abandoned(&mut self, now: Instant) -> bool {
        if self.waiters.first().is_some_and(|starter| starter.is_gone(now)) {
            self.starter_is_first = false;
        }
        self.waiters.retain(|waiter| !waiter.is_gone(now));
        self.waiters.is_empty()
    }
}

pub(super) struct Queue<I> {
    /// Keys that no lane has taken yet, oldest first; each has a flight.
    waiting: VecDeque<(Key, Instant)>,
    /// All keys that are waiting or being worked on.
    flights: HashMap<Key, Flight<I>>,
    predictions: VecDeque<Prediction>,
    /// Lanes that may store at the same time, and those that do.
    max_writers: usize,
    writers: usize,
    /// Lanes that sleep, without the one that is being woken.
    sleeping: usize,
    /// A lane is being woken and has not looked at the queue yet: it will take what comes meanwhile, so that under load
    /// batches grow instead of every request waking a lane of its own.
    waking: bool,
    next_number: u64,
    closed: bool,
}

impl<I> Queue<I> {
    pub(super) fn new(max_writers: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            flights: HashMap::new(),
            predictions: VecDeque::new(),
            max_writers,
            writers: 0,
            sleeping: 0,
            waking: false,
            next_number: 0,
            closed: false,
        }
    }

    /// Adds a request: to the flight of its key, or as a new one.
    pub(super) fn join(&mut self, key: Key, input: I, waiter: Waiter) {
        if let Some(flight) = self.flights.get_mut(&key) {
            flight.waiters.push(waiter);
            return;
        }
        let number = self.next_number;
        self.next_number += 1;
        let flight = Flight { number, input: Some(input), waiters: vec![waiter], starter_is_first: true };
        self.flights.insert(key.clone(), flight);
        self.waiting.push_back((key, Instant::now()));
    }

    /// How many keys no lane has taken yet.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Removes the keys that nobody waits for any more.
    pub(super) fn sweep(&mut self) {
        let now = Instant::now();
        let flights = &mut self.flights;
        self.waiting.retain(|(key, _)| {
            let abandoned = flights.get_mut(key).is_none_or(|flight| flight.is_abandoned(now));
            if abandoned {
                flights.remove(key);
            }
            !abandoned
        });
    }

    /// The next piece of work for a lane with a session: predictions first, since their callers wait longest.
    pub(super) fn take(&mut self, max_batch: usize) -> Option<Work<I>> {
        if !self.predictions.is_empty() && self.writers < self.max_writers {
            self.writers += 1;
            let count = self.predictions.len().min(max_batch);
            return Some(Work::Store(self.predictions.drain(..count).collect()));
        }
        let mut jobs = Vec::new();
        let now = Instant::now();
        while jobs.len() < max_batch
            && let Some((key, _)) = self.waiting.pop_front()
        {
            let Some(flight) = self.flights.get_mut(&key) else { continue };
            match flight.input.take() {
                // Work that nobody waits for any more is not started.
                Some(input) if !flight.is_abandoned(now) => {
                    jobs.push(Job { ticket: Ticket { key, number: flight.number }, input });
                }
                _ => {
                    self.flights.remove(&key);
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

    /// A lane has ended a [`Work::Store`].
    pub(super) fn stored(&mut self) {
        self.writers -= 1;
    }

    /// Takes a flight out to answer it; `None` when it has been answered before.
    pub(super) fn land(&mut self, ticket: &Ticket) -> Option<Flight<I>> {
        let is_it = self.flights.get(&ticket.key).is_some_and(|flight| flight.number == ticket.number);
        if is_it { self.flights.remove(&ticket.key) } else { None }
    }

    /// Takes out the flights that no lane has begun and that have waited as long as `patience`; without any patience also
    /// those whose prediction waits to be stored.
    pub(super) fn take_older_than(&mut self, patience: Duration) -> Vec<Flight<I>> {
        let now = Instant::now();
        let mut taken = Vec::new();
        while let Some((_, since)) = self.waiting.front()
            && *since + patience <= now
            && let Some((key, _)) = self.waiting.pop_front()
        {
            taken.extend(self.flights.remove(&key));
        }
        if patience.is_zero() {
            while let Some(prediction) = self.predictions.pop_front() {
                taken.extend(self.land(&prediction.ticket()));
            }
        }
        taken
    }

    /// Since when the oldest work waits that a lane could begin now.
    pub(super) fn oldest(&self) -> Option<Instant> {
        if !self.predictions.is_empty() && self.writers < self.max_writers {
            return Some(Instant::now());
        }
        self.waiting.front().map(|(_, since)| *since)
    }

    /// Claims a sleeping lane for the work that waits; `true`: the caller must signal.
    pub(super) fn claim_lane(&mut self) -> bool {
        let claimed = self.sleeping > 0 && !self.waking && self.oldest().is_some();
        if claimed {
            self.sleeping -= 1;
            self.waking = true;
        }
        claimed
    }

    /// A lane is about to look once more, as one that is being woken is; `false`: there is such a lane already.
    pub(super) fn begin_look(&mut self) -> bool {
        !std::mem::replace(&mut self.waking, true)
    }

    pub(super) fn fall_asleep(&mut self) {
        self.sleeping += 1;
    }

    /// Whether a lane that was woken goes on sleeping: a wake-up without a claim is a spurious one.
    pub(super) fn sleeps_on(&self) -> bool {
        !self.waking && !self.closed
    }

    pub(super) fn wake_up(&mut self) {
        self.waking = false;
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }
}
