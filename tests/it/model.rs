//! `augur train` and `augur evaluate` as a person runs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/urls.csv")
}

fn augur<S: AsRef<std::ffi::OsStr>>(folder: &TempDir, args: impl IntoIterator<Item = S>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_augur")).current_dir(folder).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs what has to fail; gives back the one line that it says, without what stands before the sentence.
fn refusal<S: AsRef<std::ffi::OsStr>>(folder: &TempDir, args: impl IntoIterator<Item = S>) -> String {
    let output = augur(folder, args);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said.trim_end().split_once(": ").unwrap().1.to_owned()
}

fn train(folder: &TempDir, out: &str, more: &[&str]) -> String {
    let mut args = vec!["train", "--out", out, "--data"];
    let data = data();
    args.push(data.to_str().unwrap());
    args.extend(more);
    stdout(&augur(folder, args))
}

/// The content hash in a training report.
fn hash(report: &str) -> &str {
    report.lines().next().unwrap().rsplit('-').next().unwrap()
}

fn files(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_model_is_trained_and_judged_on_other_data() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(data()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(folder.path().join("train.csv"), lines[..201].join("\n")).unwrap();
    std::fs::write(folder.path().join("valid.csv"), format!("{}\n{}", lines[0], lines[201..].join("\n"))).unwrap();

    let report = stdout(&augur(
        &folder,
        ["train", "--data", "train.csv", "--valid", "valid.csv", "--out", "m.augur", "--algorithm", "linear"],
    ));
    assert!(report.contains("algorithm  linear") && report.contains("hold-out"), "{report}");

    let json = stdout(&augur(&folder, ["evaluate", "--model", "m.augur", "--data", "valid.csv", "--json"]));
    let metrics: serde_json::Value = serde_json::from_str(&json).unwrap();
    let keys: Vec<&String> = metrics.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 8);
    for key in ["rows", "rmse", "mae", "r2", "roc_auc", "mean_result", "mean_score", "accuracy"] {
        assert!(metrics[key].is_number(), "{key}: {json}");
    }
    assert_eq!(metrics["rows"], 110);
    assert!(metrics["roc_auc"].as_f64().unwrap() > 0.9, "{json}");
    // the report shows the same figure, rounded
    let auc = format!("{:.5}", metrics["roc_auc"].as_f64().unwrap());
    assert!(report.lines().any(|line| line.starts_with("hold-out") && line.contains(&auc)), "{report}");
}

#[test]
fn the_shipped_model_is_judged_where_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let table = stdout(&augur(&folder, ["evaluate", "--data", data().to_str().unwrap()]));
    assert!(table.starts_with("model  url@20"), "{table}");
    assert!(table.contains("310"), "{table}");
}

#[test]
fn figures_without_meaning_are_null() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("n.csv"), "result,url\n7.5,http://example.com/\n7.5,http://example.org/\n")
        .unwrap();
    let json = stdout(&augur(&folder, ["evaluate", "--data", "n.csv", "--json"]));
    let metrics: serde_json::Value = serde_json::from_str(&json).unwrap();
    for key in ["r2", "roc_auc", "accuracy"] {
        assert!(metrics.as_object().unwrap().contains_key(key) && metrics[key].is_null(), "{json}");
    }
}

#[test]
fn training_twice_gives_one_hash_and_the_seed_is_part_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let first = train(&folder, "a.augur", &[]);
    let second = train(&folder, "b.augur", &[]);
    let other = train(&folder, "c.augur", &["--seed", "1"]);
    assert_eq!(hash(&first), hash(&second));
    assert_ne!(hash(&first), hash(&other));
    assert_eq!(files(&folder), ["a.augur", "a.html", "b.augur", "b.html", "c.augur", "c.html"]);
}

#[test]
fn bad_rows_stop_training_with_file_line_and_reason_and_write_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.csv"), "url,result\nhttp://example.com/,1\nhttp://example.org/,abc\n")
        .unwrap();
    let said = refusal(&folder, ["train", "--data", "data.csv", "--out", "m.augur"]);
    assert_eq!(said, "data.csv line 3: `result` is `abc`, not a number");
    assert_eq!(files(&folder), ["data.csv"]);
}

#[test]
fn cross_validation_reports_folds_and_writes_a_model_only_where_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let args = ["train", "--data", data.to_str().unwrap(), "--cv", "3", "--group", "host", "--algorithm", "ridge"];
    let report = stdout(&augur(&folder, args));
    let heads: Vec<&str> = report.lines().skip(1).map(|line| line[..9].trim()).collect();
    assert_eq!(heads, ["fold 1", "fold 2", "fold 3", "mean", "spread"], "{report}");
    assert!(files(&folder).is_empty());
}

