//! `augur train --images`: from a folder of labelled pictures to a model file, with a report for people.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use super::train::{Bar, TrainArgs, algorithm};
use crate::model::{self, ImageMetrics, ImageModel, ImageTrainOptions, Look, Pictures};

/// Trains on the folder `images`, writes the model in one step at the end, and reports on stdout.
pub(super) fn run(args: &TrainArgs, images: &Path, path: &Path) -> anyhow::Result<()> {
    let started = Instant::now();
    let options = ImageTrainOptions {
        name: args.name.clone().unwrap_or_else(|| "image".to_owned()),
        algorithm: algorithm(args.algorithm.as_deref())?,
        look: Look { size: args.size, channels: args.channels },
        seed: args.seed,
        validation: None,
    };
    let data = Pictures::list(images)?;
    let validation = args.valid.as_deref().map(Pictures::list).transpose()?;
    let options = ImageTrainOptions { validation: validation.as_ref(), ..options };
    let bar = Bar::new();
    let trained = model::train_images(&data, &options, path, &mut |progress| bar.show(progress));
    bar.clear();
    write_report(&mut std::io::stdout().lock(), path, &trained?, started)?;
    Ok(())
}

fn write_report(out: &mut impl Write, path: &Path, model: &ImageModel, started: Instant) -> std::io::Result<()> {
    let info = model.info();
    let Look { size, channels } = info.look;
    writeln!(out, "model      {}@{}", info.name, model.version())?;
    writeln!(out, "algorithm  {}, seed {}", info.algorithm, info.seed)?;
    writeln!(out, "sees       {size} x {size} cells, {channels}")?;
    writeln!(out, "labels     {}", info.labels.join(", "))?;
    writeln!(out, "data       {} pictures, SHA-256 {}", info.training_data.rows, info.training_data.sha256)?;
    if let Some((_, metrics)) = model.validation() {
        writeln!(out)?;
        writeln!(out, "{:<9}  {}", "", metrics_header())?;
        writeln!(out, "{:<9}  {}", "hold-out", metrics_line(metrics))?;
    }
    writeln!(out)?;
    writeln!(out, "wrote {} in {:.1} s", path.display(), started.elapsed().as_secs_f64())
}

/// Heads of the columns of [`metrics_line`].
pub(super) fn metrics_header() -> String {
    format!("{:>8} {:>9} {:>11}", "pictures", "accuracy", "mean recall")
}

/// Figures in columns.
pub(super) fn metrics_line(metrics: &ImageMetrics) -> String {
    format!("{:>8} {:>9.5} {:>11.5}", metrics.pictures, metrics.accuracy, metrics.mean_recall)
}
