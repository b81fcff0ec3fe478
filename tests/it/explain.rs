//! `?explain=true` and `augur explain`: why a number is what it is.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, augur};

const URL: &str = "http://secure-paypal.example.test/login.php?id=7";

fn start(folder: &TempDir, more: &[String]) -> App {
    let database = format!("store.sqlite.path={}", folder.path().join("augur.db").display());
    App::start(&[&[database], more].concat())
}

fn explained(app: &App, url: &str) -> Value {
    let response = app.post("/url?explain=true", &json!({ "url": url }).to_string());
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    response.json()
}

/// Base, contributions and rest of an explanation, added up.
fn sum(explanation: &Value) -> f64 {
    let parts = explanation["contributions"].as_array().unwrap();
    let parts: f64 = parts.iter().map(|part| part["contribution"].as_f64().unwrap()).sum();
    explanation["base"].as_f64().unwrap() + parts + explanation["rest"].as_f64().unwrap()
}

#[test]
fn an_explanation_sums_up_to_the_score_and_changes_no_result() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(&folder, &[]);
    let miss = explained(&app, URL);
    let hit = explained(&app, URL);
    assert_eq!(miss, hit);
    let explanation = &miss["explanation"];
    let score = explanation["score"].as_f64().unwrap();
    assert!((sum(explanation) - score).abs() < 1e-9, "{miss}");
    assert_eq!(explanation["link"], "logit");
    assert!((1.0 / (1.0 + (-score).exp()) - miss["result"].as_f64().unwrap()).abs() < 1e-9, "{miss}");
    let plain = app.ask(URL);
    assert_eq!(explanation["model"], plain.header("Augur-Model").unwrap());
    assert_eq!(plain.json(), json!({ "result": miss["result"] }));
    let parts = explanation["contributions"].as_array().unwrap();
    assert_eq!(parts.len(), 10);
    assert!(parts.iter().any(|part| part["ngram"].is_string()), "{miss}");
    for part in parts.iter().filter(|part| part["ngram"].is_string()) {
        let (text, at) = (part["ngram"].as_str().unwrap(), part["at"].as_u64().unwrap() as usize);
        let plain = text.trim_matches(['\u{2402}', '\u{2403}']);
        assert_eq!(&URL[at..at + plain.len()], plain, "{part}");
    }
    // false, and nothing at all, ask for none
    let none = app.post("/url?explain=false", &json!({ "url": URL }).to_string());
    assert_eq!(none.json(), plain.json());
}

#[test]
fn what_another_model_or_nobody_known_has_stored_is_not_explained() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(&folder, &[]);
    app.ask(URL);
    let database = rusqlite::Connection::open(folder.path().join("augur.db")).unwrap();
    for (model, reason) in
        [("'url@older'", "The result is stored as one of url@older"), ("NULL", "The result is stored without a model")]
    {
        database.execute_batch(&format!("UPDATE URL_RESULT SET RESULT = 7, MODEL = {model}")).unwrap();
        let answer = explained(&app, URL);
        assert_eq!(answer["result"], json!(7.0));
        assert!(answer["explanation"]["unavailable"].as_str().unwrap().starts_with(reason), "{answer}");
        assert_eq!(answer["explanation"].as_object().unwrap().len(), 1);
    }
}

#[test]
fn a_model_that_is_not_linear_has_no_explanation() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("trees.augur");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/urls.csv");
    let trained = augur()
        .args(["train", "--algorithm", "random-forest", "--param", "trees=3", "--data"])
        .args([data.as_os_str(), "--out".as_ref(), model.as_os_str()])
        .output()
        .unwrap();
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let app = start(&folder, &[format!("models.url.path={}", model.display())]);
    let answer = explained(&app, URL);
    assert!(answer["result"].is_number());
    assert_eq!(
        answer["explanation"],
        json!({ "unavailable": "No explanation is available: the model is not linear." })
    );
    let said = augur().args(["explain", URL, "--model"]).arg(&model).output().unwrap();
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&said.stderr).contains("not linear"));
}

#[test]
fn values_of_explain_other_than_true_and_false_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(&folder, &[]);
    for wrong in ["explain=1", "explain=", "explain", "explain=True", "explain=true&explain=true"] {
        let response = app.post(&format!("/url?{wrong}"), &json!({ "url": URL }).to_string());
        assert_eq!(response.status, 400, "{wrong}");
        assert!(response.json()["detail"].as_str().unwrap().contains("explain"), "{wrong}");
    }
}

#[test]
fn the_command_explains_what_the_server_would_answer() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(&folder, &[]);
    let output = augur().args(["explain", "--json", URL]).output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), explained(&app, URL));
    let table = String::from_utf8(augur().args(["explain", URL]).output().unwrap().stdout).unwrap();
    assert!(
        table.starts_with("model   url@20") && table.contains("  base\n") && table.ends_with("  score\n"),
        "{table}"
    );
}
