//! Which web pages may call from a browser: none, unless `server.cors_origins` names their origins.

use actix_cors::Cors;
use actix_web::http::Uri;
use actix_web::http::header::{ETAG, LINK, LOCATION, RETRY_AFTER};
use actix_web::middleware::Condition;

/// What an origin that may call gets told; `"*"` is any. Credentials are never allowed: an API key is a header that a page
/// sets itself.
#[must_use]
pub fn cors(origins: &[String]) -> Condition<Cors> {
    const MAX_AGE_SECONDS: usize = 3600;
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "DELETE"])
        .allow_any_header()
        .expose_headers([
            "cache-status",
            "augur-model",
            "x-request-id",
            "inference-header-content-length",
            LINK.as_str(),
            ETAG.as_str(),
            LOCATION.as_str(),
            RETRY_AFTER.as_str(),
        ])
        .max_age(MAX_AGE_SECONDS)
        // Others are answered as ever, without a word that would let their browser hand the answer on.
        .block_on_origin_mismatch(false);
    // Naming one more would take back that any may.
    let cors = if origins.iter().any(|origin| origin == "*") {
        cors.allow_any_origin().send_wildcard()
    } else {
        origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
    };
    Condition::new(!origins.is_empty(), cors)
}

/// Checks an origin as browsers send it: scheme, host, and a port where it is not the scheme's own.
///
/// # Errors
/// One sentence for the operator.
pub fn check_origin(origin: &str) -> Result<(), String> {
    let is_origin = || {
        let uri: Uri = origin.parse().ok()?;
        let text = format!("{}://{}", uri.scheme_str()?, uri.authority()?);
        Some(text == origin && !origin.contains('@') && !origin.contains(char::is_uppercase))
    };
    if origin == "*" || is_origin() == Some(true) {
        return Ok(());
    }
    Err(format!(
        "server.cors_origins: `{origin}` is no origin as browsers send it, such as \"https://app.example.com\" (no path, no \
         slash at the end), nor \"*\""
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::App;
    use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN};
    use actix_web::test::{TestRequest, call_service, init_service};

    #[actix_web::test]
    async fn any_origin_means_any_wherever_it_stands_among_others() {
        const NAMED: &str = "https://app.example.com";
        for origins in [&["*", NAMED][..], &[NAMED, "*"], &["*", "*"]] {
            let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
            let app = init_service(App::new().wrap(cors(&origins))).await;
            for origin in [NAMED, "https://anywhere.example"] {
                let request = TestRequest::default().insert_header((ORIGIN, origin)).to_request();
                let answer = call_service(&app, request).await;
                let allowed = answer.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN);
                assert_eq!(allowed.and_then(|value| value.to_str().ok()), Some("*"), "{origins:?} {origin}");
            }
        }
    }
}
