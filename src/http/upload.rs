//! Reading an uploaded picture: its multipart body as a stream, within bounds of size, time and memory.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_multipart::{Multipart, MultipartError};
use actix_web::HttpRequest;
use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};
use futures_util::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::{declared_bytes, media_type, refuse_encoded};
use super::error::ApiError;
use super::pace::{Body, begun, fell_behind, paced};
use crate::domain::{Key, Picture};
use crate::service::ServiceError;

/// The file field.
const FIELD: &str = "image";
/// What a body may hold beside the picture: boundaries, headers, other fields.
pub(super) const OVERHEAD_BYTES: usize = 64 << 10;

/// Reads the picture of a `multipart/form-data` body: one file field `image` of at most `max_bytes`, before `deadline`.
/// Its key is the SHA-256 of its bytes, in lower-case hexadecimal. Nothing is read before there is `room` for it.
///
/// # Errors
/// 415 for another type, 413 for a larger picture, 400 where the body is broken or has no such field or two, 408 for a
/// slow body, 503 where there is no room in time.
pub(super) async fn read_image(
    request: &HttpRequest,
    payload: Payload,
    max_bytes: usize,
    room: &Arc<Semaphore>,
    deadline: Instant,
) -> Result<(Key, Arc<Picture>), ApiError> {
    if !media_type(request).eq_ignore_ascii_case("multipart/form-data") {
        return Err(ApiError::NotMultipart);
    }
    let (room, payload) = admitted(request, payload, max_bytes, room, deadline).await?;
    let read = read_form(request, payload, max_bytes, room.num_permits());
    let Upload { bytes, key } =
        tokio::time::timeout_at(deadline.into(), read).await.unwrap_or(Err(ApiError::SlowBody))?;
    let room = fitted(room, bytes.len());
    Ok((key, Arc::new(Picture::new(bytes.into(), Arc::new(room)))))
}

/// A body of pictures once there is room for it, which it has to keep pace with from then on.
///
/// # Errors
/// 415 for a compressed body, 408 where it does not begin in time, and as [`room_for`].
pub(super) async fn admitted(
    request: &HttpRequest,
    payload: Payload,
    max_bytes: usize,
    room: &Arc<Semaphore>,
    deadline: Instant,
) -> Result<(OwnedSemaphorePermit, Body), ApiError> {
    refuse_encoded(request)?;
    let payload = begun(payload, deadline).await?;
    let room = room_for(request, room, max_bytes, deadline).await?;
    let payload = paced(request, payload, room.num_permits(), deadline);
    Ok((room, payload))
}

/// Room for the pictures of a request, `max_bytes` where it does not say how long it is.
///
/// # Errors
/// 413 for one that says that it is longer, 503 where there is no room in time.
async fn room_for(
    request: &HttpRequest,
    room: &Arc<Semaphore>,
    max_bytes: usize,
    deadline: Instant,
) -> Result<OwnedSemaphorePermit, ApiError> {
    let declared = declared_bytes(request);
    if declared.is_some_and(|length| length > max_bytes.saturating_add(OVERHEAD_BYTES)) {
        return Err(ApiError::ImageTooLarge(max_bytes));
    }
    let needed = declared.unwrap_or(max_bytes).min(max_bytes);
    let room = Arc::clone(room).acquire_many_owned(u32::try_from(needed).unwrap_or(u32::MAX));
    match tokio::time::timeout_at(deadline.into(), room).await {
        Ok(Ok(room)) => Ok(room),
        Ok(Err(_)) | Err(_) => Err(ServiceError::Overloaded.into()),
    }
}

/// `room` without what was not needed in the end.
pub(super) fn fitted(mut room: OwnedSemaphorePermit, bytes: usize) -> OwnedSemaphorePermit {
    if let Some(spare) = room.num_permits().checked_sub(bytes) {
        drop(room.split(spare));
    }
    room
}

struct Upload {
    bytes: Vec<u8>,
    /// The digest of the bytes.
    key: Key,
}

async fn read_form(
    request: &HttpRequest,
    payload: impl Stream<Item = Result<Bytes, PayloadError>> + 'static,
    max_bytes: usize,
    expected_bytes: usize,
) -> Result<Upload, ApiError> {
    let mut left = max_bytes.saturating_add(OVERHEAD_BYTES);
    // The parser says Overflow as well, of a head that is longer than it takes.
    let too_large = Rc::new(Cell::new(false));
    let found_too_large = Rc::clone(&too_large);
    // Also what stands before, between and after the fields counts.
    let counted = payload.map(move |chunk: Result<Bytes, PayloadError>| {
        let chunk = chunk?;
        left = left.checked_sub(chunk.len()).ok_or_else(|| {
            found_too_large.set(true);
            PayloadError::Overflow
        })?;
        Ok(chunk)
    });
    let failed = |error: MultipartError| match error {
        MultipartError::Payload(PayloadError::Overflow) if too_large.get() => ApiError::ImageTooLarge(max_bytes),
        MultipartError::Payload(error) if fell_behind(&error) => ApiError::SlowBody,
        other => ApiError::Malformed(format!("The multipart body is broken: {other}.")),
    };
    let mut form = Multipart::new(request.headers(), counted);
    let mut upload = None;
    while let Some(field) = form.next().await {
        let mut field = field.map_err(failed)?;
        if field.name() != Some(FIELD) {
            while let Some(chunk) = field.next().await {
                chunk.map_err(failed)?;
            }
            continue;
        }
        if upload.is_some() {
            return Err(ApiError::Malformed(format!("The field {FIELD} is there more than once.")));
        }
        let mut bytes = Vec::with_capacity(expected_bytes);
        let mut digest = Sha256::new();
        while let Some(chunk) = field.next().await {
            let chunk = chunk.map_err(failed)?;
            if bytes.len() + chunk.len() > max_bytes {
                return Err(ApiError::ImageTooLarge(max_bytes));
            }
            digest.update(&chunk);
            bytes.extend_from_slice(&chunk);
        }
        upload = Some(Upload { bytes, key: Key::of_digest(&digest.finalize()) });
    }
    let mut upload = upload.ok_or_else(|| ApiError::Malformed(format!("The file field {FIELD} is missing.")))?;
    upload.bytes.shrink_to_fit();
    Ok(upload)
}
