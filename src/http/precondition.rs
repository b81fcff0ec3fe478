//! `If-Match` and `If-None-Match` (RFC 9110, section 13).

use actix_web::HttpRequest;
use actix_web::http::header::{EntityTag, Header, IF_MATCH, IF_NONE_MATCH, IfMatch, IfNoneMatch};

use super::error::ApiError;

/// Longest list of tags that is read.
const MAX_BYTES: usize = 4000;

/// What a request makes its being done depend on.
pub(super) struct Preconditions {
    if_match: Option<IfMatch>,
    if_none_match: Option<IfNoneMatch>,
}

/// Which precondition does not hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unmet {
    /// The representation is not (or no longer) the one that `If-Match` names.
    Match,
    /// The representation is one that `If-None-Match` names.
    NoneMatch,
}

impl Preconditions {
    /// Reads the headers. A tag that is none matches nothing.
    ///
    /// # Errors
    /// 400 where a header is not text, or too long.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let headers = request.headers();
        for name in [IF_MATCH, IF_NONE_MATCH] {
            if headers.get(&name).is_some_and(|value| value.len() > MAX_BYTES) {
                return Err(ApiError::Malformed(format!("The header {name} is over {MAX_BYTES} bytes.")));
            }
        }
        let broken = |name: &str| ApiError::Malformed(format!("The header {name} cannot be read."));
        let if_match = headers.contains_key(IF_MATCH).then(|| IfMatch::parse(request)).transpose();
        let if_none_match = headers.contains_key(IF_NONE_MATCH).then(|| IfNoneMatch::parse(request)).transpose();
        Ok(Self {
            if_match: if_match.map_err(|_| broken("If-Match"))?,
            if_none_match: if_none_match.map_err(|_| broken("If-None-Match"))?,
        })
    }

    /// Compares them with the tag of what is there now; `None` where there is nothing.
    ///
    /// # Errors
    /// The one that does not hold.
    pub(super) fn check(&self, current: Option<&EntityTag>) -> Result<(), Unmet> {
        let matches = match (&self.if_match, current) {
            (None, _) | (Some(IfMatch::Any), Some(_)) => true,
            (Some(IfMatch::Items(tags)), Some(current)) => tags.iter().any(|tag| tag.strong_eq(current)),
            (Some(_), None) => false,
        };
        if !matches {
            return Err(Unmet::Match);
        }
        match (&self.if_none_match, current) {
            (Some(IfNoneMatch::Any), Some(_)) => Err(Unmet::NoneMatch),
            (Some(IfNoneMatch::Items(tags)), Some(current)) if tags.iter().any(|tag| tag.weak_eq(current)) => {
                Err(Unmet::NoneMatch)
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn check(header: (&'static str, &'static str), current: Option<&str>) -> Result<(), Unmet> {
        let request = TestRequest::default().insert_header(header).to_http_request();
        let current = current.map(|tag| EntityTag::new_strong(tag.to_owned()));
        Preconditions::of(&request).expect("readable").check(current.as_ref())
    }

    #[test]
    fn if_match_wants_the_very_same_tag() {
        assert_eq!(check(("if-match", "\"a\""), Some("a")), Ok(()));
        assert_eq!(check(("if-match", "\"x\", \"a\""), Some("a")), Ok(()));
        assert_eq!(check(("if-match", "*"), Some("a")), Ok(()));
        for other in ["\"b\"", "W/\"a\"", "a", ""] {
            assert_eq!(check(("if-match", other), Some("a")), Err(Unmet::Match), "{other}");
        }
        for any in ["*", "\"a\""] {
            assert_eq!(check(("if-match", any), None), Err(Unmet::Match), "{any}");
        }
    }

    #[test]
    fn a_list_of_tags_without_end_is_refused() {
        for name in ["if-match", "if-none-match"] {
            let of = |bytes: usize| {
                let request = TestRequest::default().insert_header((name, "x".repeat(bytes))).to_http_request();
                Preconditions::of(&request).map(|_| ())
            };
            assert!(of(MAX_BYTES).is_ok());
            assert!(matches!(of(MAX_BYTES + 1), Err(ApiError::Malformed(reason)) if reason.contains(name)));
        }
    }

    #[test]
    fn if_none_match_wants_another_tag_or_nothing() {
        for same in ["*", "\"a\"", "W/\"a\"", "\"x\", \"a\""] {
            assert_eq!(check(("if-none-match", same), Some("a")), Err(Unmet::NoneMatch), "{same}");
            assert_eq!(check(("if-none-match", same), None), Ok(()), "{same}");
        }
        assert_eq!(check(("if-none-match", "\"b\""), Some("a")), Ok(()));
    }
}
