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
fn the_configured_model_is_judged_where_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let report = train(&folder, "m.augur", &["--algorithm", "ridge"]);
    let data = data();
    let args = ["evaluate", "--data", data.to_str().unwrap(), "--set", "models.url.path=m.augur"];
    let table = stdout(&augur(&folder, args));
    let name = report.lines().next().unwrap().strip_prefix("model      ").unwrap();
    assert!(table.starts_with(&format!("model  {name}\n")), "{table}");

    let said = refusal(&folder, ["evaluate", "--images", ".", "--set", "models.image.path=no-such.augur"]);
    assert!(said.starts_with("models.image.path: cannot load model no-such.augur"), "{said}");
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

/// The test URLs with results that are made from their place.
fn with_results(folder: &TempDir, name: &str, result: impl Fn(usize) -> f64) {
    let text = std::fs::read_to_string(data()).unwrap();
    let rows = text.lines().skip(1).enumerate();
    let rows: String = rows.map(|(n, row)| format!("{},{:e}\n", row.rsplit_once(',').unwrap().0, result(n))).collect();
    std::fs::write(folder.path().join(name), format!("url,result\n{rows}")).unwrap();
}

#[test]
fn results_that_nothing_can_be_learnt_from_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let train = ["train", "--algorithm", "ridge", "--out", "m.augur", "--data", "data.csv"];
    for (result, sentence) in [
        (
            &(|_| 1.0) as &dyn Fn(usize) -> f64,
            "cannot train on data.csv: all results are 1.0, so there is nothing to learn",
        ),
        (&|_| 7.5, "cannot train on data.csv: all results are 7.5, so there is nothing to learn"),
        (&|n| n as f64 * 1e-312, "cannot train on data.csv: the results lie within 1e-100 of each other"),
        (&|n| if n == 3 { 1e200 } else { 0.5 }, "data.csv line 5: `result` is `1e200`, not within 1e100 of 0"),
        (&|n| if n == 3 { -1.1e100 } else { 0.5 }, "data.csv line 5: `result` is `-1.1e100`, not within 1e100 of 0"),
    ] {
        with_results(&folder, "data.csv", result);
        let said = refusal(&folder, train);
        assert!(said.starts_with(sentence), "{said}");
        assert_eq!(files(&folder), ["data.csv"]);
    }
    // In each part of a cross-validation, too.
    with_results(&folder, "data.csv", |n| f64::from(u8::from(n == 7)));
    let said = refusal(&folder, ["train", "--algorithm", "ridge", "--cv", "2", "--group", "url", "--data", "data.csv"]);
    assert!(said.contains("all results are 0.0, so there is nothing to learn"), "{said}");
}

#[test]
fn figures_of_large_and_small_numbers_stay_in_their_columns() {
    let folder = tempfile::tempdir().unwrap();
    for scale in [1e90, 1e-90] {
        with_results(&folder, "data.csv", |n| scale * (n * n % 97) as f64);
        let train = ["train", "--algorithm", "ridge", "--out", "m.augur", "--data", "data.csv"];
        let report = stdout(&augur(&folder, train));
        let evaluate = ["evaluate", "--model", "m.augur", "--data", "data.csv", "--report", "e.html"];
        let table = stdout(&augur(&folder, evaluate));
        let line = report.lines().find(|line| line.starts_with("training")).unwrap();
        assert!(line.len() < 75 && line.contains('e'), "{line}");
        let fields: Vec<f64> = line.split_whitespace().skip(1).map_while(|field| field.parse().ok()).collect();
        assert!(fields.len() == 4 && fields.iter().all(|field| field.is_finite() && *field != 0.0), "{line}");
        assert!(table.contains(line.strip_prefix("training").unwrap().trim()), "{table}");
        let page = std::fs::read_to_string(folder.path().join("e.html")).unwrap();
        assert!(!page.contains(&"0".repeat(30)), "figures of many digits");
    }
}

#[test]
fn a_model_has_the_name_that_it_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let report = train(&folder, "m.augur", &["--algorithm", "ridge", "--name", "load-time_v1.5"]);
    assert!(report.starts_with("model      load-time_v1.5@20"), "{report}");
    let table = stdout(&augur(&folder, ["evaluate", "--model", "m.augur", "--data", data().to_str().unwrap()]));
    assert!(table.starts_with("model  load-time_v1.5@20"), "{table}");
    for name in ["", "a@b", "a b", "\u{e4}", "a/b", &"n".repeat(33)] {
        let output = augur(&folder, ["train", "--data", "x.csv", "--out", "n.augur", "--name", name]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("a name has 1 to 32 letters, digits, '-', '_' and '.'"), "{said}");
    }
}

#[test]
fn hold_out_data_that_would_not_be_used_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let data = data.to_str().unwrap();
    let output = augur(&folder, ["train", "--data", data, "--cv", "3", "--valid", data, "--algorithm", "ridge"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("--out <FILE>"));
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
