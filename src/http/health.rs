//! `GET /health/live` and `GET /health/ready`, for supervisors and load balancers.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::Context;
use super::docs::StoreProblems;
use super::error::ApiError;

#[derive(Serialize, ToSchema)]
struct Health {
    /// `live` or `ready`.
    #[schema(max_length = 5)]
    status: &'static str,
}

/// Whether the process lives
///
/// Answers as long as the process can answer at all: no I/O.
#[utoipa::path(
    get,
    path = "/health/live",
    operation_id = "live",
    tag = "operations",
    responses((status = 200, description = "It does", body = Health, example = json!({ "status": "live" }))),
)]
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "live" })
}

/// Whether requests can be served
///
/// Answers 200 while they can: the model is loaded (or there would be no server) and the store answers.
#[utoipa::path(
    get,
    path = "/health/ready",
    operation_id = "ready",
    tag = "operations",
    responses(
        (status = 200, description = "They can", body = Health, example = json!({ "status": "ready" })),
        StoreProblems,
    ),
)]
pub(super) async fn ready(context: Data<Context>) -> Result<HttpResponse, ApiError> {
    context.url.ready(context.deadline()).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ready" }))
}
