//! [`Control`]: the memory that every process using one stand-in database shares: settings of latency and faults, the
//! counters, and the list of open sessions.
//!
//! It is a file in the database's folder, mapped into each process as a row of atomic words. A counter is bumped on
//! every call of every session, and a test in one process steers servers in others; a mapped word does both without a
//! lock. A session is a word that names its process, so sessions of a killed process are found and not counted.

use std::fs::{File, OpenOptions};
use std::io::{self, Error};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// The words by name. Counters begin at `LogonAttempts`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word {
    Magic,
    RoundTripUs,
    CommitUs,
    ConnectUs,
    Hang,
    Down,
    /// Raised by a restart: sessions of an earlier epoch are dead.
    Epoch,
    /// The epoch that clients noticed: their sockets were closed by the server.
    NoticedEpoch,
    SessionLimit,
    SessionLimitCode,
    FailCode,
    FailLeft,
    FailScope,
    AccountLocked,
    PasswordExpires,
    Views,
    LogonAttempts,
    Logons,
    RoundTrips,
    Executes,
    Parses,
    Commits,
    Rollbacks,
    Pings,
    RowsFetched,
    RowsInserted,
    NcharBinds,
    SessionsAltered,
    CallTimeouts,
    MaxSessions,
}

const MAGIC: u64 = 0x6f63_695f_7374_616e;
const FIRST_SESSION: usize = 64;
const SESSIONS: usize = 1024;
const LENGTH: usize = (FIRST_SESSION + SESSIONS) * 8;
pub(crate) const CONTROL_FILE: &str = "standin.control";

/// The text file beside the control file that holds the accepted user and password, one a line.
pub(crate) const ACCOUNT_FILE: &str = "standin.account";

#[derive(Debug)]
pub(crate) struct Control {
    words: &'static [AtomicU64],
}

unsafe extern "C" {
    fn mmap(at: *mut u8, length: usize, protect: i32, flags: i32, fd: i32, offset: i64) -> *mut u8;
    fn munmap(at: *mut u8, length: usize) -> i32;
}

impl Control {
    pub(crate) fn create(folder: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create_new(true).open(folder.join(CONTROL_FILE))?;
        file.set_len(LENGTH as u64)?;
        let control = Self::map(&file)?;
        control.set(Word::SessionLimitCode, 18);
        control.set(Word::Epoch, 1);
        control.set(Word::NoticedEpoch, 1);
        control.set(Word::Magic, MAGIC);
        Ok(control)
    }

    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(folder.join(CONTROL_FILE))?;
        if file.metadata()?.len() != LENGTH as u64 {
            return Err(Error::other("not a control file of this version"));
        }
        let control = Self::map(&file)?;
        if control.get(Word::Magic) != MAGIC {
            return Err(Error::other("not a control file"));
        }
        Ok(control)
    }

    fn map(file: &File) -> io::Result<Self> {
        const READ_WRITE: i32 = 1 | 2;
        const SHARED: i32 = 1;
        // SAFETY: a fresh mapping at an address of the kernel's choice touches no memory of ours
        let at = unsafe { mmap(std::ptr::null_mut(), LENGTH, READ_WRITE, SHARED, file.as_raw_fd(), 0) };
        if at.addr() == usize::MAX {
            return Err(Error::last_os_error());
        }
        // SAFETY: the mapping is page-aligned, LENGTH bytes long, zero or written by other atomics, and lives until
        // `drop`; `words` never leaves this type
        let words = unsafe { std::slice::from_raw_parts(at.cast(), LENGTH / 8) };
        Ok(Self { words })
    }

    pub(crate) fn get(&self, word: Word) -> u64 {
        self.words[word as usize].load(SeqCst)
    }

    pub(crate) fn set(&self, word: Word, value: u64) {
        self.words[word as usize].store(value, SeqCst);
    }

    pub(crate) fn add(&self, word: Word, count: u64) {
        self.words[word as usize].fetch_add(count, SeqCst);
    }

    /// Takes one from a stock; `false` when there was none.
    pub(crate) fn take(&self, word: Word) -> bool {
        self.words[word as usize].fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    /// All but the NCHAR binds: that there are none is asserted of everything that ever ran on a database.
    pub(crate) fn reset_counters(&self) {
        let counters = Word::LogonAttempts as usize..=Word::CallTimeouts as usize;
        for word in counters.filter(|&word| word != Word::NcharBinds as usize) {
            self.words[word].store(0, SeqCst);
        }
        self.set(Word::MaxSessions, self.open_sessions());
    }

    /// Ends all sessions. A `noticed` end closes their sockets; otherwise only the next call finds out.
    pub(crate) fn restart(&self, noticed: bool) {
        let epoch = self.words[Word::Epoch as usize].fetch_add(1, SeqCst) + 1;
        if noticed {
            self.set(Word::NoticedEpoch, epoch);
        }
    }

    fn sessions(&self) -> &[AtomicU64] {
        &self.words[FIRST_SESSION..]
    }

    /// Enters a session of this process and this epoch. The limit holds strictly: of two that come together for the
    /// last place both may be refused, but never are both let in.
    pub(crate) fn enter_session(&self) -> std::result::Result<usize, i32> {
        let mine = u64::from(std::process::id()) << 32 | self.get(Word::Epoch) & 0xffff_ffff;
        let refused = self.get(Word::SessionLimitCode) as i32;
        let slot = self
            .sessions()
            .iter()
            .position(|slot| slot.compare_exchange(0, mine, SeqCst, SeqCst).is_ok())
            .ok_or(refused)?;
        let open = self.open_sessions();
        let limit = self.get(Word::SessionLimit);
        if limit > 0 && open > limit {
            self.leave_session(slot);
            return Err(refused);
        }
        self.words[Word::MaxSessions as usize].fetch_max(open, SeqCst);
        Ok(slot)
    }

    pub(crate) fn leave_session(&self, slot: usize) {
        self.sessions()[slot].store(0, SeqCst);
    }

    /// The sessions of living processes that the last restart did not end. Slots of dead processes are freed.
    pub(crate) fn open_sessions(&self) -> u64 {
        let epoch = self.get(Word::Epoch) & 0xffff_ffff;
        let mut open = 0;
        let mut known = (std::process::id(), true);
        for slot in self.sessions() {
            let session = slot.load(SeqCst);
            if session == 0 {
                continue;
            }
            let pid = (session >> 32) as u32;
            if known.0 != pid {
                known = (pid, is_running(pid));
            }
            if !known.1 {
                // lost to somebody else who frees it: just as well
                let _ = slot.compare_exchange(session, 0, SeqCst, SeqCst);
            } else if session & 0xffff_ffff == epoch {
                open += 1;
            }
        }
        open
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping that `map` made, and no reference into it outlives `self`
        unsafe { munmap(self.words.as_ptr().cast_mut().cast(), LENGTH) };
    }
}

/// A killed process counts as gone even while its parent has not yet waited for it.
fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
        !state.starts_with(['Z', 'X'])
    })
}
