//! N-grams: every run of 3 to 5 bytes of a URL text, hashed into a fixed number of buckets.
//!
//! The hashing trick (Weinberger et al. 2009, "Feature hashing for large scale multitask learning") without its signs:
//! n-grams that share a bucket share a weight, and no dictionary is kept. A text is read in lower case with a mark before
//! its first byte and one after its last, so that its ends are n-grams of their own.

/// Length of the shortest and the longest n-gram in bytes, marks included.
const SIZES: std::ops::RangeInclusive<usize> = 3..=5;
/// The number of buckets is 2 to this power.
const BUCKET_BITS: u32 = 18;
/// Number of buckets.
pub(super) const BUCKETS: usize = 1 << BUCKET_BITS;
/// Stand before the first and after the last byte.
const MARKS: [u8; 2] = [2, 3];

/// Visits every n-gram of a text in lower case: the place of its last byte (the first mark has place 0), its size and
/// its bucket.
pub(super) fn visit(lower: &[u8], mut visitor: impl FnMut(usize, usize, usize)) {
    let mut window = u64::from(MARKS[0]);
    for (before, &byte) in lower.iter().chain(&MARKS[1..]).enumerate() {
        let place = before + 1;
        window = window << 8 | u64::from(byte);
        for size in SIZES {
            if place + 1 >= size {
                visitor(place, size, bucket(window, size));
            }
        }
    }
}

/// The bucket of the last `size` bytes of `window`: multiplicative hashing (Knuth, The Art of Computer Programming,
/// section 6.4), whose upper bits depend on every bit of the n-gram and of its size.
fn bucket(window: u64, size: usize) -> usize {
    let gram = window & ((1 << (8 * size)) - 1) | (size as u64) << 56;
    (gram.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BUCKET_BITS)) as usize
}

/// Finds the distinct buckets of texts; reuse one for many, since it keeps its memory.
#[derive(Debug)]
pub(in crate::model) struct Buckets {
    /// One bit for each bucket, all 0 between texts.
    seen: Vec<u64>,
    found: Vec<u32>,
}

impl Default for Buckets {
    fn default() -> Self {
        Buckets { seen: vec![0; BUCKETS / 64], found: Vec::new() }
    }
}

impl Buckets {
    /// The distinct buckets of a text in lower case, in the order of their first n-grams.
    pub(super) fn of(&mut self, lower: &[u8]) -> &[u32] {
        let Buckets { seen, found } = self;
        found.clear();
        visit(lower, |_, _, bucket| {
            let (word, bit) = (&mut seen[bucket / 64], 1 << (bucket % 64));
            if *word & bit == 0 {
                *word |= bit;
                found.push(bucket as u32);
            }
        });
        found.iter().for_each(|&bucket| seen[bucket as usize / 64] = 0);
        found
    }
}

/// What each of `count` distinct buckets counts: 1 over the root of their number, so that every text has length 1.
pub(super) fn scale(count: usize) -> f64 {
    if count == 0 { 0.0 } else { 1.0 / (count as f64).sqrt() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_run_of_3_to_5_bytes_has_its_bucket_once(text: Vec<u8>) {
            let marked: Vec<u8> = [&[2], &text[..], &[3]].concat();
            let mut seen = Vec::new();
            visit(&text, |last, size, bucket| seen.push((last, size, bucket)));
            prop_assert_eq!(seen.len(), SIZES.map(|size| marked.windows(size).count()).sum::<usize>());
            for &(last, size, found) in &seen {
                let gram = marked[last + 1 - size..=last].iter().fold(0, |gram, &byte| gram << 8 | u64::from(byte));
                prop_assert_eq!(found, bucket(gram, size));
                prop_assert!(found < BUCKETS);
            }
            let distinct: std::collections::BTreeSet<usize> = seen.iter().map(|gram| gram.2).collect();
            let mut buckets = Buckets::default();
            // twice, since the memory of the first text must not show in the second
            for _ in 0..2 {
                let found = buckets.of(&text);
                prop_assert_eq!(found.len(), distinct.len());
                prop_assert!(found.iter().all(|&bucket| distinct.contains(&(bucket as usize))));
            }
        }
    }
}
