//! `augur prune`: removes old results, so that the table stays inside its quota.

use std::num::NonZeroU32;

use anyhow::Context;

use super::print;
use super::progress::Bar;
use crate::service::{Pace, PruneOptions, prune};
use crate::settings::Settings;
use crate::store;

/// Remove old results
///
/// Never rows whose MODEL is `manual`, never rows without a date, and rows without a MODEL only with --include-unknown. What
/// was removed is predicted anew when it is asked for.
#[derive(Debug, clap::Args)]
pub(super) struct PruneArgs {
    /// Remove rows that were first written this many days ago or earlier
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    older_than: u32,
    /// Only rows of this model, as `url@20261123T151544Z-a1f034ea59af`
    #[arg(long, value_name = "NAME@VERSION")]
    model: Option<String>,
    /// Also rows without a MODEL, which other programs wrote
    #[arg(long, conflicts_with = "model")]
    include_unknown: bool,
    /// Prune the labels of pictures instead of the results of URLs
    #[arg(long)]
    images: bool,
    /// Rows a second at most; no limit where none is named
    #[arg(long, value_name = "N")]
    rate: Option<NonZeroU32>,
    /// Count, and remove nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &PruneArgs, settings: &Settings) -> anyhow::Result<()> {
    let table = &settings.store.table;
    anyhow::ensure!(
        args.images || !table.created_column.is_empty(),
        "store.table.created_column is empty: without it nobody knows which rows are old"
    );
    // Without the column nothing tells corrections from the rest.
    anyhow::ensure!(
        args.images || !table.model_column.is_empty(),
        "store.table.model_column is empty: without it nobody knows which rows are people's corrections"
    );
    let stores = store::open::open(&settings.store)?;
    let store = if args.images { stores.images } else { stores.urls };
    let hours = i64::from(args.older_than) * 24;
    let options = PruneOptions {
        before: jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours),
        model: args.model.clone(),
        include_unknown: args.include_unknown,
        pace: Pace { workers: 1, rows_per_s: args.rate },
        dry_run: args.dry_run,
    };
    let bar = Bar::new();
    let pruned = prune(&*store, &options, &|step| bar.show(step));
    bar.clear();
    let pruned = pruned.context("ended early; what was removed stays so")?;
    let verb = if args.dry_run { "would be removed" } else { "removed" };
    let mut text = format!("{:>10}  rows {verb}\n", pruned.removed);
    if pruned.overtaken > 0 {
        text.push_str(&format!("{:>10}  were changed by others meanwhile and left alone\n", pruned.overtaken));
    }
    print(&text)
}
