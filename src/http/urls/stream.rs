//! NDJSON: one `{"url": text}` a line in, one answer a line out, as many lines as the client likes.
//!
//! The body of the request is read by the body of the response: what the client does not read back is not read from it, so
//! that a stream holds one group of lines in memory, however long it is.

use std::convert::Infallible;
use std::time::Instant;

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data, Payload};
use futures_util::{StreamExt, stream};

use super::lines::{Line, Lines};
use super::{Answered, Entry, Tally};
use crate::http::Context;
use crate::http::body::{key, member};
use crate::http::error::ApiError;

pub(super) const NDJSON: &str = "application/x-ndjson";

/// Lines that are looked up together: what has arrived, but not more than keeps a few lanes busy.
const GROUP: usize = 256;

/// A stream under way.
struct Exchange {
    context: Data<Context>,
    /// `None` at its end.
    payload: Option<Payload>,
    lines: Lines,
    /// By when the line that has begun to arrive is to be there; set while more of it is waited for.
    line_by: Option<Instant>,
    tally: Tally,
}

/// Answers the lines of `payload` while it is read.
pub(super) fn respond(context: Data<Context>, payload: Payload, tally: Tally) -> HttpResponse {
    let lines = Lines::new(context.limits.max_body_bytes);
    let exchange = Exchange { context, payload: Some(payload), lines, line_by: None, tally };
    let answers = stream::unfold(exchange, |mut exchange| async move {
        let answers = exchange.next().await?;
        Some((Ok::<_, Infallible>(answers), exchange))
    });
    HttpResponse::Ok().content_type(NDJSON).streaming(answers)
}

impl Exchange {
    /// The next answers; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let group: Vec<Line> = std::iter::from_fn(|| self.lines.next()).take(GROUP).collect();
            if !group.is_empty() {
                self.line_by = None;
                return Some(self.answer(&group).await);
            }
            let payload = self.payload.as_mut()?;
            // Between lines every byte counts as progress; within one, a byte now and then would hold memory for ever.
            let mut by = self.context.deadline();
            if self.lines.is_within_one() {
                by = *self.line_by.get_or_insert(by);
            }
            let failed = match tokio::time::timeout_at(by.into(), payload.next()).await {
                Ok(Some(Ok(chunk))) => {
                    self.lines.push(&chunk);
                    continue;
                }
                Ok(None) => {
                    self.lines.end();
                    self.payload = None;
                    continue;
                }
                Ok(Some(Err(_))) => ApiError::Malformed("The body broke off or is badly framed.".to_owned()),
                Err(_) => ApiError::SlowBody,
            };
            // A line that has not arrived whole is not looked up.
            self.payload = None;
            return Some(self.write(&[Answered { url: None, outcome: Err(failed) }]));
        }
    }

    /// Answers a group. The service's failures are those of its lines; what comes after may fare better.
    async fn answer(&mut self, group: &[Line]) -> Bytes {
        let limits = self.context.limits;
        let entries: Vec<Entry<'_>> = group
            .iter()
            .map(|line| match line {
                Line::Text(line) => entry(line, limits.max_url_bytes),
                Line::TooLong => Entry { url: None, key: Err(ApiError::LineTooLarge(limits.max_body_bytes)) },
            })
            .collect();
        let answered = self.context.answer(entries, self.context.deadline()).await;
        self.write(&answered)
    }

    fn write(&mut self, answered: &[Answered<'_>]) -> Bytes {
        self.tally.count(answered);
        self.tally.log_cause(answered);
        let mut text = Vec::with_capacity(answered.len() * 100);
        for answered in answered {
            // Writing to memory what is always JSON.
            let _ = serde_json::to_writer(&mut text, answered);
            text.push(b'\n');
        }
        text.into()
    }
}

/// What a line asks for.
fn entry(line: &[u8], max_url_bytes: usize) -> Entry<'_> {
    const POINTER: &str = "/url";
    match member(line, "url", POINTER) {
        Ok(url) => {
            let invalid = |detail| ApiError::Invalid { pointer: POINTER, detail };
            let key = key(url, max_url_bytes).map_err(invalid);
            Entry { url: Some(url), key }
        }
        Err(error) => Entry { url: None, key: Err(error) },
    }
}
