//! `augur schema print|apply|check`

use std::process::ExitCode;

use clap::Subcommand;

use crate::application;
use crate::settings::Settings;
use crate::store::{self, Expected, Verdict, open::Stores};

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
        SchemaCommand::Print => super::print(&format!("{}\n", store::open::schema_ddl(&settings.store)?.join("\n\n")))?,
        SchemaCommand::Apply => {
            let Stores { urls, images } = store::open::open(&settings.store)?;
            for store in [&urls, &images] {
                store.apply_schema()?;
                // The name may belong to something else, which the database takes for "there already".
                store.session(store.acquire_timeout())?.ping()?;
            }
            super::print(&format!("the result tables are there: {}\n", urls.describe()))?;
        }
        SchemaCommand::Check => {
            let Stores { urls, images } = store::open::open(&settings.store)?;
            // The tables can be checked without a model, too; `augur doctor` tells what is wrong with that.
            let model = application::load_url_model(settings).ok();
            let mut checks = urls.check_schema(&application::expected(settings, model.as_ref()))?;
            checks.extend(images.check_schema(&Expected::of_images(None))?);
            let lacks: String =
                checks.iter().filter(|check| check.verdict != Verdict::Ok).map(|check| format!("{check}\n")).collect();
            super::print(&lacks)?;
            if checks.iter().any(|check| check.verdict >= Verdict::Warning) {
                return Ok(ExitCode::FAILURE);
            }
            super::print(&format!("the result tables are as they should be: {}\n", urls.describe()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
