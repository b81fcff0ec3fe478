//! The house rules that a reader of the source can check: imports run downwards, and every file says what it is.

use std::path::{Path, PathBuf};

/// The floors, and what each may import beside itself.
const MAY_IMPORT: [(&str, &[&str]); 12] = [
    ("main", &["cli"]),
    ("lib", &[]),
    ("cli", &["application", "settings", "telemetry", "auth", "service", "store", "model"]),
    ("application", &["settings", "auth", "http", "service", "store", "model", "stamp"]),
    ("settings", &["auth", "http", "service", "store", "telemetry"]),
    ("telemetry", &[]),
    ("http", &["auth", "service", "domain"]),
    ("service", &["auth", "store", "model", "domain"]),
    ("auth", &["domain", "stamp"]),
    ("store", &["domain"]),
    ("model", &["domain", "stamp"]),
    ("stamp", &[]),
];

#[test]
fn imports_run_downwards() {
    let mut upward = Vec::new();
    for file in sources() {
        let floor = floor_of(&file);
        let allowed = MAY_IMPORT.iter().find(|(name, _)| *name == floor).map_or(&[][..], |(_, allowed)| allowed);
        for import in imports(&std::fs::read_to_string(&file).unwrap()) {
            if import != floor && !allowed.contains(&import.as_str()) {
                upward.push(format!("{} imports {import}", file.display()));
            }
        }
    }
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn every_source_file_says_what_it_is() {
    let silent: Vec<PathBuf> =
        sources().into_iter().filter(|file| !std::fs::read_to_string(file).unwrap().starts_with("//! ")).collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn the_scan_sees_grouped_imports() {
    let text =
        "use crate::domain::Key;\nuse crate::{store, http::routes};\nlet x = crate::model::UrlModel::embedded();";
    assert_eq!(imports(text), ["domain", "store", "http", "model"]);
}

/// First path segments after `crate::`, also in groups.
fn imports(text: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for rest in
        text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| line.split("crate::").skip(1))
    {
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split('}').next().unwrap_or(group);
                found.extend(group.split(',').map(|item| word(item.trim())));
            }
            None => found.push(word(rest)),
        }
    }
    found
}

fn floor_of(file: &Path) -> String {
    let inside = file.strip_prefix(root()).unwrap();
    Path::new(inside.iter().next().unwrap()).file_stem().unwrap().to_str().unwrap().to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<PathBuf> {
    let mut folders = vec![root()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    assert!(files.len() > 20, "the scan finds the sources");
    files
}
