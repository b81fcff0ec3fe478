//! Several processes on one table.

use std::collections::{HashMap, HashSet};
use std::sync::Barrier;

use super::{TABLE, start};
use crate::app::{App, augur};
use crate::standin::Database;

/// A model that has learnt from every row of the test data but each third, from row `n` on.
fn model(database: &Database, n: usize) -> String {
    let data = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/urls.csv")).unwrap();
    let (head, rows) = data.split_once('\n').unwrap();
    let learnt = rows.lines().enumerate().filter(|(at, _)| at % 3 != n).map(|(_, row)| row);
    let file = |extension| database.folder.path().join(format!("{n}.{extension}"));
    std::fs::write(file("csv"), [head].into_iter().chain(learnt).collect::<Vec<_>>().join("\n")).unwrap();
    let trained = augur()
        .args(["train", "--algorithm", "ridge", "--data"])
        .arg(file("csv"))
        .arg("--out")
        .arg(file("augur"))
        .output()
        .unwrap();
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    file("augur").display().to_string()
}

/// What a process answers of its own.
fn prediction(database: &Database, app: &App) -> String {
    let answer = app.ask("http://example.com/").result_text();
    database.execute("DELETE FROM URL_RESULT");
    answer
}

#[test]
fn three_processes_with_64_connections_each_store_1000_new_keys_once_and_agree_on_their_values() {
    let (keys, clients) = (1000, 64);
    let database = Database::fresh();
    database.execute(TABLE);
    // Each predicts another value for the same key: only the table can make them agree.
    let apps: Vec<_> =
        (0..3).map(|n| start(&database, &[&format!("models.url.path={}", model(&database, n))])).collect();
    let predictions: HashSet<String> = apps.iter().map(|app| prediction(&database, app)).collect();
    assert_eq!(predictions.len(), apps.len());
    database.standin.reset_counters();
    let together = Barrier::new(apps.len() * clients);
    let answers: Vec<(usize, String)> = std::thread::scope(|scope| {
        let workers: Vec<_> = apps
            .iter()
            .flat_map(|app| (0..clients).map(move |client| (app, client)))
            .map(|(app, client)| {
                let together = &together;
                scope.spawn(move || {
                    together.wait();
                    (client..keys)
                        .step_by(clients)
                        .map(|n| (n, app.ask(&format!("http://example.com/{n}")).result_text()))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(answers.len(), 3 * keys);
    let mut by_key: HashMap<usize, String> = HashMap::new();
    for (n, answer) in answers {
        assert_eq!(by_key.entry(n).or_insert_with(|| answer.clone()), &answer, "{n}");
    }
    assert_eq!(database.count("SELECT COUNT(*) FROM URL_RESULT"), keys as i64);
    assert_eq!(database.standin.counters().rows_inserted, keys as u64);
}
