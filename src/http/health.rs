//! `GET /health/live` and `GET /health/ready`, for supervisors and load balancers.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;

use super::Context;
use super::error::ApiError;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// Answers as long as the process can answer at all: no I/O.
pub(super) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "live" })
}

/// Answers 200 while requests can be served: the model is loaded (or there would be no server) and the store answers.
pub(super) async fn ready(context: Data<Context>) -> Result<HttpResponse, ApiError> {
    context.url.ready(context.deadline()).await?;
    Ok(HttpResponse::Ok().json(Health { status: "ready" }))
}
