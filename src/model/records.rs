//! Records of a CSV file, one at a time, with the line that each begins on and in memory that does not grow with the file.
//!
//! The csv crate's own reader counts lines otherwise (CRLF and blank lines put it out), and holds a record however long it is.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use csv_core::ReadRecordResult;

/// The records of a file.
pub(crate) struct CsvRecords<R> {
    reader: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    parser: csv_core::Reader,
    max_bytes: usize,
    /// Line that the reader stands on, from 1.
    line: u64,
    /// Fields of the record without their quotes, one after the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// A record.
pub(crate) struct CsvRecord<'a> {
    /// Line on which it begins, from 1.
    pub(crate) line: u64,
    /// What it holds; `None` where it is longer than allowed, and was passed over.
    pub(crate) fields: Option<Fields<'a>>,
}

/// Fields of a record.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    text: &'a [u8],
    ends: &'a [usize],
}

/// Why there are no more records though the file goes on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// A quote is not closed.
    #[error("a quote in the row that begins here is not closed by the end of the file")]
    OpenAtEnd {
        /// Line on which the record begins, from 1.
        line: u64,
    },
    /// A record of several lines is so long that a quote must have been forgotten.
    #[error("a quote in the row that begins here is not closed within {max_bytes} bytes")]
    OpenTooLong {
        /// Line on which the record begins, from 1.
        line: u64,
        /// Longest record.
        max_bytes: usize,
    },
}

impl<'a> Fields<'a> {
    /// How many there are.
    pub(crate) fn len(self) -> usize {
        self.ends.len()
    }

    /// The field at a place, from 0.
    pub(crate) fn get(self, place: usize) -> Option<&'a [u8]> {
        let start = if place == 0 { 0 } else { *self.ends.get(place - 1)? };
        self.text.get(start..*self.ends.get(place)?)
    }

    /// Place of the first field that holds this text.
    pub(crate) fn position(self, text: &[u8]) -> Option<usize> {
        (0..self.len()).find(|&place| self.get(place) == Some(text))
    }
}

impl<R: Read> CsvRecords<R> {
    /// Reads records of at most `max_bytes` bytes, quotes included. A byte order mark is passed over.
    ///
    /// # Errors
    /// As the system says.
    pub(crate) fn new(mut reader: R, max_bytes: usize) -> io::Result<Self> {
        let mut head = Vec::new();
        reader.by_ref().take(3).read_to_end(&mut head)?;
        if head == b"\xef\xbb\xbf" {
            head.clear();
        }
        Ok(Self {
            reader: BufReader::with_capacity(1 << 16, Cursor::new(head).chain(reader)),
            parser: csv_core::Reader::new(),
            max_bytes,
            line: 1,
            text: vec![0; 1 << 10],
            ends: vec![0; 1 << 4],
        })
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// Where the file cannot be read, or a quote is not closed: what comes after it is nobody's guess.
    pub(crate) fn next(&mut self) -> Result<Option<CsvRecord<'_>>, RecordError> {
        self.skip_blank_lines()?;
        let (line, max_bytes) = (self.line, self.max_bytes);
        let (mut bytes, mut inner_lines, mut text, mut fields) = (0_usize, 0, 0, 0);
        let is_too_long = loop {
            let buffer = self.reader.fill_buf()?;
            let is_end = buffer.is_empty();
            if is_end && bytes == 0 {
                return Ok(None);
            }
            // The end of the file ends a line, but no quote.
            let input = if is_end { b"\n" } else { buffer };
            let (result, read, written, ended) =
                self.parser.read_record(input, &mut self.text[text..], &mut self.ends[fields..]);
            let is_record = matches!(result, ReadRecordResult::Record);
            // What ends the record is no part of it.
            let (own, end) = input[..read].split_at(read - usize::from(is_record && read > 0));
            bytes += own.len();
            inner_lines += memchr::memchr_iter(b'\n', own).count() as u64;
            let lines = inner_lines + u64::from(end == b"\n");
            (text, fields) = (text + written, fields + ended);
            if !is_end {
                self.reader.consume(read);
            }
            let is_too_long = bytes > max_bytes;
            if is_too_long && inner_lines > 0 {
                return Err(RecordError::OpenTooLong { line, max_bytes });
            }
            match result {
                ReadRecordResult::Record => {
                    self.line += lines;
                    break is_too_long;
                }
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::InputEmpty if is_end => return Err(RecordError::OpenAtEnd { line }),
                // Of what is too long, nothing is kept.
                _ if is_too_long => (text, fields) = (0, 0),
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                ReadRecordResult::InputEmpty => {}
            }
        };
        let whole = Fields { text: &self.text[..text], ends: &self.ends[..fields] };
        Ok(Some(CsvRecord { line, fields: (!is_too_long).then_some(whole) }))
    }

