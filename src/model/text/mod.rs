//! Text: the regression over lexical features and hashed n-grams, which is fitted by default.

mod fit;
mod ngrams;
mod rows;
mod solve;
mod weights;

pub(super) use fit::{FoldsError, TextFit, fit};
pub(super) use ngrams::Buckets;
pub(super) use weights::NgramWeights;
