//! Bodies of requests and answers, for the document: they are read and written piece by piece.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::docs;
use crate::http::error::Problem;

/// An answer as NDJSON.
pub(super) fn lines() -> &'static str {
    r#"{"url":"http://www.example.com/","result":0.93}
{"url":"","error":{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"A member of the body is not valid; see errors.","errors":[{"pointer":"/url","detail":"must not be empty"}]}}
"#
}

/// Body of a request to `/urls`; other members are ignored.
#[derive(ToSchema)]
#[schema(example = json!({ "urls": ["http://www.example.com/", "http://www.example.org/"] }))]
#[expect(dead_code, reason = "a description")]
pub(super) struct Batch {
    #[schema(schema_with = urls)]
    urls: Vec<String>,
}

/// URLs; how many is written into the document at run time.
fn urls() -> utoipa::openapi::schema::Array {
    utoipa::openapi::schema::ArrayBuilder::new().items(docs::url()).build()
}

/// Answer of `/urls`.
#[derive(ToSchema)]
#[schema(example = json!({ "results": [
    { "url": "http://www.example.com/", "result": 0.93 },
    { "url": "http://www.example.org/", "result": 0.25 }
] }))]
#[expect(dead_code, reason = "a description")]
pub(super) struct Answers {
    results: Vec<UrlAnswer>,
}

/// A URL, as it was sent, and what became of it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "a description")]
enum UrlAnswer {
    Answered {
        url: Value,
        #[schema(schema_with = docs::value)]
        result: f64,
    },
    Failed {
        url: Value,
        error: Problem,
    },
}
