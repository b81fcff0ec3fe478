//! Reading a JSON body: its type, its size, its time, and its members one at a time.

use std::borrow::Cow;
use std::fmt;
use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::{Stream, StreamExt};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::ApiError;
use super::pace::fell_behind;
use crate::domain::{Key, Outcome};

/// Longest text that a result may be: where Oracle's VARCHAR2 ends.
const MAX_RESULT_BYTES: usize = 4000;

/// Reads the body of a request that must be JSON: at most `max_bytes`, until `deadline`.
///
/// # Errors
/// 415 for another type or a compressed body, 413 for a longer body, 408 for a slower one, 400 for a broken one.
pub(super) async fn read_json(
    request: &HttpRequest,
    payload: Payload,
    max_bytes: usize,
    deadline: Instant,
) -> Result<Bytes, ApiError> {
    if !is_json(request) {
        return Err(ApiError::NotJson);
    }
    read_bytes(request, payload, max_bytes, deadline).await
}

/// Reads a body of whatever type: at most `max_bytes`, until `deadline`.
///
/// # Errors
/// As [`read_json`].
pub(super) async fn read_bytes(
    request: &HttpRequest,
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    max_bytes: usize,
    deadline: Instant,
) -> Result<Bytes, ApiError> {
    refuse_encoded(request)?;
    if declared_bytes(request).is_some_and(|length| length > max_bytes) {
        return Err(ApiError::BodyTooLarge(max_bytes));
    }
    tokio::time::timeout_at(deadline.into(), collect(payload, max_bytes)).await.unwrap_or(Err(ApiError::SlowBody))
}

async fn collect(
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    max_bytes: usize,
) -> Result<Bytes, ApiError> {
    let read = |chunk: Result<Bytes, PayloadError>| {
        chunk.map_err(|error| match error {
            PayloadError::Overflow => ApiError::BodyTooLarge(max_bytes),
            error if fell_behind(&error) => ApiError::SlowBody,
            _ => ApiError::Malformed("The body broke off or is badly framed.".to_owned()),
        })
    };
    let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
    let first = read(first)?;
    let Some(second) = payload.next().await else {
        // Nearly always the body is one chunk, which is then used as it is.
        return if first.len() > max_bytes { Err(ApiError::BodyTooLarge(max_bytes)) } else { Ok(first) };
    };
    let mut body = BytesMut::from(first);
    let mut chunk = read(second)?;
    loop {
        if body.len() + chunk.len() > max_bytes {
            return Err(ApiError::BodyTooLarge(max_bytes));
        }
        body.extend_from_slice(&chunk);
        match payload.next().await {
            Some(next) => chunk = read(next)?,
            None => return Ok(body.freeze()),
        }
    }
}

/// `application/json` or any `+json` type, whatever its parameters and case (RFC 6838, section 4.2.8).
fn is_json(request: &HttpRequest) -> bool {
    const SUFFIX: &str = "+json";
    let has_suffix = |essence: &str| {
        let Some((kind, subtype)) = essence.split_once('/') else { return false };
        let suffix = subtype.len().checked_sub(SUFFIX.len()).and_then(|at| subtype.get(at..));
        !kind.is_empty() && suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(SUFFIX))
    };
    let essence = media_type(request);
    essence.eq_ignore_ascii_case("application/json") || has_suffix(essence)
}

/// What the body claims to be, without parameters and in the case in which it was sent; empty where it says nothing.
pub(super) fn media_type(request: &HttpRequest) -> &str {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// How long the body claims to be.
pub(super) fn declared_bytes(request: &HttpRequest) -> Option<usize> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// # Errors
/// 415 for a compressed body: what it grows to is nothing a limit on its bytes would bound.
pub(super) fn refuse_encoded(request: &HttpRequest) -> Result<(), ApiError> {
    let mut codings = request.headers().get_all(CONTENT_ENCODING);
    let is_plain = codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_plain { Ok(()) } else { Err(ApiError::Encoded) }
}

/// The text member `name` of a JSON object; other members are skipped, whatever they hold.
///
/// # Errors
/// Those of [`member`]; 422 where the member is no text.
pub(super) fn text_member<'a>(
    body: &'a [u8],
    name: &'static str,
    pointer: &'static str,
) -> Result<Cow<'a, str>, ApiError> {
    text(member(body, name, pointer)?).map_err(|detail| invalid(pointer, detail))
}

