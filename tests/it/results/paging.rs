//! Pages while rows come and go: each row that nobody touches is seen once, in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Server, Sqlite, oracle};
use crate::url::Table;

/// Walks all pages while `write` inserts and removes rows in between, and gives the URLs that were there all the time.
fn walk(server: &Server<impl Table>, limit: usize, write: impl FnMut(usize) + Send) -> Vec<String> {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut write = write;
            let mut written = 0;
            while !done.load(Ordering::Relaxed) {
                write(written);
                written += 1;
                // about a thousand a second
                std::thread::sleep(Duration::from_millis(1));
            }
            written
        });
        let mut seen = Vec::new();
        let mut next = Some(format!("/api/results?limit={limit}"));
        while let Some(here) = next {
            let page = server.get(&here).json();
            let urls = page["results"].as_array().unwrap().iter().map(|row| row["url"].as_str().unwrap());
            seen.extend(urls.filter(|url| !url.ends_with("guest")).map(str::to_owned));
            next = page["next"].as_str().map(str::to_owned);
        }
        done.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 0);
        seen
    })
}

fn url(n: usize) -> String {
    format!("http://example.com/{n:06}")
}

/// Somewhere among `rows` rows, another place each time.
fn guest(written: usize, rows: usize) -> String {
    format!("{}/guest", url(written * 7919 % rows))
}

#[test]
fn a_hundred_thousand_rows_are_each_seen_once_while_others_come_and_go_in_sqlite() {
    const ROWS: usize = 100_000;
    let server = Server::start(Sqlite::fresh());
    let mut other = server.table.database();
    other.busy_timeout(crate::app::PATIENCE).unwrap();
    let transaction = other.transaction().unwrap();
    for n in 0..ROWS {
        let sql = "INSERT INTO URL_RESULT (URL, RESULT) VALUES (?1, 1)";
        transaction.prepare_cached(sql).unwrap().execute([url(n)]).unwrap();
    }
    transaction.commit().unwrap();
    // The program that writes waits for no disk: it shall be quick.
    other.pragma_update(None, "synchronous", "OFF").unwrap();
    let seen = walk(&server, 100, move |written| {
        other.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES (?1, 2)", [guest(written, ROWS)]).unwrap();
        if let Some(before) = written.checked_sub(50) {
            other.execute("DELETE FROM URL_RESULT WHERE URL = ?1", [guest(before, ROWS)]).unwrap();
        }
    });
    assert!(seen.into_iter().eq((0..ROWS).map(url)));
}

#[test]
fn three_thousand_rows_are_each_seen_once_while_others_come_and_go_in_oracle() {
    const ROWS: usize = 3000;
    let server = Server::start(oracle());
    let other = server.table.inspector();
    let sql = "INSERT INTO URL_RESULT (URL, RESULT) VALUES (:1, 1)";
    let mut batch = other.batch(sql, ROWS).build().unwrap();
    for n in 0..ROWS {
        batch.append_row(&[&url(n)]).unwrap();
    }
    batch.execute().unwrap();
    drop(batch);
    let seen = walk(&server, 50, move |written| {
        other.execute(sql, &[&guest(written, ROWS)]).unwrap();
        if let Some(before) = written.checked_sub(50) {
            other.execute("DELETE FROM URL_RESULT WHERE URL = :1", &[&guest(before, ROWS)]).unwrap();
        }
    });
    assert!(seen.into_iter().eq((0..ROWS).map(url)));
}
