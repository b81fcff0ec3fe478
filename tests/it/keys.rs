//! API keys: made by `augur keygen`, read from a file that may change, asked for where they are needed.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::app::{App, augur};

/// A keys file whose lines `augur keygen` made.
pub(crate) struct KeysFile {
    folder: TempDir,
    lines: Vec<String>,
}

impl KeysFile {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), lines: vec!["# keys".to_owned(), String::new()] }
    }

    /// Adds a line for a new key, and gives the key.
    pub(crate) fn add(&mut self, name: &str, scopes: &[&str]) -> String {
        let (key, line) = keygen(name, scopes);
        self.lines.push(line);
        self.write(&self.lines.join("\n"));
        key
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// As an editor does it: in one step.
    fn write(&self, text: &str) {
        std::fs::write(self.folder.path().join("new"), text).unwrap();
        std::fs::rename(self.folder.path().join("new"), self.path()).unwrap();
    }

    pub(crate) fn setting(&self) -> String {
        format!("auth.keys_file={}", self.path().display())
    }

    /// What the log may tell of a key: the first digits of its hash.
    pub(crate) fn id(&self, name: &str) -> String {
        let line = self.lines.iter().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap()[..8].to_owned()
    }
}

/// A key and its line.
fn keygen(name: &str, scopes: &[&str]) -> (String, String) {
    let mut command = augur();
    command.args(["keygen", "--name", name]);
    for scope in scopes {
        command.args(["--scope", scope]);
    }
    let done = command.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let text = String::from_utf8(done.stdout).unwrap();
    let after = |start: &str| text.lines().find_map(|line| line.strip_prefix(start)).unwrap().to_owned();
    (after("key (not shown again): "), after("line: "))
}

fn start(folder: &TempDir, settings: &[String]) -> App {
    let path = format!("store.sqlite.path={}", folder.path().join("augur.db").display());
    App::start(&[&[path][..], settings].concat())
}

fn status(app: &App, method: &str, path: &str, key: &str, body: Option<&str>) -> u16 {
    app.call(method, path, &[("Authorization", &format!("Bearer {key}"))], body).status
}

const BODY: Option<&str> = Some("{\"url\": \"http://example.com/\"}");

#[test]
fn keygen_makes_another_key_each_time_and_never_prints_one_in_its_line() {
    let (key, line) = keygen("ops", &["predict", "results:read"]);
    let (other, _) = keygen("ops", &["predict"]);
    assert_ne!(key, other);
    assert!(key.len() > 40, "{key}");
    assert!(line.starts_with("ops predict,results:read ") && !line.contains(&key), "{line}");
    for args in [&["--name", "a b", "--scope", "predict"][..], &["--name", "a", "--scope", "all"], &["--name", "a"]] {
        let done = augur().arg("keygen").args(args).output().unwrap();
        assert!(!done.status.success() && done.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn without_a_keys_file_the_results_are_closed_and_the_answer_says_how_to_open_them() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(&folder, &[]);
    for (method, path, body) in
        [("GET", "/api/results", None), ("GET", "/api/results/YQ", None), ("PUT", "/api/results/YQ", Some("{}"))]
    {
        let refused = app.call(method, path, &[("Authorization", "Bearer x")], body);
        assert_eq!(refused.status, 403);
        assert!(refused.json()["detail"].as_str().unwrap().contains("auth.keys_file"));
    }
    assert_eq!(app.call("POST", "/url", &[], BODY).status, 200);
}

#[test]
fn a_key_is_good_for_its_scopes_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut keys = KeysFile::new();
    let (reader, writer) = (keys.add("reader", &["results:read"]), keys.add("writer", &["results:write"]));
    let app = start(&folder, &[keys.setting()]);
    assert_eq!(status(&app, "PUT", "/api/results/YQ", &writer, Some("{\"result\": 1}")), 201);
    assert_eq!(status(&app, "GET", "/api/results/YQ", &reader, None), 200);
    assert_eq!(status(&app, "GET", "/api/results", &reader, None), 200);
    for (method, path, key, scope) in [
        ("GET", "/api/results", &writer, "results:read"),
        ("GET", "/api/results/YQ", &writer, "results:read"),
        ("PUT", "/api/results/YQ", &reader, "results:write"),
        ("POST", "/api/results", &reader, "results:write"),
        ("DELETE", "/api/results/YQ", &reader, "results:write"),
    ] {
        let refused = app.call(method, path, &[("Authorization", &format!("bearer  {key}"))], None);
        assert_eq!(refused.status, 403, "{method} {path}");
        assert_eq!(refused.json()["detail"], format!("The API key lacks the scope {scope}."));
    }
    // Predicting needs none, and a wrong one is no matter.
    assert_eq!(status(&app, "POST", "/url", "wrong", BODY), 200);
}

#[test]
fn predictions_can_need_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut keys = KeysFile::new();
    let (caller, reader) = (keys.add("caller", &["predict"]), keys.add("reader", &["results:read"]));
    let app = start(&folder, &[keys.setting(), "auth.require_for_predict=true".to_owned()]);
    assert_eq!(status(&app, "POST", "/url", &caller, BODY), 200);
    for path in ["/url", "/urls", "/classify", "/v2/models/url/infer"] {
        assert_eq!(status(&app, "POST", path, &reader, BODY), 403);
        let refused = app.call("POST", path, &[], BODY);
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")));
    }
    assert_eq!(status(&app, "POST", "/classify", &caller, BODY), 415);
    assert_eq!(app.get("/health/live").status, 200);
    assert_eq!(app.get("/health/ready").status, 200);
}