/// The member `name` of a JSON object as something that a result table can hold.
///
/// # Errors
/// As [`member`], and 422 where it is neither a number, nor a string, nor null, or beyond all columns.
pub(super) fn outcome_member(body: &[u8], name: &'static str, pointer: &'static str) -> Result<Outcome, ApiError> {
    let raw = member(body, name, pointer)?;
    match raw.get().as_bytes().first() {
        Some(b'n') => Ok(Outcome::Null),
        Some(b'"') => {
            let text = text(raw).map_err(|detail| invalid(pointer, detail))?;
            if text.len() > MAX_RESULT_BYTES {
                return Err(invalid(pointer, "is over 4000 bytes"));
            }
            Ok(Outcome::Text(text.into_owned()))
        }
        Some(b'-' | b'0'..=b'9') => Outcome::decimal(raw.get()).ok_or_else(|| invalid(pointer, "is out of range")),
        _ => Err(invalid(pointer, "must be a number, a string or null")),
    }
}

fn invalid(pointer: &'static str, detail: &str) -> ApiError {
    ApiError::Invalid { pointer, detail: detail.to_owned() }
}

/// The member `name` of a JSON object as it was written.
///
/// # Errors
/// 400 where the body is empty, not UTF-8, not JSON or repeats the member; 422 where it is no object, or the member is
/// missing.
pub(super) fn member<'a>(body: &'a [u8], name: &'static str, pointer: &'static str) -> Result<&'a RawValue, ApiError> {
    if body.is_empty() {
        return Err(ApiError::Malformed("The body is empty.".to_owned()));
    }
    let text = std::str::from_utf8(body).map_err(|e| ApiError::Malformed(format!("The body is not UTF-8: {e}.")))?;
    let mut json = serde_json::Deserializer::from_str(text);
    // What is no object is skipped as it stands: as a value, a number that no float holds would be no JSON.
    let found = if text.trim_start().starts_with('{') {
        json.deserialize_map(Member { name })
    } else {
        IgnoredAny::deserialize(&mut json).map(|_| Found::NoObject)
    };
    let found = found
        .and_then(|found| json.end().map(|()| found))
        .map_err(|e| ApiError::Malformed(format!("The body cannot be read as JSON: {e}.")))?;
    match found {
        Found::Raw(raw) => Ok(raw),
        Found::Missing => Err(invalid(pointer, "is missing")),
        Found::NoObject => Err(invalid("", "must be a JSON object")),
    }
}

/// A JSON string's text.
///
/// # Errors
/// What is wrong with a value that is none.
fn text(raw: &RawValue) -> Result<Cow<'_, str>, &'static str> {
    if !raw.get().starts_with('"') {
        return Err("must be a string");
    }
    // What is left to fail are escapes of surrogates that have no pair.
    let text: Text<'_> = serde_json::from_str(raw.get()).map_err(|_| "holds an unpaired surrogate")?;
    Ok(text.0)
}

/// The key that a JSON string names.
///
/// # Errors
/// What is wrong with it, or with a value that is no string.
pub(super) fn key(raw: &RawValue, max_bytes: usize) -> Result<Key, String> {
    Key::parse(&text(raw)?, max_bytes).map_err(|e| e.to_string())
}

/// Borrowed where nothing is escaped: serde only does so for a field that says it.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

enum Found<'a> {
    Raw(&'a RawValue),
    Missing,
    NoObject,
}

