//! `/api/results`: the stored results as a resource, for people who look at them and correct them.

mod described;
mod listing;
mod row;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, LINK, LOCATION};
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::body::{outcome_member, read_json, text_member};
use super::docs::{BodyProblems, KeyProblems, Problems, StoreProblems};
use super::error::ApiError;
use super::guard::require;
use super::precondition::{Preconditions, Unmet};
use super::{Context, others, takes};
use crate::auth::Scope;
use crate::domain::{Key, MANUAL, StoredResult};
use crate::service::{Change, Changed, Rejection, ServiceError};
use described::{Conditions, Correction, Id, NewResult, Parameters};
use listing::Query;
use row::Row;

/// Where the resource is.
const PATH: &str = "/api/results";

/// Registers the resource.
pub(super) fn routes(cfg: &mut ServiceConfig) {
    cfg.service(
        web::resource(PATH)
            .route(takes("GET").to(list))
            .route(takes("POST").to(create))
            .default_service(others("GET, POST")),
    )
    .service(
        web::resource(format!("{PATH}/{{id}}"))
            .route(takes("GET").to(get))
            .route(takes("PUT").to(put))
            .route(takes("DELETE").to(delete))
            .default_service(others("GET, PUT, DELETE")),
    );
}

/// A page of stored results
///
/// In the order of their URLs' bytes. A row that stays is seen exactly once on the way through the pages, whatever comes
/// and goes meanwhile.
#[utoipa::path(
    get,
    path = "/api/results",
    operation_id = "list_results",
    tag = "results",
    params(Parameters),
    responses(
        (
            status = 200,
            description = "The page",
            body = listing::Page,
            headers(("Link" = String, description = "The next page, with `rel=\"next\"`; none on the last page")),
        ),
        KeyProblems,
        Problems<400>,
        Problems<422>,
        StoreProblems,
    ),
    security(("api_key" = ["results:read"])),
)]
pub(super) async fn list(context: Data<Context>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let deadline = context.deadline();
    require(&context, &request, Scope::ResultsRead)?;
    let query = Query::parse(request.query_string())?;
    let mut rows = context.results.list(query.listing_and_one_more(), deadline).await?;
    let next = query.cut(&mut rows);
    let mut response = answer(StatusCode::OK);
    if let Some(next) = &next {
        response.insert_header((LINK, format!("<{next}>; rel=\"next\"")));
    }
    let results: Vec<Row<'_>> = rows.iter().map(Row::of).collect();
    Ok(response.json(listing::Page { results, next }))
}

/// A stored result
#[utoipa::path(
    get,
    path = "/api/results/{id}",
    operation_id = "get_result",
    tag = "results",
    params(Id, Conditions),
    responses(
        (status = 200, description = "The row", body = Row, headers(("ETag" = String, description = "Tag of the row"))),
        (
            status = 304,
            description = "If-None-Match names the row as it is",
            headers(("ETag" = String, description = "Tag of the row")),
        ),
        KeyProblems,
        Problems<400>,
        Problems<404>,
        Problems<412>,
        StoreProblems,
    ),
    security(("api_key" = ["results:read"])),
)]
pub(super) async fn get(
    context: Data<Context>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let deadline = context.deadline();
    require(&context, &request, Scope::ResultsRead)?;
    let preconditions = Preconditions::of(&request)?;
    let key = row::known_key(&id).ok_or(ApiError::NotFound)?;
    let row = context.results.get(key, deadline).await?.ok_or(ApiError::NotFound)?;
    let row = Row::of(&row);
    let tag = row.tag();
    match preconditions.check(Some(&tag)) {
        Ok(()) => Ok(answer(StatusCode::OK).insert_header((ETAG, tag)).json(row)),
        Err(Unmet::NoneMatch) => Ok(answer(StatusCode::NOT_MODIFIED).insert_header((ETAG, tag)).finish()),
        Err(Unmet::Match) => Err(ApiError::PreconditionFailed),
    }
}

/// Make a result
///
/// Makes a row where there is none. Its model is `manual`.
#[utoipa::path(
    post,
    path = "/api/results",
    operation_id = "create_result",
    tag = "results",
    request_body(content = NewResult, description = "The URL and its result"),
    responses(
        (
            status = 201,
            description = "The row as it stands in the table now",
            body = Row,
            headers(
                ("ETag" = String, description = "Tag of the row"),
                ("Location" = String, description = "Where the row is"),
            ),
        ),
        KeyProblems,
        BodyProblems,
        Problems<409>,
        StoreProblems,
    ),
    security(("api_key" = ["results:write"])),
)]
pub(super) async fn create(
    context: Data<Context>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let deadline = context.deadline();
    let by = require(&context, &request, Scope::ResultsWrite)?;
    let body = read_json(&request, payload, context.limits.max_body_bytes, deadline).await?;
    let text = text_member(&body, "url", "/url")?;
    let key = Key::parse(&text, context.limits.max_url_bytes).map_err(|e| ApiError::key("/url", &e))?;
    let outcome = outcome_member(&body, "result", "/result")?;
    let make = move |row: Option<&StoredResult>| match row {
        Some(_) => Change::Keep,
        None => Change::Replace { outcome: outcome.clone(), model: Some(MANUAL.to_owned()) },
    };
    match context.results.change(key, by, make, deadline).await? {
        Changed::Replaced { after, .. } => Ok(written(StatusCode::CREATED, &after)),
        Changed::Kept(_) | Changed::Removed { .. } | Changed::Rejected(_) => Err(ApiError::Exists),
    }
}

