//! `augur config show` and `augur config check`

use clap::Subcommand;

use crate::settings::Effective;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Print every setting that is in force and where it came from; secrets are hidden.
    Show,
    /// Exit with 0 where the settings are good, else say what is wrong.
    Check,
}

pub(super) fn run(command: ConfigCommand, effective: &Effective) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Show => super::print(&effective.show()),
        // They have been loaded and checked: a bad one ended the command before.
        ConfigCommand::Check => super::print("the settings are good\n"),
    }
}
