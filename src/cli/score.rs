//! `augur score`: results for a file of URLs, millions of them in constant memory.
//!
//! One thread reads, several score, and one writes in the order of the input. As many chunks are on their way as there are
//! permits, and a chunk gives its permit back when it is written: so memory is bounded however uneven the scoring is.

mod output;
mod rows;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::ProgressBar;
use tokio::runtime::{Builder, Runtime};

use super::progress::style;
use super::tell;
use crate::application;
use crate::domain::{Key, Outcome};
use crate::model::{Live, UrlModel};
use crate::service::{CacheSettings, LaneSettings, LookupThenPredict, ServiceError, UrlService};
use crate::settings::Settings;
use crate::store::{self, Backend};
use output::Output;
use rows::{Format, Limits, Row, Rows};

/// Score a file of URLs: through the result table as the server does, or by the model alone
#[derive(Debug, clap::Args)]
pub(super) struct ScoreArgs {
    /// URLs: CSV with a column `url`, or NDJSON with a member `url`; `-` is standard input
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// Where `url` and `result` go, in the same form and order; bad rows go to FILE.bad. `-` is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Form of the rows, where the input's name does not end in .csv, .ndjson or .jsonl
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Neither look anything up in the result table nor store anything there
    #[arg(long)]
    no_store: bool,
}

/// Rows that are scored together.
const CHUNK_ROWS: usize = 1000;

/// How long a chunk may wait for the store.
const PATIENCE: Duration = Duration::from_secs(60);

/// Rows on their way to be scored.
struct Chunk {
    number: u64,
    rows: Vec<Row>,
    /// Rows of the input up to the end of this chunk.
    rows_read: u64,
}

/// Rows on their way to be written.
struct Scored {
    rows_read: u64,
    good: Vec<u8>,
    bad: Vec<u8>,
    bad_rows: u64,
}

pub(super) fn run(args: &ScoreArgs, settings: &Settings) -> anyhow::Result<()> {
    let format =
        args.format.or_else(|| Format::of(&args.input)).context("name the form of the rows: --format csv or ndjson")?;
    let limits =
        Limits { max_line_bytes: settings.limits.max_body_bytes, max_url_bytes: settings.limits.max_url_bytes };
    let model = application::load_url_model(settings)?;
    let run = format!(
        "{} {}@{} {}",
        args.input.display(),
        model.name(),
        model.version(),
        if args.no_store { "alone" } else { "through the result table" }
    );
    let mut rows = Rows::open(&args.input, format, limits)?;
    let mut output = Output::open(&args.out, run)?;
    let done = output.rows_done();
    for _ in 0..done {
        rows.next()?.context("the input has become shorter since the run that this one goes on with")?;
    }
    let scorer =
        if args.no_store { Scorer::Model(Box::new(model)) } else { Scorer::Table(Table::open(settings, model)?) };
    if done == 0 && format == Format::Csv {
        output.write(b"url,result\n", b"", 0)?;
    }
    let bar = progress_bar(&args.out);
    let started = Instant::now();
    let (scored, bad) = pump(rows, done, &scorer, format, &mut output, &bar)?;
    output.finish()?;
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64().max(1e-3);
    let earlier = if done > 0 { format!(", {done} in an earlier run") } else { String::new() };
    let place = if args.out == Path::new("-") || bad == 0 {
        String::new()
    } else {
        format!(" (see {}.bad)", args.out.display())
    };
    tell(&format!("{scored} rows{earlier}, {bad} of them bad{place}; {:.0} rows a second\n", scored as f64 / seconds))
}

/// Reads, scores and writes; answers how many rows, and how many of them were bad.
fn pump(
    rows: Rows,
    done: u64,
    scorer: &Scorer,
    format: Format,
    output: &mut Output,
    bar: &ProgressBar,
) -> anyhow::Result<(u64, u64)> {
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
        let reader = scope.spawn(move || read(rows, done, &permits, &to_score));
        for _ in 0..workers {
            let (chunks, to_write) = (&chunks, to_write.clone());
            scope.spawn(move || score_all(chunks, scorer, format, &to_write));
        }
        drop(to_write);
        let written = write_in_order(&scored, &permit, done, output, bar);
        // Whoever still works for nothing comes to an end by this.
        drop((scored, permit));
        let read = reader.join().map_err(|_| anyhow::anyhow!("the reading thread panicked"))?;
        let (rows, bad) = written?;
        anyhow::ensure!(read? == done + rows, "not all rows were scored");
        Ok((rows, bad))
    })
}

