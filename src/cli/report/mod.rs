//! Report: how a model answers data with known results, as one HTML file that needs nothing else.
//!
//! URLs are hostile: every text that comes from data goes through [`escaped`], and the page allows no script.

mod charts;
mod curves;
mod figures;
mod slices;

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;

use super::train::figure;
use crate::application;
use crate::model::{self, Dataset, Metrics, TopWeight, UrlModel};
use crate::settings::Settings;

/// What is reported on.
struct Subject<'a> {
    model: &'a UrlModel,
    data: &'a Dataset,
    /// What the data are to the model, as a sentence.
    note: &'a str,
    /// The configured model, or why there is none.
    live: Result<&'a UrlModel, String>,
}

/// Rows of a list of weights.
const WEIGHTS: usize = 20;

/// Writes the report on how `model` answers `data`, next to the configured model; `note` says as a sentence what the data
/// are to the model. In one step: whoever reads `path` sees the old file or the whole new one.
pub(super) fn write(
    path: &Path,
    settings: &Settings,
    model: &UrlModel,
    data: &Dataset,
    note: &str,
) -> anyhow::Result<()> {
    let live = application::load_url_model(settings);
    let live = live.as_ref().map_err(|error| format!("{error:#}"));
    let page = page(&Subject { model, data, note, live })?;
    model::write_atomically(path, page.as_bytes()).with_context(|| format!("cannot write report {}", path.display()))
}

fn page(subject: &Subject<'_>) -> anyhow::Result<String> {
    let Subject { model, data, .. } = subject;
    let urls: Vec<&str> = data.urls().iter().map(String::as_str).collect();
    let scores = model.predict(&urls)?;
    let info = model.info();
    let title = escaped(&format!("{}@{}", info.name, info.version));
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    let parameters: Vec<String> = info.parameters.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let algorithm = [vec![info.algorithm.to_string()], parameters].concat().join(", ");
    let training = &info.training_data;
    writeln!(
        html,
        "<p>{}, seed {}. Trained on {} rows, SHA-256 <code>{}</code>.</p>\n<p>{} {} rows, SHA-256 <code>{}</code>.</p>",
        escaped(&algorithm),
        info.seed,
        training.rows,
        escaped(&training.sha256),
        escaped(subject.note),
        urls.len(),
        escaped(data.sha256())
    )?;
    comparison(&mut html, subject, &scores)?;
    html.push_str("<h2>Pictures</h2>\n<div class=\"pictures\">\n");
    let is_binary = data.targets().iter().all(|&target| target == 0.0 || target == 1.0);
    let pictures = if is_binary {
        figures::of_classes(data.targets(), &scores)?
    } else {
        figures::of_numbers(data.targets(), &scores)?
    };
    html.push_str(&pictures);
    html.push_str("</div>\n");
    weights(&mut html, subject)?;
    html.push_str("<h2>Errors by slice</h2>\n");
    for (head, slices) in slices::of(data.urls(), data.targets(), &scores) {
        let rows = slices.iter().map(|(name, metrics)| (escaped(name), metrics));
        table(&mut html, head, rows)?;
    }
    html.push_str("</body>\n</html>\n");
    Ok(html)
}

/// The model, the mean of its training data as an answer to everything, and the live model.
fn comparison(html: &mut String, subject: &Subject<'_>, scores: &[f64]) -> anyhow::Result<()> {
    let Subject { model, data, live, .. } = subject;
    html.push_str("<h2>Figures</h2>\n");
    let mean = model.info().training_metrics.mean_result;
    let mut rows = vec![
        ("this model".to_owned(), Metrics::of(data.targets(), scores)),
        (format!("always the mean of its training data, {}", figure(mean)), {
            Metrics::of(data.targets(), &vec![mean; scores.len()])
        }),
    ];
    let mut remark = String::new();
    match live {
        Ok(live) if live.version() == model.version() => remark.push_str("This is the live model."),
        Ok(live) => {
            let name = escaped(&format!("{}@{}", live.name(), live.version()));
            rows.push((format!("live model {name}"), model::evaluate(live, data)?));
        }
        Err(reason) => remark = format!("There is no live model to compare with: {}.", escaped(reason)),
    }
    table(html, "Answers by", rows.iter().map(|(name, metrics)| (name.clone(), metrics)))?;
    if !remark.is_empty() {
        writeln!(html, "<p>{remark}</p>")?;
    }
    Ok(())
}

