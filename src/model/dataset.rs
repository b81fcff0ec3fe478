//! Dataset: URLs with the number that each is known to have, read from CSV or taken row by row.
//!
//! Reading is strict: a row that cannot be used stops it with file, line and reason, because a row dropped in silence
//! would show up only as a worse model.

mod rows;

use std::fmt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::records::{CsvRecord, CsvRecords, Fields, RecordError};
use crate::domain::hex;
pub use rows::DatasetRows;

/// Largest size of a result: its square, and sums of such squares, are numbers still.
const MAX_TARGET: f64 = 1e100;

/// Rows for training or judging a model; never empty.
#[derive(Debug, Clone)]
pub struct Dataset {
    urls: Vec<String>,
    targets: Vec<f64>,
    sha256: String,
}

/// Why a CSV file cannot be used, as one sentence.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The file cannot be read at all.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        reason: std::io::Error,
    },
    /// The file as a whole is not a table of URLs and results.
    #[error("{file}: {reason}")]
    Table {
        /// Name of the file, as given.
        file: String,
        /// What is wrong, for people.
        reason: String,
    },
    /// One row cannot be used.
    #[error("{file} line {line}: {reason}")]
    Row {
        /// Name of the file, as given.
        file: String,
        /// Line on which the row starts; the header is line 1.
        line: u64,
        /// What is wrong, for people.
        reason: String,
    },
    /// One row that comes from elsewhere cannot be used.
    #[error("row {row}: {reason}")]
    Value {
        /// Place of the row among those that can be used, from 1.
        row: usize,
        /// What is wrong, for people.
        reason: String,
    },
}

impl Dataset {
    /// Reads a UTF-8 CSV file with the columns `url` and `result`, in any order and among others.
    pub fn read_csv(path: &Path) -> Result<Self, DatasetError> {
        let bytes = std::fs::read(path).map_err(|reason| DatasetError::Read { path: path.to_owned(), reason })?;
        Self::from_csv(&bytes, &path.display().to_string())
    }

    /// Like [`Dataset::read_csv`] for bytes at hand; `file` names them in errors.
    pub fn from_csv(bytes: &[u8], file: &str) -> Result<Self, DatasetError> {
        let sha256 = hex(&Sha256::digest(bytes));
        let table_error = |reason: String| DatasetError::Table { file: file.to_owned(), reason };
        let broken = |error: RecordError| match error {
            RecordError::Read(error) => table_error(error.to_string()),
            RecordError::OpenAtEnd { line } | RecordError::OpenTooLong { line, .. } => {
                DatasetError::Row { file: file.to_owned(), line, reason: error.to_string() }
            }
        };
        let mut records = CsvRecords::new(bytes, usize::MAX).map_err(|error| broken(error.into()))?;
        let Some(CsvRecord { fields: Some(header), .. }) = records.next().map_err(broken)? else {
            return Err(table_error("is empty; a header with `url` and `result` is needed".to_owned()));
        };
        let column = |name: &str| {
            header.position(name.as_bytes()).ok_or_else(|| {
                table_error(format!("the header has no column `{name}`; both `url` and `result` are needed"))
            })
        };
        let (url_column, result_column, width) = (column("url")?, column("result")?, header.len());

        let (mut urls, mut targets) = (Vec::new(), Vec::new());
        while let Some(CsvRecord { line, fields: Some(fields) }) = records.next().map_err(broken)? {
            let row = parse_row(fields, url_column, result_column, width).map_err(|reason| DatasetError::Row {
                file: file.to_owned(),
                line,
                reason,
            })?;
            urls.push(row.0);
            targets.push(row.1);
        }
        if urls.is_empty() {
            return Err(table_error("has a header and no rows".to_owned()));
        }
        Ok(Dataset { urls, targets, sha256 })
    }

    /// The rows that `chosen` says yes to, by place. Its digest is that of the whole.
    pub(super) fn part(&self, chosen: impl Fn(usize) -> bool) -> Self {
        let rows = || (0..self.urls.len()).filter(|&row| chosen(row));
        Dataset {
            urls: rows().map(|row| self.urls[row].clone()).collect(),
            targets: rows().map(|row| self.targets[row]).collect(),
            sha256: self.sha256.clone(),
        }
    }

    /// The URL texts, as they stand in the file.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// The results, one for each URL; all finite, and within 1e100 of 0.
    pub fn targets(&self) -> &[f64] {
        &self.targets
    }

    /// SHA-256 of the file's bytes, as lower-case hexadecimal digits; of rows from elsewhere see [`DatasetRows::finish`].
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Whether every target is 0 or 1, so that a result is a score between them.
    pub fn is_binary(&self) -> bool {
        self.targets.iter().all(|&target| target == 0.0 || target == 1.0)
    }
}

