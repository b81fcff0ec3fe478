//! `augur evaluate`: how good a model's answers are on data with known results.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::train::{metrics_header, metrics_line};
use super::train_images;
use super::{data, outputs, report};
use crate::application;
use crate::model::{self, ImageModel, Pictures, UrlModel};
use crate::settings::Settings;

/// Judge a model on URLs with known results, or on pictures with known labels
#[derive(Debug, clap::Args)]
pub(super) struct EvaluateArgs {
    /// Model to judge; the configured one where none is named
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// CSV file with the columns `url` and `result`
    #[arg(long, value_name = "FILE.csv", required_unless_present_any = ["from_store", "images"])]
    data: Option<PathBuf>,
    /// SELECT that gives URLs and results, from the configured database
    #[arg(long, value_name = "SELECT", conflicts_with = "data")]
    from_store: Option<String>,
    /// Folder that holds one folder of pictures for each label
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["data", "from_store"])]
    images: Option<PathBuf>,
    /// Write a report with pictures, one HTML file, too
    #[arg(long, value_name = "FILE.html", conflicts_with = "images")]
    report: Option<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Judges the model on what the server would answer, and prints the figures on stdout.
pub(super) fn run(args: &EvaluateArgs, settings: &Settings) -> anyhow::Result<()> {
    let inputs = [("--model", args.model.as_deref()), ("--data", args.data.as_deref())];
    let inputs = inputs.into_iter().filter_map(|(name, path)| Some((name, path?)));
    let report = args.report.as_deref().map(|path| ("report", path));
    outputs::check(report, inputs.chain(outputs::configured(settings)))?;
    match &args.images {
        Some(images) => evaluate_images(args, images, settings),
        None => evaluate_urls(args, settings),
    }
}

fn evaluate_urls(args: &EvaluateArgs, settings: &Settings) -> anyhow::Result<()> {
    let model = match &args.model {
        Some(path) => UrlModel::load(path)?,
        None => application::load_url_model(settings)?,
    };
    let data = data::read(args.data.as_deref(), args.from_store.as_deref(), settings)?;
    let metrics = model::evaluate(&model, &data)?;
    if let Some(path) = &args.report {
        report::write(path, settings, &model, &data, "Judged on")?;
    }
    let lines = [format!("model  {}@{}", model.name(), model.version()), metrics_header(), metrics_line(&metrics)];
    print(args, &metrics, &lines)
}

fn evaluate_images(args: &EvaluateArgs, images: &Path, settings: &Settings) -> anyhow::Result<()> {
    let model = match &args.model {
        Some(path) => ImageModel::load(path)?,
        None => application::load_image_model(settings)?,
    };
    let metrics = model::evaluate_images(&model, &Pictures::list(images)?)?;
    let lines = [
        format!("model  {}@{}", model.info().name, model.version()),
        train_images::metrics_header(),
        train_images::metrics_line(&metrics),
    ];
    print(args, &metrics, &lines)
}

fn print(args: &EvaluateArgs, metrics: &impl Serialize, lines: &[String]) -> anyhow::Result<()> {
    let text = if args.json { serde_json::to_string(metrics)? } else { lines.join("\n") };
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}
