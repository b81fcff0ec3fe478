//! Charts: series over two axes as SVG, drawn by plotters. No text in them comes from data.

use std::ops::Range;

use plotters::prelude::*;

/// Pixels.
const SIZE: (u32, u32) = (520, 340);
/// Most dots or corners of a line: more do not show, and make the file large.
const MOST_POINTS: usize = 1500;

/// An axis.
pub(super) struct Axis<'a> {
    pub(super) label: &'a str,
    pub(super) range: Range<f64>,
}

/// How points are drawn.
pub(super) enum Shape {
    Line,
    Dots,
    /// The points are left edges and heights.
    Bars {
        width: f64,
    },
}

/// What is drawn in one colour.
pub(super) struct Series<'a> {
    /// In the legend; empty: in none.
    pub(super) name: &'a str,
    pub(super) colour: RGBColor,
    pub(super) shape: Shape,
    pub(super) points: Vec<(f64, f64)>,
}

/// The range of finite values with a little air; none where it cannot be drawn.
pub(super) fn range(values: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
    let air = (0.05 * (high - low)).max(1e-6 * low.abs().max(high.abs())).max(1e-9);
    let span = high - low + 2.0 * air;
    (span.is_finite() && span < 1e300).then_some(low - air..high + air)
}

/// The SVG element.
pub(super) fn chart(title: &str, x: &Axis<'_>, y: &Axis<'_>, series: &[Series<'_>]) -> anyhow::Result<String> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(62)
        .build_cartesian_2d(x.range.clone(), y.range.clone())?;
    chart
        .configure_mesh()
        .x_desc(x.label)
        .y_desc(y.label)
        .x_labels(8)
        .y_labels(8)
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 13))
        .axis_desc_style(("sans-serif", 14))
        .draw()?;
    for Series { name, colour, shape, points } in series {
        let step = points.len().div_ceil(MOST_POINTS).max(1);
        // the last point closes a curve
        let last = points.len().saturating_sub(1);
        let points = points.iter().enumerate().filter(|(at, _)| at % step == 0 || *at == last).map(|(_, &point)| point);
        let (colour, faint) = (*colour, colour.mix(0.45).filled());
        let drawn = match shape {
            Shape::Line => chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?,
            Shape::Dots => chart.draw_series(points.map(|point| Circle::new(point, 3, faint)))?,
            Shape::Bars { width } => chart
                .draw_series(points.map(|(left, top)| Rectangle::new([(left, 0.0), (left + width, top)], faint)))?,
        };
        if !name.is_empty() {
            drawn.label(*name).legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
        }
    }
    if series.iter().any(|series| !series.name.is_empty()) {
        let style = ("sans-serif", 13);
        chart
            .configure_series_labels()
            .label_font(style)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
    }
    area.present()?;
    drop(chart);
    drop(area);
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_constant_is_drawn_and_what_overflows_is_not() {
        for (low, high) in [(0.0, 0.0), (7.5, 7.5), (-1e-300, 1e-300), (1e16, 1e16), (-1e200, 1e200)] {
            let range = range([low, high].into_iter()).expect("a range");
            let axis = || Axis { label: "x", range: range.clone() };
            let dots = Series { name: "", colour: BLACK, shape: Shape::Dots, points: vec![(low, low), (high, high)] };
            let svg = chart("title", &axis(), &axis(), &[dots]).expect("a chart");
            assert!(svg.starts_with("<svg") && svg.contains("<circle") && svg.trim_end().ends_with("</svg>"), "{svg}");
        }
        assert!(range([-1e308, 1e308].into_iter()).is_none() && range(std::iter::empty()).is_none());
    }

    #[test]
    fn a_long_line_is_thinned_and_keeps_its_end() {
        let points = (0..100_000).map(|i| (f64::from(i), f64::from(i))).collect();
        let line = Series { name: "all", colour: BLUE, shape: Shape::Line, points };
        let axis = || Axis { label: "x", range: 0.0..99_999.0 };
        assert!(chart("title", &axis(), &axis(), &[line]).expect("a chart").len() < 60_000);
    }
}
