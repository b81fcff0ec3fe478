//! Where log lines go: into a buffer, and a few milliseconds later to standard error, by a thread of its own. A line costs
//! its request a copy and no system call; under load hundreds share one write.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// How long lines gather. A process that is killed loses at most what was logged in this time.
const GATHERING: Duration = Duration::from_millis(5);
/// Whoever logs waits when this much is unwritten: a stalled log must not eat the memory.
const MAX_UNWRITTEN_BYTES: usize = 4 << 20;

static SINK: OnceLock<Arc<Shared>> = OnceLock::new();

#[derive(Default)]
struct Shared {
    buffer: Mutex<Buffer>,
    /// Signalled when the first line comes after a write.
    filled: Condvar,
    /// Signalled when everything that was taken has been written.
    written: Condvar,
}

#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    is_writing: bool,
}

/// The writer that env_logger gets. One call of `write` is one whole line.
pub(super) struct Sink(Arc<Shared>);

impl Sink {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let writer = Arc::clone(&shared);
        std::thread::Builder::new().name("log".to_owned()).spawn(move || writer.write_out())?;
        // There is one logger in a process.
        let _ = SINK.set(Arc::clone(&shared));
        Ok(Self(shared))
    }
}

/// Waits until every line that was logged before is written. For the end of the process.
pub fn flush() {
    if let Some(shared) = SINK.get() {
        let is_unwritten = |buffer: &mut Buffer| !buffer.bytes.is_empty() || buffer.is_writing;
        drop(shared.written.wait_while(shared.lock(), is_unwritten));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_out(&self) {
        let mut bytes = Vec::new();
        loop {
            let is_empty = |buffer: &mut Buffer| buffer.bytes.is_empty();
            drop(self.filled.wait_while(self.lock(), is_empty));
            std::thread::sleep(GATHERING);
            let mut buffer = self.lock();
            std::mem::swap(&mut buffer.bytes, &mut bytes);
            buffer.is_writing = true;
            drop(buffer);
            // Nobody is left to tell it to where standard error is closed or full.
            let _ = io::stderr().write_all(&bytes);
            bytes.clear();
            self.lock().is_writing = false;
            self.written.notify_all();
        }
    }
}

impl Write for Sink {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let is_full = |buffer: &mut Buffer| buffer.bytes.len() > MAX_UNWRITTEN_BYTES;
        let mut buffer = self.0.written.wait_while(self.0.lock(), is_full).unwrap_or_else(PoisonError::into_inner);
        let is_first = buffer.bytes.is_empty();
        buffer.bytes.extend_from_slice(line);
        drop(buffer);
        if is_first {
            self.0.filled.notify_one();
        }
        Ok(line.len())
    }

    /// Nothing: env_logger asks for it after each line.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
