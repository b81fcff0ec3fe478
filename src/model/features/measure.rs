//! Measures: counts, runs, shares and entropy of bytes, from which features are made.
//!
//! Texts are expected in lower case.

use std::sync::LazyLock;

/// Logarithms of small counts: a URL asks for some two hundred, which would cost more than all else together.
static LOGS: LazyLock<Logs> = LazyLock::new(|| Logs {
    ln_1p: std::array::from_fn(|count| (count as f64).ln_1p()),
    log2: std::array::from_fn(|count| (count as f64).log2()),
});

struct Logs {
    ln_1p: [f64; 256],
    log2: [f64; 256],
}

impl Logs {
    fn log2(&self, count: usize) -> f64 {
        self.log2.get(count).copied().unwrap_or_else(|| (count as f64).log2())
    }
}

/// How often each byte value occurs in a lower-case text.
pub(super) struct Profile {
    counts: [u32; 256],
    pub(super) letters: usize,
    pub(super) digits: usize,
}

impl Profile {
    pub(super) fn of(text: &[u8]) -> Self {
        let mut counts = [0_u32; 256];
        for &byte in text {
            counts[usize::from(byte)] += 1;
        }
        let sum = |range: std::ops::RangeInclusive<u8>| range.map(|byte| counts[usize::from(byte)] as usize).sum();
        Profile { letters: sum(b'a'..=b'z'), digits: sum(b'0'..=b'9'), counts }
    }

    pub(super) fn count(&self, byte: u8) -> usize {
        self.counts[usize::from(byte)] as usize
    }

    pub(super) fn vowels(&self) -> usize {
        b"aeiouy".iter().map(|&vowel| self.count(vowel)).sum()
    }

    /// Shannon entropy in bits per byte of `text`, which is what was counted: the mean of `log2 n - log2 c` over its
    /// bytes, c being how often the byte occurs. 0 for an empty text.
    pub(super) fn entropy(&self, text: &[u8]) -> f64 {
        if text.is_empty() {
            return 0.0;
        }
        let logs = &*LOGS;
        let sum: f64 = text.iter().map(|&byte| logs.log2(self.count(byte))).sum();
        // rounding could leave a text of one repeated byte a hair below zero
        (logs.log2(text.len()) - sum / text.len() as f64).max(0.0)
    }
}

pub(super) fn tokens_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| !byte.is_ascii_alphanumeric()).filter(|token| !token.is_empty())
}

pub(super) fn longest_run(text: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    let (mut longest, mut run) = (0, 0);
    for &byte in text {
        run = if belongs(byte) { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

pub(super) fn is_consonant(byte: u8) -> bool {
    byte.is_ascii_lowercase() && !b"aeiouy".contains(&byte)
}

/// How often `needle` occurs in `text`, overlapping occurrences included.
pub(super) fn count_of(text: &[u8], needle: &[u8]) -> usize {
    // one byte first: comparing slices at every place would call memcmp at every place
    let may_start = |byte: u8| needle.first() == Some(&byte);
    (0..text.len()).filter(|&place| may_start(text[place]) && text[place..].starts_with(needle)).count()
}

/// `ln(1 + count)`
pub(super) fn log_count(count: usize) -> f64 {
    LOGS.ln_1p.get(count).copied().unwrap_or_else(|| (count as f64).ln_1p())
}

pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

pub(super) fn flag(is_set: bool) -> f64 {
    f64::from(u8::from(is_set))
}
