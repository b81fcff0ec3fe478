//! What surrounds every request: its id, one access line, one form for errors that the framework makes itself, and what holds
//! for answers of every route.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};

use super::encode::encode;
use super::error::{ApiError, OwnForm, framework_error};
use super::inference;
use super::provenance::CacheStatus;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_REQUEST_ID_BYTES: usize = 128;

/// The request's id, kept for whoever logs beside the access line.
struct RequestId(HeaderValue);

/// Middleware around all routes.
///
/// # Errors
/// Those of inner middleware; what handlers fail with has become a response before.
pub async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let method = request.method().clone();
    if method == Method::HEAD {
        // As GET; that the request was HEAD is known further out, where the body is left away.
        request.head_mut().method = Method::GET;
    }
    let mut response = next.call(request).await?.map_into_boxed_body();
    let kept = response.request().extensions_mut().remove::<RequestId>();
    let id = kept.map_or_else(|| new_id(response.request().headers()), |RequestId(id)| id);
    let cause_of = |error: &Error| match error.as_error::<ApiError>() {
        Some(error) => error.cause(),
        None => inference::cause(error),
    };
    if let Some(cause) = response.response().error().and_then(cause_of) {
        log::error!(target: "augur::http", request_id = id.to_str().unwrap_or_default(); "request failed: {cause}");
    }
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let kind = response.headers().get(CONTENT_TYPE);
        let has_form = kind.is_some_and(|kind| kind == "application/problem+json")
            || response.response().extensions().contains::<OwnForm>();
        if !has_form {
            response = response.into_response(framework_error(status));
        }
    }
    let cache = response.response().extensions().get::<CacheStatus>().copied();
    log::info!(
        target: "augur::access",
        method = method.as_str(),
        route = response.request().match_pattern().as_deref().unwrap_or("unmatched"),
        status = status.as_u16(),
        duration_ms = started.elapsed().as_micros() as f64 / 1000.0,
        cache = cache.map_or("-", |status| status.log),
        request_id = id.to_str().unwrap_or_default();
        "request"
    );
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    if !headers.contains_key(CACHE_CONTROL) {
        // The table is the truth, and it can change.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    Ok(encode(response))
}

/// The id of a request that is being answered.
pub(super) fn request_id(request: &HttpRequest) -> String {
    let mut extensions = request.extensions_mut();
    if !extensions.contains::<RequestId>() {
        extensions.insert(RequestId(new_id(request.headers())));
    }
    let id = extensions.get().and_then(|RequestId(id)| id.to_str().ok());
    id.unwrap_or_default().to_owned()
}

/// The id that the client sent, where it is sane, or one of ours.
fn new_id(headers: &HeaderMap) -> HeaderValue {
    let sane = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=MAX_REQUEST_ID_BYTES).contains(&bytes.len())
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=".contains(b))
    };
    headers.get(REQUEST_ID).filter(sane).cloned().unwrap_or_else(unique_id)
}

/// Unique across processes by a random prefix and within one by a counter.
fn unique_id() -> HeaderValue {
    static PREFIX: LazyLock<u32> = LazyLock::new(|| RandomState::new().hash_one("request id") as u32);
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut id = *b"00000000-000000000000";
    let (prefix, count) = id.split_at_mut(8);
    write_hex(u64::from(*PREFIX), prefix);
    write_hex(NEXT.fetch_add(1, Ordering::Relaxed), &mut count[1..]);
    HeaderValue::from_bytes(&id).unwrap_or(HeaderValue::from_static("none"))
}

/// The last digits of a number, as many as there is room for. A tenth of what `format!` takes, once a request.
fn write_hex(mut number: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(number & 15) as usize];
        number >>= 4;
    }
}
