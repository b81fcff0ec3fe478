//! What gives the results: the model alone, or the result table with the model behind it.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

use super::pump::{CHUNK_ROWS, Chunk, Scored};
use super::rows::{Format, Row};
use crate::domain::{Key, Outcome};
use crate::model::{Live, PredictError, UrlModel};
use crate::service::{Answer, CacheSettings, LaneSettings, LookupThenPredict, ServiceError, UrlService};
use crate::settings::Settings;
use crate::store::{self, Backend};

/// How long a chunk may wait for the store.
const PATIENCE: Duration = Duration::from_secs(60);

/// What gives the results.
pub(super) enum Scorer {
    /// The model alone.
    Model(Box<UrlModel>),
    /// The result table; what it does not have, the model predicts.
    Table(Table),
}

impl Scorer {
    /// Scores rows, and writes them down.
    ///
    /// # Errors
    /// Where the store cannot be used. A row that the model has no result for is a bad one.
    pub(super) fn score(&self, chunk: Chunk, format: Format) -> anyhow::Result<Scored> {
        let keys: Vec<Key> = chunk.rows.iter().filter_map(|row| row.url.clone().ok()).collect();
        let outcomes = match self {
            Self::Model(model) => {
                let urls: Vec<&str> = keys.iter().map(Key::as_str).collect();
                let outcome =
                    |score: Result<f64, PredictError>| score.map(Outcome::float).map_err(|error| no_result(&error));
                model.predict_each(&urls).into_iter().map(outcome).collect()
            }
            Self::Table(table) => table.outcomes(&keys)?,
        };
        let mut scored = Scored { rows_read: chunk.rows_read, good: Vec::new(), bad: Vec::new(), bad_rows: 0 };
        let good = keys.iter().zip(&outcomes).filter_map(|(key, outcome)| Some((key.as_str(), outcome.as_ref().ok()?)));
        write_rows(&mut scored.good, format, good)?;
        let mut outcomes = outcomes.iter();
        for Row { line, url } in &chunk.rows {
            let reason = match url {
                Ok(_) => outcomes.next().and_then(|outcome| outcome.as_ref().err()),
                Err(reason) => Some(reason),
            };
            if let Some(reason) = reason {
                scored.bad_rows += 1;
                scored.bad.extend_from_slice(format!("line {line}: {reason}\n").as_bytes());
            }
        }
        Ok(scored)
    }

    /// Says where results come from; holds no secret.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Model(_) => "alone".to_owned(),
            Self::Table(table) => format!("through {}", table.description),
        }
    }
}

/// The result table with the lanes before it.
pub(super) struct Table {
    service: UrlService,
    /// Drives what waits for the lanes; all workers share it.
    runtime: Runtime,
    description: String,
}

impl Table {
    /// Opens the configured table; in SQLite it is made where it is absent.
    ///
    /// # Errors
    /// What the operator has to change.
    pub(super) fn open(settings: &Settings, model: UrlModel) -> anyhow::Result<Self> {
        let store = store::open::open(&settings.store)?.urls;
        if settings.store.backend == Backend::Sqlite {
            store.apply_schema().context("cannot make the result table in store.sqlite.path")?;
        }
        let description = format!("{} of {}", store.table(), store.describe());
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
        Ok(Self { service, runtime: Builder::new_current_thread().enable_time().build()?, description })
    }

    /// The same path as a request's; the batches of all workers share the lanes' round trips and commits.
    fn outcomes(&self, keys: &[Key]) -> anyhow::Result<Vec<Result<Outcome, String>>> {
        let entries = keys.iter().map(|key| (key.clone(), key.clone())).collect();
        let answers = self.runtime.block_on(self.service.answer_many(entries, Instant::now() + PATIENCE));
        let outcomes: Result<Vec<_>, ServiceError> = answers.and_then(|answers| {
            let outcome = |answer: Result<Answer, ServiceError>| match answer {
                Ok(answer) => Ok(Ok(answer.outcome)),
                Err(ServiceError::Internal(error)) => match error.downcast_ref() {
                    Some(reason) => Ok(Err(no_result(reason))),
                    None => Err(ServiceError::Internal(error)),
                },
                Err(error) => Err(error),
            };
            answers.into_iter().map(outcome).collect()
        });
        outcomes.context("stopped; the same command goes on from here")
    }
}

/// Why a row with a good URL is a bad one.
fn no_result(error: &PredictError) -> String {
    match error {
        PredictError::NotFinite { .. } => "has no result: the model's score of it is not finite".to_owned(),
        error => format!("has no result: {error}"),
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
