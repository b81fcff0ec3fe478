//! `POST /urls`: many URLs in one request, each answered as `POST /url` would, in the order in which they were sent. A JSON
//! batch is answered as a whole; NDJSON is answered while it is read.

mod described;
mod lines;
mod stream;

use std::fmt;
use std::time::Instant;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::value::RawValue;

use super::Context;
use super::body::{key, media_type, member, read_json, refuse_encoded};
use super::docs::{BodyProblems, StoreProblems};
use super::error::ApiError;
use super::guard::may_predict;
use super::observe::request_id;
use crate::domain::{Key, Outcome};
use crate::service::ServiceError;
use described::{Answers, Batch, lines};

/// The results of many URLs
///
/// Each URL is answered as `/url` would, in the order in which they are sent. An entry fails alone: in place of `result` it
/// has `error`, the problem that `/url` would have answered.
///
/// A JSON batch is answered as a whole. NDJSON, `{"url": text}` a line, is answered line by line while it is read and may have
/// any number of lines: read while you send.
#[utoipa::path(
    post,
    path = "/urls",
    operation_id = "predict_urls",
    tag = "prediction",
    request_body(
        description = "The URLs, as one JSON object or as one a line",
        content(
            (Batch = "application/json"),
            ("application/x-ndjson", example = "{\"url\": \"http://www.example.com/\"}\n{\"url\": \"\"}\n"),
        ),
    ),
    responses(
        (
            status = 200,
            description = "What is stored for each URL now, or why there is nothing",
            content(
                (Answers = "application/json"),
                ("application/x-ndjson", example = lines),
            ),
        ),
        BodyProblems,
        StoreProblems,
    ),
)]
pub(super) async fn predict(
    context: Data<Context>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    may_predict(&context, &request)?;
    let mut tally = Tally::new(&request);
    if media_type(&request).eq_ignore_ascii_case(stream::NDJSON) {
        refuse_encoded(&request)?;
        return Ok(stream::respond(context, payload, tally));
    }
    let deadline = context.deadline();
    let body = read_json(&request, payload, context.limits.max_body_bytes, deadline).await;
    let body = body.map_err(|error| if matches!(error, ApiError::NotJson) { ApiError::NotBatch } else { error })?;
    let entries = batch(&body, context.limits.max_batch, context.limits.max_url_bytes)?;
    let results = context.answer(entries, deadline).await;
    tally.count(&results);
    // An outage is one: whoever watches status codes sees it, and `Retry-After` says when to come back.
    if !results.iter().any(|result| result.outcome.is_ok())
        && let Some(error) = results.iter().find_map(Answered::service_error)
    {
        return Err(error.clone().into());
    }
    tally.log_cause(&results);
    Ok(HttpResponse::Ok().json(Reply { results: &results }))
}

#[derive(serde::Serialize)]
struct Reply<'a> {
    results: &'a [Answered<'a>],
}

/// One URL of many.
struct Entry<'a> {
    /// As it was sent; what is no text as well.
    url: Option<&'a RawValue>,
    key: Result<Key, ApiError>,
}

/// What became of it.
struct Answered<'a> {
    url: Option<&'a RawValue>,
    outcome: Result<Outcome, ApiError>,
}

impl Answered<'_> {
    fn service_error(&self) -> Option<&ServiceError> {
        if let Err(ApiError::Service(error)) = &self.outcome { Some(error) } else { None }
    }
}

impl Serialize for Answered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Answered", 2)?;
        object.serialize_field("url", &self.url)?;
        match &self.outcome {
            Ok(outcome) => object.serialize_field("result", outcome)?,
            Err(error) => object.serialize_field("error", &error.problem())?,
        }
        object.end()
    }
}

impl Context {
    /// Answers in the order of `entries`; one that is no key, or that the service fails for, fails alone.
    async fn answer<'a>(&self, entries: Vec<Entry<'a>>, deadline: Instant) -> Vec<Answered<'a>> {
        let keys: Vec<(Key, Key)> =
            entries.iter().filter_map(|entry| entry.key.as_ref().ok()).map(|key| (key.clone(), key.clone())).collect();
        let count = keys.len();
        let answers = self.url.answer_many(keys, deadline).await;
        let mut answers = answers.unwrap_or_else(|error| vec![Err(error); count]).into_iter();
        entries
            .into_iter()
            .map(|Entry { url, key }| {
                let answer = key.and_then(|_| Ok(answers.next().unwrap_or(Err(ServiceError::Deadline))?));
                Answered { url, outcome: answer.map(|answer| answer.outcome) }
            })
            .collect()
    }
}

/// What the log says of a batch or stream at its end, also when the client leaves before.
struct Tally {
    request_id: String,
    entries: u64,
    failed: u64,
}

