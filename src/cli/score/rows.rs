//! The URLs of a file, one at a time, with the line that each stands on; what cannot be read as one says why.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use clap::ValueEnum;
use csv::{ByteRecord, ReaderBuilder};
use serde::Deserialize;

use crate::domain::Key;

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
    pub(super) max_line_bytes: usize,
    pub(super) max_url_bytes: usize,
}

/// The rows of a file.
pub(super) enum Rows {
    Csv { reader: Box<csv::Reader<Box<dyn Read + Send>>>, record: ByteRecord, column: usize, limits: Limits },
    Ndjson { reader: BufReader<Box<dyn Read + Send>>, line: u64, buffer: Vec<u8>, limits: Limits },
}

impl Rows {
    /// Opens a file, or standard input where the path is `-`.
    ///
    /// # Errors
    /// One sentence: it cannot be read, or has no column `url`.
    pub(super) fn open(path: &Path, format: Format, limits: Limits) -> anyhow::Result<Self> {
        let bytes: Box<dyn Read + Send> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(|e| anyhow::anyhow!("cannot read {}: {e}", path.display()))?)
        };
        match format {
            Format::Ndjson => Ok(Self::Ndjson {
                reader: BufReader::with_capacity(1 << 16, bytes),
                line: 0,
                buffer: Vec::new(),
                limits,
            }),
            Format::Csv => {
                let mut reader = ReaderBuilder::new().flexible(true).buffer_capacity(1 << 16).from_reader(bytes);
                let header = reader.byte_headers()?;
                // A byte order mark is no part of the first column's name.
                let name = |field: &[u8]| field.strip_prefix(b"\xef\xbb\xbf").unwrap_or(field) == b"url";
                let column = header
                    .iter()
                    .position(name)
                    .ok_or_else(|| anyhow::anyhow!("{}: the header has no column `url`", path.display()))?;
                Ok(Self::Csv { reader: Box::new(reader), record: ByteRecord::new(), column, limits })
            }
        }
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Row>> {
        match self {
            Self::Csv { reader, record, column, limits } => {
                if !reader.read_byte_record(record)? {
                    return Ok(None);
                }
                let line = record.position().map_or(0, csv::Position::line);
                let url = match record.get(*column) {
                    Some(field) => key(field, *limits),
                    None => Err("has no column `url`".to_owned()),
                };
                Ok(Some(Row { line, url }))
            }
            Self::Ndjson { reader, line, buffer, limits } => loop {
                let Some(whole) = read_line(reader, buffer, limits.max_line_bytes)? else { return Ok(None) };
                *line += 1;
                if whole && buffer.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                let url = if whole { member(buffer, *limits) } else { Err("is too long a line".to_owned()) };
                return Ok(Some(Row { line: *line, url }));
            },
        }
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
