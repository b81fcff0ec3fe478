//! Failures in this protocol's form: the status that they have on every route, and `{"error": text}`.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;

use crate::http::error::{self, ApiError, OwnForm};

/// Longest sentence that is sent: what it repeats of the request may be megabytes.
const MAX_CHARACTERS: usize = 500;

/// A failure of a request to `/v2`.
#[derive(Debug)]
pub(super) struct InferenceError {
    error: ApiError,
    /// The element of the input that is at fault, where it is one.
    element: Option<usize>,
}

#[derive(Serialize)]
struct Body {
    error: String,
}

impl InferenceError {
    /// 404 for a model or a version that is not there.
    pub(super) fn unknown(what: String) -> Self {
        ApiError::Unknown(what).into()
    }

    /// What is wrong with the element `at` of the input.
    pub(super) fn of_element(at: usize, error: ApiError) -> Self {
        Self { error, element: Some(at) }
    }
}

impl<E: Into<ApiError>> From<E> for InferenceError {
    fn from(error: E) -> Self {
        Self { error: error.into(), element: None }
    }
}

impl fmt::Display for InferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl ResponseError for InferenceError {
    fn status_code(&self) -> StatusCode {
        self.error.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        // Headers such as Retry-After and Allow are the same.
        let mut response = HttpResponse::build(self.status_code());
        for (name, value) in self.error.error_response().headers() {
            if name != CONTENT_TYPE {
                response.insert_header((name.clone(), value.clone()));
            }
        }
        let sentence = self.error.sentence();
        let mut error = match self.element {
            Some(at) => format!("Element {at} of the input: {sentence}"),
            None => sentence,
        };
        if let Some((end, _)) = error.char_indices().nth(MAX_CHARACTERS) {
            error.truncate(end);
        }
        let mut response = response.json(Body { error });
        response.extensions_mut().insert(OwnForm);
        response
    }
}

/// The failure behind an error of these routes, for the log.
pub(in crate::http) fn cause(error: &Error) -> Option<String> {
    error.as_error::<InferenceError>().and_then(|error| error.error.cause())
}

/// The answer for every path below `/v2` that has no route.
pub(super) async fn not_found() -> HttpResponse {
    InferenceError::from(ApiError::NotFound).error_response()
}

/// The answer of a path to methods that it has no handler for.
pub(super) fn other_method(request: &HttpRequest, allow: &'static str) -> HttpResponse {
    match error::other_method(request, allow) {
        options if options.status().is_success() => options,
        _ => InferenceError::from(ApiError::MethodNotAllowed(allow)).error_response(),
    }
}
