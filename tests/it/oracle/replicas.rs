//! Several processes on one table.

use std::collections::HashMap;
use std::sync::Barrier;

use super::{TABLE, start};
use crate::standin::Database;

#[test]
fn three_processes_with_64_connections_each_store_1000_new_keys_once_and_agree_on_their_values() {
    let (keys, clients) = (1000, 64);
    let database = Database::fresh();
    database.execute(TABLE);
    let apps: Vec<_> = (0..3).map(|_| start(&database, &[])).collect();
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
