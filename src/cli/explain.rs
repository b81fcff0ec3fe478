//! `augur explain`: why the model answers for a URL what it does.

use std::fmt::Write;
use std::path::PathBuf;

use crate::application;
use crate::model::{Contribution, Explanation, Link, UrlModel};
use crate::settings::Settings;

/// Show why the model gives a URL its number
///
/// Asks the model alone: what is stored for the URL does not count, and nothing is stored.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// The URL, as clients send it
    url: String,
    /// Model to ask; the configured one where none is named
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Prints the answer and the parts of its score.
pub(super) fn run(args: &ExplainArgs, settings: &Settings) -> anyhow::Result<()> {
    let model = match &args.model {
        Some(path) => UrlModel::load(path)?,
        None => application::load_url_model(settings)?,
    };
    let answer = model.predict(&[&args.url])?.first().copied().unwrap_or_default();
    let Some(explanation) = model.explain(&args.url) else {
        anyhow::bail!(
            "{}@{} answers {answer}, and no explanation is available: it is not linear",
            model.name(),
            model.version()
        );
    };
    let text = if args.json {
        format!("{}\n", serde_json::json!({ "result": answer, "explanation": explanation }))
    } else {
        table(answer, &explanation)?
    };
    super::print(&text)
}

fn table(answer: f64, explanation: &Explanation) -> Result<String, std::fmt::Error> {
    let Explanation { model, score, link, base, contributions, rest } = explanation;
    let link = match link {
        Link::Identity => "the score itself",
        Link::Clamp => "the score, kept within 0 and 1",
        Link::Logit => "1 / (1 + exp(-score))",
    };
    let mut text = format!("model   {model}\nresult  {answer}, which is {link}\n\n{base:>+10.4}  base\n");
    for part in contributions {
        match part {
            Contribution::Feature { feature, value, contribution } => {
                writeln!(text, "{contribution:>+10.4}  {feature} is {value:.4}")?;
            }
            Contribution::Ngram { ngram, at, contribution } => {
                writeln!(text, "{contribution:>+10.4}  {ngram:?} at byte {at}")?;
            }
        }
    }
    writeln!(text, "{rest:>+10.4}  all other parts\n{score:>+10.4}  score")?;
    Ok(text)
}
