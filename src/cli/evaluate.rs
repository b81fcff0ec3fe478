//! `augur evaluate`: how good a model's answers are on data with known results.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;

use super::train::{metrics_header, metrics_line};
use crate::model::{self, Dataset, UrlModel};

/// Judge a model on URLs with known results
#[derive(Debug, clap::Args)]
pub(super) struct EvaluateArgs {
    /// Model to judge; the one inside this program where none is named
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// CSV file with the columns `url` and `result`
    #[arg(long, value_name = "FILE.csv")]
    data: PathBuf,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Scores the data as the server would, and prints the figures on stdout.
pub(super) fn run(args: &EvaluateArgs) -> anyhow::Result<()> {
    let model = match &args.model {
        Some(path) => UrlModel::load(path)?,
        None => UrlModel::embedded().context("the model inside this program is unusable")?,
    };
    let data = Dataset::read_csv(&args.data)?;
    let metrics = model::evaluate(&model, &data)?;

    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&metrics)?)?;
    } else {
        writeln!(out, "model  {}@{}", model.name(), model.version())?;
        writeln!(out, "{}", metrics_header())?;
        writeln!(out, "{}", metrics_line(&metrics))?;
    }
    Ok(())
}
