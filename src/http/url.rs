//! `POST /url`: a URL in, its stored or predicted result out.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::Context;
use super::body::{read_json, text_member};
use super::docs::{self, BodyProblems, StoreProblems};
use super::error::ApiError;
use super::guard::may_predict;
use super::provenance;
use crate::domain::{Key, Outcome};

/// Body of a request to `/url`; other members are ignored.
#[derive(ToSchema)]
#[schema(as = UrlRequest, example = json!({ "url": "http://www.example.com/news/2012/a.html" }))]
#[expect(dead_code, reason = "the body is read member by member; this is its description")]
struct Request {
    #[schema(schema_with = docs::url)]
    url: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = UrlReply, example = json!({ "result": 0.93 }))]
struct Reply<'a> {
    #[schema(schema_with = docs::value)]
    result: &'a Outcome,
}

/// The result of a URL
///
/// Looks the URL up in the result table; where it is not there, predicts a result, stores it and returns it.
#[utoipa::path(
    post,
    path = "/url",
    operation_id = "predict_url",
    tag = "prediction",
    request_body(content = Request, description = "The URL"),
    responses(
        (status = 200, description = "What is stored for the URL now", body = Reply),
        BodyProblems,
        StoreProblems,
    ),
)]
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