/// Correct a result
///
/// Replaces a row, or makes it where there is none. Its model is `manual` from then on.
#[utoipa::path(
    put,
    path = "/api/results/{id}",
    operation_id = "put_result",
    tag = "results",
    params(Id, Conditions),
    request_body(content = Correction, description = "The result"),
    responses(
        (
            status = 200,
            description = "The row was replaced; this is what stands in the table now",
            body = Row,
            headers(("ETag" = String, description = "Tag of the row")),
        ),
        (
            status = 201,
            description = "There was no row; this is what stands in the table now",
            body = Row,
            headers(
                ("ETag" = String, description = "Tag of the row"),
                ("Location" = String, description = "Where the row is"),
            ),
        ),
        KeyProblems,
        BodyProblems,
        Problems<409>,
        Problems<412>,
        StoreProblems,
    ),
    security(("api_key" = ["results:write"])),
)]
pub(super) async fn put(
    context: Data<Context>,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let deadline = context.deadline();
    let by = require(&context, &request, Scope::ResultsWrite)?;
    let preconditions = Preconditions::of(&request)?;
    let key = row::new_key(&id, context.limits.max_url_bytes)?;
    let body = read_json(&request, payload, context.limits.max_body_bytes, deadline).await?;
    let outcome = outcome_member(&body, "result", "/result")?;
    let replace =
        move |row: Option<&StoredResult>| match preconditions.check(row.map(|row| Row::of(row).tag()).as_ref()) {
            Ok(()) => Change::Replace { outcome: outcome.clone(), model: Some(MANUAL.to_owned()) },
            Err(_) => Change::Keep,
        };
    match context.results.change(key, by, replace, deadline).await {
        Ok(Changed::Replaced { before: None, after }) => Ok(written(StatusCode::CREATED, &after)),
        Ok(Changed::Replaced { after, .. }) => Ok(written(StatusCode::OK, &after)),
        Ok(Changed::Kept(_) | Changed::Removed { .. } | Changed::Rejected(_)) => Err(ApiError::PreconditionFailed),
        Err(ServiceError::Rejected(Rejection::KeyTooLong)) => {
            Err(ApiError::parameter("id", "is too long a key for the table"))
        }
        Err(error) => Err(error.into()),
    }
}

/// Forget a result
///
/// The next request for its URL predicts anew.
#[utoipa::path(
    delete,
    path = "/api/results/{id}",
    operation_id = "delete_result",
    tag = "results",
    params(Id, Conditions),
    responses(
        (status = 204, description = "The row is gone"),
        KeyProblems,
        Problems<400>,
        Problems<404>,
        Problems<409>,
        Problems<412>,
        StoreProblems,
    ),
    security(("api_key" = ["results:write"])),
)]
pub(super) async fn delete(
    context: Data<Context>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, ApiError> {
    let deadline = context.deadline();
    let by = require(&context, &request, Scope::ResultsWrite)?;
    let preconditions = Preconditions::of(&request)?;
    let key = row::known_key(&id).ok_or(ApiError::NotFound)?;
    let remove = move |row: Option<&StoredResult>| match row.map(|row| preconditions.check(Some(&Row::of(row).tag()))) {
        Some(Err(_)) => Change::Keep,
        // Where there is no row the answer is 404, whatever the conditions (RFC 9110, section 13.2.1).
        Some(Ok(())) | None => Change::Remove,
    };
    match context.results.change(key, by, remove, deadline).await? {
        Changed::Removed { .. } => Ok(answer(StatusCode::NO_CONTENT).finish()),
        Changed::Kept(None) => Err(ApiError::NotFound),
        Changed::Kept(Some(_)) | Changed::Replaced { .. } | Changed::Rejected(_) => Err(ApiError::PreconditionFailed),
    }
}

/// The answer to what made or replaced a row: the row as it stands in the table now.
fn written(status: StatusCode, row: &StoredResult) -> HttpResponse {
    let row = Row::of(row);
    let mut response = answer(status);
    response.insert_header((ETAG, row.tag()));
    if status == StatusCode::CREATED {
        response.insert_header((LOCATION, format!("{PATH}/{}", row.id)));
    }
    response.json(row)
}

/// No cache that is shared may keep what needs a key, and none may answer without asking.
fn answer(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((CACHE_CONTROL, "private, no-cache"));
    response
}
