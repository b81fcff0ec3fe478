//! The Open Inference Protocol, version 2 (<https://github.com/kserve/open-inference-protocol>), for clients such as
//! `tritonclient`: the same lookup-then-predict as `/url` and `/classify`, a batch a request.
//!
//! Model `url` takes an input `url` and gives an output `result`; model `image` takes `image` and gives `prediction`.

mod error;
mod reply;
mod request;
mod statistics;
mod tensor;

use std::sync::Arc;

use actix_web::web::{self, Bytes, Data, Path, Payload, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder};
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use super::body::read_bytes;
use super::classify::Images;
use super::error::ApiError;
use super::guard::may_predict;
use super::upload::{OVERHEAD_BYTES, admitted, fitted};
use super::{Context, takes};
use crate::domain::{Key, ModelVersion, Picture};
use crate::service::{Answer, ServiceError};
use error::InferenceError;
pub(super) use error::cause;
use reply::Signature;
use request::InferRequest;

/// Model `url`: numbers, one for each URL.
const URL: Signature = Signature { model: "url", input: "url", output: "result", datatype: "FP64" };
/// Model `image`: labels, one for each picture.
const IMAGE: Signature = Signature { model: "image", input: "image", output: "prediction", datatype: "BYTES" };

/// Registers the routes; those of a model that is not there do not exist.
pub(super) fn routes(cfg: &mut ServiceConfig) {
    cfg.service(resource("/v2", "GET", reply::server))
        .service(resource("/v2/health/live", "GET", reply::live))
        .service(resource("/v2/health/ready", "GET", ready));
    for path in ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"] {
        cfg.service(resource(path, "GET", metadata))
            .service(resource(&format!("{path}/ready"), "GET", model_ready))
            .service(resource(&format!("{path}/stats"), "GET", statistics::of_model))
            .service(resource(&format!("{path}/infer"), "POST", infer));
    }
    cfg.service(web::resource("/v2/{rest:.*}").default_service(web::to(error::not_found)));
}

/// As [`super::resource`], with errors in the protocol's form.
fn resource<F, Args>(path: &str, method: &'static str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let others = web::to(move |request| std::future::ready(error::other_method(&request, method)));
    web::resource(path).route(takes(method).to(handler)).default_service(others)
}

/// The model that a path names, and its version if it names that, too.
#[derive(serde::Deserialize)]
struct Target {
    model: String,
    version: Option<String>,
}

/// A model that is there.
enum Model<'a> {
    Url,
    Image(&'a Images),
}

impl Target {
    /// # Errors
    /// 404 where there is no such model, or the version is not the live one.
    fn find<'a>(&self, context: &'a Context) -> Result<(Model<'a>, Signature, ModelVersion), InferenceError> {
        let (model, signature, version) = match (self.model.as_str(), &context.images) {
            ("url", _) => (Model::Url, URL, context.url.model()),
            ("image", Some(images)) => (Model::Image(images), IMAGE, images.service.model()),
            _ => return Err(InferenceError::unknown(format!("There is no model {:?}.", self.model))),
        };
        match &self.version {
            Some(asked) if asked != version.version() => Err(InferenceError::unknown(format!(
                "The model {} has the version {:?}, and no other.",
                signature.model,
                version.version()
            ))),
            _ => Ok((model, signature, version)),
        }
    }
}

async fn ready(context: Data<Context>) -> Result<HttpResponse, InferenceError> {
    context.url.ready(context.deadline()).await.map_err(ApiError::from)?;
    Ok(reply::yes())
}

async fn model_ready(context: Data<Context>, target: Path<Target>) -> Result<HttpResponse, InferenceError> {
    match target.find(&context)?.0 {
        Model::Url => context.url.ready(context.deadline()).await,
        Model::Image(images) => images.service.ready(context.deadline()).await,
    }
    .map_err(ApiError::from)?;
    Ok(reply::yes())
}

async fn metadata(context: Data<Context>, target: Path<Target>) -> Result<HttpResponse, InferenceError> {
    let (_, signature, version) = target.find(&context)?;
    Ok(reply::metadata(&signature, &version))
}

