//! `POST /url`: a URL in, its stored or predicted result out.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::Context;
use super::body::{read_json, text_member};
use super::error::ApiError;
use super::guard::may_predict;
use super::provenance;
use crate::domain::{Key, Outcome};

#[derive(Serialize)]
struct Reply<'a> {
    result: &'a Outcome,
}

/// Handles `POST /url {"url": text}`.
pub(super) async fn predict(
    context: Data<Context>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let deadline = context.deadline();
    may_predict(&context, &request)?;
    let body = read_json(&request, payload, context.limits.max_body_bytes, deadline).await?;
    let text = text_member(&body, "url", "/url")?;
    let key = Key::parse(&text, context.limits.max_url_bytes).map_err(|e| ApiError::key("/url", &e))?;
    let answer = context.url.answer(key.clone(), key, deadline).await?;
    let mut response = HttpResponse::Ok().json(Reply { result: &answer.outcome });
    provenance::declare(&mut response, &answer);
    Ok(response)
}