/// Walks a JSON object once, keeping one member and skipping all else without building it.
struct Member {
    name: &'static str,
}

impl<'de> Visitor<'de> for Member {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Found::Missing;
        while let Some(name) = map.next_key::<Text<'_>>()? {
            if name.0 != self.name {
                map.next_value::<IgnoredAny>()?;
            } else if matches!(found, Found::Raw(_)) {
                return Err(A::Error::duplicate_field(self.name));
            } else {
                found = Found::Raw(map.next_value()?);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(body: &str) -> Result<String, String> {
        text_member(body.as_bytes(), "url", "/url").map(Cow::into_owned).map_err(|error| match error {
            ApiError::Malformed(_) => "400".to_owned(),
            ApiError::Invalid { pointer, detail } => format!("422 {pointer} {detail}"),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn the_member_is_found_among_whatever_else_is_there() {
        assert_eq!(url(r#"{"url":"http://a"}"#), Ok("http://a".into()));
        assert_eq!(url(r#" {"a":1e999,"b":[{"url":2}],"url":"\u00e4\n","c":"\ud800"} "#), Ok("ä\n".into()));
        let deep = format!("{{\"x\":{}{},\"url\":\"u\"}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(url(&deep), Ok("u".into()));
    }

    #[test]
    fn what_is_not_as_agreed_is_told_apart() {
        for malformed in [
            "",
            " ",
            "{",
            "{'url':1}",
            r#"{"url":"a"} x"#,
            r#"{"url":"a","url":"a"}"#,
            "\u{feff}{}",
            "[1",
            "1e",
            "-",
            "nul",
            "\"a",
            "\"\\x\"",
            "1 2",
            "1e999,",
            "}",
        ] {
            assert_eq!(url(malformed), Err("400".into()), "{malformed}");
        }
        for no_object in
            ["[]", "[1,{}]", "\"url\"", "1", "-1", "1.5", "true", "null", "1e999", "-1E+999", " \"\\ud800\" "]
        {
            assert_eq!(url(no_object), Err("422  must be a JSON object".into()), "{no_object}");
        }
        for no_text in ["1", "1e999", "null", "true", "[\"a\"]", "{}"] {
            assert_eq!(url(&format!("{{\"url\":{no_text}}}")), Err("422 /url must be a string".into()), "{no_text}");
        }
        assert_eq!(url(r#"{"URL":"a"}"#), Err("422 /url is missing".into()));
        assert_eq!(url(r#"{"url":"\ud800"}"#), Err("422 /url holds an unpaired surrogate".into()));
    }

    #[test]
    fn a_result_is_a_number_a_text_or_null() {
        let result = |raw: &str| outcome_member(format!("{{\"result\":{raw}}}").as_bytes(), "result", "/result");
        for (raw, expected) in [
            ("null", Outcome::Null),
            ("\"a\\n\"", Outcome::Text("a\n".into())),
            ("0", Outcome::integer(0)),
            ("-7", Outcome::integer(-7)),
            ("1.0", Outcome::float(1.0)),
            ("1e3", Outcome::float(1000.0)),
            ("-0.0", Outcome::float(0.0)),
            ("1000000000000000000000000000000000000000", Outcome::float(1e39)),
        ] {
            assert_eq!(result(raw).ok(), Some(expected), "{raw}");
        }
        let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
        assert!(result(&long(4000)).is_ok());
        assert!(result(&long(4001)).is_err());
        for raw in ["true", "[1]", "{}", "1e999", "-1e999", "\"\\ud800\""] {
            assert!(matches!(result(raw), Err(ApiError::Invalid { pointer: "/result", .. })), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_was_sent(text in any::<String>()) {
            let body = serde_json::json!({ "before": [text], "url": text }).to_string();
            prop_assert_eq!(url(&body), Ok(text));
        }

        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = text_member(&body, "url", "/url");
        }
    }
}
