//! Compressing what is worth it: answers over 1 KiB, for clients that ask. Small answers are left alone, and so are streams,
//! each line of which must leave at once.

use actix_http::encoding::Encoder;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{AcceptEncoding, CONTENT_TYPE, ContentEncoding, Encoding, Header, HeaderValue, VARY};

const WORTHWHILE_BYTES: u64 = 1024;

/// In the order in which they are chosen where the client likes them equally.
const SUPPORTED: [Encoding; 4] = [
    Encoding::Known(ContentEncoding::Zstd),
    Encoding::Known(ContentEncoding::Brotli),
    Encoding::Known(ContentEncoding::Gzip),
    Encoding::Known(ContentEncoding::Identity),
];

/// Compresses the body as the request's `Accept-Encoding` wishes.
pub(super) fn encode(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    match response.response().body().size() {
        BodySize::Sized(bytes) if bytes > WORTHWHILE_BYTES && is_text(&response) => {}
        _ => return response,
    }
    let accepted = AcceptEncoding::parse(response.request()).ok().and_then(|accept| accept.negotiate(SUPPORTED.iter()));
    let encoding = match accepted {
        Some(Encoding::Known(encoding)) => encoding,
        // What suits nobody is better than nothing (RFC 9110, section 12.5.3).
        Some(Encoding::Unknown(_)) | None => ContentEncoding::Identity,
    };
    response.map_body(|head, body| {
        // The encoder replaces what others have set.
        let vary: Vec<HeaderValue> = head.headers.remove(VARY).collect();
        let body = Encoder::response(encoding, head, body).boxed();
        head.headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        vary.into_iter().for_each(|value| head.headers.append(VARY, value));
        body
    })
}

/// Pictures and archives are compressed already.
fn is_text(response: &ServiceResponse<BoxBody>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/") || ["json", "javascript", "xml"].iter().any(|word| kind.contains(word))
}
