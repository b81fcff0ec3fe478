//! A connection of the pool: what is known of it, and how it is closed.

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use oracle::Connection;

/// When a call began and ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// A session that another call found dead since then may have died with that one: by the end of this call, too.
    pub(super) began: Instant,
    /// The server has not kept silent since a time before this.
    pub(super) ended: Instant,
}

impl Span {
    /// A call that has just ended.
    pub(super) fn since(began: Instant) -> Self {
        Self { began, ended: Instant::now() }
    }
}

/// A pooled connection and when it was last known to work.
pub(super) struct Pooled {
    /// `None` only while it is dropped.
    conn: Option<Connection>,
    /// Its last call that worked.
    pub(super) good_call: Span,
    /// Set while it is at work, and for good where that ended badly: it is dead or may be, a panic has left it in the middle
    /// of something, or what it did could not be rolled back.
    pub(super) is_suspect: bool,
}

impl Pooled {
    pub(super) fn new(conn: Connection, good_call: Span) -> Self {
        Self { conn: Some(conn), good_call, is_suspect: false }
    }
}

impl Deref for Pooled {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.conn.as_ref().expect("only a drop takes it")
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Connection {
        self.conn.as_mut().expect("only a drop takes it")
    }
}

/// The driver says goodbye to the server and waits for the answer, also where the server has kept silent before: then for
/// twice the call timeout at least. The pool drops connections on the thread that asks it for one, so one that may be dead is
/// closed on a thread of its own.
impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take()
            && self.is_suspect
        {
            // Where there is no thread, the closure is dropped here, and the connection with it.
            let _ = std::thread::Builder::new().name("oracle-close".to_owned()).spawn(move || drop(conn));
        }
    }
}