/// A table of figures; the names are HTML.
fn table<'a>(html: &mut String, head: &str, rows: impl Iterator<Item = (String, &'a Metrics)>) -> std::fmt::Result {
    let shown = |value: Option<f64>| value.map_or("&ndash;".to_owned(), figure);
    write!(html, "<table>\n<tr><th>{head}</th>")?;
    for column in ["rows", "mean result", "mean answer", "RMSE", "MAE", "R2", "ROC-AUC", "accuracy"] {
        write!(html, "<th>{column}</th>")?;
    }
    html.push_str("</tr>\n");
    for (name, metrics) in rows {
        write!(html, "<tr><td>{name}</td><td>{}</td>", metrics.rows)?;
        let figures = [metrics.mean_result, metrics.mean_score, metrics.rmse, metrics.mae].map(Some);
        for value in figures.into_iter().chain([metrics.r2, metrics.roc_auc, metrics.accuracy]) {
            write!(html, "<td>{}</td>", shown(value))?;
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table>\n");
    Ok(())
}

fn weights(html: &mut String, subject: &Subject<'_>) -> std::fmt::Result {
    html.push_str("<h2>Top weights</h2>\n");
    let Some((features, ngrams)) = subject.model.top_weights(subject.data.urls(), WEIGHTS) else {
        html.push_str("<p>The model is not linear, so it has no weights to list.</p>\n");
        return Ok(());
    };
    html.push_str("<div class=\"pictures\">\n");
    bars(html, "Feature", "what one standard deviation more adds to the score", &features)?;
    if !ngrams.is_empty() {
        bars(
            html,
            "Run of bytes",
            "what it adds, times the root of the number of a URL's distinct runs; \u{2402} and \u{2403}: beginning and end",
            &ngrams,
        )?;
    }
    html.push_str("</div>\n");
    Ok(())
}

fn bars(html: &mut String, head: &str, meaning: &str, weights: &[TopWeight]) -> std::fmt::Result {
    let largest = weights.iter().fold(f64::MIN_POSITIVE, |largest, weight| largest.max(weight.weight.abs()));
    writeln!(html, "<table>\n<caption>{meaning}</caption>\n<tr><th>{head}</th><th>weight</th><th></th></tr>")?;
    for TopWeight { name, weight } in weights {
        let (width, class) = (100.0 * weight.abs() / largest, if *weight < 0.0 { "less" } else { "more" });
        writeln!(
            html,
            "<tr><td><code>{}</code></td><td>{weight:+.4}</td>\
             <td class=\"bar\"><div class=\"{class}\" style=\"width:{width:.1}%\"></div></td></tr>",
            escaped(name)
        )?;
    }
    html.push_str("</table>\n");
    Ok(())
}

/// Text as HTML, in elements and in quoted attributes. Control characters become the replacement character.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            // the marks that turn the direction of text, too: they would scramble what stands beside them
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                html.push('\u{fffd}');
            }
            c => html.push(c),
        }
    }
    html
}

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;color:#222;max-width:1120px;margin:2em auto;padding:0 1em}\
    h1{font-size:1.3em;overflow-wrap:anywhere}h2{font-size:1.1em;margin-top:2em}code{overflow-wrap:anywhere}\
    .pictures{display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start}svg{max-width:100%;height:auto}\
    table{border-collapse:collapse;margin:0 0 1.5em;font-variant-numeric:tabular-nums}caption{text-align:left;color:#555}\
    th,td{border-bottom:1px solid #ddd;padding:.2em .7em;text-align:right}th:first-child,td:first-child{text-align:left;\
    overflow-wrap:anywhere}.bar{width:160px}.bar div{height:.8em}.more{background:#c0392b}.less{background:#2471a3}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_data_becomes_markup() {
        let csv = "url,result\n\"http://a.<script>alert(1)</script>/\"\"'&\",1\nhttp://b.example/,0\n";
        let data = Dataset::from_csv(csv.as_bytes(), "data.csv").expect("a good table");
        let model = UrlModel::embedded().expect("the shipped model");
        let live = Err("</p><script>".to_owned());
        let page = page(&Subject { model: &model, data: &data, note: "<b>", live }).expect("a page");
        assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(1)&lt;"), "{page}");
        assert_eq!(
            escaped("<a href=\"x\" title='y'>&\u{1}\u{202e}"),
            concat!("&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;", "\u{fffd}\u{fffd}")
        );
    }
}
