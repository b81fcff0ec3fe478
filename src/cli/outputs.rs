//! Files that a command is to write, looked at before any work: none may take the place of what is read, or of a device.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::model;
use crate::settings::Settings;

/// Checks that each of `outputs` can be written, and that it is neither one of `inputs` nor another of the outputs. A file
/// is named by its path and the option or key that it comes from.
///
/// # Errors
/// One sentence.
pub(super) fn check<'a, 'b>(
    outputs: impl IntoIterator<Item = (&'a str, &'a Path)>,
    inputs: impl IntoIterator<Item = (&'b str, &'b Path)>,
) -> anyhow::Result<()> {
    let mut taken: Vec<(&str, PathBuf)> =
        inputs.into_iter().filter_map(|(name, path)| Some((name, path.canonicalize().ok()?))).collect();
    for (name, path) in outputs {
        let file = model::destination(path).with_context(|| format!("cannot write {name} {}", path.display()))?;
        if let Some((other, _)) = taken.iter().find(|(_, taken)| *taken == file) {
            anyhow::bail!("{name} and {other} are the same file, {}: name another one", path.display());
        }
        taken.push((name, file));
    }
    Ok(())
}

/// The files that the settings name: of the result table, and of the live model.
pub(super) fn configured(settings: &Settings) -> [(&'static str, &Path); 2] {
    [("store.sqlite.path", &settings.store.sqlite.path), ("models.url.path", &settings.models.url.path)]
}

/// The report beside a model, which is named after it: a folder may hold several.
pub(super) fn report_beside(model: &Path) -> PathBuf {
    if model.extension().is_some_and(|ending| ending == "augur") {
        return model.with_extension("html");
    }
    let mut name = model.as_os_str().to_owned();
    name.push(".html");
    name.into()
}
