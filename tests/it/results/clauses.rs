//! The clauses of `/api/results`.

use std::sync::Barrier;

use serde_json::{Value, json};

use super::{Server, path, wrong};
use crate::url::Table;

const URL: &str = "http://example.com/?q=>";

pub(super) fn a_row_is_made_read_corrected_and_forgotten(table: impl Table) {
    let server = Server::start(table);
    let made = server.create(URL, json!(0.25));
    let row = made.json();
    assert_eq!((&row["url"], &row["result"], &row["model"]), (&json!(URL), &json!(0.25), &json!("manual")));
    assert_eq!(row.as_object().unwrap().len(), 5, "{row}");
    assert!(row["created_at"].as_str().unwrap().ends_with('Z'), "{row}");
    assert_eq!(made.header("location"), Some(&*path(URL)));
    assert_eq!(path(URL), format!("/api/results/{}", row["id"].as_str().unwrap()));
    assert_eq!(server.table.row(URL), (0.25, "manual".to_owned()));
    let again = server.call("POST", "/api/results", &[], Some(&json!({"url": URL, "result": 1}).to_string()));
    assert_eq!(again.status, 409);

    let read = server.get(&path(URL));
    let tag = read.header("etag").unwrap().to_owned();
    assert_eq!((read.status, read.json(), made.header("etag")), (200, row, Some(&*tag)));
    assert!(tag.starts_with('"'), "a strong one: {tag}");
    assert_eq!(read.header("cache-control"), Some("private, no-cache"));
    let unchanged = server.call("GET", &path(URL), &[("If-None-Match", &tag)], None);
    assert_eq!((unchanged.status, unchanged.header("etag"), unchanged.body.len()), (304, Some(&*tag), 0));

    let put = server.call("PUT", &path(URL), &[("If-Match", &tag)], Some("{\"result\": 1, \"url\": 7}"));
    assert_eq!((put.status, &put.json()["result"]), (200, &json!(1.0)));
    assert_ne!(put.header("etag"), Some(&*tag));
    assert_eq!(server.get(&path(URL)).header("etag"), put.header("etag"));
    assert_eq!(server.call("GET", &path(URL), &[("If-None-Match", &tag)], None).status, 200);
    let served = server.app.ask(URL);
    assert_eq!((served.result_text(), served.header("augur-model")), ("1.0".to_owned(), Some("manual")));

    assert_eq!(server.call("PUT", &path(URL), &[], Some("{\"result\": null}")).json()["result"], Value::Null);
    let gone = server.call("DELETE", &path(URL), &[], None);
    assert_eq!((gone.status, gone.body.len()), (204, 0));
    for method in ["GET", "DELETE"] {
        assert_eq!(server.call(method, &path(URL), &[], None).status, 404);
    }
    assert_eq!(server.app.ask(URL).header("cache-status"), Some("augur; fwd=miss; stored"));
    let predicted = server.get(&path(URL)).json();
    assert!(predicted["model"].as_str().unwrap().starts_with("url@"), "{predicted}");

    let other = server.call("PUT", &path("http://b/"), &[("If-None-Match", "*")], Some("{\"result\": 2}"));
    assert_eq!((other.status, other.header("location")), (201, Some(&*path("http://b/"))));
}

