//! Layers of settings: compiled-in default, file, environment, command line; each value remembers where it came from.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

use config::{Config, File, FileFormat, Value, ValueKind};

use super::Settings;

const DEFAULTS: &str = include_str!("../../config/default.toml");
const ENVIRONMENT_PREFIX: &str = "AUGUR__";
/// Keys whose values are never shown and never taken from a command line, with the key to use there instead.
const SECRETS: [(&str, &str); 1] = [("store.oracle.password", "store.oracle.password_file")];

/// What the command line says about settings.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The file named by `--config`; else `AUGUR_CONFIG` counts.
    pub config_file: Option<PathBuf>,
    /// `key=value` of each `--set`.
    pub set: Vec<String>,
}

/// The settings in force. No `Debug`, here and below: a value may be a password.
pub struct Effective {
    /// The checked settings.
    pub settings: Settings,
    values: BTreeMap<String, Setting>,
}

#[derive(Clone)]
struct Setting {
    value: Value,
    origin: String,
}

/// Loads and checks the settings: default < file < environment < `--set`.
///
/// # Errors
/// One sentence that names the key, its place, and the nearest known key or the type that is wanted.
pub fn load(
    overrides: &Overrides,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Effective, String> {
    let mut values = flatten(DEFAULTS, "default")?;
    let tables: BTreeSet<String> = values.keys().filter_map(|key| Some(key.split_once('.')?.0.to_owned())).collect();
    let mut environment: Vec<(OsString, OsString)> = environment.collect();
    environment.sort_unstable();
    let named_by_environment = || {
        let path = environment.iter().find(|(name, value)| name == "AUGUR_CONFIG" && !value.is_empty());
        path.map(|(_, path)| PathBuf::from(path))
    };
    if let Some(path) = overrides.config_file.clone().or_else(named_by_environment) {
        let text = std::fs::read_to_string(&path);
        let path = path.display().to_string();
        let text = text.map_err(|e| format!("cannot read the config file {path}: {e}"))?;
        for (key, setting) in flatten(&text, &path)? {
            replace(&mut values, &key, setting)?;
        }
    }
    for (name, text) in &environment {
        let name = name.to_string_lossy();
        let Some(rest) = name.strip_prefix("AUGUR_") else { continue };
        // One underscore less is a slip. What a platform sets for its services, such as AUGUR_DB__PRIMARY_SERVICE_HOST, names
        // no table.
        if rest.split_once("__").is_some_and(|(table, _)| tables.contains(&table.to_ascii_lowercase())) {
            return Err(format!(
                "environment {name}: write {ENVIRONMENT_PREFIX}{rest}, with two underscores after AUGUR"
            ));
        }
        if let Some(key) = name.strip_prefix(ENVIRONMENT_PREFIX) {
            let key = key.to_ascii_lowercase().replace("__", ".");
            let text = text.to_str().ok_or_else(|| format!("environment {name} is not UTF-8"))?;
            let setting = parse_like(&values, &key, text, format!("environment {name}"))?;
            replace(&mut values, &key, setting)?;
        }
    }
    for assignment in &overrides.set {
        let (key, text) =
            assignment.split_once('=').ok_or_else(|| format!("--set {assignment}: write --set key=value"))?;
        if let Some((key, file_key)) = SECRETS.iter().find(|(secret, _)| *secret == key) {
            return Err(format!("--set {key}: a secret on a command line shows in process lists; use {file_key}"));
        }
        let setting = parse_like(&values, key, text, "--set".to_owned())?;
        replace(&mut values, key, setting)?;
    }
    let settings = deserialize(&values)?;
    settings.validate()?;
    Ok(Effective { settings, values })
}

impl Effective {
    /// A line per key: value and origin, secrets hidden.
    #[must_use]
    pub fn show(&self) -> String {
        let line = |(key, setting): (&String, &Setting)| {
            let secret = SECRETS.iter().any(|(secret, _)| secret == key);
            let value = match &setting.value.kind {
                ValueKind::String(text) if secret && !text.is_empty() => "(hidden)".to_owned(),
                kind => literal(kind),
            };
            format!("{key} = {value}  # {}\n", setting.origin)
        };
        self.values.iter().map(line).collect()
    }
}

/// All leaves of a TOML text by their dotted keys.
fn flatten(text: &str, origin: &str) -> Result<BTreeMap<String, Setting>, String> {
    let config = Config::builder()
        .add_source(File::from_str(text, FileFormat::Toml))
        .build()
        .map_err(|error| format!("{origin}: {}", without_excerpt(&error.to_string())))?;
    let mut leaves = BTreeMap::new();
    let mut tables = vec![(String::new(), config.cache)];
    while let Some((prefix, value)) = tables.pop() {
        match value.kind {
            ValueKind::Table(table) => {
                for (name, value) in table {
                    let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                    tables.push((key, value));
                }
            }
            kind => {
                leaves.insert(prefix, Setting { value: Value::new(None, kind), origin: origin.to_owned() });
            }
        }
    }
    Ok(leaves)
}

/// A TOML error on one line, without the lines of the file that it shows: one may hold a password.
fn without_excerpt(error: &str) -> String {
    let is_excerpt =
        |line: &&str| line.split_once('|').is_some_and(|(n, _)| n.trim().bytes().all(|b| b.is_ascii_digit()));
    error.lines().filter(|line| !is_excerpt(line) && !line.is_empty()).collect::<Vec<_>>().join(": ")
}

/// Puts `setting` in the place of the known value of `key`, which must be of the same type.
fn replace(values: &mut BTreeMap<String, Setting>, key: &str, setting: Setting) -> Result<(), String> {
    let origin = &setting.origin;
    let Some(known) = values.get_mut(key) else {
        return Err(unknown(values, key, origin));
    };
    if type_name(&known.value.kind) != type_name(&setting.value.kind) {
        return Err(format!(
            "{key} ({origin}) must be {}, not {}",
            type_name(&known.value.kind),
            type_name(&setting.value.kind)
        ));
    }
    *known = setting;
    Ok(())
}

fn unknown(values: &BTreeMap<String, Setting>, key: &str, origin: &str) -> String {
    let nearest = values.keys().max_by(|a, b| {
        let similarity = |known: &str| strsim::jaro_winkler(known, key);
        similarity(a).total_cmp(&similarity(b))
    });
    match nearest {
        Some(nearest) => format!("{key} ({origin}) is not a setting; did you mean {nearest}?"),
        None => format!("{key} ({origin}) is not a setting"),
    }
}

/// Reads `text` as the type that `key` has: an all-digit password stays text.
fn parse_like(values: &BTreeMap<String, Setting>, key: &str, text: &str, origin: String) -> Result<Setting, String> {
    let known = values.get(key).ok_or_else(|| unknown(values, key, &origin))?;
    let wrong = || format!("{key} ({origin}) must be {}, not `{text}`", type_name(&known.value.kind));
    let kind = match &known.value.kind {
        ValueKind::String(_) => ValueKind::String(text.to_owned()),
        ValueKind::Boolean(_) => ValueKind::Boolean(text.parse().map_err(|_| wrong())?),
        ValueKind::I64(_) => ValueKind::I64(text.parse().map_err(|_| wrong())?),
        // What remains are lists, written as in TOML.
        _ => {
            let leaf = flatten(&format!("value = {text}"), &origin).ok().and_then(|mut leaf| leaf.remove("value"));
            leaf.ok_or_else(wrong)?.value.kind
        }
    };
    Ok(Setting { value: Value::new(None, kind), origin })
}

fn deserialize(values: &BTreeMap<String, Setting>) -> Result<Settings, String> {
    let config = compose(values).map_err(|error| error.to_string())?;
    config.try_deserialize().map_err(|error| explain(&error, values))
}

fn compose(values: &BTreeMap<String, Setting>) -> Result<Config, config::ConfigError> {
    let mut builder = Config::builder();
    for (key, setting) in values {
        builder = builder.set_override(key, setting.value.clone())?;
    }
    builder.build()
}

/// Says which key holds a value that has the right type and is still wrong, such as an address or a choice, and what it may
/// be.
fn explain(error: &config::ConfigError, values: &BTreeMap<String, Setting>) -> String {
    let text = error.to_string();
    let culprit = values.iter().find(|(key, setting)| {
        // An item of a list is named with its place: `server.listen[0]`.
        let named = text.contains(&format!("`{key}`")) || text.contains(&format!("`{key}["));
        named && setting.origin != "default" && !SECRETS.iter().any(|(secret, _)| secret == key)
    });
    let Some((key, setting)) = culprit else { return text };
    let wanted = match &setting.value.kind {
        ValueKind::I64(number) if *number < 0 => "must be 0 or more".to_owned(),
        ValueKind::I64(_) => "is too large".to_owned(),
        ValueKind::Array(_) if text.contains("socket address") => {
            "write an IP address and a port, such as \"127.0.0.1:8000\" or \"[::1]:8000\"".to_owned()
        }
        ValueKind::String(_) => choices(key, setting).unwrap_or(text),
        _ => text,
    };
    format!("{key} ({}) = {}: {wanted}", setting.origin, literal(&setting.value.kind))
}

/// What serde says of the value, were it the only one that is set: the config crate does not tell which choices there are.
fn choices(key: &str, setting: &Setting) -> Option<String> {
    let mut values = flatten(DEFAULTS, "default").ok()?;
    values.insert(key.to_owned(), setting.clone());
    let tree: serde_json::Value = compose(&values).ok()?.try_deserialize().ok()?;
    serde_json::from_value::<Settings>(tree).err().map(|error| error.to_string())
}

fn type_name(kind: &ValueKind) -> &'static str {
    match kind {
        ValueKind::Nil => "nothing",
        ValueKind::Boolean(_) => "true or false",
        ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => "an integer",
        ValueKind::Float(_) => "a number",
        ValueKind::String(_) => "text",
        ValueKind::Table(_) => "a table",
        ValueKind::Array(_) => "a list",
    }
}

fn literal(kind: &ValueKind) -> String {
    match kind {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| literal(&item.kind)).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}
