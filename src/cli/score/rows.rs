//! The URLs of a file, one at a time, with the line that each stands on; what cannot be read as one says why.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use serde::Deserialize;

use crate::domain::Key;
use crate::model::{CsvRecord, CsvRecords, RecordError};

/// Form of the rows, going in and coming out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A header with a column `url`; other columns are passed over
    Csv,
    /// One JSON object a line, with a member `url`
    Ndjson,
}

impl Format {
    /// As the name of the file says.
    pub(super) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }
}

/// A row of the file.
pub(super) struct Row {
    /// Line on which it begins, from 1.
    pub(super) line: u64,
    /// The URL, or why there is none.
    pub(super) url: Result<Key, String>,
}

/// What is allowed.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Of a line of NDJSON, or a record of CSV.
    pub(super) max_line_bytes: usize,
    pub(super) max_url_bytes: usize,
}

/// The rows of a file.
pub(super) enum Rows {
    Csv { records: Box<CsvRecords<Box<dyn Read + Send>>>, column: usize, limits: Limits },
    Ndjson { reader: BufReader<Box<dyn Read + Send>>, line: u64, buffer: Vec<u8>, limits: Limits },
}

impl Rows {
    /// Begins to read.
    ///
    /// # Errors
    /// One sentence: it cannot be read, or has no column `url`.
    pub(super) fn new(bytes: Box<dyn Read + Send>, format: Format, limits: Limits) -> anyhow::Result<Self> {
        match format {
            Format::Ndjson => Ok(Self::Ndjson {
                reader: BufReader::with_capacity(1 << 16, bytes),
                line: 0,
                buffer: Vec::new(),
                limits,
            }),
            Format::Csv => {
                let mut records = CsvRecords::new(bytes, limits.max_line_bytes)?;
                let header = records.next().map_err(of_row)?.and_then(|header| header.fields);
                let column =
                    header.and_then(|header| header.position(b"url")).context("the header has no column `url`")?;
                Ok(Self::Csv { records: Box::new(records), column, limits })
            }
        }
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// Where the file cannot be read, or a quote is left open in it.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Row>> {
        match self {
            Self::Csv { records, column, limits } => {
                let Some(CsvRecord { line, fields }) = records.next().map_err(of_row)? else { return Ok(None) };
                let url = match fields.map(|fields| fields.get(*column)) {
                    Some(Some(field)) => key(field, *limits),
                    Some(None) => Err("has no column `url`".to_owned()),
                    None => Err(TOO_LONG.to_owned()),
                };
                Ok(Some(Row { line, url }))
            }
            Self::Ndjson { reader, line, buffer, limits } => loop {
                let Some(whole) = read_line(reader, buffer, limits.max_line_bytes)? else { return Ok(None) };
                *line += 1;
                if whole && buffer.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                let url = if whole { member(buffer, *limits) } else { Err(TOO_LONG.to_owned()) };
                return Ok(Some(Row { line: *line, url }));
            },
        }
    }
}

/// Why a row that is longer than [`Limits::max_line_bytes`] is a bad one.
const TOO_LONG: &str = "is too long a line";

/// The line before what is wrong with it.
fn of_row(error: RecordError) -> anyhow::Error {
    match error {
        RecordError::OpenAtEnd { line } | RecordError::OpenTooLong { line, .. } => {
            anyhow::Error::new(error).context(format!("line {line}"))
        }
        RecordError::Read(error) => error.into(),
    }
}

fn key(bytes: &[u8], limits: Limits) -> Result<Key, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    Key::parse(text, limits.max_url_bytes).map_err(|e| e.to_string())
}

fn member(line: &[u8], limits: Limits) -> Result<Key, String> {
    #[derive(Deserialize)]
    struct Object {
        url: String,
    }
    let object: Object = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    Key::parse(&object.url, limits.max_url_bytes).map_err(|e| e.to_string())
}

/// Reads up to and without the end of a line; `false` for one that is longer than `max_bytes`, the rest of which is passed
/// over. `None` at the end.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>, max_bytes: usize) -> io::Result<Option<bool>> {
    line.clear();
    let read = reader.by_ref().take(max_bytes as u64 + 1).read_until(b'\n', line)?;
    if read == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(true));
    }
    if line.len() <= max_bytes {
        return Ok(Some(true));
    }
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(Some(false));
        }
        let end = memchr::memchr(b'\n', buffer);
        let used = end.map_or(buffer.len(), |at| at + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(false));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_are_cut_at_their_ends_and_at_the_limit(text in "[ab\n]{0,60}", max_bytes in 1..10_usize) {
            let mut reader = text.as_bytes();
            let mut buffer = Vec::new();
            let mut lines = Vec::new();
            while let Some(whole) = read_line(&mut reader, &mut buffer, max_bytes).expect("memory can be read") {
                lines.push(whole.then(|| String::from_utf8(buffer.clone()).expect("ASCII")));
            }
            let expected: Vec<Option<String>> =
                text.lines().map(|line| (line.len() <= max_bytes).then(|| line.to_owned())).collect();
            prop_assert_eq!(lines, expected);
        }
    }
}