pub(super) fn a_write_that_is_out_of_date_changes_nothing(table: impl Table) {
    let server = Server::start(table);
    let old = server.create(URL, json!(1)).header("etag").unwrap().to_owned();
    let new = server.call("PUT", &path(URL), &[], Some("{\"result\": 2}")).header("etag").unwrap().to_owned();
    let weak = format!("W/{new}");
    for condition in [("If-Match", &*old), ("If-Match", &weak), ("If-None-Match", "*"), ("If-None-Match", &new)] {
        let put = server.call("PUT", &path(URL), &[condition], Some("{\"result\": 3}"));
        assert_eq!(put.status, 412, "{condition:?}");
        assert_eq!(put.header("content-type"), Some("application/problem+json"));
    }
    assert_eq!(server.call("DELETE", &path(URL), &[("If-Match", &old)], None).status, 412);
    assert_eq!(server.call("GET", &path(URL), &[("If-Match", &old)], None).status, 412);
    for condition in ["*", &old] {
        let absent = server.call("PUT", &path("http://b/"), &[("If-Match", condition)], Some("{\"result\": 3}"));
        assert_eq!(absent.status, 412, "{condition}");
        assert_eq!(server.call("DELETE", &path("http://b/"), &[("If-Match", condition)], None).status, 404);
    }
    assert_eq!(server.table.row(URL).0, 2.0);
    assert_eq!(server.table.count("SELECT COUNT(*) FROM URL_RESULT"), 1);
    assert_eq!(server.call("DELETE", &path(URL), &[("If-Match", &format!("{old}, {new}"))], None).status, 204);
}

pub(super) fn of_many_corrections_of_one_state_one_is_made(table: impl Table) {
    const CLIENTS: usize = 8;
    let server = Server::start(table);
    for round in 0..5 {
        let url = format!("http://example.com/{round}");
        let tag = server.create(&url, json!(-1)).header("etag").unwrap().to_owned();
        let together = Barrier::new(CLIENTS);
        let headers = [("Authorization", &*format!("Bearer {}", server.key)), ("If-Match", &tag)];
        let mut statuses: Vec<u16> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let (app, headers, url, together) = (&server.app, &headers, &url, &together);
                    scope.spawn(move || {
                        together.wait();
                        let body = json!({ "result": client }).to_string();
                        app.call("PUT", &path(url), headers, Some(&body)).status
                    })
                })
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [&[200][..], &[412; CLIENTS - 1]].concat());
    }
}

pub(super) fn what_the_table_cannot_hold_is_422_and_named(table: impl Table) {
    let server = Server::start(table);
    let made = server.create(URL, json!(1));
    for result in ["\"phishing\"", "true", "[1]", "{}", "1e999"] {
        let body = format!("{{\"result\": {result}}}");
        assert_eq!(wrong(&server.call("PUT", &path(URL), &[], Some(&body))), "/result", "{result}");
        let body = format!("{{\"url\": \"http://b/\", \"result\": {result}}}");
        assert_eq!(wrong(&server.call("POST", "/api/results", &[], Some(&body))), "/result", "{result}");
    }
    assert_eq!(server.get(&path(URL)).header("etag"), made.header("etag"));
    let long = format!("http://example.com/{}", "x".repeat(4000));
    let post = |body: Value| server.call("POST", "/api/results", &[], Some(&body.to_string()));
    for url in [json!(""), json!(7), json!("a\nb"), json!(long)] {
        assert_eq!(wrong(&post(json!({"url": url, "result": 1}))), "/url", "{url}");
    }
    assert_eq!(wrong(&post(json!({"result": 1}))), "/url");
    assert_eq!(wrong(&post(json!({"url": "http://b/"}))), "/result");
    assert_eq!(wrong(&post(json!([]))), "");
    for (method, target) in [("POST", "/api/results"), ("PUT", &path(URL))] {
        assert_eq!(wrong(&server.call(method, target, &[], Some("1e999"))), "");
    }
    for id in [path(&long), path("a\nb"), "/api/results/YQ==".to_owned(), "/api/results/gA".to_owned()] {
        assert_eq!(wrong(&server.call("PUT", &id, &[], Some("{\"result\": 1}"))), "?id", "{id}");
    }
    for (query, parameter) in
        [("limit=0", "?limit"), ("limit=x", "?limit"), ("after=%20", "?after"), ("model=a&model=b", "?model")]
    {
        assert_eq!(wrong(&server.get(&format!("/api/results?{query}"))), parameter);
    }
    assert_eq!(server.table.count("SELECT COUNT(*) FROM URL_RESULT"), 1);
}

