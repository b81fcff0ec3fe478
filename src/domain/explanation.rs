//! Explanation: how a linear model comes to its score, part by part.

use serde::Serialize;
use utoipa::ToSchema;

/// How a score comes about: `base`, the `contributions` and `rest` sum up to it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Explanation {
    /// `name@version` of the model.
    #[schema(max_length = 4000)]
    pub model: String,
    /// What the link turns into the answer.
    pub score: f64,
    /// How the score becomes the answer.
    pub link: Link,
    /// Score of a text without n-grams whose features are the means of the training data.
    pub base: f64,
    /// The parts that move the score most, largest first.
    #[schema(max_items = 10)]
    pub contributions: Vec<Contribution>,
    /// Sum of the parts that are not listed.
    pub rest: f64,
}

/// How a score becomes an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// It is the answer.
    Identity,
    /// Kept within 0 and 1, it is the answer.
    Clamp,
    /// It is the logit of the answer, which is `1 / (1 + exp(-score))`.
    Logit,
}

/// What one part of a text adds to the score.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Contribution {
    /// A measure of the text, next to its mean in the training data.
    Feature {
        /// Name of the feature.
        #[schema(max_length = 100)]
        feature: String,
        /// Its value here.
        value: f64,
        /// What it adds.
        contribution: f64,
    },
    /// A run of bytes; others that share its weight count no more.
    Ngram {
        /// Its text in lower case; `\u{2402}` and `\u{2403}` stand for the beginning and the end of the URL.
        #[schema(max_length = 100)]
        ngram: String,
        /// Where in the URL it begins first, in bytes from 0.
        #[schema(format = Int64, minimum = 0, maximum = 1000000)]
        at: usize,
        /// What it adds.
        contribution: f64,
    },
}

impl Contribution {
    /// What it adds to the score.
    #[must_use]
    pub fn amount(&self) -> f64 {
        match self {
            Self::Feature { contribution, .. } | Self::Ngram { contribution, .. } => *contribution,
        }
    }
}
