//! An acknowledged result survives `kill -9`, whenever it comes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rusqlite::Connection;

use crate::app::App;

#[test]
fn twenty_times_kill_9_during_a_storm_of_misses_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("augur.db");
    let setting = format!("store.sqlite.path={}", file.display());
    let mut acknowledged: Vec<(String, String)> = Vec::new();
    for round in 0..20 {
        let mut app = App::start(&[setting.as_str(), "server.request_timeout_ms=30000"]);
        let killed = AtomicBool::new(false);
        let answered = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..8)
                .map(|client| {
                    let (app, killed, answered) = (&app, &killed, &answered);
                    scope.spawn(move || {
                        let mut mine = Vec::new();
                        for n in 0.. {
                            let url = format!("http://example.com/{round}/{client}/{n}");
                            let body = serde_json::json!({ "url": url }).to_string();
                            match app.try_post("/url", &body) {
                                Ok(answer) => {
                                    mine.push((url, answer.result_text()));
                                    answered.fetch_add(1, Ordering::Relaxed);
                                }
                                Err(_) if killed.load(Ordering::Relaxed) => return mine,
                                Err(error) => panic!("{error} before the kill"),
                            }
                        }
                        mine
                    })
                })
                .collect();
            // In the middle of the storm, at another moment each time.
            while answered.load(Ordering::Relaxed) < 20 + 7 * round {
                std::thread::sleep(Duration::from_micros(100));
            }
            killed.store(true, Ordering::Relaxed);
            app.signal("KILL");
            for client in clients {
                acknowledged.append(&mut client.join().unwrap());
            }
        });
        app.wait();
    }
    assert!(acknowledged.len() > 1000, "a storm: {}", acknowledged.len());
    let database = Connection::open(file).unwrap();
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mut find = database.prepare("SELECT RESULT FROM URL_RESULT WHERE URL = ?1").unwrap();
    for (url, result) in acknowledged {
        let stored: f64 = find.query_row([&url], |row| row.get(0)).unwrap_or_else(|e| panic!("{url} is lost: {e}"));
        assert_eq!(stored, result.parse::<f64>().unwrap(), "{url}");
    }
}
