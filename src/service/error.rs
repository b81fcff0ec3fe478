//! How the service fails, in its own words: `http` turns these into status codes and never sees a store.

#![warn(clippy::wildcard_enum_match_arm, reason = "a new failure of the store must be thought about here")]

use std::sync::Arc;

use crate::domain::PictureError;
use crate::model::PredictError;
use crate::store::{Rejection, StoreError};

/// Why a request has no answer. Cheap to clone: one failure may answer many callers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ServiceError {
    /// The store cannot be reached, or the operator has to act before it can be used.
    #[error("the result store is not available")]
    Unavailable(#[source] Arc<anyhow::Error>),
    /// The queue is full.
    #[error("too many requests are waiting")]
    Overloaded,
    /// The answer did not come within the request's time limit.
    #[error("no answer within the time limit")]
    Deadline,
    /// What was sent is no picture that can be classified.
    #[error("the picture cannot be classified")]
    Picture(#[source] PictureError),
    /// The table cannot take a row that somebody wants to write.
    #[error("the result table cannot take the row: {0:?}")]
    Rejected(Rejection),
    /// Anything else.
    #[error("internal error")]
    Internal(#[source] Arc<anyhow::Error>),
}

impl ServiceError {
    /// A fault of our own.
    pub(super) fn internal(what: &'static str) -> Self {
        Self::Internal(Arc::new(anyhow::Error::msg(what)))
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_)
            | StoreError::Overloaded(_)
            | StoreError::Refused(_)
            | StoreError::Schema { .. }
            | StoreError::NoSpace(_)
            | StoreError::ClientLibrary { .. } => Self::Unavailable(Arc::new(error.into())),
            StoreError::Timeout(_) => Self::Deadline,
            StoreError::Internal(_) => Self::Internal(Arc::new(error.into())),
        }
    }
}

impl From<PredictError> for ServiceError {
    fn from(error: PredictError) -> Self {
        match error {
            PredictError::Picture(reason) => Self::Picture(reason),
            PredictError::NotFinite { .. }
            | PredictError::Unsteady
            | PredictError::Regression(_)
            | PredictError::Classifier(_) => Self::Internal(Arc::new(error.into())),
        }
    }
}
