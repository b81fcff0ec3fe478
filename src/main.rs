//! The `augur` command: parses the command line and dispatches; owns no logic.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    augur::cli::run(augur::cli::Cli::parse())
}
