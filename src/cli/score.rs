//! `augur score`: results for a file of URLs, millions of them in constant memory.

mod input;
mod output;
mod pump;
mod rows;
mod scorer;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use indicatif::ProgressBar;

use super::progress::style;
use super::{outputs, tell};
use crate::application;
use crate::settings::Settings;
use input::Input;
use output::{Output, Target};
use pump::pump;
use rows::{Format, Limits, Rows};
use scorer::{Scorer, Table};

/// Score a file of URLs: through the result table as the server does, or by the model alone
#[derive(Debug, clap::Args)]
pub(super) struct ScoreArgs {
    /// URLs: CSV with a column `url`, or NDJSON with a member `url`; `-` is standard input
    #[arg(long = "in", value_name = "FILE")]
    input: PathBuf,
    /// Where `url` and `result` go, in the same form and order; bad rows go to FILE.bad. `-` is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Form of the rows, where the input's name does not end in .csv, .ndjson or .jsonl
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Neither look anything up in the result table nor store anything there
    #[arg(long)]
    no_store: bool,
}

pub(super) fn run(args: &ScoreArgs, settings: &Settings) -> anyhow::Result<()> {
    let ScoreArgs { input, out, .. } = args;
    let format =
        args.format.or_else(|| Format::of(input)).context("name the form of the rows: --format csv or ndjson")?;
    let limits =
        Limits { max_line_bytes: settings.limits.max_body_bytes, max_url_bytes: settings.limits.max_url_bytes };
    // Standard input may be a file, too.
    let read = if input == Path::new("-") { Path::new("/dev/stdin") } else { input };
    let inputs = [("--in", read)].into_iter().chain(outputs::configured(settings));
    let target = Target::of(out, inputs)?;
    let Input { bytes, identity } = Input::open(input)?;
    let mut rows = Rows::new(bytes, format, limits).with_context(|| input.display().to_string())?;
    let model = application::load_url_model(settings)?;
    let model_version = format!("{}@{}", model.name(), model.version());
    let scorer =
        if args.no_store { Scorer::Model(Box::new(model)) } else { Scorer::Table(Table::open(settings, model)?) };
    let run = identity.map(|identity| format!("{identity}; {format:?}; {model_version} {}", scorer.describe()));
    let mut output = Output::open(target, run)?;
    let done = output.rows_done();
    for _ in 0..done {
        rows.next()?.context("the input has become shorter since the run that this one goes on with")?;
    }
    if done == 0 && format == Format::Csv {
        output.write(b"url,result\n", b"", 0)?;
    }
    let bar = progress_bar(&output);
    let started = Instant::now();
    let (mut scored, mut bad) = (0, 0);
    pump(
        done,
        || rows.next(),
        |chunk| scorer.score(chunk, format),
        |chunk| {
            output.write(&chunk.good, &chunk.bad, chunk.rows_read)?;
            (scored, bad) = (chunk.rows_read - done, bad + chunk.bad_rows);
            bar.set_position(chunk.rows_read);
            Ok(())
        },
    )
    .with_context(|| input.display().to_string())?;
    let bad_file = output.finish()?;
    bar.finish_and_clear();
    let seconds = started.elapsed().as_secs_f64().max(1e-3);
    let earlier = if done > 0 { format!(", {done} in an earlier run") } else { String::new() };
    let place = bad_file.map_or(String::new(), |path| format!(" (see {})", path.display()));
    tell(&format!("{scored} rows{earlier}, {bad} of them bad{place}; {:.0} rows a second\n", scored as f64 / seconds))
}

fn progress_bar(output: &Output) -> ProgressBar {
    match output {
        Output::Stream(_) => ProgressBar::hidden(),
        Output::Files(_) => {
            ProgressBar::new_spinner().with_style(style("{spinner} {human_pos} rows, {per_sec}, {elapsed}"))
        }
    }
}
