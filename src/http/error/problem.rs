//! What failures say: RFC 9457 problem documents with fixed sentences.

#![warn(clippy::wildcard_enum_match_arm, reason = "a new failure must be given a sentence, not fall into one")]

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;
use crate::domain::PictureError;
use crate::service::{Rejection, ServiceError};

impl ApiError {
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

    /// What went wrong, in one sentence, for clients that take no more.
    pub(in crate::http) fn sentence(&self) -> String {
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
    pub(in crate::http) fn problem(&self) -> Problem {
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
                ("about:blank", Some("What is there is not as If-Match or If-None-Match asks for.".to_owned()))
            }
            Self::InvalidParameter { .. } => ("about:blank", Some("A parameter is not valid; see errors.".to_owned())),
            Self::Service(ServiceError::Rejected(Rejection::Conflict)) => {
                ("about:blank", Some("Another row of the table is in the way.".to_owned()))
            }
            Self::Service(ServiceError::Rejected(Rejection::AgainstRules)) => (
                "about:blank",
                Some("The table's own rules refuse this: a constraint, a trigger or a policy.".to_owned()),
            ),
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
            // Whether anything was stored is not known of a commit whose connection was lost.
            Self::Service(ServiceError::Unavailable(_)) => (
                "urn:augur:problem:store-unavailable",
                Some("The result store is not available; try again.".to_owned()),
            ),
            Self::Service(ServiceError::Rejected(Rejection::NoSpace)) => (
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
}

/// RFC 9457, section 3.1; `errors` is the extension of the RFC's own example.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Problem {
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

/// The same form for an error that the framework made itself.
pub(in crate::http) fn framework_error(status: StatusCode) -> HttpResponse {
    let title = status.canonical_reason().unwrap_or("Error");
    let problem = Problem { r#type: "about:blank", title, status: status.as_u16(), detail: None, errors: None };
    HttpResponse::build(status).insert_header((CONTENT_TYPE, "application/problem+json")).json(problem)
}