impl Tally {
    fn new(request: &HttpRequest) -> Self {
        Self { request_id: request_id(request), entries: 0, failed: 0 }
    }

    fn count(&mut self, answered: &[Answered<'_>]) {
        self.entries += answered.len() as u64;
        self.failed += answered.iter().filter(|answered| answered.outcome.is_err()).count() as u64;
    }

    /// Logs why entries fail with 500. One reason is enough: what breaks a lane's batch fails all of it.
    fn log_cause(&self, answered: &[Answered<'_>]) {
        let errors = answered.iter().filter_map(|answered| answered.outcome.as_ref().err());
        if let Some(cause) = errors.filter_map(ApiError::cause).next() {
            log::error!(target: "augur::http", request_id = self.request_id; "an entry failed: {cause}");
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        log::info!(
            target: "augur::access",
            entries = self.entries, failed = self.failed, request_id = self.request_id;
            "batch"
        );
    }
}

/// The entries of `{"urls": [...]}`.
///
/// # Errors
/// Those of [`member`]; 422 where `urls` is no array or has more than `max_entries`.
fn batch(body: &[u8], max_entries: usize, max_url_bytes: usize) -> Result<Vec<Entry<'_>>, ApiError> {
    const POINTER: &str = "/urls";
    let invalid = |detail: String| ApiError::Invalid { pointer: POINTER, detail };
    let raw = member(body, "urls", POINTER)?;
    if !raw.get().starts_with('[') {
        return Err(invalid("must be an array".to_owned()));
    }
    let urls = serde_json::Deserializer::from_str(raw.get())
        .deserialize_seq(Urls { max_entries })
        .map_err(|e| ApiError::Malformed(format!("The body cannot be read as JSON: {e}.")))?
        .ok_or_else(|| invalid(format!("has more than {max_entries} entries; send more as application/x-ndjson")))?;
    let entry = |(at, url)| {
        let key = key(url, max_url_bytes).map_err(|detail| ApiError::Entry { at, detail });
        Entry { url: Some(url), key }
    };
    Ok(urls.into_iter().enumerate().map(entry).collect())
}

/// Collects an array's elements as they were written; `None` where there are too many.
struct Urls {
    max_entries: usize,
}

impl<'de> Visitor<'de> for Urls {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut urls = Vec::new();
        while urls.len() < self.max_entries {
            match seq.next_element()? {
                Some(url) => urls.push(url),
                None => return Ok(Some(urls)),
            }
        }
        let mut fits = true;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            fits = false;
        }
        Ok(fits.then_some(urls))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_batch_of_up_to_the_limit_is_read() {
        let count = |body: &str| batch(body.as_bytes(), 3, 10).map(|entries| entries.len());
        assert_eq!(count(r#"{"urls":[]}"#).ok(), Some(0));
        assert_eq!(count(r#"{"x":1,"urls":["a",2,{"b":[]}]}"#).ok(), Some(3));
        for refused in [r#"{"urls":["a","a","a","a"]}"#, r#"{"urls":"a"}"#, r#"{"urls":{}}"#, "{}"] {
            assert!(matches!(count(refused), Err(ApiError::Invalid { pointer: "/urls", .. })), "{refused}");
        }
        for malformed in ["", r#"{"urls":["a",]}"#, r#"{"urls":["a"],"urls":[]}"#, r#"{"urls":["a""#] {
            assert!(matches!(count(malformed), Err(ApiError::Malformed(_))), "{malformed}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_an_entry_in_its_place(urls in proptest::collection::vec(any::<String>(), 0..20)) {
            let body = serde_json::json!({ "before": urls, "urls": urls }).to_string();
            let entries = batch(body.as_bytes(), 20, 100).expect("a batch");
            prop_assert_eq!(entries.len(), urls.len());
            for (at, (entry, url)) in entries.iter().zip(&urls).enumerate() {
                match (&entry.key, Key::parse(url, 100)) {
                    (Ok(key), Ok(expected)) => prop_assert_eq!(key, &expected),
                    (Err(ApiError::Entry { at: told, .. }), Err(_)) => prop_assert_eq!(*told, at),
                    other => prop_assert!(false, "{:?}", other),
                }
                let echoed: String = serde_json::from_str(entry.url.expect("as sent").get()).expect("a text");
                prop_assert_eq!(&echoed, url);
            }
        }

        #[test]
        fn no_bytes_make_it_panic(body in "\\{?\"urls\":\\[?[\"a\\\\u0-9,:{}\\[\\]]{0,40}\\]?\\}?") {
            let _ = batch(body.as_bytes(), 5, 100);
        }
    }
}
