//! `/api/results` through the front door: each clause is written once and run by name against every backend.

mod clauses;
mod paging;

use oci_standin::FailOn;
use serde_json::Value;

use crate::app::{App, Response};
use crate::keys::KeysFile;
use crate::url::Table;
use crate::url::oracle::fresh as oracle;
use crate::url::sqlite::Sqlite;

/// A server with keys, and its table.
struct Server<T> {
    app: App,
    table: T,
    keys: KeysFile,
    /// For reading and writing.
    key: String,
}

impl<T: Table> Server<T> {
    fn start(table: T) -> Self {
        let mut keys = KeysFile::new();
        let key = keys.add("curator", &["results:read", "results:write"]);
        let more = vec![keys.setting(), "server.request_timeout_ms=30000".to_owned()];
        let app = App::start(&[table.settings(), more].concat());
        Self { app, table, keys, key }
    }

    fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Response {
        let authorization = format!("Bearer {}", self.key);
        self.app.call(method, path, &[headers, &[("Authorization", &authorization)]].concat(), body)
    }

    fn get(&self, path: &str) -> Response {
        self.call("GET", path, &[], None)
    }

    /// `POST` of a row, which must be new.
    fn create(&self, url: &str, result: Value) -> Response {
        let body = serde_json::json!({ "url": url, "result": result }).to_string();
        let made = self.call("POST", "/api/results", &[], Some(&body));
        assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
        made
    }
}

/// Where the row of a key is.
pub(crate) fn path(url: &str) -> String {
    use base64::Engine;
    format!("/api/results/{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(url))
}

/// What a 422 is about.
fn wrong(response: &Response) -> String {
    assert_eq!(response.status, 422, "{}", String::from_utf8_lossy(&response.body));
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    let error = response.json()["errors"][0].clone();
    assert!(error["detail"].is_string(), "{error}");
    match (&error["pointer"], &error["parameter"]) {
        (Value::String(pointer), Value::Null) => pointer.clone(),
        (Value::Null, Value::String(parameter)) => format!("?{parameter}"),
        other => panic!("{other:?}"),
    }
}

/// Makes one named test for each clause and backend: `results::sqlite::a_row_is_made_...`.
macro_rules! results_contract {
    ($($clause:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[test]
                fn $clause() {
                    super::clauses::$clause(super::Sqlite::fresh());
                }
            )+
        }
        mod oracle {
            $(
                #[test]
                fn $clause() {
                    super::clauses::$clause(super::oracle());
                }
            )+
        }
    };
}

results_contract! {
    a_row_is_made_read_corrected_and_forgotten,
    a_write_that_is_out_of_date_changes_nothing,
    of_many_corrections_of_one_state_one_is_made,
    what_the_table_cannot_hold_is_422_and_named,
    a_request_that_is_no_good_is_told_so,
    rows_of_other_programs_are_listed_and_can_be_forgotten,
    a_list_is_walked_by_its_next_links,
    every_change_leaves_one_line_in_the_audit_log,
    without_a_key_nothing_is_told_and_nothing_changed,
    a_missing_table_is_503,
}

#[test]
fn a_quiet_log_still_tells_of_changes() {
    let table = Sqlite::fresh();
    let mut keys = KeysFile::new();
    let key = keys.add("curator", &["results:read", "results:write"]);
    let level = "log.level=warn,augur::application=info".to_owned();
    let app = App::start(&[table.settings(), vec![keys.setting(), level]].concat());
    let server = Server { app, table, keys, key };
    server.create("http://a/", serde_json::json!(1));
    let line = server.app.wait_for_log("augur::audit");
    assert!(line.contains("key_name=curator") && line.contains("action=create"), "{line}");
}

#[test]
fn that_nothing_was_stored_is_told_where_it_is_known() {
    let server = Server::start(oracle());
    for (ora, on, told) in [(1653, FailOn::Change, true), (3113, FailOn::Commit, false)] {
        server.table.standin.fail_next(1, ora, on);
        let refused = server.call("PUT", &path("http://a/"), &[], Some("{\"result\": 1}"));
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
        let problem = refused.json();
        assert_eq!(problem["type"], "urn:augur:problem:store-unavailable");
        assert_eq!(problem["detail"].as_str().unwrap().contains("nothing was stored"), told, "ORA-{ora}: {problem}");
    }
}

#[test]
fn what_the_rules_of_the_table_refuse_is_409_and_changes_nothing() {
    let server = Server::start(oracle());
    server.create("http://a/", serde_json::json!(1));
    for (method, body, ora) in [("PUT", Some("{\"result\": 2}"), 2290), ("DELETE", None, 2292), ("DELETE", None, 20001)]
    {
        server.table.standin.fail_next(1, ora, FailOn::Change);
        let refused = server.call(method, &path("http://a/"), &[], body);
        assert_eq!(refused.status, 409, "{method}, ORA-{ora}");
        let told = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(told.contains("own rules") && !told.contains("ORA"), "{told}");
    }
    assert_eq!(server.get(&path("http://a/")).json()["result"], 1.0);
}