/// `POST /v2/models/{model}/infer`: every element of the input is looked up, else predicted and stored. One that cannot be
/// answered fails the request: the protocol knows no partial answers.
async fn infer(
    context: Data<Context>,
    request: HttpRequest,
    target: Path<Target>,
    payload: Payload,
) -> Result<HttpResponse, InferenceError> {
    let deadline = context.deadline();
    may_predict(&context, &request)?;
    let (model, signature, version) = target.find(&context)?;
    let max_entries = context.limits.max_batch;
    match model {
        Model::Url => {
            let body = read_bytes(&request, payload, context.limits.max_body_bytes, deadline).await?;
            let asked = InferRequest::parse(&request, &body, &signature, max_entries)?;
            let mut entries = Vec::new();
            for (at, text) in asked.texts()?.into_iter().enumerate() {
                let key = Key::parse(&text, context.limits.max_url_bytes)
                    .map_err(|e| ApiError::Entry { at, detail: e.to_string() })?;
                entries.push((key.clone(), key));
            }
            let answers = whole(context.url.answer_many(entries, deadline).await?)?;
            Ok(reply::numbers(&asked, &signature, &version, &answers)?)
        }
        Model::Image(images) => {
            let max_bytes = context.limits.max_image_bytes;
            let (room, payload) = admitted(&request, payload, max_bytes, &images.room, deadline).await?;
            let body = read_bytes(&request, payload, max_bytes.saturating_add(OVERHEAD_BYTES), deadline).await?;
            // Held to the end, as the body is.
            let room = Arc::new(fitted(room, body.len()));
            let asked = InferRequest::parse(&request, &body, &signature, max_entries)?;
            let files: Vec<Bytes> = asked.bytes()?.iter().map(|element| body.slice_ref(element)).collect();
            if files.iter().map(Bytes::len).sum::<usize>() > max_bytes {
                return Err(ApiError::ImageTooLarge(max_bytes).into());
            }
            // Hashing megabytes would hold up whoever else the worker serves.
            let shared = Arc::clone(&room);
            let pictures = web::block(move || pictures(files, &shared));
            let pictures = pictures.await.map_err(|e| ApiError::internal(e.into()))?;
            let answers = whole(images.service.answer_many(pictures, deadline).await?)?;
            Ok(reply::labels(&asked, &signature, &version, &answers)?)
        }
    }
}

/// The pictures of a body, each with its key, in the room that the body has: they are parts of it, not copies.
fn pictures(files: Vec<Bytes>, room: &Arc<OwnedSemaphorePermit>) -> Vec<(Key, Arc<Picture>)> {
    let picture = |bytes: Bytes| {
        let key = Key::of_digest(&Sha256::digest(&bytes));
        (key, Arc::new(Picture::new(bytes, Arc::clone(room))))
    };
    files.into_iter().map(picture).collect()
}

/// All answers, or the first failure; one that is the element's own fault says which.
fn whole(answers: Vec<Result<Answer, ServiceError>>) -> Result<Vec<Answer>, InferenceError> {
    let told = |(at, answer): (usize, Result<Answer, ServiceError>)| {
        answer.map_err(|error| match error {
            ServiceError::Picture(_) => InferenceError::of_element(at, error.into()),
            error => error.into(),
        })
    };
    answers.into_iter().enumerate().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::Semaphore;

    #[test]
    fn the_room_of_a_body_is_held_until_the_last_picture_of_it_is_let_go() {
        let all = Arc::new(Semaphore::new(100));
        let body = Bytes::from(vec![0; 90]);
        let room = Arc::clone(&all).try_acquire_many_owned(90).expect("room");
        let mut pictures = pictures(vec![body.slice(..80), body.slice(80..)], &Arc::new(room));
        drop(pictures.remove(0));
        assert_eq!(all.available_permits(), 10);
        drop(pictures);
        assert_eq!(all.available_permits(), 100);
    }
}
