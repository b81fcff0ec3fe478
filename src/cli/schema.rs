//! `augur schema print|apply|check`

use std::process::ExitCode;

use clap::Subcommand;

use crate::settings::Settings;
use crate::store;

#[derive(Debug, Subcommand)]
pub(super) enum SchemaCommand {
    /// Print the DDL of the result table with the configured names.
    Print,
    /// Make the result table where it is absent.
    Apply,
    /// Say in one line each what the live table lacks; exit code 1 where it lacks something.
    Check,
}

pub(super) fn run(command: SchemaCommand, settings: &Settings) -> anyhow::Result<ExitCode> {
    match command {
        SchemaCommand::Print => super::print(&format!("{}\n", store::open::schema_ddl(&settings.store)?))?,
        SchemaCommand::Apply => {
            let store = store::open::open(&settings.store)?;
            store.apply_schema()?;
            super::print(&format!("the result table is there: {}\n", store.describe()))?;
        }
        SchemaCommand::Check => {
            let store = store::open::open(&settings.store)?;
            let lacks = store.check_schema()?;
            if !lacks.is_empty() {
                super::print(&format!("{}\n", lacks.join("\n")))?;
                return Ok(ExitCode::FAILURE);
            }
            super::print(&format!("the result table is as it should be: {}\n", store.describe()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
