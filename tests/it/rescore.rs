//! Stored results know their model: stale ones are renewed on a hit or in bulk, and what people and other programs wrote
//! stays.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use augur::model::UrlModel;
use rusqlite::Connection;

use crate::app::{App, PATIENCE, augur};
use crate::live_models::Place;

/// A place with two versions, the second one of which sorts behind the first; the first one is live.
pub(crate) struct Versioned {
    pub(crate) place: Place,
    pub(crate) older: String,
    pub(crate) newer: String,
}

impl Versioned {
    pub(crate) fn new() -> Self {
        let place = Place::new();
        let mut versions = [place.trained(0), place.trained(100)];
        versions.sort();
        let [older, newer] = versions;
        place.run(&["model", "activate", &older]);
        place.run(&["schema", "apply"]);
        Self { place, older, newer }
    }

    pub(crate) fn database(&self) -> Connection {
        let database = Connection::open(self.place.path("augur.db")).unwrap();
        database.busy_timeout(PATIENCE).unwrap();
        database
    }

    pub(crate) fn insert(&self, url: &str, result: f64, model: Option<&str>) {
        let sql = "INSERT INTO URL_RESULT (URL, RESULT, MODEL) VALUES (?1, ?2, ?3)";
        self.database().execute(sql, (url, result, model)).unwrap();
    }

