//! The HTTP floor: the whole URL table, nothing else.

mod body;
mod classify;
mod cors;
mod docs;
mod encode;
mod error;
mod guard;
mod health;
mod inference;
mod observe;
mod pace;
mod precondition;
mod provenance;
mod results;
mod upload;
mod url;
mod urls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::guard::fn_guard;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{FromRequest, Handler, Resource, Responder, Route};
use serde::Deserialize;

pub use classify::Images;
pub use cors::{check_origin, cors};
pub use docs::Docs;
pub use guard::Access;
pub use observe::observe;

use crate::service::{StoredResults, UrlService};

/// `limits.*`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Longest URL that is looked up, in bytes.
    pub max_url_bytes: usize,
    /// Most entries of one `POST /urls`.
    pub max_batch: usize,
    /// Largest picture, in bytes of its file.
    pub max_image_bytes: usize,
    /// Largest picture, in pixels.
    pub max_image_pixels: u64,
}

/// What the handlers share.
pub struct Context {
    /// Answers `/url`.
    pub url: UrlService,
    /// Answers `/classify`; without it there is no such route.
    pub images: Option<Images>,
    /// What is to be read about the API.
    pub docs: Docs,
    /// Answers `/api/results`.
    pub results: StoredResults,
    /// Who may do what.
    pub access: Access,
    /// Limits of what is read.
    pub limits: LimitSettings,
    /// Time limit of a request, from its head to its answer.
    pub request_timeout: Duration,
}

impl Context {
    fn deadline(&self) -> Instant {
        Instant::now() + self.request_timeout
    }
}

/// Registers every route. Paths and methods that are not here get 404 and 405 in the same form as all errors; [`observe()`]
/// makes HEAD work wherever GET does.
pub fn routes(context: Arc<Context>) -> impl FnOnce(&mut ServiceConfig) {
    move |cfg| {
        // First come, first matched: the busiest first.
        cfg.service(resource("/url", "POST", url::predict));
        if context.images.is_some() {
            cfg.service(resource("/classify", "POST", classify::predict));
        }
        cfg.configure(results::routes)
            .configure(inference::routes)
            .app_data(Data::from(context))
            .service(resource("/openapi.json", "GET", docs::document))
            .service(resource("/docs", "GET", docs::to_page))
            .service(resource("/docs/{file:.*}", "GET", docs::page))
            .service(resource("/urls", "POST", urls::predict))
            .service(resource("/health/live", "GET", health::live))
            .service(resource("/health/ready", "GET", health::ready))
            .default_service(web::to(error::not_found));
    }
}

/// A path and the method that it takes, besides HEAD and OPTIONS.
fn resource<F, Args>(path: &str, method: &'static str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path).route(takes(method).to(handler)).default_service(others(method))
}

/// A route of one method. The framework's guards also note, in memory that each request allocates, what its own 405 would
/// list; here [`others`] answers that.
fn takes(method: &'static str) -> Route {
    web::route().guard(fn_guard(move |request| request.head().method == method))
}

/// What answers the methods of a path that are not in `allow`.
fn others(allow: &'static str) -> Route {
    web::to(move |request| std::future::ready(error::other_method(&request, allow)))
}
