//! What a person or a program reads about this API: the OpenAPI document and Swagger UI, both from inside the binary.

mod inference;
mod links;
mod problems;
mod schemas;
mod security;

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EntityTag, LOCATION};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::OpenApi;
use utoipa_swagger_ui::Config;

use super::error::ApiError;
use super::precondition::{Preconditions, Unmet};
use super::{Context, LimitSettings, classify, health, results, url, urls};
use inference::Inference;
use problems::Everywhere;
pub(super) use problems::{BodyProblems, KeyProblems, Problems, StoreProblems};
pub(super) use schemas::{EXAMPLE_ID, EXAMPLE_URL, picture, url, value};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "augur",
        description = "Looks a URL or a picture up in a result table; where it is not there, a model predicts its result, \
                       which is stored and returned. Everybody gets the first stored value from then on.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "prediction", description = "Look up, else predict and store"),
        (name = "results", description = "What is stored, for people who look at it and correct it"),
        (name = "inference", description = "The Open Inference Protocol, version 2, for its clients"),
        (name = "operations", description = "For supervisors, load balancers and readers of this document"),
    ),
    paths(
        url::predict, urls::predict, classify::predict, results::list, results::create, results::get, results::put,
        results::delete, health::live, health::ready, document,
    ),
    modifiers(&Everywhere),
)]
struct Api;

/// What is served about the API.
pub struct Docs {
    document: Bytes,
    page: Arc<Config<'static>>,
}

impl Docs {
    /// Describes the routes that there are under these settings; `version` is that of the model `url`.
    ///
    /// # Errors
    /// None that a caller could cause: JSON can hold every document.
    pub fn new(
        limits: &LimitSettings,
        has_images: bool,
        require_for_predict: bool,
        version: &str,
    ) -> serde_json::Result<Self> {
        let mut api = Api::openapi();
        if !has_images {
            api.paths.paths.remove("/classify");
        }
        schemas::set_limits(&mut api, limits);
        security::describe(&mut api, require_for_predict);
        links::describe(&mut api);
        let mut document = serde_json::to_value(&api)?;
        Inference { limits, has_images, require_for_predict, version }.describe(&mut document)?;
        let page = Config::from("/openapi.json")
            .display_request_duration(true)
            // The default asks a server on the internet what it thinks of the document.
            .validator_url("none");
        Ok(Self { document: serde_json::to_vec(&document)?.into(), page: Arc::new(page) })
    }
}

/// The OpenAPI document
///
/// OpenAPI 3.1, made from the code of this server.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "operations",
    responses((status = 200, description = "This document", content_type = "application/json", body = Object)),
)]
pub(super) async fn document(context: Data<Context>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(context.docs.document.clone())
}

/// `GET /docs`: where the page is.
pub(super) async fn to_page() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}

/// `GET /docs/{file}`: Swagger UI, one file at a time.
pub(super) async fn page(
    context: Data<Context>,
    request: HttpRequest,
    file: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let preconditions = Preconditions::of(&request)?;
    let file = utoipa_swagger_ui::serve(&file, Arc::clone(&context.docs.page));
    let file = file.map_err(|e| ApiError::internal(anyhow::anyhow!("Swagger UI: {e}")))?.ok_or(ApiError::NotFound)?;
    // The files change with the program only.
    let tag = EntityTag::new_strong(env!("CARGO_PKG_VERSION").to_owned());
    let unmet = preconditions.check(Some(&tag));
    let answer = |status| {
        let mut response = HttpResponse::build(status);
        response.insert_header((CACHE_CONTROL, "no-cache")).insert_header((ETAG, tag));
        response
    };
    match unmet {
        Ok(()) => {
            let file_type = (CONTENT_TYPE, file.content_type);
            Ok(answer(StatusCode::OK).insert_header(file_type).body(file.bytes.into_owned()))
        }
        Err(Unmet::NoneMatch) => Ok(answer(StatusCode::NOT_MODIFIED).finish()),
        Err(Unmet::Match) => Err(ApiError::PreconditionFailed),
    }
}
