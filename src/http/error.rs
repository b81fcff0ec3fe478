//! The only table from failures to status codes. Errors leave as RFC 9457 problem documents with fixed sentences; the
//! cause chain goes to the log, once, with the request's id.

#![warn(clippy::wildcard_enum_match_arm, reason = "a new failure must be given a status, not fall into one")]

mod problem;

use std::fmt;

use actix_web::http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use crate::auth::Scope;
use crate::domain::{KeyError, PictureError};
use crate::service::{Rejection, ServiceError};
pub(super) use problem::{Problem, framework_error};

/// What went wrong with a request, one variant for each form of answer.
#[derive(Debug)]
pub(super) enum ApiError {
    /// 400: the body cannot be read as what it claims to be.
    Malformed(String),
    /// 401: no API key, or none that is known.
    Unauthorized,
    /// 403: the key is not good for this.
    Forbidden(Scope),
    /// 403: there are no keys, so what needs one is closed.
    NoKeys,
    /// 404
    NotFound,
    /// 404, and what is not there.
    Unknown(String),
    /// 405, with the methods that are allowed besides HEAD and OPTIONS, as in "GET, PUT".
    MethodNotAllowed(&'static str),
    /// 408: the body did not arrive in time.
    SlowBody,
    /// 409: what was to be made is there.
    Exists,
    /// 412: a precondition does not hold.
    PreconditionFailed,
    /// 413, with the limit in bytes.
    BodyTooLarge(usize),
    /// 413, with the limit in bytes.
    ImageTooLarge(usize),
    /// 415: neither `application/json` nor `+json`.
    NotJson,
    /// 415: neither that nor NDJSON.
    NotBatch,
    /// 415: not `multipart/form-data`.
    NotMultipart,
    /// 415: with a `Content-Encoding`.
    Encoded,
    /// 413: a line of a stream, with the limit in bytes.
    LineTooLarge(usize),
    /// 422: an entry of a batch is no key.
    Entry {
        /// Its place.
        at: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// 422: readable, but a member is wrong.
    Invalid {
        /// JSON pointer to the member.
        pointer: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// 422: a parameter of the query, or a part of the path, is wrong.
    InvalidParameter {
        /// Its name.
        parameter: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// As the service says: 503, 500, or what is wrong with a picture.
    Service(ServiceError),
}

impl ApiError {
    /// The cause chain of a 500, for the log alone.
    pub(super) fn cause(&self) -> Option<String> {
        if let Self::Service(ServiceError::Internal(cause)) = self { Some(format!("{cause:#}")) } else { None }
    }

    /// A failure of the server's own.
    pub(super) fn internal(cause: anyhow::Error) -> Self {
        Self::Service(ServiceError::Internal(cause.into()))
    }

    /// A wrong parameter of the query, or part of the path.
    pub(super) fn parameter(parameter: &'static str, detail: impl Into<String>) -> Self {
        Self::InvalidParameter { parameter, detail: detail.into() }
    }

    /// A key in the member at `pointer` that is none.
    pub(super) fn key(pointer: &'static str, error: &KeyError) -> Self {
        Self::Invalid { pointer, detail: error.to_string() }
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// Seconds after which a client may try again: outages end or become alarms, queues drain at once.
const RETRY_AFTER_SECONDS: &str = "1";

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::NoKeys => StatusCode::FORBIDDEN,
            Self::NotFound | Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Exists | Self::Service(ServiceError::Rejected(Rejection::Conflict | Rejection::AgainstRules)) => {
                StatusCode::CONFLICT
            }
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge(_) | Self::LineTooLarge(_) | Self::ImageTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson
            | Self::NotBatch
            | Self::NotMultipart
            | Self::Encoded
            | Self::Service(ServiceError::Picture(PictureError::Undecodable(_))) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid { .. }
            | Self::InvalidParameter { .. }
            | Self::Service(ServiceError::Rejected(Rejection::KeyTooLong | Rejection::ValueDoesNotFit))
            | Self::Entry { .. }
            | Self::Service(ServiceError::Picture(PictureError::TooManyPixels { .. } | PictureError::TooMuchMemory)) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Service(
                ServiceError::Unavailable(_)
                | ServiceError::Overloaded
                | ServiceError::Deadline
                | ServiceError::Rejected(Rejection::NoSpace),
            ) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Service(ServiceError::Internal(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        if let Self::MethodNotAllowed(allow) = self {
            response.insert_header((ALLOW, allow_header(allow)));
        }
        if let Self::Encoded = self {
            // RFC 9110, section 12.5.3: what would have been taken.
            response.insert_header((ACCEPT_ENCODING, "identity"));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS));
        }
        response.json(self.problem())
    }
}

/// The answer for every path that has no route.
pub(super) async fn not_found() -> HttpResponse {
    ApiError::NotFound.error_response()
}

/// The answer of a path to methods other than those in `allow`.
pub(super) fn other_method(request: &HttpRequest, allow: &'static str) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return HttpResponse::NoContent().insert_header((ALLOW, allow_header(allow))).finish();
    }
    ApiError::MethodNotAllowed(allow).error_response()
}

/// The methods of a path, with those that come by themselves.
fn allow_header(allow: &str) -> String {
    let head = if allow.split(", ").any(|method| method == "GET") { ", HEAD" } else { "" };
    format!("{allow}{head}, OPTIONS")
}

/// Marks a response whose errors have another form than that of problem documents.
pub(super) struct OwnForm;
