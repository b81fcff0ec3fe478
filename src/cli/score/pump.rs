//! The pipeline: one thread reads, several score, and one writes in the order of the input.
//!
//! As many chunks are on their way as there are permits, and a chunk gives its permit back when it is written: so memory is
//! bounded however uneven the scoring is.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use super::rows::Row;

/// Rows that are scored together.
pub(super) const CHUNK_ROWS: usize = 1000;

/// Rows on their way to be scored.
pub(super) struct Chunk {
    number: u64,
    pub(super) rows: Vec<Row>,
    /// Rows of the input up to the end of this chunk.
    pub(super) rows_read: u64,
}

/// Rows on their way to be written.
pub(super) struct Scored {
    /// Rows of the input up to the last of these.
    pub(super) rows_read: u64,
    pub(super) good: Vec<u8>,
    pub(super) bad: Vec<u8>,
    pub(super) bad_rows: u64,
}

/// Hands the rows that `next` gives, `done` of which are done already, to `score` on several threads, and what comes of them
/// to `write` in their order.
///
/// # Errors
/// The first of any of the three; also where a thread panics.
pub(super) fn pump(
    done: u64,
    next: impl FnMut() -> anyhow::Result<Option<Row>> + Send,
    score: impl Fn(Chunk) -> anyhow::Result<Scored> + Sync,
    write: impl FnMut(Scored) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let on_their_way = 4 * workers;
    let (permit, permits) = sync_channel(on_their_way);
    for _ in 0..on_their_way {
        permit.send(())?;
    }
    let (to_score, chunks) = sync_channel(on_their_way);
    let (to_write, scored) = sync_channel(on_their_way);
    let chunks = Mutex::new(chunks);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(next, done, &permits, &to_score));
        for _ in 0..workers {
            let (chunks, score, to_write) = (&chunks, &score, to_write.clone());
            scope.spawn(move || score_all(chunks, score, &to_write));
        }
        drop(to_write);
        let written = write_in_order(&scored, &permit, done, write);
        // Whoever still works for nothing comes to an end by this.
        drop((scored, permit));
        let read = reader.join().map_err(|_| anyhow::anyhow!("the reading thread panicked"))?;
        let rows = written?;
        anyhow::ensure!(read? == rows, "not all rows were scored");
        Ok(())
    })
}

/// Answers how many rows there were in all.
fn read(
    mut next: impl FnMut() -> anyhow::Result<Option<Row>>,
    done: u64,
    permits: &Receiver<()>,
    to_score: &SyncSender<Chunk>,
) -> anyhow::Result<u64> {
    let mut rows_read = done;
    for number in 0.. {
        let mut chunk = Vec::with_capacity(CHUNK_ROWS);
        while chunk.len() < CHUNK_ROWS
            && let Some(row) = next()?
        {
            chunk.push(row);
        }
        rows_read += chunk.len() as u64;
        let whole = chunk.len() == CHUNK_ROWS;
        // Where nobody takes it any more, the one who writes says why.
        if permits.recv().is_err() || to_score.send(Chunk { number, rows: chunk, rows_read }).is_err() || !whole {
            break;
        }
    }
    Ok(rows_read)
}

fn score_all(
    chunks: &Mutex<Receiver<Chunk>>,
    score: &impl Fn(Chunk) -> anyhow::Result<Scored>,
    to_write: &SyncSender<(u64, anyhow::Result<Scored>)>,
) {
    loop {
        let next = chunks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(chunk) = next else { return };
        let number = chunk.number;
        // A chunk that never came out would keep its permit, and all would wait for it.
        let scored = catch_unwind(AssertUnwindSafe(|| score(chunk)))
            .unwrap_or_else(|_| Err(anyhow::anyhow!("scoring panicked; what it said stands above")));
        if to_write.send((number, scored)).is_err() {
            return;
        }
    }
}

/// Answers up to which row of the input all is written.
fn write_in_order(
    scored: &Receiver<(u64, anyhow::Result<Scored>)>,
    permit: &SyncSender<()>,
    done: u64,
    mut write: impl FnMut(Scored) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    let mut rows = done;
    while let Ok((number, chunk)) = scored.recv() {
        early.insert(number, chunk?);
        while let Some(chunk) = early.remove(&next) {
            rows = chunk.rows_read;
            write(chunk)?;
            next += 1;
            // The reader may be at the end, where it needs no permit.
            let _ = permit.try_send(());
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_the_run_with_an_error() {
        let mut left = 100 * CHUNK_ROWS as u64;
        let next = || {
            left = left.saturating_sub(1);
            Ok((left > 0).then(|| Row { line: left, url: Err(String::new()) }))
        };
        let score = |chunk: Chunk| {
            assert!(chunk.number != 3, "as this test wants it");
            Ok(Scored { rows_read: chunk.rows_read, good: Vec::new(), bad: Vec::new(), bad_rows: 0 })
        };
        let mut written = 0;
        let error = pump(0, next, score, |scored| {
            written = scored.rows_read;
            Ok(())
        });
        assert!(error.expect_err("a worker panicked").to_string().starts_with("scoring panicked"));
        assert!(written <= 3 * CHUNK_ROWS as u64, "{written}");
    }
}
