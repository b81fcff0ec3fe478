//! `POST /classify`: a picture in, its stored or predicted label out.

use std::num::NonZeroUsize;
use std::sync::Arc;

use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::Context;
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

#[derive(Serialize)]
struct Reply<'a> {
    prediction: &'a Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Vec<Score>>,
}

#[derive(Deserialize)]
struct Wish {
    /// How many of the best labels to tell the model's scores of.
    top: Option<NonZeroUsize>,
}

/// Handles `POST /classify`, with the picture in the file field `image`; `?top=3` adds the scores of the three best
/// labels. Those are always the model's, also where a stored label says otherwise.
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
    let wanted = top.map(|top| (top.get(), Arc::clone(&picture)));
    let answer = images.service.answer(key, picture, deadline).await?;
    let scores = match wanted {
        Some((top, picture)) => Some(images.service.scores(picture, top, deadline).await?),
        None => None,
    };
    let mut response = HttpResponse::Ok().json(Reply { prediction: &answer.outcome, scores });
    provenance::declare(&mut response, &answer);
    Ok(response)
}
