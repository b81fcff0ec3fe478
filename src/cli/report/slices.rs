//! Slices: rows that have something in common, judged apart.

use std::collections::HashMap;

use crate::model::{Metrics, scheme_and_tld};

/// Most values of one property that are told apart; the others are one slice.
const MOST: usize = 12;
/// Upper ends of the slices of URL lengths, in bytes.
const LENGTHS: [usize; 5] = [25, 50, 75, 100, 200];
/// Longest name that is shown whole, in characters.
const LONGEST_NAME: usize = 40;

/// Slices by scheme, TLD and URL length, each with its head and the largest first; lengths in their order.
pub(super) fn of(urls: &[String], targets: &[f64], scores: &[f64]) -> [(&'static str, Vec<(String, Metrics)>); 3] {
    let parts: Vec<(String, String)> = urls.iter().map(|url| scheme_and_tld(url)).collect();
    let named = |name: &str| if name.is_empty() { "none".to_owned() } else { shortened(name) };
    let metrics = |rows: &[usize]| {
        let chosen = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
        Metrics::of(&chosen(targets), &chosen(scores))
    };
    let by = |key: &dyn Fn(usize) -> String| {
        let mut slices: HashMap<String, Vec<usize>> = HashMap::new();
        (0..urls.len()).for_each(|row| slices.entry(key(row)).or_default().push(row));
        let mut slices: Vec<(String, Vec<usize>)> = slices.into_iter().collect();
        slices.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
        let rest: Vec<usize> = slices.split_off(slices.len().min(MOST)).into_iter().flat_map(|slice| slice.1).collect();
        if !rest.is_empty() {
            slices.push(("all others".to_owned(), rest));
        }
        slices.iter().map(|(name, rows)| (name.clone(), metrics(rows))).collect::<Vec<_>>()
    };
    let lengths = (0..=LENGTHS.len()).filter_map(|at| {
        let from = at.checked_sub(1).map_or(0, |before| LENGTHS[before] + 1);
        let to = LENGTHS.get(at).copied();
        let is_in = |row: &usize| urls[*row].len() >= from && to.is_none_or(|to| urls[*row].len() <= to);
        let rows: Vec<usize> = (0..urls.len()).filter(is_in).collect();
        let name = to.map_or_else(|| format!("{from} and more"), |to| format!("{from} to {to}"));
        (!rows.is_empty()).then(|| (name, metrics(&rows)))
    });
    [
        ("Scheme", by(&|row| named(&parts[row].0))),
        ("Last label of the host", by(&|row| named(&parts[row].1))),
        ("Bytes of the URL", lengths.collect()),
    ]
}

fn shortened(name: &str) -> String {
    match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_slice_of_each_kind() {
        let urls: Vec<String> = (0..60).map(|i| format!("http://a.t{}/{}", i % 20, "x".repeat(i * 5))).collect();
        let zeros = vec![0.0; 60];
        for (head, slices) in of(&urls, &zeros, &zeros) {
            assert_eq!(slices.iter().map(|(_, metrics)| metrics.rows).sum::<usize>(), 60, "{head}");
            assert!(slices.len() <= MOST + 1);
        }
    }
}
