//! Pictures: from an encoded file to a label.
//!
//! [`claims`] reads what a file says of itself, [`decode`] bounds what it may cost and [`room`] what all of them may,
//! [`look`] turns a picture into features (one byte for each cell of a small square), [`classifier`] votes for labels, and
//! [`ImageModel`] is all of it as one artifact. Training goes through the same decoding and the same look as serving, so
//! that what is learnt is what is seen.

mod claims;
mod classifier;
mod decode;
mod folder;
mod image_model;
mod ink;
mod look;
mod room;
mod train;

pub use classifier::ImageAlgorithm;
pub use folder::{FolderError, Pictures};
pub use image_model::{ImageInfo, ImageModel};
pub use look::{Channels, Look};
pub use train::{ImageMetrics, ImageTrainError, ImageTrainOptions, evaluate_images, train_images};
