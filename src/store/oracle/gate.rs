//! The gate before every logon: one at a time, paced while they fail, and shut once a password is refused.
//!
//! r2d2 retries a failed connect for ever and for each missing connection, whatever the error. With ORA-01017 that locks
//! the account (the DEFAULT profile allows ten failures), and after an outage it is a logon storm.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// First pause after a failed logon; doubles up to [`MAX_PAUSE`], and up to a quarter is taken off at random.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_millis(1000);

/// Lets logons through, or says why not.
pub(super) struct Gate {
    state: Mutex<State>,
    /// Held during a logon: never two at a time.
    turn: Mutex<()>,
}

struct State {
    /// After a failure: no logon before then.
    not_before: Option<Instant>,
    pause: Duration,
    shut: Option<Shut>,
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
    /// User or password were refused.
    Refused(String),
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
        let state = State { not_before: None, pause: FIRST_PAUSE, shut: None };
        Self { state: Mutex::new(state), turn: Mutex::new(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `logon` with `password` when its turn comes, unless the gate is closed by then. Blocks.
    pub(super) fn pass<T, E>(
        &self,
        password: &str,
        logon: impl FnOnce() -> Result<T, E>,
        judge: impl FnOnce(&Result<T, E>) -> Logon,
    ) -> Result<Result<T, E>, Closed> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let fingerprint = fingerprint(password);
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
        let result = logon();
        let mut state = self.state();
        match judge(&result) {
            Logon::Good => {
                state.not_before = None;
                state.pause = FIRST_PAUSE;
            }
            Logon::Failed => {
                state.not_before = Some(Instant::now() + jittered(state.pause));
                state.pause = (state.pause * 2).min(MAX_PAUSE);
            }
            Logon::Refused(reason) => state.shut = Some(Shut { reason, fingerprint }),
        }
        Ok(result)
    }

    /// Why the gate is shut for good, if it is.
    pub(super) fn shut(&self) -> Option<String> {
        self.state().shut.as_ref().map(|shut| shut.reason.clone())
    }

    /// Opens the gate: the operator says that the account is in order again.
    pub(super) fn open(&self) {
        let mut state = self.state();
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
mod tests {
    use super::*;

    fn try_logon(gate: &Gate, password: &str, end: Logon) -> Result<Result<(), ()>, Closed> {
        gate.pass(password, || Ok(()), |_| end)
    }

    #[test]
    fn a_refused_password_is_never_tried_twice_and_another_one_is() {
        let gate = Gate::new();
        assert!(try_logon(&gate, "old", Logon::Refused("ORA-01017".into())).is_ok());
        assert_eq!(try_logon(&gate, "old", Logon::Good), Err(Closed::Shut("ORA-01017".into())));
        assert_eq!(gate.shut(), Some("ORA-01017".into()));
        assert!(try_logon(&gate, "new", Logon::Good).is_ok());
        assert_eq!(gate.shut(), None);
    }

    #[test]
    fn after_a_failure_there_is_a_pause() {
        let gate = Gate::new();
        assert!(try_logon(&gate, "p", Logon::Failed).is_ok());
        assert_eq!(try_logon(&gate, "p", Logon::Good), Err(Closed::Pausing));
        gate.open();
        assert!(try_logon(&gate, "p", Logon::Good).is_ok());
        assert!(try_logon(&gate, "p", Logon::Good).is_ok());
    }
}
