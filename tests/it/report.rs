//! The reports of `augur train` and `augur evaluate`: one file, with what a person wants to see.

use std::path::Path;

use tempfile::TempDir;

use crate::app::augur;

/// Runs `augur` in the folder, which has to end well.
fn run(folder: &TempDir, args: &[&str]) {
    let output = augur().current_dir(folder).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn read(folder: &TempDir, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

/// The test data, cut in two.
fn data(folder: &TempDir) {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/urls.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(folder.path().join("train.csv"), lines[..201].join("\n")).unwrap();
    std::fs::write(folder.path().join("valid.csv"), format!("{}\n{}", lines[0], lines[201..].join("\n"))).unwrap();
}

#[test]
fn training_writes_a_report_beside_the_model_or_where_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    data(&folder);
    run(&folder, &["train", "--data", "train.csv", "--valid", "valid.csv", "--out", "m.augur"]);
    let page = read(&folder, "m.html");
    assert_eq!(page.matches("<svg").count(), 4);
    for text in [
        "Calibration",
        "Answers by class",
        "ROC",
        "Precision and recall",
        "Top weights",
        "Errors by slice",
        "Scheme",
        "Last label of the host",
        "Bytes of the URL",
        "always the mean of its training data",
        "live model url@",
        "110 rows",
    ] {
        assert!(page.contains(text), "{text}");
    }
    // one file: nothing is fetched from anywhere, and nothing runs
    for reference in ["<script", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(reference), "{reference}");
    }
    run(
        &folder,
        &["train", "--data", "train.csv", "--algorithm", "linear", "--out", "n.augur", "--report", "other.html"],
    );
    assert!(read(&folder, "other.html").contains("its own training data"));
    // each model of a folder has its own
    run(&folder, &["train", "--data", "train.csv", "--algorithm", "linear", "--out", "m.2"]);
    assert!(read(&folder, "m.2.html").contains("its own training data"));
    assert_eq!(read(&folder, "m.html"), page);
}

#[test]
fn a_report_on_numbers_has_pictures_of_residuals() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (1..60).map(|i| format!("http://h{}.example/{},{}\n", i % 7, "x".repeat(i), i * 10)).collect();
    std::fs::write(folder.path().join("n.csv"), format!("url,result\n{rows}")).unwrap();
    run(&folder, &["train", "--algorithm", "gradient-boosting", "--data", "n.csv", "--out", "m.augur"]);
    run(&folder, &["evaluate", "--model", "m.augur", "--data", "n.csv", "--report", "e.html"]);
    for page in [read(&folder, "m.html"), read(&folder, "e.html")] {
        assert_eq!(page.matches("<svg").count(), 3);
        for text in ["Predicted and actual", "Residuals", "not linear, so it has no weights"] {
            assert!(page.contains(text), "{text}");
        }
    }
}
