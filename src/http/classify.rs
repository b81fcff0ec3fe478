//! `POST /classify`: a picture in, its stored or predicted label out.

use std::num::NonZeroU32;
use std::sync::Arc;

use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::{IntoParams, ToSchema};

use super::Context;
use super::docs::{self, BodyProblems, StoreProblems};
use super::error::ApiError;
use super::guard::may_predict;
use super::provenance;
use super::upload::read_image;
use crate::domain::{Outcome, Score};
use crate::service::ImageService;

/// Bytes of uploaded pictures that may be in memory at the same time; who comes then waits before sending.
const ROOM_BYTES: usize = 64 << 20;

/// What `/classify` works with.
pub struct Images {
    /// Answers.
    pub(super) service: ImageService,
    /// A permit for each byte of pictures in memory.
    pub(super) room: Arc<Semaphore>,
}

impl Images {
    /// A service for pictures of at most `max_image_bytes`.
    #[must_use]
    pub fn new(service: ImageService, max_image_bytes: usize) -> Self {
        Self { service, room: Arc::new(Semaphore::new(ROOM_BYTES.max(max_image_bytes))) }
    }
}

/// Body of a request to `/classify`: a form with one file.
#[derive(ToSchema)]
#[schema(as = ClassifyRequest, example = json!({ "image": docs::picture() }))]
#[expect(dead_code, reason = "the body is read as it comes; this is its description")]
struct Request {
    /// The picture: PNG, JPEG, GIF, BMP, WebP or TIFF.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ClassifyReply, example = json!({ "prediction": "7" }))]
struct Reply<'a> {
    #[schema(schema_with = docs::value)]
    prediction: &'a Outcome,
    /// With `?top=n`: the model's scores of its best labels, best first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline, max_items = 1000)]
    scores: Option<Vec<Score>>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wish {
    /// How many of the best labels to tell the model's scores of.
    #[param(value_type = Option<u32>, format = Int64, minimum = 1, maximum = 4294967295_u32, example = 3)]
    top: Option<NonZeroU32>,
}

/// The label of a picture
///
/// Looks the picture's bytes up in the result table; where they are not there, predicts a label, stores it and returns
/// it. `?top=3` adds the scores of the three best labels: always the model's, also where a stored label says otherwise.
#[utoipa::path(
    post,
    path = "/classify",
    operation_id = "classify_image",
    tag = "prediction",
    params(Wish),
    request_body(content = Request, content_type = "multipart/form-data", description = "The picture"),
    responses(
        (status = 200, description = "What is stored for these bytes now", body = Reply),
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
    let images = context.images.as_ref().ok_or(ApiError::NotFound)?;
    let Ok(Query(Wish { top })) = Query::from_query(request.query_string()) else {
        return Err(ApiError::Malformed("The parameter top must be a whole number above 0.".to_owned()));
    };
    let (key, picture) = read_image(&request, payload, context.limits.max_image_bytes, &images.room, deadline).await?;
    let wanted = top.map(|top| (top.get() as usize, Arc::clone(&picture)));
    let answer = images.service.answer(key, picture, deadline).await?;
    let scores = match wanted {
        Some((top, picture)) => Some(images.service.scores(picture, top, deadline).await?),
        None => None,
    };
    let mut response = HttpResponse::Ok().json(Reply { prediction: &answer.outcome, scores });
    provenance::declare(&mut response, &answer);
    Ok(response)
}
