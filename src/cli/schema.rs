//! `augur schema print|apply|check`

use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;

use crate::application;
use crate::settings::Settings;
use crate::store::open::Stores;
use crate::store::{self, Expected, ResultStore, Verdict};

#[derive(Debug, Subcommand)]
pub(super) enum SchemaCommand {
    /// Print the DDL of the result tables with the configured names.
    Print,
    /// Make the result tables where they are absent.
    Apply,
    /// Say in one line each what the live tables lack, or what could not be checked; exit code 1 where something is lacking.
    Check,
}

pub(super) fn run(command: SchemaCommand, settings: &Settings) -> anyhow::Result<ExitCode> {
    match command {
        SchemaCommand::Print => {
            let [urls, images] = store::open::schema_ddl(&settings.store)?;
            let images = if settings.models.image.enabled { format!("\n{images}\n") } else { String::new() };
            super::print(&format!("{urls}\n{images}"))?;
        }
        SchemaCommand::Apply => {
            for (store, _) in tables(settings)? {
                store.apply_schema()?;
                // The name may belong to something else, which the database takes for "there already".
                store.session(store.acquire_timeout())?.ping()?;
                super::print(&format!("{} is there: {}\n", store.table(), store.describe()))?;
            }
        }
        SchemaCommand::Check => {
            let mut lacking = false;
            for (store, expected) in tables(settings)? {
                let table = store.table();
                let checks = store.check_schema(&expected)?;
                let lacks: String = checks
                    .iter()
                    .filter(|check| check.verdict != Verdict::Ok)
                    .map(|check| format!("{:<7}  {table}: {}: {}\n", check.verdict, check.about, check.text))
                    .collect();
                super::print(&lacks)?;
                if checks.iter().any(|check| check.verdict >= Verdict::Warning) {
                    lacking = true;
                } else {
                    let good = format!("{:<7}  {table}: as it should be: {}\n", Verdict::Ok, store.describe());
                    super::print(&good)?;
                }
            }
            if lacking {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The tables that `augur serve` works with under these settings, and what each is to hold.
fn tables(settings: &Settings) -> anyhow::Result<Vec<(Arc<dyn ResultStore>, Expected)>> {
    let Stores { urls, images } = store::open::open(&settings.store)?;
    // The tables can be checked without a model, too; `augur doctor` tells what is wrong with that.
    let model = application::load_url_model(settings).ok();
    let mut tables = vec![(urls, application::expected(settings, model.as_ref()))];
    let model = application::load_image_model(settings).ok();
    tables.extend(application::expected_images(settings, model.as_ref()).map(|expected| (images, expected)));
    Ok(tables)
}
