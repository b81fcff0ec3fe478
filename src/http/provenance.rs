//! Where an answer comes from, in headers: `Cache-Status` (RFC 9211) and `Augur-Model`. Bodies stay as clients know them.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderName, HeaderValue};

use crate::service::{Answer, Rejection, Source};

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const AUGUR_MODEL: HeaderName = HeaderName::from_static("augur-model");

/// The `Cache-Status` of a response, and the word that the access log has for it.
#[derive(Clone, Copy)]
pub(super) struct CacheStatus {
    header: &'static str,
    pub(super) log: &'static str,
}

impl CacheStatus {
    fn of(answer: &Answer) -> Self {
        let (header, log) = match answer.source {
            Source::Hit => ("augur; hit", "hit"),
            Source::Memory { .. } => ("augur-memory; hit", "memory"),
            Source::Stored if answer.collapsed => ("augur; fwd=miss; stored", "collapsed"),
            Source::Stored => ("augur; fwd=miss; stored", "stored"),
            Source::Renewed => ("augur; fwd=stale; stored", "renewed"),
            Source::StoredByOther => ("augur; fwd=miss; detail=\"stored by another\"", "stored-by-other"),
            Source::NotStored(Rejection::KeyTooLong) => {
                ("augur; fwd=miss; detail=\"not stored: key too long\"", "not-stored")
            }
            Source::NotStored(Rejection::ValueDoesNotFit) => {
                ("augur; fwd=miss; detail=\"not stored: value does not fit\"", "not-stored")
            }
            Source::NotStored(Rejection::AgainstRules) => {
                ("augur; fwd=miss; detail=\"not stored: against the table's rules\"", "not-stored")
            }
            Source::NotStored(Rejection::Conflict) => {
                ("augur; fwd=miss; detail=\"not stored: another row is in the way\"", "not-stored")
            }
            Source::NotStored(Rejection::NoSpace) => ("augur; fwd=miss; detail=\"not stored: no space\"", "not-stored"),
        };
        Self { header, log }
    }
}

/// Sets the headers that say where `answer` comes from.
pub(super) fn declare(response: &mut HttpResponse, answer: &Answer) {
    let status = CacheStatus::of(answer);
    let headers = response.headers_mut();
    let header = HeaderValue::from_static(status.header);
    let header = match answer.source {
        // The cache has a name of its own, since it may be older than the table.
        Source::Memory { ttl_s } => {
            let text = [status.header, "; ttl=", &ttl_s.to_string()].concat();
            HeaderValue::try_from(text).unwrap_or(header)
        }
        // RFC 9211, section 2.6: only what was forwarded can be collapsed, so a shared lookup is a plain hit.
        Source::Hit => header,
        _ if answer.collapsed => HeaderValue::try_from([status.header, "; collapsed"].concat()).unwrap_or(header),
        _ => header,
    };
    headers.insert(CACHE_STATUS, header);
    // A model's name in a foreign row may be anything; what no header can hold is left out.
    if let Some(model) = answer.model.as_deref().and_then(|model| HeaderValue::from_str(model).ok()) {
        headers.insert(AUGUR_MODEL, model);
    }
    response.extensions_mut().insert(status);
}
