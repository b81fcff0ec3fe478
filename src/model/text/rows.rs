//! Rows: what the text regression learns from, a few dense columns and very many sparse ones.
//!
//! A weight vector for them holds the weights of the dense columns, then the intercept, then one weight for each bucket.

use super::ngrams::{self, BUCKETS, Buckets};

/// Rows of standardised features and hashed n-grams.
pub(super) struct Rows {
    width: usize,
    dense: Vec<f64>,
    /// Where the buckets of each row end.
    ends: Vec<usize>,
    buckets: Vec<u32>,
    scales: Vec<f64>,
}

impl Rows {
    /// `dense` holds `width` values for each of `urls`, row after row.
    pub(super) fn of(urls: &[String], width: usize, dense: Vec<f64>) -> Self {
        let (mut ends, mut buckets, mut scales) = (Vec::new(), Vec::new(), Vec::new());
        let mut finder = Buckets::default();
        for url in urls {
            let (start, found) = (buckets.len(), finder.of(url.to_ascii_lowercase().as_bytes()));
            buckets.extend_from_slice(found);
            scales.push(ngrams::scale(found.len()));
            // a sum does not mind the order, and memory likes this one
            buckets[start..].sort_unstable();
            ends.push(buckets.len());
        }
        Rows { width, dense, ends, buckets, scales }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Length of a weight vector.
    pub(super) fn weights(&self) -> usize {
        self.width + 1 + BUCKETS
    }

    /// Place of the intercept in a weight vector, which is the number of dense columns, too.
    pub(super) fn intercept(&self) -> usize {
        self.width
    }

    /// The product of one row and a weight vector.
    pub(super) fn score(&self, row: usize, weights: &[f64]) -> f64 {
        let (dense, buckets, scale) = self.parts(row);
        let (dense_weights, bucket_weights) = weights.split_at(self.width + 1);
        let lexical: f64 = dense.iter().zip(dense_weights).map(|(value, weight)| value * weight).sum();
        let sparse: f64 = buckets.iter().map(|&bucket| bucket_weights[bucket as usize]).sum();
        lexical + dense_weights[self.width] + scale * sparse
    }

    /// Adds `factor` times one row to `sum`.
    pub(super) fn add(&self, row: usize, factor: f64, sum: &mut [f64]) {
        let (dense, buckets, scale) = self.parts(row);
        let (dense_sum, bucket_sum) = sum.split_at_mut(self.width + 1);
        dense_sum.iter_mut().zip(dense).for_each(|(sum, value)| *sum += factor * value);
        dense_sum[self.width] += factor;
        let each = factor * scale;
        buckets.iter().for_each(|&bucket| bucket_sum[bucket as usize] += each);
    }

    /// Adds `factor` times the squares of one row's sparse columns to `sum`.
    pub(super) fn add_sparse_squares(&self, row: usize, factor: f64, sum: &mut [f64]) {
        let (_, buckets, scale) = self.parts(row);
        let each = factor * scale * scale;
        let bucket_sum = &mut sum[self.width + 1..];
        buckets.iter().for_each(|&bucket| bucket_sum[bucket as usize] += each);
    }

    /// Mean products of the dense columns: their correlations, lower triangle, line after line.
    pub(super) fn correlations(&self) -> Vec<Vec<f64>> {
        let share = 1.0 / self.len() as f64;
        let mut sums: Vec<Vec<f64>> = (0..self.width).map(|line| vec![0.0; line + 1]).collect();
        for row in 0..self.len() {
            let dense = self.parts(row).0;
            for (line, value) in sums.iter_mut().zip(dense) {
                let each = share * value;
                line.iter_mut().zip(dense).for_each(|(sum, other)| *sum += each * other);
            }
        }
        sums
    }

    /// Dense values, buckets and scale of a row.
    fn parts(&self, row: usize) -> (&[f64], &[u32], f64) {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        (&self.dense[row * self.width..(row + 1) * self.width], &self.buckets[start..self.ends[row]], self.scales[row])
    }
}
