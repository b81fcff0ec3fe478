//! `augur model list|inspect|add|activate|rollback`: which model answers, and which one shall.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};

use super::print;
use crate::model::{ImageModel, Source, StoredModel, UrlModel, Versions};
use crate::settings::Settings;

/// Look at the models, and choose the one that answers
///
/// Works on the folder of versions, or the file, that models.url.path names. A running server takes a change over within a
/// second, or at once on SIGHUP.
#[derive(Debug, clap::Args)]
pub(super) struct ModelArgs {
    /// Whose model: that of URLs (models.url.path) or of pictures (models.image.path)
    #[arg(long, global = true, value_enum, default_value_t = Kind::Url, value_name = "KIND")]
    model: Kind,
    #[command(subcommand)]
    command: ModelCommand,
}

/// Whose model.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Url,
    Image,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// Print the versions, newest first; the one that answers has a star
    List,
    /// Print all that is known of a model except what it learnt, as JSON
    Inspect {
        /// A model file, or a version of the folder; that which answers where none is named
        #[arg(value_name = "FILE|VERSION")]
        what: Option<String>,
    },
    /// Check a model file and copy it into the folder of versions
    Add {
        /// What `augur train` wrote
        file: PathBuf,
    },
    /// Check a version and make it the one that answers
    Activate {
        /// One of those that `augur model list` prints
        // another id than `--version` has
        #[arg(id = "chosen", value_name = "VERSION")]
        version: String,
    },
    /// Make the version answer that did before
    Rollback,
}

pub(super) fn run(args: &ModelArgs, settings: &Settings) -> anyhow::Result<()> {
    match args.model {
        Kind::Url => work::<UrlModel>(&args.command, "models.url.path", &settings.models.url.path),
        Kind::Image => work::<ImageModel>(&args.command, "models.image.path", &settings.models.image.path),
    }
}

fn work<P: StoredModel>(command: &ModelCommand, setting: &str, path: &Path) -> anyhow::Result<()> {
    let source = Source::of(path);
    match command {
        ModelCommand::List => print(&list::<P>(&source)?),
        ModelCommand::Inspect { what } => {
            let model: P = match (what.as_deref(), &source) {
                (None, source) => source.load()?,
                (Some(version), Source::Versions(versions)) if !Path::new(version).exists() => {
                    versions.load(version)?
                }
                (Some(file), _) => P::load(Path::new(file))?,
            };
            print(&format!("{:#}\n", model.card()))
        }
        ModelCommand::Add { file } => {
            let version = folder(&source, setting)?.add::<P>(file)?;
            print(&format!("{version} is there; `augur model activate {version}` makes it answer\n"))
        }
        ModelCommand::Activate { version } => {
            folder(&source, setting)?.activate::<P>(version)?;
            print(&format!("{version} is live\n"))
        }
        ModelCommand::Rollback => {
            let version = folder(&source, setting)?.rollback::<P>()?;
            print(&format!("{version} is live again\n"))
        }
    }
}

fn folder<'a>(source: &'a Source, setting: &str) -> anyhow::Result<&'a Versions> {
    match source {
        Source::Versions(versions) => Ok(versions),
        Source::Embedded => anyhow::bail!("{setting} is not set: make a folder for the versions and name it there"),
        Source::File(path) => {
            anyhow::bail!("{setting} is {}, no folder of versions: make a folder and name it there", path.display())
        }
    }
}

/// A line for each version; one that cannot be used says why.
fn list<P: StoredModel>(source: &Source) -> anyhow::Result<String> {
    let Source::Versions(versions) = source else {
        let model: P = source.load()?;
        let place = match source {
            Source::File(path) => path.display().to_string(),
            Source::Embedded | Source::Versions(_) => "inside this program".to_owned(),
        };
        return Ok(format!("* {}  {place}\n", model.version()));
    };
    let live = versions.live().ok();
    let lines = versions.list()?.into_iter().map(|version| {
        let star = if live.as_ref() == Some(&version) { '*' } else { ' ' };
        match versions.load::<P>(&version) {
            Ok(model) => format!("{star} {}\n", model.version()),
            Err(error) => format!("{star} {version}  unusable: {error}\n"),
        }
    });
    Ok(lines.collect())
}
