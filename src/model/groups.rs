//! Groups: which rows must not be torn apart when a model is judged on rows that it has not learnt from.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::features::site_of;

/// What rows of one group share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Grouping {
    /// The registrable part of the host: a model is judged on sites that it has never seen.
    #[default]
    Host,
    /// The whole URL: a model is judged on a random part of the rows.
    Url,
}

/// The fold of each URL, from 0 to `folds`: whole groups, about equally many rows each, shuffled by `seed`.
///
/// The largest group goes first and each goes to the smallest fold, as in scikit-learn's `GroupKFold`.
pub(super) fn folds(urls: &[String], grouping: Grouping, folds: usize, seed: u64) -> Vec<usize> {
    let mut groups: HashMap<String, Vec<usize>> = HashMap::new();
    for (row, url) in urls.iter().enumerate() {
        let key = match grouping {
            Grouping::Host => site_of(url),
            Grouping::Url => url.clone(),
        };
        groups.entry(key).or_default().push(row);
    }
    let shuffled = |key: &str| {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(key.as_bytes());
        <[u8; 32]>::from(hash.finalize())
    };
    let mut groups: Vec<([u8; 32], Vec<usize>)> =
        groups.into_iter().map(|(key, rows)| (shuffled(&key), rows)).collect();
    groups.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(&b.0)));

    let (mut sizes, mut fold_of) = (vec![0; folds], vec![0; urls.len()]);
    for (_, rows) in groups {
        let smallest = (0..folds).min_by_key(|&fold| sizes[fold]).unwrap_or(0);
        sizes[smallest] += rows.len();
        rows.iter().for_each(|&row| fold_of[row] = smallest);
    }
    fold_of
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls() -> Vec<String> {
        (0..200).map(|i| format!("http://{}.site{}.co.uk/{i}", i % 3, i % 40)).collect()
    }

    #[test]
    fn no_site_is_in_two_folds_and_folds_are_about_equal() {
        let urls = urls();
        let fold_of = folds(&urls, Grouping::Host, 5, 7);
        let mut homes: HashMap<String, usize> = HashMap::new();
        for (url, &fold) in urls.iter().zip(&fold_of) {
            assert_eq!(*homes.entry(site_of(url)).or_insert(fold), fold, "{url}");
        }
        assert_eq!(homes.len(), 40);
        for fold in 0..5 {
            assert_eq!(fold_of.iter().filter(|&&of| of == fold).count(), 40);
        }
    }

    #[test]
    fn folds_are_the_same_for_the_same_seed_and_others_for_another() {
        let urls = urls();
        assert_eq!(folds(&urls, Grouping::Url, 4, 1), folds(&urls, Grouping::Url, 4, 1));
        assert_ne!(folds(&urls, Grouping::Url, 4, 1), folds(&urls, Grouping::Url, 4, 2));
    }

    #[test]
    fn a_site_is_what_somebody_registered() {
        for (url, site) in [
            ("https://www.a.Example.co.uk:80/x", "example.co.uk"),
            ("example.com/x", "example.com"),
            ("http://192.0.2.1/", "192.0.2.1"),
            ("http://localhost/", "localhost"),
            ("http://a.b./", "a.b"),
            ("", ""),
        ] {
            assert_eq!(site_of(url), site);
        }
    }
}
