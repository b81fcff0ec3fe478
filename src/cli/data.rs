//! URLs with known results: from a CSV file, or from the configured database by a query of the operator's.

use std::path::Path;

use anyhow::Context;
use indicatif::ProgressBar;

use super::progress::style;
use super::tell;
use crate::model::{Dataset, DatasetRows};
use crate::settings::Settings;
use crate::store;

/// Reads the rows of `csv`, or those that `query` gives where there is no file.
pub(super) fn read(csv: Option<&Path>, query: Option<&str>, settings: &Settings) -> anyhow::Result<Dataset> {
    match (csv, query) {
        (Some(path), _) => Ok(Dataset::read_csv(path)?),
        (None, Some(query)) => from_store(query, settings).context("--from-store"),
        (None, None) => anyhow::bail!("name --data, --from-store or --images"),
    }
}

fn from_store(query: &str, settings: &Settings) -> anyhow::Result<Dataset> {
    let bar = ProgressBar::new_spinner().with_style(style("{spinner} reading  {human_pos} rows, {per_sec}, {elapsed}"));
    let mut rows = DatasetRows::default();
    let mut skipped = 0_u64;
    let read = store::open::select(&settings.store, query, &mut |pair| {
        bar.inc(1);
        match pair {
            Some((url, result)) => rows.push(url, result)?,
            None => skipped += 1,
        }
        Ok(())
    });
    bar.finish_and_clear();
    read?;
    let data = rows.finish().with_context(|| match skipped {
        0 => "it gives no rows; see its WHERE, and whether store.* names the right database".to_owned(),
        skipped => format!("all of its {skipped} rows hold a NULL; select rows that have a text and a number"),
    })?;
    if skipped > 0 {
        tell(&format!("--from-store: {skipped} rows that hold a NULL are left out\n"))?;
    }
    Ok(data)
}
