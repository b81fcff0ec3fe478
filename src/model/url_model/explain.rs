//! Explaining: the sum behind the score of a linear model, part by part.

use super::UrlModel;
use crate::domain::{Contribution, Explanation, Link};
use crate::model::features::{Extractor, FEATURES};
use crate::model::regression::Regression;

/// Most parts that are listed.
const LISTED: usize = 10;

impl UrlModel {
    /// Why the model scores `url` as it does; `None` where it is not linear. Takes up to a millisecond for 4,000 bytes.
    #[must_use]
    pub fn explain(&self, url: &str) -> Option<Explanation> {
        let clamp = if self.info.is_clamped { Link::Clamp } else { Link::Identity };
        let (weights, ngrams, link) = match &self.body.content.regression {
            Regression::Linear(weights) => (weights, None, clamp),
            Regression::Text { features, ngrams, is_logit } => {
                (features, Some(ngrams), if *is_logit { Link::Logit } else { clamp })
            }
            Regression::Trees(_) => return None,
        };
        let mut extractor = Extractor::default();
        let row = extractor.extract(url);
        let mut parts: Vec<Contribution> = weights
            .contributions(&row)
            .map(|(column, contribution)| Contribution::Feature {
                feature: FEATURES[column].name.to_owned(),
                value: row[column],
                contribution,
            })
            .collect();
        if let Some(ngrams) = ngrams {
            let lower = extractor.lower();
            parts.extend(ngrams.contributions(lower).into_iter().map(|(last, size, contribution)| {
                Contribution::Ngram {
                    ngram: ngram_text(lower, last, size),
                    at: (last + 1 - size).saturating_sub(1),
                    contribution,
                }
            }));
        }
        parts.sort_by(|a, b| b.amount().abs().total_cmp(&a.amount().abs()));
        let rest: f64 = parts.iter().skip(LISTED).map(Contribution::amount).sum();
        parts.truncate(LISTED);
        let score = weights.intercept + parts.iter().map(Contribution::amount).sum::<f64>() + rest;
        let model = format!("{}@{}", self.name(), self.version());
        Some(Explanation { model, score, link, base: weights.intercept, contributions: parts, rest })
    }
}

/// The text of an n-gram by the place of its last byte; the marks at the ends of a text are shown as `\u{2402}` and
/// `\u{2403}`, and bytes that are no whole character as the replacement character.
pub(super) fn ngram_text(lower: &[u8], last: usize, size: usize) -> String {
    let first = last + 1 - size;
    let bytes = &lower[first.saturating_sub(1)..last.min(lower.len())];
    let (start, end) = (if first == 0 { "\u{2402}" } else { "" }, if last > lower.len() { "\u{2403}" } else { "" });
    format!("{start}{}{end}", String::from_utf8_lossy(bytes))
}
