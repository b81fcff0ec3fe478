//! Model: from URL text to a number, without a database.
//!
//! A [`UrlModel`] is loaded from an artifact file and scores many URLs at once. It is trained by [`train()`] from a
//! [`Dataset`] and judged by [`evaluate()`]. smartcore fits the regressions, and none of its types leave this module.

mod artifact;
mod dataset;
mod design;
mod evaluate;
mod features;
mod file;
mod predictor;
mod train;
mod url_model;

pub use artifact::{ArtifactError, ArtifactInfo, DataInfo};
pub use dataset::{Dataset, DatasetError};
pub use evaluate::{Metrics, evaluate};
pub use features::{Extractor, FEATURE_COUNT, FEATURE_SCHEMA_VERSION, FEATURES, FeatureDoc, FeatureRow};
pub use predictor::Predictor;
pub use train::{Algorithm, Progress, Stage, TrainError, TrainOptions, TrainReport, train};
pub use url_model::{PredictError, UrlModel};