    fn skip_blank_lines(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let blank = buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.line += memchr::memchr_iter(b'\n', &buffer[..blank]).count() as u64;
            let is_over = blank < buffer.len() || buffer.is_empty();
            self.reader.consume(blank);
            if is_over {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives one byte a call.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    /// Line and fields of a record.
    type Found = (u64, Option<Vec<Vec<u8>>>);

    /// All records, and how it ended.
    fn all(reader: impl Read, max_bytes: usize) -> (Vec<Found>, Option<String>) {
        let mut records = CsvRecords::new(reader, max_bytes).expect("memory can be read");
        let mut found = Vec::new();
        loop {
            match records.next() {
                Ok(Some(CsvRecord { line, fields })) => {
                    let fields =
                        fields.map(|it| (0..it.len()).filter_map(|at| it.get(at)).map(<[u8]>::to_vec).collect());
                    found.push((line, fields));
                }
                Ok(None) => return (found, None),
                Err(error) => return (found, Some(error.to_string())),
            }
        }
    }

    fn lines(text: &str, max_bytes: usize) -> Vec<(u64, bool)> {
        let (found, error) = all(text.as_bytes(), max_bytes);
        assert_eq!(error, None, "{text:?}");
        found.into_iter().map(|(line, fields)| (line, fields.is_some())).collect()
    }

    #[test]
    fn lines_are_those_of_an_editor() {
        assert_eq!(lines("h\na\nb", 9), [(1, true), (2, true), (3, true)]);
        assert_eq!(lines("h\r\na\r\nb\r\n", 9), [(1, true), (2, true), (3, true)]);
        assert_eq!(lines("\u{feff}\n\nh\n\n\r\na\r\n\r\n\nb", 9), [(3, true), (6, true), (9, true)]);
        assert_eq!(lines("h\n\"a\nb\r\nc\",1\r\n\nd", 20), [(1, true), (2, true), (6, true)]);
    }

    #[test]
    fn what_is_too_long_is_passed_over_unless_a_quote_swallows_lines() {
        assert_eq!(lines("12345\n123456\n1", 5), [(1, true), (2, false), (3, true)]);
        assert_eq!(lines(&format!("a\n{}\nb", "x,".repeat(100_000)), 5), [(1, true), (2, false), (3, true)]);
        let (found, error) = all(b"a\n\"b\nccccccccc\"\nd".as_slice(), 5);
        assert_eq!(found.len(), 1);
        assert!(error.expect("a refusal").ends_with("not closed within 5 bytes"));
        let (found, error) = all(b"a\nb,\"c\nd\n".as_slice(), 100);
        assert_eq!(found.len(), 1);
        assert!(error.expect("a refusal").ends_with("not closed by the end of the file"));
    }

    proptest! {
        #[test]
        fn fields_are_those_of_the_csv_crate_however_the_bytes_come(text in "[ab\",\r\n]{0,40}", max_bytes in 1..50_usize) {
            let (found, error) = all(text.as_bytes(), usize::MAX);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let expected: Vec<Vec<Vec<u8>>> = reader
                .byte_records()
                .map(|record| record.expect("memory can be read").iter().map(<[u8]>::to_vec).collect())
                .collect();
            let fields: Vec<_> = found.iter().filter_map(|(_, fields)| fields.clone()).collect();
            // The csv crate takes an open quote for closed.
            let whole = expected.len() - usize::from(error.is_some());
            prop_assert_eq!(&fields[..], &expected[..whole]);
            prop_assert_eq!(all(Slow(text.as_bytes()), max_bytes), all(text.as_bytes(), max_bytes));
        }
    }
}
