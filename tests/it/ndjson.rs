//! A client of `POST /urls` with NDJSON that decides itself when it sends and when it reads.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::app::App;

/// Sends the request's head; the rest is up to the test.
pub(crate) fn open(app: &App) -> (Sender, Answers) {
    let mut socket = app.connect();
    socket.set_nodelay(true).unwrap();
    let head =
        "POST /urls HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    let reader = BufReader::with_capacity(1 << 16, socket.try_clone().unwrap());
    (Sender { socket }, Answers { reader, in_body: false, left: 0 })
}

/// The sending half.
pub(crate) struct Sender {
    pub(crate) socket: TcpStream,
}

impl Sender {
    /// Sends text as one chunk.
    pub(crate) fn send(&mut self, text: impl AsRef<[u8]>) {
        self.try_send(text).unwrap();
    }

    pub(crate) fn try_send(&mut self, text: impl AsRef<[u8]>) -> std::io::Result<()> {
        let text = text.as_ref();
        let mut chunk = format!("{:x}\r\n", text.len()).into_bytes();
        chunk.extend_from_slice(text);
        chunk.extend_from_slice(b"\r\n");
        self.socket.write_all(&chunk)
    }

    pub(crate) fn finish(mut self) {
        self.socket.write_all(b"0\r\n\r\n").unwrap();
    }
}

/// The reading half.
pub(crate) struct Answers {
    reader: BufReader<TcpStream>,
    in_body: bool,
    /// Bytes of the current chunk that have not been read.
    left: usize,
}

impl Answers {
    /// The next answer; `None` at the proper end of the body.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let line = self.next_line()?;
        Some(serde_json::from_slice(&line).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&line))))
    }

    /// The same as it was written.
    pub(crate) fn next_line(&mut self) -> Option<Vec<u8>> {
        if !self.in_body {
            self.read_head();
        }
        let mut line = Vec::new();
        loop {
            if self.left == 0 && !self.next_chunk() {
                assert!(line.is_empty(), "the last line is whole");
                return None;
            }
            let buffer = self.reader.fill_buf().unwrap();
            assert!(!buffer.is_empty(), "the body broke off");
            let there = &buffer[..buffer.len().min(self.left)];
            let taken = there.iter().position(|byte| *byte == b'\n').map_or(there.len(), |at| at + 1);
            line.extend_from_slice(&there[..taken]);
            self.reader.consume(taken);
            self.left -= taken;
            if self.left == 0 {
                assert_eq!(self.crlf_line(), "");
            }
            if line.ends_with(b"\n") {
                return Some(line);
            }
        }
    }

    fn read_head(&mut self) {
        let head: Vec<String> =
            std::iter::repeat_with(|| self.crlf_line()).take_while(|line| !line.is_empty()).collect();
        assert_eq!(head[0], "HTTP/1.1 200 OK", "{head:?}");
        assert!(head.iter().any(|line| line.eq_ignore_ascii_case("content-type: application/x-ndjson")), "{head:?}");
        self.in_body = true;
    }

    /// `false` at the end of the body.
    fn next_chunk(&mut self) -> bool {
        self.left = usize::from_str_radix(&self.crlf_line(), 16).unwrap();
        if self.left == 0 {
            assert_eq!(self.crlf_line(), "");
        }
        self.left > 0
    }

    fn crlf_line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        assert!(line.ends_with("\r\n"), "broke off at {line:?}");
        line.trim_end().to_owned()
    }

    /// Waits until the server has closed the connection.
    pub(crate) fn assert_closed(mut self) {
        let mut rest = Vec::new();
        // A reset is an end as well.
        let _ = self.reader.read_to_end(&mut rest);
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
}