/// Answers how many rows there were in all.
fn read(mut rows: Rows, done: u64, permits: &Receiver<()>, to_score: &SyncSender<Chunk>) -> anyhow::Result<u64> {
    let mut rows_read = done;
    for number in 0.. {
        let mut chunk = Vec::with_capacity(CHUNK_ROWS);
        while chunk.len() < CHUNK_ROWS
            && let Some(row) = rows.next()?
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
    scorer: &Scorer,
    format: Format,
    to_write: &SyncSender<(u64, anyhow::Result<Scored>)>,
) {
    loop {
        let next = chunks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(chunk) = next else { return };
        let number = chunk.number;
        if to_write.send((number, scorer.score(chunk, format))).is_err() {
            return;
        }
    }
}

fn write_in_order(
    scored: &Receiver<(u64, anyhow::Result<Scored>)>,
    permit: &SyncSender<()>,
    done: u64,
    output: &mut Output,
    bar: &ProgressBar,
) -> anyhow::Result<(u64, u64)> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    let mut total = (0, 0);
    while let Ok((number, chunk)) = scored.recv() {
        early.insert(number, chunk?);
        while let Some(chunk) = early.remove(&next) {
            output.write(&chunk.good, &chunk.bad, chunk.rows_read)?;
            total = (chunk.rows_read - done, total.1 + chunk.bad_rows);
            bar.set_position(chunk.rows_read);
            next += 1;
            // The reader may be at the end, where it needs no permit.
            let _ = permit.try_send(());
        }
    }
    Ok(total)
}

/// What gives the results.
enum Scorer {
    Model(Box<UrlModel>),
    Table(Table),
}

impl Scorer {
    /// # Errors
    /// Where the store cannot be used, or the model fails.
    fn score(&self, chunk: Chunk, format: Format) -> anyhow::Result<Scored> {
        let keys: Vec<Key> = chunk.rows.iter().filter_map(|row| row.url.clone().ok()).collect();
        let outcomes: Vec<Outcome> = match self {
            Self::Model(model) => {
                let urls: Vec<&str> = keys.iter().map(Key::as_str).collect();
                model.predict(&urls)?.into_iter().map(Outcome::float).collect()
            }
            Self::Table(table) => table.outcomes(&keys)?,
        };
        let mut scored = Scored { rows_read: chunk.rows_read, good: Vec::new(), bad: Vec::new(), bad_rows: 0 };
        write_rows(&mut scored.good, format, keys.iter().map(Key::as_str).zip(&outcomes))?;
        for Row { line, url } in &chunk.rows {
            if let Err(reason) = url {
                scored.bad_rows += 1;
                scored.bad.extend_from_slice(format!("line {line}: {reason}\n").as_bytes());
            }
        }
        Ok(scored)
    }
}

/// The result table with the lanes before it.
struct Table {
    service: UrlService,
    /// Drives what waits for the lanes; all workers share it.
    runtime: Runtime,
}

impl Table {
    fn open(settings: &Settings, model: UrlModel) -> anyhow::Result<Self> {
        let store = store::open::open(&settings.store)?.urls;
        if settings.store.backend == Backend::Sqlite {
            store.apply_schema().context("cannot make the result table in store.sqlite.path")?;
        }
        // Nobody waits for a single answer here: large batches save commits.
        let lanes = LaneSettings { max_batch: CHUNK_ROWS, queue_capacity: 100 * CHUNK_ROWS };
        let service = LookupThenPredict::start(
            store,
            Arc::new(Live::new(model)),
            lanes,
            settings.store.stale,
            CacheSettings::OFF,
        )
        .context("cannot start the lanes' threads")?;
        Ok(Self { service, runtime: Builder::new_current_thread().enable_time().build()? })
    }

    /// The same path as a request's; the batches of all workers share the lanes' round trips and commits.
    fn outcomes(&self, keys: &[Key]) -> anyhow::Result<Vec<Outcome>> {
        let entries = keys.iter().map(|key| (key.clone(), key.clone())).collect();
        let answers = self.runtime.block_on(self.service.answer_many(entries, Instant::now() + PATIENCE));
        let outcomes: Result<Vec<Outcome>, ServiceError> =
            answers.and_then(|answers| answers.into_iter().map(|answer| Ok(answer?.outcome)).collect());
        outcomes.context("stopped; the same command goes on from here")
    }
}

fn write_rows<'a>(
    text: &mut Vec<u8>,
    format: Format,
    rows: impl Iterator<Item = (&'a str, &'a Outcome)>,
) -> anyhow::Result<()> {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        url: &'a str,
        result: &'a Outcome,
    }
    match format {
        Format::Ndjson => {
            for (url, result) in rows {
                serde_json::to_writer(&mut *text, &Line { url, result })?;
                text.push(b'\n');
            }
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(text);
            for (url, outcome) in rows {
                let result = match outcome {
                    Outcome::Text(result) => Cow::Borrowed(result.as_str()),
                    Outcome::Null => Cow::Borrowed(""),
                    Outcome::Number(_) => serde_json::to_string(outcome)?.into(),
                };
                csv.write_record([url, &result])?;
            }
            csv.flush()?;
        }
    }
    Ok(())
}

fn progress_bar(out: &Path) -> ProgressBar {
    if out == Path::new("-") {
        return ProgressBar::hidden();
    }
    ProgressBar::new_spinner().with_style(style("{spinner} {human_pos} rows, {per_sec}, {elapsed}"))
}
