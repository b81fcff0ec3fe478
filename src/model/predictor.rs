//! What the service asks of a model.

use std::sync::Arc;

use super::{ImageModel, UrlModel};
use crate::domain::{Key, ModelVersion, Outcome, Picture, PictureError};

/// A model: inputs in, values out, a batch at a time. Never blocks on anything but arithmetic.
pub trait Predictor: Send + Sync + 'static {
    /// What a prediction is made from.
    type Input: Send + 'static;

    /// Predicts a value for each of `inputs`, in their order.
    ///
    /// # Errors
    /// When any of them has no prediction; the others can be asked for one by one.
    fn predict(&self, inputs: &[&Self::Input]) -> Result<Vec<Outcome>, PredictError>;

    /// The model that the values come from.
    fn version(&self) -> ModelVersion;

    /// How many predictions may run at the same time, where one takes so long that others must not wait for it: each is
    /// then made alone. `None` where a whole batch is a matter of microseconds.
    fn parallelism(&self) -> Option<usize>;

    /// Predicts for a probe set, before the model answers anybody. Blocks for less than a millisecond.
    ///
    /// # Errors
    /// Where the model has no value for one of the set, or not the same one twice.
    fn warm_up(&self) -> Result<(), PredictError>;
}

/// Why a model gives no value.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The score of one URL is infinite or not a number.
    #[error("the model's score of URL {index} of the batch is not finite")]
    NotFinite {
        /// Place of the URL in the batch, from 0.
        index: usize,
    },
    /// The same input got two values.
    #[error("the model gives the same URL two scores")]
    Unsteady,
    /// The regression failed.
    #[error("the regression failed: {0}")]
    Regression(String),
    /// The input is no picture, or too large a one: the fault of whoever sent it.
    #[error("the picture cannot be classified: {0}")]
    Picture(#[source] PictureError),
    /// The classifier failed on a good picture.
    #[error("the classifier failed: {0}")]
    Classifier(String),
}

/// Beginnings of the URLs that a model is warmed up with, of different schemes, hosts and lengths.
const WARM_UP: [&str; 4] = [
    "http://192.0.2.",
    "https://www.example.com/a/b/c.html?id=",
    "",
    "http://login.example.co.uk.verify-account.test/~x/%20",
];

/// A URL's text is its key.
impl Predictor for UrlModel {
    type Input = Key;

    fn predict(&self, inputs: &[&Key]) -> Result<Vec<Outcome>, PredictError> {
        let urls: Vec<&str> = inputs.iter().map(|key| key.as_str()).collect();
        Ok(UrlModel::predict(self, &urls)?.into_iter().map(Outcome::float).collect())
    }

    fn version(&self) -> ModelVersion {
        ModelVersion::new(self.name(), UrlModel::version(self))
    }

    fn parallelism(&self) -> Option<usize> {
        None
    }

    fn warm_up(&self) -> Result<(), PredictError> {
        let set: Vec<String> = (0..64).map(|n| format!("{}{n}", WARM_UP[n % WARM_UP.len()])).collect();
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let together = UrlModel::predict(self, &set)?;
        for (url, score) in set.iter().zip(together) {
            // bit for bit: what is answered alone has to be what is answered in a batch
            if UrlModel::predict(self, &[url])?[..] != [score] {
                return Err(PredictError::Unsteady);
            }
        }
        Ok(())
    }
}

/// Pictures are decoded and classified one at a time.
impl Predictor for ImageModel {
    type Input = Arc<Picture>;

    fn predict(&self, inputs: &[&Arc<Picture>]) -> Result<Vec<Outcome>, PredictError> {
        let label =
            |picture: &&Arc<Picture>| self.classify(picture.bytes()).map(|label| Outcome::Text(label.to_owned()));
        inputs.iter().map(label).collect()
    }

    fn version(&self) -> ModelVersion {
        ModelVersion::new(&self.info().name, ImageModel::version(self))
    }

    /// Half of the cores, so that the other half answers; and few, since each holds a decoded picture.
    fn parallelism(&self) -> Option<usize> {
        const MOST: usize = 4;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Some((cores / 2).clamp(1, MOST))
    }

    /// Loading has classified a probe picture already.
    fn warm_up(&self) -> Result<(), PredictError> {
        Ok(())
    }
}
