//! What the service asks of a model.

use super::{PredictError, UrlModel};
use crate::domain::{Key, ModelVersion, Outcome};

/// A model: inputs in, values out, a batch at a time. Never blocks on anything but arithmetic.
pub trait Predictor: Send + Sync + 'static {
    /// What a prediction is made from.
    type Input: Send + 'static;

    /// Predicts a value for each of `inputs`, in their order.
    ///
    /// # Errors
    /// When any of them has no finite prediction; the others can be asked for one by one.
    fn predict(&self, inputs: &[&Self::Input]) -> Result<Vec<Outcome>, PredictError>;

    /// The model that the values come from.
    fn version(&self) -> ModelVersion;
}

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
}
