//! [`Link`]: one client's line to a stand-in database, and everything that can be slow or wrong about it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::control::{Control, Word};
use crate::error::{OraError, Result};
use crate::testing::{FailOn, Hang};

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) control: Control,
    pub(crate) folder: PathBuf,
    /// Opened with `?inspector`: without latency, faults and counting.
    pub(crate) inspector: bool,
    epoch: u64,
    lost: AtomicBool,
    cancelled: AtomicBool,
    connect_timeout_ms: u32,
}

impl Link {
    /// Connects to the database that a connect string names; the session comes later.
    pub(crate) fn attach(connect_string: &str) -> Result<Self> {
        let target = Target::parse(connect_string).ok_or_else(|| OraError::new(12154))?;
        let control = Control::open(&target.folder).map_err(|_| OraError::new(12154))?;
        let link = Self {
            epoch: control.get(Word::Epoch),
            control,
            folder: target.folder,
            inspector: target.inspector,
            lost: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            connect_timeout_ms: target.connect_timeout_ms,
        };
        link.count(Word::LogonAttempts, 1);
        if !link.inspector && link.control.get(Word::Down) != 0 {
            return Err(OraError::new(12541));
        }
        link.wait_to_connect(link.control.get(Word::ConnectUs))?;
        Ok(link)
    }

    pub(crate) fn count(&self, word: Word, count: u64) {
        if !self.inspector {
            self.control.add(word, count);
        }
    }

    /// Whether the socket looks open, which a client can tell without a round trip.
    pub(crate) fn looks_open(&self) -> bool {
        let closed =
            !self.inspector && (self.control.get(Word::NoticedEpoch) > self.epoch || self.control.get(Word::Down) != 0);
        !(closed || self.lost.load(SeqCst))
    }

    pub(crate) fn lose(&self) {
        self.lost.store(true, SeqCst);
    }

    /// From another thread: ends the wait of a call that hangs.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, SeqCst);
    }

    /// One round trip: counted, and as long as the settings say.
    pub(crate) fn round_trip(&self, timeout_ms: u32) -> Result<()> {
        if self.lost.load(SeqCst) {
            return Err(OraError::new(3114));
        }
        self.count(Word::RoundTrips, 1);
        self.cancelled.store(false, SeqCst);
        self.wait(self.control.get(Word::RoundTripUs), timeout_ms)
    }

    /// Waits as long as the server takes for something. The call timeout ends the wait; then a server that is merely
    /// slow answers the break, and one that keeps silent loses the session after the same time again.
    pub(crate) fn wait(&self, duration_us: u64, timeout_ms: u32) -> Result<()> {
        if self.inspector {
            return Ok(());
        }
        let start = Instant::now();
        let duration = Duration::from_micros(duration_us);
        let timeout = Duration::from_millis(timeout_ms.into());
        loop {
            self.check_lost()?;
            let elapsed = start.elapsed();
            let hang = self.control.get(Word::Hang);
            if timeout_ms > 0 {
                let silent = hang == Hang::Silent as u64;
                if elapsed >= timeout && !silent {
                    self.count(Word::CallTimeouts, 1);
                    return Err(OraError::new(3156));
                }
                if elapsed >= timeout * 2 {
                    self.count(Word::CallTimeouts, 1);
                    self.lose();
                    return Err(OraError::new(3114));
                }
            }
            if self.cancelled.swap(false, SeqCst) {
                return Err(OraError::new(1013));
            }
            let mut nap = Duration::from_millis(2);
            if hang == Hang::No as u64 {
                let left = duration.saturating_sub(elapsed);
                if left.is_zero() {
                    return Ok(());
                }
                nap = left.min(Duration::from_millis(20));
                if timeout_ms > 0 {
                    nap = nap.min(timeout.saturating_sub(elapsed));
                }
            }
            sleep(nap);
        }
    }

    /// As `wait`, before there is a session: only the connect timeout helps.
    pub(crate) fn wait_to_connect(&self, duration_us: u64) -> Result<()> {
        self.wait(duration_us, self.connect_timeout_ms).map_err(|error| match error.code {
            3114 | 3156 => OraError::new(12170),
            _ => error,
        })
    }

    fn check_lost(&self) -> Result<()> {
        if self.control.get(Word::Epoch) == self.epoch && self.control.get(Word::Down) == 0 {
            return Ok(());
        }
        let code = if self.looks_open() { 3135 } else { 3113 };
        self.lose();
        Err(OraError::new(code))
    }

    /// The failure that was ordered for the next calls of this kind.
    pub(crate) fn ordered_failure(&self, kind: FailOn) -> Result<()> {
        let scope = self.control.get(Word::FailScope);
        let executes = matches!(kind, FailOn::AnyExecute | FailOn::Select | FailOn::Change);
        let any = scope == FailOn::AnyExecute as u64 && executes;
        let end = scope == FailOn::End as u64 && kind == FailOn::Commit;
        let ordered = !self.inspector && (any || end || scope == kind as u64) && self.control.take(Word::FailLeft);
        if ordered {
            let error = OraError::new(self.control.get(Word::FailCode) as i32);
            return Err(error);
        }
        Ok(())
    }
}

/// What a connect string says.
struct Target {
    folder: PathBuf,
    inspector: bool,
    connect_timeout_ms: u32,
}

impl Target {
    /// `standin:/folder`, `//standin:1521/folder`, a descriptor with such a folder as its service name, or an alias
    /// from `tnsnames.ora` in TNS_ADMIN; options follow a question mark.
    fn parse(text: &str) -> Option<Self> {
        let lower = text.to_lowercase();
        let seconds = ["transport_connect_timeout=", "connect_timeout="]
            .iter()
            .filter_map(|option| {
                let from = lower.find(option)? + option.len();
                let digits = lower[from..].split(|c: char| !c.is_ascii_digit()).next()?;
                digits.parse::<u32>().ok()
            })
            .min();
        let (address, options) = text.split_once('?').unwrap_or((text, ""));
        let address = address.trim();
        let folder = if let Some(at) = lower.find("service_name=") {
            let service = &text[at + "service_name=".len()..];
            service.split(')').next()?.trim()
        } else if let Some(place) = address.trim_start_matches('/').strip_prefix("standin") {
            &place[place.find('/')?..]
        } else {
            return Self::parse(&alias(address)?);
        };
        Some(Self {
            folder: PathBuf::from(folder),
            inspector: options.split('&').any(|option| option == "inspector"),
            connect_timeout_ms: seconds.unwrap_or(0) * 1_000,
        })
    }
}

/// One line `NAME = connect string` of tnsnames.ora; the string may not be an alias again.
fn alias(name: &str) -> Option<String> {
    let folder = std::env::var_os("TNS_ADMIN")?;
    let names = std::fs::read_to_string(Path::new(&folder).join("tnsnames.ora")).ok()?;
    names.lines().find_map(|line| {
        let (entry, value) = line.split_once('=')?;
        let found = entry.trim().eq_ignore_ascii_case(name) && value.contains('/');
        found.then(|| value.trim().to_owned())
    })
}