    fn row(&self, url: &str) -> (f64, Option<String>) {
        let sql = "SELECT RESULT, MODEL FROM URL_RESULT WHERE URL = ?1";
        self.database().query_row(sql, [url], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }

    /// Rows that are not to be renewed, with what they hold.
    fn others(&self) -> Vec<(&'static str, f64, Option<String>)> {
        vec![
            ("http://foreign/", 0.25, None),
            ("http://manual/", 0.25, Some("manual".to_owned())),
            ("http://other-model/", 0.25, Some(format!("other@{}", self.older))),
            ("http://from-the-future/", 0.25, Some("url@99991231T235959Z-000000000000".to_owned())),
        ]
    }
}

pub(crate) fn predicted(model: &UrlModel, url: &str) -> f64 {
    model.predict(&[url]).unwrap()[0]
}

#[test]
fn a_stale_hit_is_served_or_renewed_as_configured_and_only_by_a_newer_version() {
    let it = Versioned::new();
    let (url, manual_later) = ("http://stale.example/login", "http://stale.example/2");
    let older = format!("url@{}", it.older);
    for url in [url, manual_later] {
        it.insert(url, predicted(&it.place.model(&it.older), url), Some(&older));
    }
    for (url, result, model) in it.others() {
        it.insert(url, result, model.as_deref());
    }
    it.place.run(&["model", "activate", &it.newer]);
    let app = App::start(&it.place.settings());
    let served = app.ask(url);
    assert_eq!((served.header("cache-status"), served.header("augur-model")), (Some("augur; hit"), Some(&*older)));
    drop(app);

    let mut settings = it.place.settings().to_vec();
    settings.push("store.stale=recompute".to_owned());
    let app = App::start(&settings);
    let newer = format!("url@{}", it.newer);
    let value = predicted(&it.place.model(&it.newer), url);
    for cache_status in ["augur; fwd=stale; stored", "augur; hit"] {
        let answer = app.ask(url);
        assert_eq!(answer.header("cache-status"), Some(cache_status));
        assert_eq!(answer.header("augur-model"), Some(&*newer));
        assert_eq!(answer.result_text().parse::<f64>().unwrap(), value);
        assert_eq!(it.row(url), (value, Some(newer.clone())));
    }
    for (url, result, model) in it.others() {
        let answer = app.ask(url);
        assert_eq!(answer.header("cache-status"), Some("augur; hit"), "{url}");
        assert_eq!(answer.result_text().parse::<f64>().unwrap(), result, "{url}");
        assert_eq!(it.row(url), (result, model));
    }
    // New ones in the same batch are stored as ever.
    let body = serde_json::json!({ "urls": [manual_later, "http://new.example/", url] }).to_string();
    let results = app.post("/urls", &body).json();
    for (at, url) in [manual_later, "http://new.example/"].into_iter().enumerate() {
        let value = predicted(&it.place.model(&it.newer), url);
        assert_eq!(results["results"][at]["result"].as_f64(), Some(value), "{url}");
        assert_eq!(it.row(url), (value, Some(newer.clone())));
    }
    // After a rollback the newer value stays.
    it.place.run(&["model", "rollback"]);
    app.wait_for_log(&format!("{older} answers from now on"));
    assert_eq!(app.ask(url).header("cache-status"), Some("augur; hit"));
    assert_eq!(it.row(url), (value, Some(newer)));
}

#[test]
fn rescore_renews_what_an_older_version_made_and_more_only_where_flags_name_it() {
    let it = Versioned::new();
    let (older, newer) = (format!("url@{}", it.older), format!("url@{}", it.newer));
    let urls: Vec<String> = (0..1200).map(|n| format!("http://www.example{n}.com/~me/{n}?x={n}")).collect();
    let model = it.place.model(&it.older);
    for url in &urls {
        it.insert(url, predicted(&model, url), Some(&older));
    }
    for (url, result, model) in it.others() {
        it.insert(url, result, model.as_deref());
    }
    it.place.run(&["model", "activate", &it.newer]);
    let said = it.place.run(&["rescore", "--dry-run"]);
    assert!(said.starts_with("      1200  rows would be renewed\n") && said.contains("crossed 0.5"), "{said}");
    let counted: u64 = said.lines().filter_map(|line| line.get(..21)).filter_map(histogram_count).sum();
    assert_eq!(counted, 1200, "{said}");
    assert_eq!(it.row(&urls[7]).1, Some(older.clone()));
    let said = it.place.run(&["rescore", "--workers", "3"]);
    assert!(said.starts_with("      1200  rows renewed\n"), "{said}");
    let model = it.place.model(&it.newer);
    for url in &urls {
        assert_eq!(it.row(url), (predicted(&model, url), Some(newer.clone())), "{url}");
    }
    for (url, result, model) in it.others() {
        assert_eq!(it.row(url), (result, model), "{url}");
    }
    assert!(it.place.run(&["rescore"]).starts_with("         0  rows renewed\n"));
    let said = it.place.run(&["rescore", "--include-unknown", "--include-manual"]);
    assert!(said.starts_with("         2  rows renewed\n"), "{said}");
    for url in ["http://foreign/", "http://manual/"] {
        assert_eq!(it.row(url), (predicted(&model, url), Some(newer.clone())));
    }
    let refused = it.place.refusal(&["rescore", "--set", "store.table.model_column="]);
    assert!(refused.contains("store.table.model_column is empty"), "{refused}");
}

/// The count in a line of the histogram.
fn histogram_count(line: &str) -> Option<u64> {
    let (name, count) = line.split_at(10);
    let is_bin = name.contains('<') || name.contains('>') || name.trim() == "none";
    is_bin.then(|| count.trim().parse().unwrap())
}

#[test]
fn rescore_killed_twenty_times_renews_every_row_exactly_once() {
    const ROWS: i64 = 20_000;
    let it = Versioned::new();
    let mut database = it.database();
    database
        .execute_batch(
            "CREATE TABLE RENEWALS (URL TEXT);
             CREATE TRIGGER RENEWED AFTER UPDATE ON URL_RESULT BEGIN INSERT INTO RENEWALS VALUES (NEW.URL); END;",
        )
        .unwrap();
    let transaction = database.transaction().unwrap();
    for n in 0..ROWS {
        let sql = "INSERT INTO URL_RESULT (URL, RESULT, MODEL) VALUES (?1, 0.5, ?2)";
        transaction.execute(sql, (format!("http://{n}.example/"), format!("url@{}", it.older))).unwrap();
    }
    transaction.commit().unwrap();
    it.place.run(&["model", "activate", &it.newer]);
    let renewed = || -> i64 { database.query_row("SELECT count(*) FROM RENEWALS", [], |row| row.get(0)).unwrap() };
    let mut random: u64 = u64::from(std::process::id());
    for _ in 0..20 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let enough = renewed() + 1 + i64::try_from((random >> 33) % 150).unwrap();
        // Slow enough not to be done before it is killed, in small batches.
        let mut rescore = start_rescore(&it, &["--rate", "1000", "--workers", "3"]);
        let end = Instant::now() + PATIENCE;
        while renewed() < enough {
            assert!(Instant::now() < end && rescore.try_wait().unwrap().is_none(), "it goes on");
            std::thread::sleep(Duration::from_micros(random >> 54));
        }
        rescore.kill().unwrap();
        rescore.wait().unwrap();
    }
    assert!(renewed() < ROWS, "it was killed in the middle");
    assert!(start_rescore(&it, &[]).wait().unwrap().success());
    assert_eq!(renewed(), ROWS);
    let distinct = "SELECT count(DISTINCT URL) FROM RENEWALS";
    assert_eq!(database.query_row(distinct, [], |row| row.get::<_, i64>(0)).unwrap(), ROWS);
    let of_newer = "SELECT count(*) FROM URL_RESULT WHERE MODEL = ?1";
    let newer = format!("url@{}", it.newer);
    assert_eq!(database.query_row(of_newer, [newer], |row| row.get::<_, i64>(0)).unwrap(), ROWS);
}

fn start_rescore(it: &Versioned, more: &[&str]) -> Child {
    let mut command = augur();
    command.arg("rescore").args(more).stdout(Stdio::null());
    for setting in it.place.settings() {
        command.args(["--set", &setting]);
    }
    command.spawn().unwrap()
}
