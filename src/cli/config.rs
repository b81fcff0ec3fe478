//! `augur config show` and `augur config check`

use clap::Subcommand;

use crate::settings::Effective;
use crate::store::Backend;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print every setting that is in force and where it came from; secrets are hidden.
    Show,
    /// Exit with 0 where the settings are good, else say what is wrong. It opens nothing that they name: `augur doctor` does.
    Check,
}

pub(super) fn run(command: ConfigCommand, effective: &Effective) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Show => super::print(&effective.show()),
        // They have been loaded and checked: a bad one ended the command before. What is left is what a command that needs
        // no database does without.
        ConfigCommand::Check => {
            let store = &effective.settings.store;
            if store.backend == Backend::Oracle {
                store.oracle.validate().map_err(anyhow::Error::msg)?;
            }
            super::print("the settings are good; what they name, files and database, is looked at by `augur doctor`\n")
        }
    }
}