pub(super) fn a_request_that_is_no_good_is_told_so(table: impl Table) {
    let server = Server::start(table);
    for (method, target) in [("POST", "/api/results".to_owned()), ("PUT", path(URL))] {
        for (body, status) in [("", 400), ("{", 400), ("{\"result\":1,\"result\":2,\"url\":\"u\"}", 400)] {
            assert_eq!(server.call(method, &target, &[], Some(body)).status, status, "{body}");
        }
        assert_eq!(server.call(method, &target, &[], None).status, 415);
        let large = format!("{{\"result\": \"{}\"}}", "x".repeat(5 << 20));
        assert_eq!(server.call(method, &target, &[], Some(&large)).status, 413);
    }
    for (method, target, allow) in [
        ("PUT", "/api/results".to_owned(), "GET, POST, HEAD, OPTIONS"),
        ("POST", path(URL), "GET, PUT, DELETE, HEAD, OPTIONS"),
    ] {
        let refused = server.call(method, &target, &[], Some("{}"));
        assert_eq!((refused.status, refused.header("allow")), (405, Some(allow)));
    }
    for absent in ["/api/results/", "/api/results/YQ==", "/api/results/a/b", "/api/results/YQ"] {
        assert_eq!(server.get(absent).status, 404, "{absent}");
    }
}

pub(super) fn rows_of_other_programs_are_listed_and_can_be_forgotten(table: impl Table) {
    let server = Server::start(table);
    server.table.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('http://a/\t\u{e4}', 1)");
    server.table.execute("INSERT INTO URL_RESULT (URL, RESULT) VALUES ('http://b/', NULL)");
    let list = server.get("/api/results").json();
    let rows = list["results"].as_array().unwrap();
    assert_eq!((rows.len(), &list["next"]), (2, &Value::Null));
    assert_eq!((&rows[0]["url"], &rows[0]["model"]), (&json!("http://a/\t\u{e4}"), &Value::Null));
    assert_eq!((&rows[1]["url"], &rows[1]["result"]), (&json!("http://b/"), &Value::Null));
    let odd = format!("/api/results/{}", rows[0]["id"].as_str().unwrap());
    assert_eq!(server.get(&odd).json(), rows[0]);
    assert_eq!(server.call("DELETE", &odd, &[], None).status, 204);
    assert_eq!(server.get("/api/results").json()["results"].as_array().unwrap().len(), 1);
}

pub(super) fn a_list_is_walked_by_its_next_links(table: impl Table) {
    let server = Server::start(table);
    let mut urls: Vec<String> = (0..25).map(|n| format!("http://example.com/{n:02}/\u{e4}&=%")).collect();
    for url in &urls {
        server.create(url, json!(1));
    }
    server.app.ask("http://example.com/99");
    server.create("http://elsewhere.com/", json!(1));
    let first = "/api/results?limit=10&prefix=http%3A%2F%2Fexample.com%2F&model=manual";
    let (mut next, mut seen, mut pages) = (Some(first.to_owned()), Vec::new(), 0);
    while let Some(here) = next {
        let page = server.get(&here);
        let body = page.json();
        seen.extend(body["results"].as_array().unwrap().iter().map(|row| row["url"].as_str().unwrap().to_owned()));
        next = body["next"].as_str().map(str::to_owned);
        let link = next.as_ref().map(|next| format!("<{next}>; rel=\"next\""));
        assert_eq!(page.header("link"), link.as_deref());
        assert_eq!(page.header("cache-control"), Some("private, no-cache"));
        pages += 1;
    }
    urls.sort_unstable();
    assert_eq!((seen, pages), (urls, 3));
    let all = server.get("/api/results").json();
    assert_eq!((all["results"].as_array().unwrap().len(), &all["next"]), (27, &Value::Null));
    assert_eq!(server.get("/api/results?prefix=nothing").json(), json!({"results": [], "next": null}));
}

