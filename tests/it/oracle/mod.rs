//! The real server on Oracle, through the stand-in for its client library: what each promise costs and survives.

mod doctor;
mod schema;

use crate::app::App;
use crate::standin::Database;

/// A server on a fresh database with an empty result table.
struct Server {
    database: Database,
    app: App,
}

impl Server {
    fn start(more: &[&str]) -> Self {
        let database = Database::fresh();
        database.execute(
            "CREATE TABLE URL_RESULT (URL VARCHAR2(4000 BYTE) NOT NULL, RESULT BINARY_DOUBLE, MODEL VARCHAR2(200 BYTE), \
             CREATED_AT TIMESTAMP(6) DEFAULT SYS_EXTRACT_UTC(SYSTIMESTAMP), CONSTRAINT URL_RESULT_PK PRIMARY KEY (URL))",
        );
        let app =
            App::start(&[&database.settings()[..], &more.iter().map(ToString::to_string).collect::<Vec<_>>()].concat());
        // The look at the table after the start makes round trips that no test means to count.
        app.wait_for_log("the result table has been checked");
        Self { database, app }
    }
}

#[test]
fn a_miss_is_stored_and_then_a_hit() {
    let server = Server::start(&[]);
    let miss = server.app.ask("http://example.com/");
    assert_eq!(miss.header("cache-status"), Some("augur; fwd=miss; stored"), "{}", server.app.log());
    let hit = server.app.ask("http://example.com/");
    assert_eq!(hit.header("cache-status"), Some("augur; hit"));
    assert_eq!(hit.body, miss.body);
    assert_eq!(server.database.count("SELECT COUNT(*) FROM URL_RESULT WHERE URL = 'http://example.com/'"), 1);
}
