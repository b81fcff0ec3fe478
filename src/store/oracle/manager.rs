//! Connections for the pool: `r2d2_oracle`'s manager, with each new connection set up and no ping at checkout.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use oracle::{ConnStatus, Connection, Connector, Error, Version};
use r2d2::ManageConnection;
use r2d2_oracle::OracleConnectionManager;
use secrecy::{ExposeSecret, SecretString};

use super::connect_string::with_timeouts;
use super::errors::{Class, classify, driver_error};
use super::gate::{Closed, Gate, Logon};
use super::pooled::{Pooled, Span};
use crate::store::OracleSettings;

/// ORA-01017: user or password are wrong, which is what locks an account in the end.
const WRONG_PASSWORD: i32 = 1017;

/// What lies between two sessions that are given up because their database takes no rows.
const STANDBY_PAUSE: Duration = Duration::from_secs(5);

/// Makes, checks and discards connections. Cloning is cheap: the pool has one handle, the store another.
#[derive(Clone)]
pub(super) struct Manager(Arc<Inner>);

struct Inner {
    user: String,
    password: SecretString,
    password_file: Option<PathBuf>,
    connect_string: String,
    /// `None` with a client older than 18c, which has no call timeout.
    call_timeout: Option<Duration>,
    gate: Gate,
    deaths: Mutex<Deaths>,
    /// When a session was last given up because its database takes no rows.
    left_standby: Mutex<Option<Instant>>,
    /// The failure that the log was last told of.
    reported: Mutex<Option<(Class, String)>>,
}

/// When a connection was last found dead, and when by a call that met its time limit. Those that were seen to work since
/// are sound.
#[derive(Default)]
struct Deaths {
    last: Option<Instant>,
    last_silent: Option<Instant>,
}

/// Whether calls on this client can be limited in time.
pub(super) fn has_call_timeout(client: &Version) -> bool {
    client.major() >= 18
}

impl Manager {
    pub(super) fn new(settings: &OracleSettings, client: &Version) -> anyhow::Result<Self> {
        let call_timeout = has_call_timeout(client).then_some(Duration::from_millis(settings.call_timeout_ms));
        if call_timeout.is_none() {
            log::warn!(target: "augur::store", "Oracle client {client} has no call timeout (18c or newer has): a hung call holds its lane");
        }
        let manager = Self(Arc::new(Inner {
            user: settings.user.clone(),
            password: settings.password.clone(),
            password_file: Some(settings.password_file.clone()).filter(|path| !path.as_os_str().is_empty()),
            connect_string: with_timeouts(&settings.connect_string, client.major()),
            call_timeout,
            gate: Gate::new(),
            deaths: Mutex::default(),
            left_standby: Mutex::default(),
            reported: Mutex::new(None),
        }));
        // An unreadable password file is an operator's mistake; later, when it is being replaced, it is not.
        manager.read_password().map_err(anyhow::Error::msg)?;
        Ok(manager)
    }

    /// The password as it stands now.
    fn read_password(&self) -> Result<SecretString, String> {
        let Some(path) = &self.0.password_file else { return Ok(self.0.password.clone()) };
        let text = std::fs::read_to_string(path)
            .map_err(|e| format!("cannot read store.oracle.password_file {}: {e}", path.display()))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let password = text.strip_suffix('\r').unwrap_or(text);
        // Also what a reader sees of a file that is just being rewritten: that is no new password to try.
        if password.is_empty() {
            return Err(format!("store.oracle.password_file {} is empty", path.display()));
        }
        Ok(password.into())
    }

    fn log_on(&self, password: &SecretString) -> Result<Connection, Error> {
        let connector = Connector::new(&self.0.user, password.expose_secret(), &self.0.connect_string);
        let mut conn = OracleConnectionManager::from_connector(connector).connect()?;
        // The next statement would clear it. It tells that the password will expire.
        if let Some(warning) = conn.last_warning() {
            log::warn!(target: "augur::store", "logged on with a warning: {warning}");
        }
        // INSERT and COMMIT in one round trip.
        conn.set_autocommit(true);
        // `None` would be refused by a client that knows no call timeout.
        if self.0.call_timeout.is_some() {
            conn.set_call_timeout(self.0.call_timeout)?;
        }
        // Sent with the next call: no round trip.
        conn.set_module("augur")?;
        conn.execute(include_str!("../../../sql/oracle/inspect/binary_order.sql").trim_end(), &[])?;
        Ok(conn)
    }

