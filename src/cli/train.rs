//! `augur train`: from a CSV file or a folder of pictures to a model file, with a report for people.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::model::{self, Channels, Dataset, Look, Metrics, Progress, Stage, TrainOptions, UrlModel};

/// Train a model of URLs and their results, or of pictures and their labels
#[derive(Debug, clap::Args)]
pub(super) struct TrainArgs {
    /// CSV file with the columns `url` and `result` to learn from
    #[arg(long, value_name = "FILE.csv", required_unless_present = "images")]
    data: Option<PathBuf>,
    /// Folder to learn from that holds one folder of pictures for each label
    #[arg(long, value_name = "FOLDER", conflicts_with = "data")]
    images: Option<PathBuf>,
    /// Where to write the model
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
    /// The same as --data or --images, to judge the model on; it is not learnt from
    #[arg(long, value_name = "FILE.csv|FOLDER")]
    pub(super) valid: Option<PathBuf>,
    /// What to fit. URLs: ridge (the default) or linear. Pictures: random-forest (the default), knn or logistic
    #[arg(long, value_name = "NAME")]
    pub(super) algorithm: Option<String>,
    /// Seed, recorded with the model
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed: u64,
    /// Cells in a row of what the model sees of a picture, 2 to 64
    #[arg(long, value_name = "N", requires = "images", default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(i64::from(*Look::SIZES.start())..=i64::from(*Look::SIZES.end())))]
    pub(super) size: u16,
    /// What of a picture counts
    #[arg(long, value_enum, requires = "images", default_value_t)]
    pub(super) channels: Channels,
}

/// Trains, writes the model in one step at the end, and reports on stdout.
pub(super) fn run(args: &TrainArgs) -> anyhow::Result<()> {
    // before minutes of work, not after
    let folder = args.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    anyhow::ensure!(folder.is_dir(), "cannot write model {}: its folder does not exist", args.out.display());

    match (&args.images, &args.data) {
        (Some(images), _) => super::train_images::run(args, images),
        (None, Some(data)) => train_urls(args, data),
        (None, None) => anyhow::bail!("name --data or --images"),
    }
}

/// The algorithm of that name, or the default one.
pub(super) fn algorithm<A: ValueEnum + Default>(name: Option<&str>) -> anyhow::Result<A> {
    let Some(name) = name else { return Ok(A::default()) };
    A::from_str(name, false).map_err(|_| {
        let known = A::value_variants().iter().filter_map(A::to_possible_value);
        let known: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
        anyhow::anyhow!("--algorithm {name} is none of {}", known.join(", "))
    })
}

fn train_urls(args: &TrainArgs, path: &Path) -> anyhow::Result<()> {
    let started = Instant::now();
    let algorithm = algorithm(args.algorithm.as_deref())?;
    let data = Dataset::read_csv(path)?;
    let validation = args.valid.as_deref().map(Dataset::read_csv).transpose()?;
    let options = TrainOptions { name: "url".to_owned(), algorithm, seed: args.seed, validation: validation.as_ref() };
    let bar = Bar::new();
    let trained = model::train(&data, &options, &mut |progress| bar.show(progress));
    bar.clear();
    let (model, report) = trained.with_context(|| format!("cannot train on {}", path.display()))?;
    model.save(&args.out)?;

    write_report(&mut std::io::stdout().lock(), &args.out, &model, &report.dropped_features, started)
        .context("cannot write to stdout")
}

fn write_report(
    out: &mut impl Write,
    path: &Path,
    model: &UrlModel,
    dropped: &[&str],
    started: Instant,
) -> std::io::Result<()> {
    let info = model.info();
    writeln!(out, "model      {}@{}", info.name, info.version)?;
    writeln!(out, "algorithm  {} {:?}, seed {}", info.algorithm, info.parameters, info.seed)?;
    writeln!(out, "features   {} used, {} without information here", info.features_used, dropped.len())?;
    if !dropped.is_empty() {
        writeln!(out, "           left out: {}", dropped.join(", "))?;
    }
    writeln!(out, "data       {} rows, SHA-256 {}", info.training_data.rows, info.training_data.sha256)?;
    writeln!(out)?;
    writeln!(out, "{:<9}  {}", "", metrics_header())?;
    writeln!(out, "{:<9}  {}", "training", metrics_line(&info.training_metrics))?;
    if let Some(metrics) = &info.validation_metrics {
        writeln!(out, "{:<9}  {}", "hold-out", metrics_line(metrics))?;
    }
    writeln!(out)?;
    writeln!(out, "wrote {} in {:.1} s", path.display(), started.elapsed().as_secs_f64())
}

/// Heads of the columns of [`metrics_line`].
pub(super) fn metrics_header() -> String {
    format!("{:>8} {:>9} {:>9} {:>9} {:>9} {:>9}", "rows", "RMSE", "MAE", "R2", "ROC-AUC", "accuracy")
}

/// Figures in columns; `-` where one is not defined.
pub(super) fn metrics_line(metrics: &Metrics) -> String {
    let shown = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.5}"));
    format!(
        "{:>8} {:>9.5} {:>9.5} {:>9} {:>9} {:>9}",
        metrics.rows,
        metrics.rmse,
        metrics.mae,
        shown(metrics.r2),
        shown(metrics.roc_auc),
        shown(metrics.accuracy)
    )
}

/// Progress on stderr; indicatif keeps silent where that is not a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        // the template is fixed and correct; should a later indicatif refuse it, its own style will do
        if let Ok(style) = ProgressStyle::with_template("{msg:<9} [{bar:32}] {pos}/{len} {elapsed}") {
            bar.set_style(style);
        }
        Bar(bar)
    }

    pub(super) fn show(&self, progress: Progress) {
        self.0.set_message(match progress.stage {
            Stage::Features => "features",
            Stage::Fit => "fitting",
            Stage::Judge => "judging",
        });
        self.0.set_length(progress.total as u64);
        self.0.set_position(progress.done as u64);
        // draws now: a long fit would otherwise show the stage before it
        self.0.tick();
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
