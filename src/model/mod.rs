//! Model: from URL text to a number, and from a picture to a label, without a database.
//!
//! A [`UrlModel`] is loaded from an artifact file and scores many URLs at once. It is trained by [`train()`] from a
//! [`Dataset`] and judged by [`evaluate()`], or by [`cross_validate()`] on the parts of one. An [`ImageModel`] is the same for pictures. smartcore fits the regressions and
//! classifiers, and none of its types leave this module.

mod algorithm;
mod artifact;
mod container;
mod dataset;
mod design;
mod evaluate;
mod features;
mod file;
mod fit;
mod groups;
mod image;
mod live;
mod predictor;
mod records;
mod regression;
mod source;
mod text;
mod train;
mod trees;
mod url_model;
mod versions;

pub use algorithm::{Algorithm, Parameter};
pub use artifact::{ArtifactError, ArtifactInfo, DataInfo};
pub use dataset::{Dataset, DatasetError, DatasetRows};
pub use evaluate::{Metrics, evaluate};
pub use features::{
    Extractor, FEATURE_COUNT, FEATURE_SCHEMA_VERSION, FEATURES, FeatureDoc, FeatureRow, scheme_and_tld,
};
pub(crate) use file::{destination, write_atomically};
pub use groups::Grouping;
pub use image::{
    Channels, FolderError, ImageAlgorithm, ImageInfo, ImageMetrics, ImageModel, ImageTrainError, ImageTrainOptions,
    Look, Pictures, evaluate_images, train_images,
};
pub use live::Live;
pub use predictor::{PredictError, Predictor};
pub(crate) use records::{CsvRecord, CsvRecords, RecordError};
pub use source::{Source, StoredModel};
pub use train::{Progress, Stage, TrainError, TrainOptions, TrainReport, cross_validate, train};
pub use url_model::{TopWeight, UrlModel};
pub use versions::{Versions, VersionsError};

pub use crate::domain::{Contribution, Explanation, Link};
