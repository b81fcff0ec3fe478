//! Top weights: what a linear model makes most of.

use super::UrlModel;
use super::explain::ngram_text;
use crate::model::features::FEATURES;
use crate::model::regression::Regression;

/// A weight and what carries it.
#[derive(Debug, Clone, PartialEq)]
pub struct TopWeight {
    /// Name of a feature, or the text of a run of bytes.
    pub name: String,
    /// What it counts, before the link.
    pub weight: f64,
}

/// One in so many URLs has to hold a run of bytes that is listed.
const SHARE: usize = 200;

impl UrlModel {
    /// The `count` largest weights of features (standardised) and of runs of bytes, largest first; `None` where the model is
    /// not linear. A run is one that many of `urls` hold; runs that share a weight are named by the first of them there.
    #[must_use]
    pub fn top_weights(&self, urls: &[String], count: usize) -> Option<(Vec<TopWeight>, Vec<TopWeight>)> {
        let (features, ngrams) = match &self.body.content.regression {
            Regression::Linear(weights) => (weights, None),
            Regression::Text { features, ngrams, .. } => (features, Some(ngrams)),
            Regression::Trees(_) => return None,
        };
        let named = features.columns.iter().zip(&features.coefficients);
        let features = named
            .map(|(&column, &weight)| TopWeight { name: FEATURES[column as usize].name.to_owned(), weight })
            .collect();
        let mut runs = Vec::new();
        if let Some(ngrams) = ngrams {
            let lowered: Vec<Vec<u8>> = urls.iter().map(|url| url.to_ascii_lowercase().into_bytes()).collect();
            let common = ngrams.common(&lowered, (urls.len() / SHARE).max(1));
            runs.extend(
                common
                    .map(|(row, last, size, weight)| TopWeight { name: ngram_text(&lowered[row], last, size), weight }),
            );
        }
        Some((largest(features, count), largest(runs, count)))
    }
}

fn largest(mut weights: Vec<TopWeight>, count: usize) -> Vec<TopWeight> {
    weights.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    weights.truncate(count);
    weights
}
