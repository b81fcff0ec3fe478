//! How the document tells of errors: one reusable response for each status, named by the routes that answer with it.

use std::collections::BTreeMap;

use actix_web::ResponseError;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Header, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{IntoResponses, Modify, PartialSchema};

use crate::auth::Scope;
use crate::http::error::{ApiError, Problem};
use crate::service::ServiceError;

/// Reusable responses: name, description, and a failure that has this status, which is the example.
fn problems() -> [(&'static str, &'static str, ApiError); 13] {
    let missing = ApiError::Invalid { pointer: "/url", detail: "is missing".to_owned() };
    let empty = ApiError::Malformed("The body is empty.".to_owned());
    let internal = ApiError::internal(anyhow::anyhow!("only the log says it"));
    [
        ("BadRequest", "The request cannot be read as what it claims to be", empty),
        ("Unauthorized", "No API key, or one that is not known", ApiError::Unauthorized),
        (
            "Forbidden",
            "The API key lacks the scope, or there are no API keys",
            ApiError::Forbidden(Scope::ResultsWrite),
        ),
        ("NotFound", "There is nothing here", ApiError::NotFound),
        ("MethodNotAllowed", "The path does not take this method", ApiError::MethodNotAllowed("POST")),
        (
            "RequestTimeout",
            "The body did not arrive in time, or a picture's came too slowly for that",
            ApiError::SlowBody,
        ),
        (
            "Conflict",
            "The key has a result already, or the table's own rules or another row refuse the change",
            ApiError::Exists,
        ),
        ("PreconditionFailed", "If-Match or If-None-Match does not hold", ApiError::PreconditionFailed),
        ("PayloadTooLarge", "The body is over its limit", ApiError::BodyTooLarge(4 << 20)),
        ("UnsupportedMediaType", "The body has the wrong type", ApiError::NotJson),
        ("Unprocessable", "A member or parameter is not valid", missing),
        ("Internal", "The server failed; its log says why", internal),
        ("Unavailable", "Too much work, or no result store; try again", ServiceError::Deadline.into()),
    ]
}

/// Operations whose answers say where they come from.
const LOOKED_UP: [&str; 2] = ["predict_url", "classify_image"];

fn references(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    problems()
        .into_iter()
        .map(|(name, _, error)| (error.status_code().as_u16(), name))
        .filter(|(status, _)| statuses.contains(status))
        .map(|(status, name)| (status.to_string(), Ref::from_response_name(name).into()))
        .collect()
}

/// What can be wrong with a body, be it JSON or a form with a picture.
pub(in crate::http) struct BodyProblems;

impl IntoResponses for BodyProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(&[400, 408, 413, 415, 422])
    }
}

/// What can be wrong with an API key.
pub(in crate::http) struct KeyProblems;

impl IntoResponses for KeyProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        key_problems()
    }
}

pub(super) fn key_problems() -> BTreeMap<String, RefOr<Response>> {
    references(&[401, 403])
}

/// The problem with this status.
pub(in crate::http) struct Problems<const STATUS: u16>;

impl<const STATUS: u16> IntoResponses for Problems<STATUS> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(&[STATUS])
    }
}

/// What can be wrong with the server and its store.
pub(in crate::http) struct StoreProblems;

impl IntoResponses for StoreProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        references(&[500, 503])
    }
}

/// The headers of an answer that was looked up or predicted.
fn provenance() -> [(String, RefOr<Header>); 2] {
    [
        ("Cache-Status", "Where the answer comes from (RFC 9211): `augur; hit`, `augur; fwd=miss; stored`, `augur-memory; hit; ttl=9`, ..."),
        ("Augur-Model", "`name@version` of the model that made it, where known"),
    ]
    .map(|(name, description)| (name.to_owned(), header(description, 400).into()))
}

/// Adds the reusable responses, and the header that every response has.
pub(super) struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        components.schemas.insert("Problem".to_owned(), Problem::schema());
        for (name, description, error) in problems() {
            components.responses.insert(name.to_owned(), response(description, &error).into());
        }
        for item in api.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                for response in operation.responses.responses.values_mut() {
                    if let RefOr::T(response) = response {
                        response.headers.values_mut().for_each(bound);
                        response.headers.insert("X-Request-Id".to_owned(), request_id().into());
                        if LOOKED_UP.contains(&operation.operation_id.as_deref().unwrap_or_default()) {
                            response.headers.extend(provenance());
                        }
                    }
                }
            }
        }
    }
}

fn response(description: &str, error: &ApiError) -> Response {
    // Nothing in it is what JSON cannot hold.
    let example = serde_json::to_value(error.problem()).ok();
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).example(example).build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .header("X-Request-Id", request_id());
    response = match error.status_code().as_u16() {
        401 => response.header("WWW-Authenticate", header("The scheme to use: Bearer", 200)),
        405 => response.header("Allow", header("The methods that the path takes", 100)),
        503 => response.header("Retry-After", header("Seconds to wait", 10)),
        _ => response,
    };
    response.build()
}

/// Says of a header how long it is at the most: a URL's id three times over, and some.
fn bound(header: &mut RefOr<Header>) {
    if let RefOr::T(Header { schema: Some(RefOr::T(Schema::Object(text))), .. }) = header {
        text.max_length = text.max_length.or(Some(40_000));
    }
}

fn request_id() -> Header {
    header("The id under which the server's log knows the request; echoed if sent", 128)
}

fn header(description: &str, max_length: usize) -> Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).max_length(Some(max_length));
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}
