//! The gate before every logon: one at a time, paced while they fail, and shut once a password is refused.
//!
//! r2d2 retries a failed connect for ever and for each missing connection, whatever the error. With ORA-01017 that locks
//! the account (the DEFAULT profile allows ten failures), and after an outage it is a logon storm.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};

/// First pause after a failed logon; doubles up to [`MAX_PAUSE`], and up to a quarter is taken off at random.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_millis(1000);
/// What a logon may take before another is let through beside it: longer than the connect timeouts of an Easy Connect
/// string; a TNS alias may have none, and its logon may never return.
const LONGEST_LOGON: Duration = Duration::from_secs(8);

/// Wrong logons with one password after which SIGHUP, which new models are told of by as well, opens the gate no more: four
/// processes together stay below the ten that lock an account.
const MAX_WRONG: u32 = 2;

/// Lets logons through, or says why not.
pub(super) struct Gate {
    state: Mutex<State>,
    /// Signalled when a turn is over.
    turned: Condvar,
    longest_logon: Duration,
}

struct State {
    /// After a failure: no logon before then.
    not_before: Option<Instant>,
    pause: Duration,
    shut: Option<Shut>,
    /// The fingerprint of the password that was wrong last, and how many times in a row.
    wrong: Option<(u64, u32)>,
    /// The turn of the logon that is under way.
    turn: Option<u64>,
    /// Number of the last turn.
    turns: u64,
}

impl State {
    fn note_failure(&mut self) {
        self.not_before = Some(Instant::now() + jittered(self.pause));
        self.pause = (self.pause * 2).min(MAX_PAUSE);
    }
}

/// The turn to log on: never two at a time, unless one hangs.
struct Turn<'a> {
    gate: &'a Gate,
    number: u64,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        // One that hung has lost its turn to another by now.
        if state.turn == Some(self.number) {
            state.turn = None;
            self.gate.turned.notify_one();
        }
    }
}

/// Why no logon is tried any more.
#[derive(Debug, Clone)]
struct Shut {
    reason: String,
    /// The password that was refused, as [`fingerprint`] gives it.
    fingerprint: u64,
}

/// How a logon ended.
pub(super) enum Logon {
    Good,
    /// Failed for a reason that may pass.
    Failed,
    /// User or password were refused: by which error, and whether it counts towards the locking of the account. An account
    /// that is locked already, or a password that has expired, does not.
    Refused {
        reason: String,
        is_wrong: bool,
    },
}

/// Why there is no logon now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Closed {
    /// The pause after a failure is not over.
    Pausing,
    /// A password was refused; the text says by which error.
    Shut(String),
}

impl Gate {
    pub(super) fn new() -> Self {
        let state = State { not_before: None, pause: FIRST_PAUSE, shut: None, wrong: None, turn: None, turns: 0 };
        Self { state: Mutex::new(state), turned: Condvar::new(), longest_logon: LONGEST_LOGON }
    }

    /// Waits for the turn, but not for ever: a logon that hangs counts as failed, and the turn passes on.
    fn turn(&self) -> Turn<'_> {
        let taken = |state: &mut State| state.turn.is_some();
        let waited = self.turned.wait_timeout_while(self.state(), self.longest_logon, taken);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.turn.is_some() {
            log::warn!(target: "augur::store", "a logon hangs: the next one does not wait for it any longer");
            state.note_failure();
        }
        state.turns += 1;
        state.turn = Some(state.turns);
        Turn { gate: self, number: state.turns }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `logon` when its turn comes, unless the gate is closed by then. Blocks. `password` is read then, not before: one
    /// that was replaced in the meantime would be tried as a new one.
    pub(super) fn pass<T, E>(
        &self,
        password: impl FnOnce() -> Result<SecretString, E>,
        logon: impl FnOnce(&SecretString) -> Result<T, E>,
        judge: impl FnOnce(&Result<T, E>) -> Logon,
    ) -> Result<Result<T, E>, Closed> {
        let _turn = self.turn();
        let password = match password() {
            Ok(password) => password,
            Err(error) => return Ok(Err(error)),
        };
        let fingerprint = fingerprint(password.expose_secret());
        {
            let mut state = self.state();
            match &state.shut {
                Some(shut) if shut.fingerprint == fingerprint => return Err(Closed::Shut(shut.reason.clone())),
                Some(_) => {
                    log::info!(target: "augur::store", "the password has changed: logging on again");
                    state.shut = None;
                    state.not_before = None;
                }
                None => {}
            }
            if state.not_before.is_some_and(|not_before| Instant::now() < not_before) {
                return Err(Closed::Pausing);
            }
        }
        let result = logon(&password);
        let mut state = self.state();
        match judge(&result) {
            Logon::Good => {
                state.not_before = None;
                state.pause = FIRST_PAUSE;
                state.wrong = None;
            }
            Logon::Failed => state.note_failure(),
            Logon::Refused { reason, is_wrong } => {
                let before = state.wrong.filter(|(wrong, _)| *wrong == fingerprint).map_or(0, |(_, times)| times);
                // An account that is opened again counts anew.
                state.wrong = is_wrong.then_some((fingerprint, before + 1));
                state.shut = Some(Shut { reason, fingerprint });
            }
        }
        Ok(result)
    }

    /// Why the gate is shut for good, if it is.
    pub(super) fn shut(&self) -> Option<String> {
        self.state().shut.as_ref().map(|shut| shut.reason.clone())
    }

    /// Opens the gate: the operator says that the account is in order again. Not for a password that was wrong too often.
    pub(super) fn open(&self) {
        let mut state = self.state();
        let State { shut, wrong, .. } = &*state;
        match (shut, wrong) {
            (Some(shut), Some((wrong, times))) if shut.fingerprint == *wrong && *times >= MAX_WRONG => {
                log::warn!(target: "augur::store", "the password was wrong {times} times and is not tried again: change it, or restart");
                return;
            }
            (Some(_), _) => log::info!(target: "augur::store", "the refused logon is tried once more"),
            (None, _) => {}
        }
        state.shut = None;
        state.not_before = None;
    }
}

/// Tells two passwords apart without keeping them; of no use in another process.
fn fingerprint(password: &str) -> u64 {
    use std::sync::LazyLock;
    static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    HASHER.hash_one(password)
}

/// `pause`, or up to a quarter less: processes that failed together do not come back together.
pub(super) fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) as f64 / u64::MAX as f64;
    pause.mul_f64(1.0 - random / 4.0)
}

#[cfg(test)]
mod tests;
