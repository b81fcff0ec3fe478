//! A picture as it was uploaded, the reasons why one is refused, and what a classifier says of it.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;

/// The bytes of an uploaded file, with the room that its request's body takes until the last owner lets go of it: however
/// many requests there are, and whether or not their clients still wait, the pictures in memory are bounded.
pub struct Picture {
    bytes: Bytes,
    /// Shared with the other pictures of the body: as long as one of them is held, all of its memory is.
    _room: Arc<OwnedSemaphorePermit>,
}

impl Picture {
    /// `bytes`, in the `room` that was made for the body that they came in.
    #[must_use]
    pub fn new(bytes: Bytes, room: Arc<OwnedSemaphorePermit>) -> Self {
        Self { bytes, _room: room }
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a file cannot be classified. The messages are written for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// No PNG, JPEG, GIF, BMP, WebP or TIFF, or a broken one.
    #[error("The image cannot be decoded: {0}.")]
    Undecodable(String),
    /// The header says more pixels than are allowed.
    #[error("is {width} x {height} pixels, the limit is {max_pixels} pixels")]
    TooManyPixels {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// The limit of their product.
        max_pixels: u64,
    },
    /// Decoding it would take more memory than a picture of the allowed size needs.
    #[error("needs more memory than the largest picture that is allowed")]
    TooMuchMemory,
}

/// A label and the share of the classifier's votes, or its probability, that it has.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Score {
    /// The label.
    #[schema(max_length = 4000)]
    pub label: String,
    /// From 0 to 1; those of all labels sum up to 1.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub probability: f64,
}
