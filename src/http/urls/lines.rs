//! Splitting a stream into lines while it arrives, with one line in memory at the most beside what was just read.

use actix_web::web::{Bytes, BytesMut};

/// The splitter.
pub(super) struct Lines {
    max_bytes: usize,
    buffer: BytesMut,
    /// Bytes of the buffer that hold no line break.
    searched: usize,
    /// What comes up to the next line break belongs to a line that was refused.
    skipping: bool,
    ended: bool,
}

/// A line that is not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// Without its line break.
    Text(Bytes),
    /// Longer than the limit; its bytes are dropped.
    TooLong,
}

impl Lines {
    /// Lines of at most `max_bytes` bytes, not counting the line break.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, buffer: BytesMut::new(), searched: 0, skipping: false, ended: false }
    }

    /// Adds what has arrived.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// What has arrived is all: the last line needs no line break.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Whether a line has begun to arrive, once [`next`](Self::next) has none.
    pub(super) fn is_within_one(&self) -> bool {
        self.skipping || !self.buffer.is_empty()
    }

    /// The next line that has arrived whole, or is too long already.
    pub(super) fn next(&mut self) -> Option<Line> {
        loop {
            let Some(at) = memchr::memchr(b'\n', &self.buffer[self.searched..]) else { return self.unfinished() };
            let mut line = self.buffer.split_to(self.searched + at + 1);
            self.searched = 0;
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            line.truncate(line.len() - 1);
            if line.len() > self.max_bytes {
                return Some(Line::TooLong);
            }
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Some(Line::Text(line.freeze()));
            }
        }
    }

    /// What the buffer holds when there is no line break in it.
    fn unfinished(&mut self) -> Option<Line> {
        self.searched = self.buffer.len();
        let too_long = self.buffer.len() > self.max_bytes;
        if !(too_long || self.skipping || self.ended) {
            return None;
        }
        let rest = std::mem::take(&mut self.buffer);
        self.searched = 0;
        if self.skipping {
            None
        } else if too_long {
            self.skipping = true;
            Some(Line::TooLong)
        } else {
            (!rest.iter().all(u8::is_ascii_whitespace)).then(|| Line::Text(rest.freeze()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX_BYTES: usize = 8;

    fn split(chunks: &[&[u8]]) -> Vec<Line> {
        let mut lines = Lines::new(MAX_BYTES);
        let mut found = Vec::new();
        for chunk in chunks {
            lines.push(chunk);
            found.extend(std::iter::from_fn(|| lines.next()));
            assert!(lines.buffer.len() <= MAX_BYTES, "no more than a line stays in memory");
        }
        lines.end();
        found.extend(std::iter::from_fn(|| lines.next()));
        found
    }

    #[test]
    fn blank_lines_are_skipped_and_the_last_needs_no_line_break() {
        let text = |text: &'static str| Line::Text(Bytes::from_static(text.as_bytes()));
        assert_eq!(split(&[b"a\n\n \r\nb\r", b"\n", b"c"]), [text("a"), text("b\r"), text("c")]);
        assert_eq!(split(&[b"12345678\n123456789\nx"]), [text("12345678"), Line::TooLong, text("x")]);
        assert_eq!(split(&[b"1234567890", b"123", b"45\ny\n"]), [Line::TooLong, text("y")]);
        assert_eq!(split(&[b"123456789"]), [Line::TooLong]);
    }

    proptest! {
        #[test]
        fn however_it_is_cut_the_lines_are_the_same(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b' '), any::<u8>()], 0..100),
            cuts in proptest::collection::vec(0_usize..100, 0..10),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            let expected: Vec<Line> = bytes
                .split(|byte| *byte == b'\n')
                .filter(|line| line.len() > MAX_BYTES || !line.iter().all(u8::is_ascii_whitespace))
                .map(|line| match line.len() {
                    0..=MAX_BYTES => Line::Text(Bytes::copy_from_slice(line)),
                    _ => Line::TooLong,
                })
                .collect();
            prop_assert_eq!(split(&chunks), expected);
        }
    }
}
