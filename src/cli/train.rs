//! `augur train`: from a CSV file, a query or a folder of pictures to a model file, with a report for people.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::ValueEnum;
use indicatif::ProgressBar;

use super::progress::style;
use super::{data, outputs, report};
use crate::model::{
    self, Algorithm, Channels, Dataset, Grouping, Look, Metrics, Parameter, Progress, Stage, TrainOptions, UrlModel,
};
use crate::settings::Settings;

/// Train a model of URLs and their results, or of pictures and their labels
#[derive(Debug, clap::Args)]
#[command(after_long_help = parameters_help())]
pub(super) struct TrainArgs {
    /// CSV file with the columns `url` and `result` to learn from
    #[arg(long, value_name = "FILE.csv", required_unless_present_any = ["from_store", "images"])]
    data: Option<PathBuf>,
    /// SELECT that gives what to learn from, a text and a number a row, from the configured database; rows with a NULL are
    /// left out. With an ORDER BY the same rows give the same model
    #[arg(long, value_name = "SELECT", conflicts_with = "data")]
    from_store: Option<String>,
    /// Folder to learn from that holds one folder of pictures for each label
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["data", "from_store"])]
    images: Option<PathBuf>,
    /// Where to write the model
    #[arg(long, value_name = "FILE", required_unless_present = "cv")]
    out: Option<PathBuf>,
    /// Name of the model, which MODEL and Augur-Model tell with its version; only a model of the same name renews results
    /// [default: url, or image with --images]
    #[arg(long, value_name = "NAME", value_parser = model_name)]
    pub(super) name: Option<String>,
    /// A file like --data, or a folder like --images, to judge the model on; it is not learnt from
    #[arg(long, value_name = "FILE.csv|FOLDER", requires = "out")]
    pub(super) valid: Option<PathBuf>,
    /// Where to write the report on the hold-out data, or on the training data where there are none; beside the model
    /// and under its name (m.html for m.augur) where no file is named
    #[arg(long, value_name = "FILE.html", requires = "out", conflicts_with = "images")]
    report: Option<PathBuf>,
    /// What to fit. URLs: text (the default), linear, ridge, random-forest or gradient-boosting. Pictures: random-forest
    /// (the default), knn or logistic
    #[arg(long, value_name = "NAME")]
    pub(super) algorithm: Option<String>,
    /// Number to set about the algorithm; --help lists them
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter, conflicts_with = "images")]
    parameters: Vec<(String, f64)>,
    /// Judge by cross-validation with so many folds, too; without --out nothing else is done
    #[arg(long, value_name = "N", conflicts_with = "images", value_parser = clap::value_parser!(u8).range(2..=50))]
    cv: Option<u8>,
    /// What is kept together in one fold
    #[arg(long, value_enum, requires = "cv", default_value_t)]
    group: Grouping,
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
pub(super) fn run(args: &TrainArgs, settings: &Settings) -> anyhow::Result<()> {
    // before minutes of work, not after
    let page = args.page();
    let [table, live] = outputs::configured(settings);
    let written = [("model", &args.out), ("report", &page)];
    let read = [("--data", &args.data), ("--valid", &args.valid)];
    let written = written.into_iter().filter_map(|(name, path)| Some((name, path.as_deref()?)));
    let read = read.into_iter().filter_map(|(name, path)| Some((name, path.as_deref()?)));
    outputs::check(written, read.chain([table]))?;
    // A model may take the place of the live one, but not the report, which shows it.
    outputs::check(page.as_deref().map(|page| ("report", page)), [live])?;
    match &args.images {
        Some(images) => super::train_images::run(args, images, args.out.as_deref().context("name --out")?),
        None => train_urls(args, settings),
    }
}

impl TrainArgs {
    /// Where the report goes: beside the model under the model's name, where no file is named.
    fn page(&self) -> Option<PathBuf> {
        let out = self.out.as_deref().filter(|_| self.images.is_none());
        self.report.clone().or_else(|| out.map(outputs::report_beside))
    }
}

/// Parses `name=value`.
fn parameter(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("it must be name=value, such as alpha=1")?;
    let value = value.parse().map_err(|_| format!("`{value}` is not a number"))?;
    Ok((name.to_owned(), value))
}

/// Takes what stands as it is in a header, and before the `@` of MODEL.
fn model_name(text: &str) -> Result<String, String> {
    const MAX_BYTES: usize = 32;
    let sane = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(sane) {
        Ok(text.to_owned())
    } else {
        Err(format!("a name has 1 to {MAX_BYTES} letters, digits, '-', '_' and '.'"))
    }
}