pub(super) fn every_change_leaves_one_line_in_the_audit_log(table: impl Table) {
    let server = Server::start(table);
    server.table.execute("INSERT INTO URL_RESULT (URL, RESULT, MODEL) VALUES ('a\u{85}b\nc', 1, 'x\ny')");
    let odd = path("a\u{85}b\nc");
    assert_eq!(server.call("DELETE", &odd, &[], None).status, 204);
    server.create(URL, json!(1));
    server.call("PUT", &path(URL), &[], Some("{\"result\": 2}"));
    // Nothing is changed by these.
    server.call("PUT", &path(URL), &[("If-None-Match", "*")], Some("{\"result\": 3}"));
    server.call("PUT", &path(URL), &[], Some("{\"result\": \"text\"}"));
    server.call("POST", "/api/results", &[], Some(&json!({"url": URL, "result": 4}).to_string()));
    server.call("DELETE", &path("http://b/"), &[], None);
    server.get(&path(URL));
    let log = server.app.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("augur::audit")).collect();
    let id = server.keys.id("curator");
    let by = format!("key_name=curator key_id={id}");
    let (one, two) = ("{\"result\":1.0,\"model\":\"manual\"}", "{\"result\":2.0,\"model\":\"manual\"}");
    let expected = [
        format!("{by} action=delete url=\"a\\u0085b\\nc\" before={{\"result\":1.0,\"model\":\"x\\ny\"}} after=null"),
        format!("{by} action=create url=\"{URL}\" before=null after={one}"),
        format!("{by} action=replace url=\"{URL}\" before={one} after={two}"),
    ];
    assert_eq!(lines.len(), expected.len(), "{log}");
    for (line, expected) in lines.iter().zip(&expected) {
        assert!(line.ends_with(expected), "{line}\n{expected}");
    }
    assert!(!log.contains(&server.key) && !log.contains("augur_"), "{log}");
}

pub(super) fn without_a_key_nothing_is_told_and_nothing_changed(table: impl Table) {
    let server = Server::start(table);
    server.create(URL, json!(1));
    let calls = [
        ("GET", "/api/results".to_owned(), None),
        ("GET", path(URL), None),
        ("GET", path("http://b/"), None),
        ("POST", "/api/results".to_owned(), Some("{\"url\": \"http://b/\", \"result\": 1}")),
        ("PUT", path(URL), Some("{\"result\": 2}")),
        ("PUT", path(URL), Some("broken")),
        ("DELETE", path(URL), None),
    ];
    let basic = format!("Basic {}", server.key);
    let (longer, other) = (format!("Bearer {}x", server.key), format!("Bearer augur_{}", "A".repeat(43)));
    for (method, target, body) in &calls {
        for authorization in ["", "Bearer", "Bearer ", &basic, &longer, &other] {
            let headers = [("Authorization", authorization)];
            let headers = if authorization.is_empty() { &[][..] } else { &headers };
            let refused = server.app.call(method, target, headers, *body);
            assert_eq!(
                (refused.status, refused.header("www-authenticate")),
                (401, Some("Bearer")),
                "{method} {target}"
            );
            assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        }
    }
    assert_eq!(server.table.row(URL).0, 1.0);
    assert_eq!(server.table.count("SELECT COUNT(*) FROM URL_RESULT"), 1);
}

pub(super) fn a_missing_table_is_503(table: impl Table) {
    let server = Server::start(table);
    server.table.execute("DROP TABLE URL_RESULT");
    let answers = [
        server.get("/api/results"),
        server.get(&path(URL)),
        server.call("PUT", &path(URL), &[], Some("{\"result\": 1}")),
        server.call("DELETE", &path(URL), &[], None),
    ];
    for answer in answers {
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
        assert_eq!(answer.json()["type"], "urn:augur:problem:store-unavailable");
    }
}
