//! `augur prune`: removes old results, so that the table stays inside its quota.

use std::num::NonZeroU32;

use anyhow::Context;

use super::print;
use super::progress::Bar;
use crate::application;
use crate::service::{Pace, PruneOptions, Whose, prune};
use crate::settings::Settings;
use crate::store::{self, Rejection};

/// Remove old results
///
/// Those that any version of the configured model made, or that --model names. Never rows whose MODEL is `manual`, never rows
/// without a date, and rows without a MODEL only with --include-unknown. What was removed is predicted anew when it is asked
/// for.
#[derive(Debug, clap::Args)]
pub(super) struct PruneArgs {
    /// Remove rows that were first written this many days ago or earlier; 0, with --model: whenever that was
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(..=36_500))]
    older_than: u32,
    /// Rows whose MODEL is this text, such as `url@20261123T151544Z-a1f034ea59af`; those of any version of the configured
    /// model where none is named
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
    anyhow::ensure!(
        args.older_than > 0 || args.model.is_some(),
        "--older-than 0 removes rows of any age: name their --model too"
    );
    let whose = whose(args, settings)?;
    let stores = store::open::open_existing(&settings.store)?;
    let store = if args.images { stores.images } else { stores.urls };
    let before = match args.older_than {
        // Also those that a database whose clock is ahead has just dated.
        0 => jiff::Timestamp::MAX,
        days => jiff::Timestamp::now() - jiff::SignedDuration::from_hours(i64::from(days) * 24),
    };
    let options =
        PruneOptions { before, whose, pace: Pace { workers: 1, rows_per_s: args.rate }, dry_run: args.dry_run };
    let bar = Bar::new();
    let pruned = prune(&*store, &options, &|step| bar.show(step));
    bar.clear();
    let pruned = pruned.context("ended early; what was removed stays so")?;
    let verb = if args.dry_run { "would be removed" } else { "removed" };
    let mut text = format!("{:>10}  rows {verb}\n", pruned.removed);
    if pruned.overtaken > 0 {
        text.push_str(&format!("{:>10}  were changed by others meanwhile and left alone\n", pruned.overtaken));
    }
    if let Some((key, reason)) = pruned.first_kept {
        let why = match reason {
            Rejection::Conflict => "the table takes other keys for theirs, as for",
            _ => "a constraint or trigger of the table holds on to them, as a DELETE will tell of",
        };
        // Other programs may have written what a terminal takes for commands.
        text.push_str(&format!("{:>10}  stay: {why} {:?}\n", pruned.kept, key.as_str()));
    }
    print(&text)
}

/// Those of `--model`, or of the model that would answer.
fn whose(args: &PruneArgs, settings: &Settings) -> anyhow::Result<Whose> {
    if let Some(model) = &args.model {
        return Ok(Whose::Exactly(model.clone()));
    }
    let name = if args.images {
        application::load_image_model(settings)?.info().name.clone()
    } else {
        application::load_url_model(settings)?.name().to_owned()
    };
    Ok(Whose::VersionsOf { name, include_unknown: args.include_unknown })
}