#[test]
fn a_parameter_that_does_not_exist_is_refused_with_those_that_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let args = ["train", "--data", data.to_str().unwrap(), "--out", "m.augur", "--param", "tree=3"];
    let said = refusal(&folder, args);
    assert!(said.ends_with("text has no parameter `tree`; known: alpha, c, folds"), "{said}");
    assert!(files(&folder).is_empty());
    let report = train(&folder, "m.augur", &["--algorithm", "random-forest", "--param", "trees=7"]);
    assert!(report.contains("\"trees\": 7.0"), "{report}");
}

#[test]
fn an_output_folder_that_is_missing_is_said_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let said = refusal(&folder, ["train", "--data", "no-such.csv", "--out", "nowhere/m.augur"]);
    assert_eq!(said, "cannot write model nowhere/m.augur: its folder does not exist");
}

#[test]
fn nothing_that_is_read_is_written_over_and_nothing_but_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::copy(data(), path("u.csv")).unwrap();
    train(&folder, "m.augur", &["--algorithm", "linear"]);
    std::fs::create_dir(path("folder")).unwrap();
    std::os::unix::fs::symlink("../u.csv", path("folder/link.csv")).unwrap();
    std::os::unix::fs::symlink("m.augur", path("link.augur")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    let before = [std::fs::read(path("u.csv")).unwrap(), std::fs::read(path("m.augur")).unwrap()];
    let quick = ["--algorithm", "linear"];
    let cases: [(&[&str], &str); 10] = [
        (
            &["train", "--data", "u.csv", "--out", "u.csv"],
            "model and --data are the same file, u.csv: name another one",
        ),
        (&["train", "--data", "folder/link.csv", "--out", "./u.csv"], "model and --data are the same file"),
        (&["train", "--data", "u.csv", "--out", "folder/link.csv"], "model and --data are the same file"),
        (&["train", "--data", "m.augur", "--valid", "u.csv", "--out", "u.csv"], "model and --valid are the same file"),
        (
            &["train", "--data", "u.csv", "--out", "n.augur", "--report", "n.augur"],
            "report and model are the same file",
        ),
        (
            &["train", "--data", "u.csv", "--out", "socket"],
            "cannot write model socket: there is something that is no regular",
        ),
        (
            &["train", "--data", "u.csv", "--out", "n", "--report", "folder"],
            "cannot write report folder: there is something",
        ),
        (
            &["train", "--data", "u.csv", "--out", "n", "--report", "m.augur", "--set", "models.url.path=m.augur"],
            "report and models.url.path are the same file",
        ),
        (&["evaluate", "--data", "u.csv", "--report", "u.csv"], "report and --data are the same file"),
        (
            &["evaluate", "--data", "u.csv", "--model", "m.augur", "--report", "link.augur"],
            "report and --model are the same",
        ),
    ];
    for (args, reason) in cases {
        let quick = if args[0] == "train" { &quick[..] } else { &[] };
        let said = refusal(&folder, args.iter().chain(quick));
        assert!(said.starts_with(reason), "{args:?}: {said}");
    }
    assert_eq!([std::fs::read(path("u.csv")).unwrap(), std::fs::read(path("m.augur")).unwrap()], before);
    assert_eq!(files(&folder), ["folder", "link.augur", "m.augur", "m.html", "socket", "u.csv"]);
    // A link stays one.
    train(&folder, "link.augur", &["--algorithm", "ridge"]);
    assert!(path("link.augur").is_symlink());
    assert_ne!(std::fs::read(path("m.augur")).unwrap(), before[1]);
}

#[test]
fn a_bad_model_file_is_refused_with_its_name_and_reason() {
    let folder = tempfile::tempdir().unwrap();
    train(&folder, "m.augur", &[]);
    let bytes = std::fs::read(folder.path().join("m.augur")).unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 4;
    let cases: [(&str, &[u8], &str); 3] = [
        ("cut.augur", &bytes[..bytes.len() - 9], "it is truncated or padded"),
        ("flipped.augur", &flipped, "it is damaged: its checksum does not match"),
        ("text.augur", b"hello", "it is not an augur model file"),
    ];
    for (name, bytes, reason) in cases {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let said = refusal(&folder, ["evaluate", "--model", name, "--data", data().to_str().unwrap()]);
        assert!(said.starts_with(&format!("cannot load model {name}: {reason}")), "{said}");
    }
}
