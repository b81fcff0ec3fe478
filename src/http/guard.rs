//! Who may do what: looks at `Authorization: Bearer KEY`.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

use super::Context;
use super::error::ApiError;
use crate::auth::{Holder, Keys, Scope};

/// The keys, and what needs one.
#[derive(Clone, Default)]
pub struct Access {
    /// `None`: there is no keys file, and what needs a key is closed.
    pub keys: Option<Arc<Keys>>,
    /// Whether predictions need a key.
    pub require_for_predict: bool,
}

/// Asks for a key with this scope.
///
/// # Errors
/// 401 without a known key, 403 where it lacks the scope, and where there are no keys at all.
pub(super) fn require(context: &Context, request: &HttpRequest, scope: Scope) -> Result<Holder, ApiError> {
    let keys = context.access.keys.as_ref().ok_or(ApiError::NoKeys)?;
    let holder = bearer(request).and_then(|key| keys.holder(key)).ok_or(ApiError::Unauthorized)?;
    if holder.may(scope) { Ok(holder) } else { Err(ApiError::Forbidden(scope)) }
}

/// Asks for a key that may predict, where predictions need one.
///
/// # Errors
/// As [`require`].
pub(super) fn may_predict(context: &Context, request: &HttpRequest) -> Result<(), ApiError> {
    if context.access.require_for_predict {
        require(context, request, Scope::Predict)?;
    }
    Ok(())
}

/// The key that a request brings; none where it brings several.
fn bearer(request: &HttpRequest) -> Option<&str> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| key.trim())
}