#[test]
fn the_file_is_read_again_when_it_changes_and_a_bad_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut keys = KeysFile::new();
    let first = keys.add("first", &["results:read"]);
    let app = start(&folder, &[keys.setting()]);
    let list = |key: &str| status(&app, "GET", "/api/results", key, None);
    let until = |key: &str, expected: u16| {
        let end = std::time::Instant::now() + crate::app::PATIENCE;
        while list(key) != expected {
            assert!(std::time::Instant::now() < end, "{}", app.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    assert_eq!(list(&first), 200);
    let second = keys.add("second", &["results:read"]);
    until(&second, 200);

    let good = keys.lines.join("\n");
    keys.write(&format!("{good}\nthird {first}"));
    let line = app.wait_for_log("the keys before stay in force");
    assert!(line.contains("line 5: "), "{line}");
    assert_eq!((list(&first), list(&second)), (200, 200));
    std::fs::remove_file(keys.path()).unwrap();
    app.wait_for_log("No such file");
    assert_eq!((list(&first), list(&second)), (200, 200));

    keys.write(&good.lines().filter(|line| !line.starts_with("first")).collect::<Vec<_>>().join("\n"));
    until(&first, 401);
    assert_eq!(list(&second), 200);
    let log = app.log();
    assert_eq!(log.matches("the keys before stay in force").count(), 2, "once for each change: {log}");
    assert!(!log.contains(&first) && !log.contains("augur_"), "{log}");
}

#[test]
fn a_file_that_could_not_be_read_for_a_passing_reason_is_tried_again_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut keys = KeysFile::new();
    let withdrawn = keys.add("withdrawn", &["results:read"]);
    keys.add("staying", &["results:read"]);
    let app = start(&folder, &[keys.setting()]);
    let list = || status(&app, "GET", "/api/results", &withdrawn, None);
    assert_eq!(list(), 200);
    let before = app.limit_files(Some(3));
    keys.write(keys.lines.last().unwrap());
    let line = app.wait_for_log("Too many open files");
    assert!(line.contains("the keys before stay in force: auth.keys_file "), "{line}");
    app.limit_files(before);
    let end = std::time::Instant::now() + crate::app::PATIENCE;
    while list() != 401 {
        assert!(std::time::Instant::now() < end, "{}", app.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(app.log().matches("the keys before stay in force").count(), 1, "{}", app.log());
}

#[test]
fn a_bad_keys_file_stops_the_start_and_its_line_is_named() {
    let refusal = |settings: &[String]| {
        let mut serve = augur();
        serve.args(["serve", "--set", "server.listen=[\"127.0.0.1:0\"]"]);
        for setting in settings {
            serve.args(["--set", setting]);
        }
        let done = serve.output().unwrap();
        assert!(!done.status.success());
        String::from_utf8(done.stderr).unwrap()
    };
    let mut keys = KeysFile::new();
    let key = keys.add("ops", &["predict"]);
    keys.write(&format!("{}\nmine predict {key}\n", keys.lines.join("\n")));
    let said = refusal(&[keys.setting()]);
    assert!(said.contains(&format!("auth.keys_file {}: line 4: ", keys.path().display())), "{said}");
    assert!(!said.contains(&key), "{said}");
    keys.write("# none\n");
    assert!(refusal(&[keys.setting()]).contains("it holds no key"));
    assert!(refusal(&["auth.keys_file=/nowhere/keys".to_owned()]).contains("auth.keys_file /nowhere/keys: "));
    let said = refusal(&["auth.require_for_predict=true".to_owned()]);
    assert!(said.starts_with("augur: auth.require_for_predict is true, but auth.keys_file is not set"), "{said}");
}
