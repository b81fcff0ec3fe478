//! `augur doctor`: from the settings to the plan of a lookup, one line each, with the remedy.

use std::process::ExitCode;

use crate::application;
use crate::auth::Keys;
use crate::model::Predictor;
use crate::settings::{Effective, Settings};
use crate::store::{self, Backend, Check, Verdict};

const API_KEYS: &str = "API keys";

/// Check everything between the settings and a stored result
///
/// Prints a line each: `ok`, `warning` or `failed` with the remedy, or `skipped` with the reason. Changes nothing and logs
/// on to the database once at the most. No line holds a secret.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 all is ok, 1 something failed, 2 there are only warnings.\nWhat is skipped does not count."
)]
pub(super) struct DoctorArgs {
    /// How many augur processes share the database
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    replicas: u32,
}

/// Prints the checks; the exit code is that of the worst.
pub(super) fn run(args: &DoctorArgs, effective: anyhow::Result<Effective>) -> anyhow::Result<ExitCode> {
    // What a command without a database does without, this one needs.
    let whole = effective.and_then(|effective| {
        let store = &effective.settings.store;
        if store.backend == Backend::Oracle {
            store.oracle.validate().map_err(anyhow::Error::msg)?;
        }
        Ok(effective)
    });
    let checks = match whole {
        Ok(effective) => diagnose(&effective.settings, args.replicas),
        Err(error) => vec![
            Check::failed("settings", format!("{error:#}")),
            Check::skipped("everything else", "there are no settings to check it by"),
        ],
    };
    let lines: String = checks.iter().map(|check| format!("{check}\n")).collect();
    super::print(&lines)?;
    Ok(match checks.iter().map(|check| check.verdict).max() {
        Some(Verdict::Failed) => ExitCode::from(1),
        Some(Verdict::Warning) => ExitCode::from(2),
        _ => ExitCode::SUCCESS,
    })
}

fn diagnose(settings: &Settings, replicas: u32) -> Vec<Check> {
    let mut checks = vec![Check::ok("settings", "read and checked; `augur config show` prints them")];
    let model = usable("model", "models.url.path", application::load_url_model(settings), &mut checks);
    let image_model = if settings.models.image.enabled {
        usable("image model", "models.image.path", application::load_image_model(settings), &mut checks)
    } else {
        None
    };
    let keys_file = &settings.auth.keys_file;
    if !keys_file.as_os_str().is_empty() {
        checks.push(match Keys::count(keys_file) {
            Ok(count) => Check::ok(API_KEYS, format!("{count} in auth.keys_file {}", keys_file.display())),
            Err(error) => Check::failed(API_KEYS, format!("{error:#}")),
        });
    }
    if settings.store.backend == Backend::Oracle {
        checks.push(time_limits(settings));
    }
    let expected = application::expected(settings, model.as_ref());
    let images = application::expected_images(settings, image_model.as_ref());
    checks.extend(store::open::diagnose(&settings.store, &expected, images.as_ref(), replicas));
    checks
}

/// The model, where it can be used; says so or what to do.
fn usable<P: Predictor>(
    about: &'static str,
    setting: &str,
    loaded: anyhow::Result<P>,
    checks: &mut Vec<Check>,
) -> Option<P> {
    let (check, model) = match loaded {
        Ok(model) => (Check::ok(about, model.version().as_str()), Some(model)),
        Err(error) => (Check::failed(about, format!("{error:#}: set {setting} to a model of `augur train`")), None),
    };
    checks.push(check);
    model
}

/// A call that times out may take as long again until the connection is given up.
fn time_limits(settings: &Settings) -> Check {
    const ABOUT: &str = "time limits";
    let (request, call) = (settings.server.request_timeout_ms, settings.store.oracle.call_timeout_ms);
    let limits = format!("server.request_timeout_ms {request}, store.oracle.call_timeout_ms {call}");
    if request < call.saturating_mul(2) {
        Check::warning(
            ABOUT,
            format!("{limits}: requests end before a hung call does; set the first to at least twice the second"),
        )
    } else {
        Check::ok(ABOUT, limits)
    }
}