fn parse_row(record: Fields<'_>, url: usize, result: usize, width: usize) -> Result<(String, f64), String> {
    if record.len() != width {
        return Err(format!("its field count is {}, the header's is {width}", record.len()));
    }
    let text = |index: usize, name: &str| {
        std::str::from_utf8(record.get(index).unwrap_or_default()).map_err(|_| format!("`{name}` is not UTF-8 text"))
    };
    let url = text(url, "url")?;
    if url.is_empty() {
        return Err("`url` is empty".to_owned());
    }
    let result = text(result, "result")?;
    let target: f64 = result.trim().parse().map_err(|_| format!("`result` is `{}`, not a number", Shown(result)))?;
    if !target.is_finite() {
        return Err(format!("`result` is `{}`, not a finite number", Shown(result)));
    }
    if target.abs() > MAX_TARGET {
        return Err(format!("`result` is `{}`, not within {MAX_TARGET:e} of 0", Shown(result)));
    }
    Ok((url.to_owned(), target))
}

/// A field for an error sentence: on one line, and not longer than that line bears.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_CHARS: usize = 40;
        for character in self.0.chars().take(MAX_CHARS).flat_map(char::escape_debug) {
            write!(out, "{character}")?;
        }
        if self.0.chars().nth(MAX_CHARS).is_some() { out.write_str("...") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(text: &[u8]) -> String {
        Dataset::from_csv(text, "data.csv").expect_err("the file is bad").to_string()
    }

    #[test]
    fn columns_come_in_any_order_and_others_are_ignored() {
        let text = b"\xef\xbb\xbfid,result,url\r\n7,0.5,\"http://example.com/a,b\"\r\n8, 1 ,http://example.org/\r\n";
        let data = Dataset::from_csv(text, "data.csv").expect("the file is good");
        assert_eq!(data.urls(), ["http://example.com/a,b", "http://example.org/"]);
        assert_eq!(data.targets(), [0.5, 1.0]);
        assert!(!data.is_binary());
    }

    #[test]
    fn the_digest_is_that_of_the_file() {
        let data = Dataset::from_csv(b"url,result\na,0\n", "data.csv").expect("the file is good");
        // printf 'url,result\na,0\n' | sha256sum
        assert_eq!(data.sha256(), "cd4802eb1df3aae557bf01958db83de804fb00b44dbcdfa8dfc11d2f64eb4b49");
    }

    #[test]
    fn bad_files_are_refused_with_file_line_and_reason() {
        let cases: [(&[u8], &str); 15] = [
            (b"", "data.csv: is empty; a header with `url` and `result` is needed"),
            (b"url,result\n", "data.csv: has a header and no rows"),
            (
                b"http://example.com/,1\n",
                "data.csv: the header has no column `url`; both `url` and `result` are needed",
            ),
            (b"url,score\na,1\n", "data.csv: the header has no column `result`; both `url` and `result` are needed"),
            (b"url,result\na,1\nb,abc\n", "data.csv line 3: `result` is `abc`, not a number"),
            (b"url,result\na,\n", "data.csv line 2: `result` is ``, not a number"),
            (b"url,result\na,NaN\n", "data.csv line 2: `result` is `NaN`, not a finite number"),
            (b"url,result\na,1e999\n", "data.csv line 2: `result` is `1e999`, not a finite number"),
            (b"url,result\na,1e100\nb,-1.1e100\n", "data.csv line 3: `result` is `-1.1e100`, not within 1e100 of 0"),
            (b"url,result\na,1\n,0\n", "data.csv line 3: `url` is empty"),
            (b"url,result\n\xff,1\n", "data.csv line 2: `url` is not UTF-8 text"),
            (b"url,result\na,1,2\n", "data.csv line 2: its field count is 3, the header's is 2"),
            (
                b"url,result\r\na,1\r\nb,\"1\r\nc,0\r\n",
                "data.csv line 3: a quote in the row that begins here is not closed by the end of the file",
            ),
            (b"url,result\n\n\r\na\n", "data.csv line 4: its field count is 1, the header's is 2"),
            (b"url,result\n\"a\nb\",1\nc,\"x\ny\"\n", "data.csv line 4: `result` is `x\\ny`, not a number"),
        ];
        for (text, sentence) in cases {
            assert_eq!(refusal(text), sentence);
        }
    }

    #[test]
    fn a_long_field_does_not_flood_the_message() {
        let text = format!("url,result\na,{}\n", "x".repeat(10_000));
        assert!(refusal(text.as_bytes()).len() < 120);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Dataset::read_csv(Path::new("no-such.csv")).expect_err("there is no such file");
        assert!(error.to_string().starts_with("cannot read no-such.csv: "));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Dataset::from_csv(&[b"url,result\n", &bytes[..]].concat(), "data.csv");
        }
    }
}
