//! Curves: what the charts of a report show, worked out from results and scores.

/// Equal parts of the range of scores.
pub(super) const BINS: usize = 10;

/// Mean score and share of results 1 of each part of the scores that has rows, lowest first.
pub(super) fn calibration(targets: &[f64], scores: &[f64]) -> Vec<(f64, f64)> {
    let mut bins = [(0.0, 0.0, 0.0); BINS];
    for (target, score) in targets.iter().zip(scores) {
        let bin = &mut bins[((score * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + 1.0, bin.1 + score, bin.2 + target);
    }
    let filled = bins.into_iter().filter(|(count, ..)| *count > 0.0);
    filled.map(|(count, scores, ones)| (scores / count, ones / count)).collect()
}

/// Right and false alarms at every threshold, from the highest: of each, how many rows score no less.
fn alarms(targets: &[f64], scores: &[f64]) -> Vec<(f64, f64)> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let (mut right, mut wrong) = (0.0, 0.0);
    let mut found = Vec::new();
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        right += tied.iter().map(|&row| targets[row]).sum::<f64>();
        wrong += tied.iter().map(|&row| 1.0 - targets[row]).sum::<f64>();
        found.push((right, wrong));
    }
    found
}

/// False-positive and true-positive rates, from (0, 0) to (1, 1). Both results have to occur.
pub(super) fn roc(targets: &[f64], scores: &[f64]) -> Vec<(f64, f64)> {
    let alarms = alarms(targets, scores);
    let (ones, zeros) = alarms.last().copied().unwrap_or((1.0, 1.0));
    let rates = alarms.iter().map(|(right, wrong)| (wrong / zeros, right / ones));
    std::iter::once((0.0, 0.0)).chain(rates).collect()
}

/// Recall and precision. Both results have to occur.
pub(super) fn precision_recall(targets: &[f64], scores: &[f64]) -> Vec<(f64, f64)> {
    let alarms = alarms(targets, scores);
    let ones = alarms.last().map_or(1.0, |(right, _)| *right);
    alarms.iter().map(|(right, wrong)| (right / ones, right / (right + wrong))).collect()
}

/// Left edges of `count` equal parts of `range` and the share of `values` in each.
pub(super) fn histogram(
    values: impl Iterator<Item = f64> + Clone,
    range: &std::ops::Range<f64>,
    count: usize,
) -> Vec<(f64, f64)> {
    let width = (range.end - range.start) / count as f64;
    let mut shares = vec![0.0; count];
    let total = values.clone().count().max(1) as f64;
    for value in values {
        shares[(((value - range.start) / width) as usize).min(count - 1)] += 1.0 / total;
    }
    shares.into_iter().enumerate().map(|(at, share)| (range.start + at as f64 * width, share)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: [f64; 4] = [1.0, 0.0, 1.0, 0.0];
    const SCORES: [f64; 4] = [0.9, 0.5, 0.5, 0.1];

    #[test]
    fn curves_agree_with_sums_by_hand() {
        // .9 is right; then a tie of one right and one wrong; then a wrong one
        assert_eq!(roc(&TARGETS, &SCORES), [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
        assert_eq!(precision_recall(&TARGETS, &SCORES), [(0.5, 1.0), (1.0, 2.0 / 3.0), (1.0, 0.5)]);
        assert_eq!(calibration(&TARGETS, &SCORES), [(0.1, 0.0), (0.5, 0.5), (0.9, 1.0)]);
        assert_eq!(calibration(&[1.0], &[1.0]), [(1.0, 1.0)]);
    }

    #[test]
    fn a_histogram_counts_every_value_once_and_its_upper_end_in_the_last_part() {
        let parts = histogram([0.0, 0.2, 0.5, 1.0].into_iter(), &(0.0..1.0), 2);
        assert_eq!(parts, [(0.0, 0.5), (0.5, 0.5)]);
    }
}
