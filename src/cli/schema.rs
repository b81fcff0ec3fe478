//! `augur schema print|apply|check`

use std::process::ExitCode;

use clap::Subcommand;

use crate::application;
use crate::settings::Settings;
use crate::store::{self, Verdict};

#[derive(Debug, Subcommand)]
pub(super) enum SchemaCommand {
    /// Print the DDL of the result table with the configured names.
    Print,
    /// Make the result table where it is absent.
    Apply,
    /// Say in one line each what the live table lacks, or what could not be checked; exit code 1 where it lacks something.
    Check,
}

pub(super) fn run(command: SchemaCommand, settings: &Settings) -> anyhow::Result<ExitCode> {
    match command {
        SchemaCommand::Print => super::print(&format!("{}\n", store::open::schema_ddl(&settings.store)?))?,
        SchemaCommand::Apply => {
            let store = store::open::open(&settings.store)?;
            store.apply_schema()?;
            // The name may belong to something else, which the database takes for "there already".
            store.session(store.acquire_timeout())?.ping()?;
            super::print(&format!("the result table is there: {}\n", store.describe()))?;
        }
        SchemaCommand::Check => {
            let store = store::open::open(&settings.store)?;
            // The table can be checked without a model, too; `augur doctor` tells what is wrong with that.
            let model = application::load_url_model(settings).ok();
            let checks = store.check_schema(&application::expected(settings, model.as_ref()))?;
            let lacks: String =
                checks.iter().filter(|check| check.verdict != Verdict::Ok).map(|check| format!("{check}\n")).collect();
            super::print(&lacks)?;
            if checks.iter().any(|check| check.verdict >= Verdict::Warning) {
                return Ok(ExitCode::FAILURE);
            }
            super::print(&format!("the result table is as it should be: {}\n", store.describe()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