/// What the algorithms cost and what `--param` can set, for `--help`.
fn parameters_help() -> String {
    let mut help =
        "Algorithms for URLs: to fit; in a file and at work; on hosts that it has not seen (README, Models):\n"
            .to_owned();
    for algorithm in Algorithm::value_variants() {
        help.push_str(&format!("  {algorithm:<18} {}\n", algorithm.cost()));
    }
    help.push_str("\nParameters of the algorithms for URLs (--param name=value):\n");
    for algorithm in Algorithm::value_variants() {
        for Parameter { name, default, range, doc, .. } in algorithm.parameters() {
            let setting = format!("{name}={default}");
            let line = format!("  {algorithm:<18} {setting:<11} {doc}, {} to {}\n", range.start(), range.end());
            help.push_str(&line);
        }
    }
    help
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

fn train_urls(args: &TrainArgs, settings: &Settings) -> anyhow::Result<()> {
    let started = Instant::now();
    let algorithm = algorithm(args.algorithm.as_deref())?;
    let data = data::read(args.data.as_deref(), args.from_store.as_deref(), settings)?;
    let validation = args.valid.as_deref().map(Dataset::read_csv).transpose()?;
    let options = TrainOptions {
        name: args.name.clone().unwrap_or_else(|| "url".to_owned()),
        algorithm,
        parameters: args.parameters.iter().cloned().collect(),
        seed: args.seed,
        validation: validation.as_ref(),
    };
    let place = args.data.as_ref().map_or("what --from-store gives".to_owned(), |path| path.display().to_string());
    let failed = || format!("cannot train on {place}");
    let bar = Bar::new();
    let mut progress = |step| bar.show(step);
    if let Some(count) = args.cv {
        let folds = model::cross_validate(&data, &options, count.into(), args.group, &mut progress);
        bar.clear();
        write_folds(&mut std::io::stdout().lock(), &folds.with_context(failed)?).context("cannot write to stdout")?;
    }
    let (Some(out), Some(page)) = (&args.out, args.page()) else { return Ok(()) };
    let trained = model::train(&data, &options, &mut progress);
    bar.clear();
    let (model, trained_report) = trained.with_context(failed)?;
    model.save(out)?;
    let (data, note) = match &validation {
        Some(validation) => (validation, "Judged on hold-out data that the model has not learnt from:"),
        None => (&data, "Judged on its own training data, which flatters it, since no hold-out data were given:"),
    };
    report::write(&page, settings, &model, data, note)?;

    let files = [out.as_path(), &page];
    write_summary(&mut std::io::stdout().lock(), files, &model, &trained_report.dropped_features, started)
        .context("cannot write to stdout")
}

/// One line a fold, then mean and spread (standard deviation over the folds) of what has a value in each.
fn write_folds(out: &mut impl Write, folds: &[Metrics]) -> std::io::Result<()> {
    writeln!(out, "{:<9}  {}", "", metrics_header())?;
    for (place, metrics) in folds.iter().enumerate() {
        writeln!(out, "fold {:<4}  {}", place + 1, metrics_line(metrics))?;
    }
    let columns: [fn(&Metrics) -> Option<f64>; 5] = [
        |metrics| Some(metrics.rmse),
        |metrics| Some(metrics.mae),
        |metrics| metrics.r2,
        |metrics| metrics.roc_auc,
        |metrics| metrics.accuracy,
    ];
    let (mut means, mut spreads) = (String::new(), String::new());
    for column in columns {
        let values: Option<Vec<f64>> = folds.iter().map(column).collect();
        let (mean, spread) = values.map_or(("-".to_owned(), "-".to_owned()), |values| {
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
            (figure(mean), figure(variance.sqrt()))
        });
        means.push_str(&format!(" {mean:>9}"));
        spreads.push_str(&format!(" {spread:>9}"));
    }
    let rows: usize = folds.iter().map(|metrics| metrics.rows).sum();
    writeln!(out, "{:<9}  {rows:>8}{means}", "mean")?;
    writeln!(out, "{:<9}  {:>8}{spreads}", "spread", "")
}

fn write_summary(
    out: &mut impl Write,
    files: [&Path; 2],
    model: &UrlModel,
    dropped: &[&str],
    started: Instant,
) -> std::io::Result<()> {
    let info = model.info();
    writeln!(out, "model      {}@{}", info.name, info.version)?;
    writeln!(out, "algorithm  {} {:?}, seed {}", info.algorithm, info.parameters, info.seed)?;
    writeln!(out, "features   {} used, {} left out", info.features_used, dropped.len())?;
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
    let [model, report] = files.map(Path::display);
    writeln!(out, "wrote {model} and {report} in {:.1} s", started.elapsed().as_secs_f64())
}

/// Heads of the columns of [`metrics_line`].
pub(super) fn metrics_header() -> String {
    format!("{:>8} {:>9} {:>9} {:>9} {:>9} {:>9}", "rows", "RMSE", "MAE", "R2", "ROC-AUC", "accuracy")
}

/// Figures in columns; `-` where one is not defined.
pub(super) fn metrics_line(metrics: &Metrics) -> String {
    let shown = |value: Option<f64>| value.map_or("-".to_owned(), figure);
    format!(
        "{:>8} {:>9} {:>9} {:>9} {:>9} {:>9}",
        metrics.rows,
        figure(metrics.rmse),
        figure(metrics.mae),
        shown(metrics.r2),
        shown(metrics.roc_auc),
        shown(metrics.accuracy)
    )
}

/// A figure in five decimals, or with an exponent where these would show nothing or too much.
pub(super) fn figure(value: f64) -> String {
    if value == 0.0 || (1e-5..1e7).contains(&value.abs()) { format!("{value:.5}") } else { format!("{value:.2e}") }
}

/// How far training is.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        Bar(ProgressBar::new(0).with_style(style("{msg:<9} [{bar:32}] {pos}/{len} {elapsed}")))
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
