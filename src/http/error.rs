//! The only table from failures to status codes. Errors leave as RFC 9457 problem documents with fixed sentences; the
//! cause chain goes to the log, once, with the request's id.

#![warn(clippy::wildcard_enum_match_arm, reason = "a new failure must be given a status, not fall into one")]

use std::borrow::Cow;
use std::fmt;

use actix_web::http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Scope;
use crate::domain::{KeyError, PictureError};
use crate::service::{Rejection, ServiceError};

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

    /// What a 422 is about, and what is wrong with it.
    fn field_error(&self) -> Option<FieldError> {
        let member =
            |pointer: Cow<'static, str>, detail| Some(FieldError { pointer: Some(pointer), parameter: None, detail });
        if let Self::Invalid { pointer, detail } = self {
            member((*pointer).into(), detail.clone())
        } else if let Self::Entry { at, detail } = self {
            member(format!("/urls/{at}").into(), detail.clone())
        } else if let Self::InvalidParameter { parameter, detail } = self {
            Some(FieldError { pointer: None, parameter: Some(parameter), detail: detail.clone() })
        } else if let Self::Service(ServiceError::Rejected(Rejection::ValueDoesNotFit)) = self {
            member("/result".into(), "does not fit the result column".to_owned())
        } else if let Self::Service(ServiceError::Rejected(Rejection::KeyTooLong)) = self {
            member("/url".into(), "is longer than the key column".to_owned())
        } else if let Self::Service(ServiceError::Picture(
            reason @ (PictureError::TooManyPixels { .. } | PictureError::TooMuchMemory),
        )) = self
        {
            member("/image".into(), reason.to_string())
        } else {
            None
        }
    }

    /// A failure of the server's own.
    pub(super) fn internal(cause: anyhow::Error) -> Self {
        Self::Service(ServiceError::Internal(cause.into()))
    }

    /// A wrong parameter of the query, or part of the path.
    pub(super) fn parameter(parameter: &'static str, detail: impl Into<String>) -> Self {
        Self::InvalidParameter { parameter, detail: detail.into() }
    }

    /// What went wrong, in one sentence, for clients that take no more.
    pub(super) fn sentence(&self) -> String {
        if let Self::Entry { at, detail } = self {
            return format!("Element {at} of the input {detail}.");
        }
        match (self.field_error(), self.problem().detail) {
            (Some(FieldError { pointer: Some(place), detail, .. }), _) => format!("{place} {detail}"),
            (_, Some(detail)) => detail,
            (_, None) => self.status_code().to_string(),
        }
    }

    /// The body of the answer.
    pub(super) fn problem(&self) -> Problem {
        let status = self.status_code();
        let (kind, detail) = match self {
            Self::Malformed(reason) => ("about:blank", Some(reason.clone())),
            Self::Unauthorized => {
                ("about:blank", Some("Send a known API key as Authorization: Bearer KEY.".to_owned()))
            }
            Self::Forbidden(scope) => ("about:blank", Some(format!("The API key lacks the scope {scope}."))),
            Self::NoKeys => (
                "about:blank",
                Some("This is closed until the server has API keys: see auth.keys_file and augur keygen.".to_owned()),
            ),
            Self::Exists => ("about:blank", Some("There is a result of this url: PUT replaces it.".to_owned())),
            Self::PreconditionFailed => {
                ("about:blank", Some("The result is not as If-Match or If-None-Match asks for.".to_owned()))
            }
            Self::InvalidParameter { .. } => ("about:blank", Some("A parameter is not valid; see errors.".to_owned())),
            Self::Service(ServiceError::Rejected(Rejection::Conflict)) => {
                ("about:blank", Some("Another row of the table is in the way.".to_owned()))
            }
            Self::Service(ServiceError::Rejected(Rejection::KeyTooLong | Rejection::ValueDoesNotFit)) => {
                ("about:blank", Some("The table cannot hold this; see errors.".to_owned()))
            }
            Self::Unknown(what) => ("about:blank", Some(what.clone())),
            Self::NotFound => ("about:blank", Some("There is nothing at this path.".to_owned())),
            Self::MethodNotAllowed(allow) => ("about:blank", Some(format!("This path takes {allow}."))),
            Self::SlowBody => ("about:blank", Some("The body did not arrive in time.".to_owned())),
            Self::BodyTooLarge(limit) => ("about:blank", Some(format!("The body is over {limit} bytes."))),
            Self::NotJson => ("about:blank", Some("Send the body as Content-Type: application/json.".to_owned())),
            Self::NotBatch => (
                "about:blank",
                Some("Send the body as Content-Type: application/json or application/x-ndjson.".to_owned()),
            ),
            Self::LineTooLarge(limit) => ("about:blank", Some(format!("The line is over {limit} bytes."))),
            Self::Encoded => ("about:blank", Some("Send the body without Content-Encoding.".to_owned())),
            Self::ImageTooLarge(limit) => ("about:blank", Some(format!("The image is over {limit} bytes."))),
            Self::NotMultipart => {
                ("about:blank", Some("Send the image as Content-Type: multipart/form-data.".to_owned()))
            }
            Self::Service(ServiceError::Picture(PictureError::TooManyPixels { .. } | PictureError::TooMuchMemory)) => {
                ("about:blank", Some("The image is too large; see errors.".to_owned()))
            }
            Self::Service(ServiceError::Picture(reason)) => ("about:blank", Some(reason.to_string())),
            Self::Invalid { .. } | Self::Entry { .. } => {
                ("about:blank", Some("A member of the body is not valid; see errors.".to_owned()))
            }
            Self::Service(ServiceError::Overloaded) => {
                ("urn:augur:problem:queue-full", Some("Too many requests are waiting; try again.".to_owned()))
            }
            Self::Service(ServiceError::Unavailable(_) | ServiceError::Rejected(Rejection::NoSpace)) => (
                "urn:augur:problem:store-unavailable",
                Some("The result store is not available; nothing was stored. Try again.".to_owned()),
            ),
            Self::Service(ServiceError::Deadline) => {
                ("urn:augur:problem:deadline", Some("There was no answer in time; try again.".to_owned()))
            }
            Self::Service(ServiceError::Internal(_)) => {
                ("about:blank", Some("The request failed; the server's log says why.".to_owned()))
            }
        };
        let errors = self.field_error().map(|error| [error]);
        let title = status.canonical_reason().unwrap_or("Error");
        Problem { r#type: kind, title, status: status.as_u16(), detail, errors }
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

/// RFC 9457, section 3.1; `errors` is the extension of the RFC's own example.
#[derive(Serialize, ToSchema)]
pub(super) struct Problem {
    /// `about:blank`, or a URN where the status alone does not tell enough.
    #[schema(max_length = 200)]
    r#type: &'static str,
    /// The name of the status.
    #[schema(max_length = 200)]
    title: &'static str,
    /// The status.
    #[schema(format = Int32, minimum = 400, maximum = 599)]
    status: u16,
    /// What went wrong, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    detail: Option<String>,
    /// Which member is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline, max_items = 1, value_type = Option<Vec<FieldError>>)]
    errors: Option<[FieldError; 1]>,
}

/// Either a JSON pointer into the body or the name of a parameter.
#[derive(Serialize, ToSchema)]
struct FieldError {
    /// JSON pointer to the member (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pointer: Option<Cow<'static, str>>,
    /// The name of the parameter of the path, the query or the head.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    parameter: Option<&'static str>,
    /// What is wrong with it.
    #[schema(max_length = 2000)]
    detail: String,
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
            Self::Exists | Self::Service(ServiceError::Rejected(Rejection::Conflict)) => StatusCode::CONFLICT,
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

/// The same form for an error that the framework made itself.
pub(super) fn framework_error(status: StatusCode) -> HttpResponse {
    let title = status.canonical_reason().unwrap_or("Error");
    let problem = Problem { r#type: "about:blank", title, status: status.as_u16(), detail: None, errors: None };
    HttpResponse::build(status).insert_header((CONTENT_TYPE, "application/problem+json")).json(problem)
}
