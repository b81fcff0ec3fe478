//! N-gram weights as they are kept and served: whole multiples of one step, two bytes each.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ngrams::{self, BUCKETS, Buckets};

/// One weight for each bucket. Rounding moves none of them by more than 1/65,534 of the largest. Clones share the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::model) struct NgramWeights {
    step: f64,
    #[serde(serialize_with = "as_list", deserialize_with = "from_list")]
    levels: Arc<[i16]>,
}

/// serde knows no `Arc` without a feature that holds for the whole tree.
fn as_list<S: Serializer>(levels: &Arc<[i16]>, serializer: S) -> Result<S::Ok, S::Error> {
    levels[..].serialize(serializer)
}

fn from_list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[i16]>, D::Error> {
    Vec::deserialize(deserializer).map(Arc::from)
}

impl NgramWeights {
    /// Rounds one finite weight for each bucket.
    pub(super) fn round(weights: &[f64]) -> Self {
        let largest = weights.iter().fold(0.0_f64, |largest, weight| largest.max(weight.abs()));
        // any step will do where all weights are 0
        let step = if largest == 0.0 { 1.0 } else { largest / f64::from(i16::MAX) };
        NgramWeights { step, levels: weights.iter().map(|weight| (weight / step).round() as i16).collect() }
    }

    /// Whether every bucket has a finite weight.
    pub(in crate::model) fn is_usable(&self) -> bool {
        self.levels.len() == BUCKETS && self.step.is_finite()
    }

    /// What the n-grams of a text in lower case add to its score.
    pub(in crate::model) fn score(&self, buckets: &mut Buckets, lower: &[u8]) -> f64 {
        let found = buckets.of(lower);
        let sum: i64 = found.iter().map(|&bucket| i64::from(self.levels[bucket as usize])).sum();
        self.step * ngrams::scale(found.len()) * sum as f64
    }

    /// The same by bucket, each named by its first n-gram: place of the last byte (the first mark has place 0), size, and
    /// what it adds.
    pub(in crate::model) fn contributions(&self, lower: &[u8]) -> Vec<(usize, usize, f64)> {
        let (mut seen, mut grams) = (HashSet::new(), Vec::new());
        ngrams::visit(lower, |last, size, bucket| {
            if seen.insert(bucket) {
                grams.push((last, size, f64::from(self.levels[bucket])));
            }
        });
        let unit = self.step * ngrams::scale(grams.len());
        grams.iter_mut().for_each(|gram| gram.2 *= unit);
        grams
    }

    /// The buckets that at least `least` of the texts in lower case hold: of each, the first text with it, place of the last
    /// byte and size of its first n-gram there, and its weight.
    pub(in crate::model) fn common(
        &self,
        texts: &[Vec<u8>],
        least: usize,
    ) -> impl Iterator<Item = (usize, usize, usize, f64)> {
        let mut first = vec![(0, 0, 0); BUCKETS];
        let mut holders = vec![(0, usize::MAX); BUCKETS];
        for (row, text) in texts.iter().enumerate() {
            ngrams::visit(text, |last, size, bucket| {
                let (count, newest) = &mut holders[bucket];
                if *count == 0 {
                    first[bucket] = (row, last, size);
                }
                if *newest != row {
                    (*count, *newest) = (*count + 1, row);
                }
            });
        }
        let weights = self.levels.iter().map(|&level| f64::from(level) * self.step);
        let common = first.into_iter().zip(holders).zip(weights).filter(move |((_, (count, _)), _)| *count >= least);
        common.map(|(((row, last, size), _), weight)| (row, last, size, weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights() -> NgramWeights {
        let weights: Vec<f64> = (0..BUCKETS).map(|bucket| (bucket as f64).sin()).collect();
        NgramWeights::round(&weights)
    }

    #[test]
    fn rounding_moves_a_weight_by_half_a_step_at_most() {
        let rounded = weights();
        for (bucket, &level) in rounded.levels.iter().enumerate() {
            let off = (bucket as f64).sin() - f64::from(level) * rounded.step;
            assert!(off.abs() <= 0.5001 * rounded.step, "{bucket}");
        }
        assert!(NgramWeights::round(&vec![0.0; BUCKETS]).is_usable());
    }
}
