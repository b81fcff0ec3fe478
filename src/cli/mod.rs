//! The command line: one file per subcommand. `--config` and `--set` work on each of them, before or after its name.

mod config;
mod data;
mod doctor;
mod evaluate;
mod explain;
mod keygen;
mod model;
mod outputs;
mod progress;
mod prune;
mod report;
mod rescore;
mod schema;
mod score;
mod serve;
mod train;
mod train_images;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::settings::{self, Effective, Overrides};
use crate::telemetry;

/// A REST server that answers from a result table, or from a model whose predictions it stores there.
#[derive(Debug, Parser)]
#[command(name = "augur", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct SettingsArgs {
    /// Settings file; without it the environment variable AUGUR_CONFIG counts.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, such as --set store.backend=oracle; may be repeated.
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl SettingsArgs {
    fn load(self) -> anyhow::Result<Effective> {
        // Where --set stands both before and after the subcommand's name, clap keeps only those after it.
        let set = if self.set.is_empty() {
            self.set
        } else {
            all_values_of("--set", std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()))
        };
        let overrides = Overrides { config_file: self.config, set };
        settings::load(&overrides, std::env::vars_os()).map_err(anyhow::Error::msg)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve requests until SIGTERM or Ctrl-C.
    Serve,
    /// Train a model and write its artifact.
    Train(train::TrainArgs),
    /// Measure a model on known results.
    Evaluate(evaluate::EvaluateArgs),
    Score(score::ScoreArgs),
    Explain(explain::ExplainArgs),
    Model(model::ModelArgs),
    Rescore(rescore::RescoreArgs),
    Prune(prune::PruneArgs),
    /// Print, make or check the result table.
    #[command(subcommand)]
    Schema(schema::SchemaCommand),
    Doctor(doctor::DoctorArgs),
    Keygen(keygen::KeygenArgs),
    /// Show or check the settings.
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

/// Runs the command; failures are one sentence on standard error and exit code 1.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Serve => cli.settings.load().and_then(|effective| serve::run(&effective.settings)),
        Command::Train(args) => cli.settings.load().and_then(|effective| train::run(&args, &effective.settings)),
        Command::Evaluate(args) => cli.settings.load().and_then(|effective| evaluate::run(&args, &effective.settings)),
        Command::Score(args) => cli.settings.load().and_then(|effective| score::run(&args, &effective.settings)),
        Command::Model(args) => cli.settings.load().and_then(|effective| model::run(&args, &effective.settings)),
        Command::Rescore(args) => cli.settings.load().and_then(|effective| rescore::run(&args, &effective.settings)),
        Command::Prune(args) => cli.settings.load().and_then(|effective| prune::run(&args, &effective.settings)),
        Command::Schema(command) => {
            return finish(cli.settings.load().and_then(|effective| schema::run(command, &effective.settings)));
        }
        Command::Keygen(args) => keygen::run(args),
        Command::Doctor(args) => return finish(doctor::run(&args, cli.settings.load())),
        Command::Explain(args) => cli.settings.load().and_then(|effective| explain::run(&args, &effective.settings)),
        Command::Config(command) => cli.settings.load().and_then(|effective| config::run(command, &effective)),
    };
    finish(done.map(|()| ExitCode::SUCCESS))
}

fn finish(done: anyhow::Result<ExitCode>) -> ExitCode {
    telemetry::flush();
    match done {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to tell it to where standard error is closed.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("augur: {error:#}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// The values of a repeatable option in a command line that clap has accepted, in their order.
fn all_values_of(option: &str, mut arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut values = Vec::new();
    while let Some(argument) = arguments.next() {
        if argument == option {
            values.extend(arguments.next());
        } else if let Some(value) = argument.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            values.push(value.to_owned());
        }
    }
    values
}

/// Writes a command's result to standard output.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Writes to standard error what is beside a command's result.
fn tell(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    Ok(std::io::stderr().lock().write_all(text.as_bytes())?)
}
