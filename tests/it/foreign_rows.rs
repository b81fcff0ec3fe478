//! Rows that other programs have written to the SQLite file, of a kind that this one never would.

use crate::app::App;
use crate::keys::KeysFile;

#[test]
fn keys_that_are_no_text_or_no_utf_8_or_too_long_are_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut keys_file = KeysFile::new();
    let authorization = format!("Bearer {}", keys_file.add("curator", &["results:read"]));
    let app = App::start(&[format!("store.sqlite.path={}", path.display()), keys_file.setting()]);
    app.ask("http://example.com/");
    let database = rusqlite::Connection::open(&path).unwrap();
    let insert = "INSERT INTO URL_RESULT (URL, RESULT) VALUES (?1, 0.5)";
    database.execute(insert, [b"http://example.com/bytes".as_slice()]).unwrap();
    database.execute(insert, [format!("http://example.com/{}", "a".repeat(4000))]).unwrap();
    for latin in ["'http://example.com/' || x'e9'", "x'ff'"] {
        database
            .execute_batch(&format!("INSERT INTO URL_RESULT (URL, RESULT) VALUES (CAST({latin} AS TEXT), 0.5)"))
            .unwrap();
    }
    database.execute(insert, ["http://example.com/z"]).unwrap();
    let mut keys = Vec::new();
    let mut next = Some("/api/results?limit=1".to_owned());
    while let Some(page) = next {
        let answer = app.call("GET", &page, &[("Authorization", &authorization)], None);
        assert_eq!(answer.status, 200, "{page}: {}", String::from_utf8_lossy(&answer.body));
        let page = answer.json();
        keys.extend(page["results"].as_array().unwrap().iter().map(|row| row["url"].as_str().unwrap().to_owned()));
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(keys, ["http://example.com/", "http://example.com/z"]);
}
