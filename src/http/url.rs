//! `POST /url`: a URL in, its stored or predicted result out.

use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Context;
use super::body::{read_json, text_member};
use super::docs::{self, BodyProblems, StoreProblems};
use super::error::ApiError;
use super::guard::may_predict;
use super::provenance;
use crate::domain::{Explanation, Key, Outcome};

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
    /// With `?explain=true`: how the model came to the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    explanation: Option<Explained>,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Explained {
    Sum(Explanation),
    None {
        /// Why there is no explanation: the stored result is not of the model that answers now, or that is not linear.
        #[schema(max_length = 9000)]
        unavailable: String,
    },
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wish {
    /// Whether to tell how the model came to the result.
    explain: Option<bool>,
}

/// The result of a URL
///
/// Looks the URL up in the result table; where it is not there, predicts a result, stores it and returns it.
/// `?explain=true` adds how the model came to it, which changes no result.
#[utoipa::path(
    post,
    path = "/url",
    operation_id = "predict_url",
    tag = "prediction",
    params(Wish),
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
    let explain = wish(request.query_string())?;
    let body = read_json(&request, payload, context.limits.max_body_bytes, deadline).await?;
    let text = text_member(&body, "url", "/url")?;
    let key = Key::parse(&text, context.limits.max_url_bytes).map_err(|e| ApiError::key("/url", &e))?;
    let wanted = explain.then(|| key.clone());
    let answer = context.url.answer(key.clone(), key, deadline).await?;
    let explanation = wanted.map(|key| match context.url.explain(&key, &answer) {
        Ok(explanation) => Explained::Sum(explanation),
        Err(reason) => Explained::None { unavailable: reason.to_string() },
    });
    let mut response = HttpResponse::Ok().json(Reply { result: &answer.outcome, explanation });
    provenance::declare(&mut response, &answer);
    Ok(response)
}

/// Whether an explanation is wished for.
///
/// # Errors
/// 400 where the query does not say it as agreed.
fn wish(query: &str) -> Result<bool, ApiError> {
    // Nearly always there is none: what reads it need not be called.
    if query.is_empty() {
        return Ok(false);
    }
    match Query::<Wish>::from_query(query) {
        Ok(wish) => Ok(wish.explain == Some(true)),
        Err(_) => Err(ApiError::Malformed("The parameter explain must be true or false, once.".to_owned())),
    }
}
