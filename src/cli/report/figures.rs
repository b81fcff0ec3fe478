//! Figures: which pictures tell how good the answers are.

use plotters::prelude::{BLUE, RED, RGBColor};

use super::charts::{Axis, Series, Shape, chart, range};
use super::curves;

const GREY: RGBColor = RGBColor(150, 150, 150);
/// Parts of a histogram.
const PARTS: usize = 40;
const CANNOT: &str = "<p>The numbers are too far apart to be drawn.</p>\n";

fn line(name: &'static str, colour: RGBColor, points: Vec<(f64, f64)>) -> Series<'static> {
    Series { name, colour, shape: Shape::Line, points }
}

/// For results 0 and 1: calibration, scores by class, ROC, precision and recall.
pub(super) fn of_classes(targets: &[f64], scores: &[f64]) -> anyhow::Result<String> {
    let unit = |label| Axis { label, range: 0.0..1.0 };
    // a model of other numbers has other answers, which belong to the ends
    let scores: Vec<f64> = scores.iter().map(|score| score.clamp(0.0, 1.0)).collect();
    let calibration = curves::calibration(targets, &scores);
    let diagonal = || line("", GREY, vec![(0.0, 0.0), (1.0, 1.0)]);
    let dots = Series { name: "", colour: BLUE, shape: Shape::Dots, points: calibration.clone() };
    let mut html = chart(
        "Calibration",
        &unit("mean answer"),
        &unit("share of results 1"),
        &[diagonal(), line("", BLUE, calibration), dots],
    )?;

    let bars = |name, class, colour| {
        let of_class = targets.iter().zip(&scores).filter(move |(target, _)| **target == class);
        let points = curves::histogram(of_class.map(|(_, score)| *score), &(0.0..1.0), PARTS);
        Series { name, colour, shape: Shape::Bars { width: 1.0 / PARTS as f64 }, points }
    };
    let series = [bars("result 0", 0.0, BLUE), bars("result 1", 1.0, RED)];
    let top = series.iter().flat_map(|series| &series.points).fold(0.0_f64, |top, point| top.max(point.1));
    let height = Axis { label: "share of the class", range: 0.0..1.05 * top };
    html.push_str(&chart("Answers by class", &unit("answer"), &height, &series)?);

    if targets.windows(2).all(|pair| pair[0] == pair[1]) {
        html.push_str("<p>All results are the same: there is no ROC and no precision-recall curve.</p>\n");
        return Ok(html);
    }
    let roc = [diagonal(), line("", BLUE, curves::roc(targets, &scores))];
    html.push_str(&chart("ROC", &unit("false-positive rate"), &unit("true-positive rate"), &roc)?);
    let share = targets.iter().sum::<f64>() / targets.len() as f64;
    let by_lot = line("by lot", GREY, vec![(0.0, share), (1.0, share)]);
    let curve = line("this model", BLUE, curves::precision_recall(targets, &scores));
    html.push_str(&chart("Precision and recall", &unit("recall"), &unit("precision"), &[by_lot, curve])?);
    Ok(html)
}

/// For any other results: predicted against actual, and residuals.
pub(super) fn of_numbers(targets: &[f64], scores: &[f64]) -> anyhow::Result<String> {
    let residuals: Vec<f64> = targets.iter().zip(scores).map(|(target, score)| score - target).collect();
    let all = range(targets.iter().chain(scores).copied());
    let (Some(all), Some(off)) = (all, range(residuals.iter().copied())) else { return Ok(CANNOT.to_owned()) };
    let dots = |points| Series { name: "", colour: BLUE, shape: Shape::Dots, points };
    let axis = |label| Axis { label, range: all.clone() };

    let pairs = targets.iter().copied().zip(scores.iter().copied()).collect();
    let diagonal = line("", GREY, vec![(all.start, all.start), (all.end, all.end)]);
    let mut html = chart("Predicted and actual", &axis("actual"), &axis("predicted"), &[diagonal, dots(pairs)])?;

    let by_answer = scores.iter().copied().zip(residuals.iter().copied()).collect();
    let zero = line("", GREY, vec![(all.start, 0.0), (all.end, 0.0)]);
    let height = Axis { label: "predicted - actual", range: off.clone() };
    html.push_str(&chart("Residuals", &axis("predicted"), &height, &[zero, dots(by_answer)])?);

    let points = curves::histogram(residuals.iter().copied(), &off, PARTS);
    let top = points.iter().fold(0.0_f64, |top, point| top.max(point.1));
    let width = (off.end - off.start) / PARTS as f64;
    let bars = Series { name: "", colour: BLUE, shape: Shape::Bars { width }, points };
    let axes = (Axis { label: "predicted - actual", range: off }, Axis { label: "share", range: 0.0..1.05 * top });
    html.push_str(&chart("Residuals, how often", &axes.0, &axes.1, &[bars])?);
    Ok(html)
}