    fn report_logon(&self, result: &Result<Pooled, Error>) -> Logon {
        let mut reported = self.0.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let Err(error) = result else {
            if reported.take().is_some() {
                log::info!(target: "augur::store", "logged on to Oracle again");
            }
            return Logon::Good;
        };
        let text = error.to_string();
        let class = classify(error);
        // A listener that is full, or whose database starts, words it differently from time to time.
        let is_known = reported.as_ref().is_some_and(|(known, known_text)| {
            *known == class && (matches!(class, Class::Overload | Class::Unreachable) || *known_text == text)
        });
        if !is_known {
            match class {
                Class::Credentials => log::error!(
                    target: "augur::store",
                    "ALARM: no further logon as {} until store.oracle.password_file changes or SIGHUP, or the account would be locked: {text}",
                    self.0.user
                ),
                Class::Overload => log::warn!(
                    target: "augur::store",
                    "Oracle takes no more sessions; serving with those there are (store.oracle.pool_size is higher): {text}"
                ),
                _ => log::error!(target: "augur::store", "cannot log on to Oracle: {text}"),
            }
        }
        *reported = Some((class, text.clone()));
        if class == Class::Credentials {
            Logon::Refused { reason: text, is_wrong: error.oci_code() == Some(WRONG_PASSWORD) }
        } else {
            Logon::Failed
        }
    }

    /// Why the last logon failed, for those who meet the pause after it.
    fn last_failure(&self) -> String {
        let reported = self.0.reported.lock().unwrap_or_else(PoisonError::into_inner);
        reported.as_ref().map_or_else(|| "waiting before the next logon".to_owned(), |(_, text)| text.clone())
    }

    /// Why no logon is tried any more, if so.
    pub(super) fn refused(&self) -> Option<String> {
        self.0.gate.shut()
    }

    /// Lets one more logon through after a refused one.
    pub(super) fn retry_logon(&self) {
        self.0.gate.open();
    }

    /// A connection was found dead by a call that took this long. Others may be, too. Whether it met its time limit.
    pub(super) fn note_death(&self, elapsed: Duration) -> bool {
        let silent = self.0.call_timeout.is_some_and(|limit| elapsed >= limit);
        let mut deaths = self.deaths();
        deaths.last = Some(Instant::now());
        if silent {
            deaths.last_silent = deaths.last;
        }
        silent
    }

    /// Whether a session whose database takes no rows is to be given up: one now and then, since the next logon may reach
    /// another database, but not each, since it may not, and lookups go on meanwhile.
    pub(super) fn leaves_standby(&self) -> bool {
        // Nor one that could not be replaced.
        if self.0.reported.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return false;
        }
        let mut left = self.0.left_standby.lock().unwrap_or_else(PoisonError::into_inner);
        let leaves = left.is_none_or(|at| at.elapsed() >= STANDBY_PAUSE);
        if leaves {
            *left = Some(Instant::now());
        }
        leaves
    }

    fn deaths(&self) -> MutexGuard<'_, Deaths> {
        self.0.deaths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = Error;

    fn connect(&self) -> Result<Pooled, Error> {
        let password = || self.read_password().map_err(driver_error);
        let logon = |password: &SecretString| {
            let began = Instant::now();
            let conn = self.log_on(password)?;
            Ok(Pooled::new(conn, Span::since(began)))
        };
        match self.0.gate.pass(password, logon, |result| self.report_logon(result)) {
            Ok(result) => result,
            Err(Closed::Pausing) => Err(driver_error(self.last_failure())),
            Err(Closed::Shut(reason)) => Err(driver_error(reason)),
        }
    }

    /// No round trip, unless a connection died since this one was last seen to work. Then it is pinged, so that the healthy
    /// ones outlive the death of a single session: there may be no logon to be had for another. Only where the server kept
    /// silent it is given up unasked, healthy or not: each ping would wait for twice the call timeout, one idle connection
    /// after the other, and nobody waits that long.
    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), Error> {
        if self.has_broken(pooled) {
            return Err(driver_error("the connection is closed".to_owned()));
        }
        let Deaths { last, last_silent } = *self.deaths();
        let Span { began, ended } = pooled.good_call;
        if last_silent.is_some_and(|at| at >= ended) {
            pooled.is_suspect = true;
            return Err(driver_error("the server kept silent since the connection was seen to work".to_owned()));
        }
        if last.is_some_and(|at| at >= began) {
            let asked = Instant::now();
            if let Err(error) = pooled.ping() {
                pooled.is_suspect = true;
                self.note_death(asked.elapsed());
                return Err(error);
            }
            pooled.good_call = Span::since(asked);
        }
        Ok(())
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.is_suspect || !matches!(pooled.status(), Ok(ConnStatus::Normal))
    }
}
