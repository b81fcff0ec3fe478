//! `augur rescore`: renews stored results that an older version of the model made.

use std::num::NonZeroU32;

use anyhow::Context;

use super::print;
use super::progress::Bar;
use crate::application;
use crate::service::{Pace, RescoreOptions, Rescored, rescore};
use crate::settings::Settings;
use crate::store;

/// Renew stored results that an older version of the model made
///
/// Walks over the whole table, and replaces the results whose MODEL is an older version of the model that models.url.path
/// names. Rows that somebody changes meanwhile stay as he left them. May be ended at any time, and started again: what was
/// renewed is passed over.
#[derive(Debug, clap::Args)]
pub(super) struct RescoreArgs {
    /// Predict, print how far the values would move, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Rows a second at most, so that clients do not feel it; no limit where none is named
    #[arg(long, value_name = "N")]
    rate: Option<NonZeroU32>,
    /// Batches that are worked on at the same time
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Also replace rows without a MODEL, which other programs wrote
    #[arg(long)]
    include_unknown: bool,
    /// Also replace rows whose MODEL is `manual`: people's corrections
    #[arg(long)]
    include_manual: bool,
}

pub(super) fn run(args: &RescoreArgs, settings: &Settings) -> anyhow::Result<()> {
    anyhow::ensure!(
        !settings.store.table.model_column.is_empty(),
        "store.table.model_column is empty: without it nobody knows which rows an older model made"
    );
    let model = application::load_url_model(settings)?;
    let store = store::open::open_existing(&settings.store)?.urls;
    let pace = Pace { workers: args.workers.into(), rows_per_s: args.rate };
    let (include_unknown, include_manual) = (args.include_unknown, args.include_manual);
    let options = RescoreOptions { include_unknown, include_manual, pace, dry_run: args.dry_run };
    let bar = Bar::new();
    let rescored = rescore(&*store, &model, options, &|step| bar.show(step));
    bar.clear();
    let rescored = rescored.context("ended early; what was renewed stays so, and the next run goes on from there")?;
    print(&report(&rescored, args.dry_run))
}

fn report(rescored: &Rescored, dry_run: bool) -> String {
    let verb = if dry_run { "would be renewed" } else { "renewed" };
    let changes = &rescored.changes;
    let mut text = format!("{:>10}  rows {verb}\n", rescored.renewed);
    for (count, what) in [
        (rescored.overtaken, "were changed by others meanwhile and left alone"),
        (rescored.kept, "stay as they were: the model has no value for them, or the table does not take it"),
    ] {
        if count > 0 {
            text.push_str(&format!("{count:>10}  {what}\n"));
        }
    }
    if rescored.renewed > 0 {
        text.push_str("\nchange of the value\n");
        let most = changes.bins().map(|(_, count)| count).max().unwrap_or(0).max(1);
        for (name, count) in changes.bins() {
            // Rounded up, so that every bin that is not empty shows.
            let width = (count * 40).div_ceil(most);
            let line = format!("{name:>10} {count:>10}  {}", "#".repeat(usize::try_from(width).unwrap_or(0)));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.push_str(&format!("{:>10}  crossed 0.5\n", changes.crossed_half));
        if changes.not_numbers > 0 {
            text.push_str(&format!("{:>10}  were no numbers\n", changes.not_numbers));
        }
    }
    text
}
