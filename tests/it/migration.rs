//! docs/migrate-from-flask.md, walked with the Flask program on an SQLite file.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::app::{App, augur};
use crate::clients::{blocks, python};

const PAGE: &str = "docs/migrate-from-flask.md";

/// The Flask program; killed when dropped.
struct Flask {
    child: Child,
    port: u16,
}

impl Flask {
    fn start(folder: &TempDir) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(python());
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/flask_program.py"));
        command.args(["--database", "results.db", "--port", &port.to_string()]).current_dir(folder);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let said: Vec<String> = lines.by_ref().take_while(|line| !line.contains("Running on")).collect();
        assert!(child.try_wait().unwrap().is_none(), "{said:?}");
        std::thread::spawn(move || lines.count());
        Self { child, port }
    }

    /// `POST /url` with this body.
    fn post(&self, body: &str) -> (u16, String) {
        let request = ureq::post(format!("http://127.0.0.1:{}/url", self.port));
        let request = request.config().http_status_as_error(false).build().header("Content-Type", "application/json");
        let mut response = request.send(body).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    fn ask(&self, url: &str) -> String {
        let (status, body) = self.post(&serde_json::json!({ "url": url }).to_string());
        assert_eq!(status, 200, "{body}");
        body
    }
}

impl Drop for Flask {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with the page's `augur.toml`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let settings = blocks(PAGE).into_iter().find(|block| block.language == "toml").unwrap();
    std::fs::write(folder.path().join("augur.toml"), settings.text).unwrap();
    folder
}

fn serve(folder: &TempDir) -> App {
    let mut command = augur();
    command.args(["serve", "--config", "augur.toml", "--set", "server.listen=[\"127.0.0.1:0\"]"]);
    command.current_dir(folder);
    App::from_command(command)
}

/// What augur answers, which is already stored.
fn hit(app: &App, url: &str) -> String {
    let answer = app.ask(url);
    assert_eq!(answer.header("cache-status"), Some("augur; hit"), "{url}");
    String::from_utf8(answer.body).unwrap() + "\n"
}

#[test]
fn the_pages_statements_and_settings_make_a_table_fit() {
    let folder = folder();
    let table = Connection::open(folder.path().join("results.db")).unwrap();
    table
        .execute_batch(
            "CREATE TABLE url_result (url TEXT, result REAL);
             INSERT INTO url_result VALUES ('a', 1), ('a', 2), ('b', 0.5), (NULL, 3)",
        )
        .unwrap();
    let doctor = || {
        let done = augur().args(["doctor", "--config", "augur.toml"]).current_dir(&folder).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    let before = doctor();
    assert!(before.contains("warning  unique key"), "{before}");
    let statements = blocks(PAGE).into_iter().find(|block| block.language == "sql").unwrap();
    table.execute_batch(&statements.text).unwrap();
    let after = doctor();
    // That the file is not in WAL mode yet is what is left.
    let lacking: Vec<&str> = after.lines().filter(|line| !line.starts_with("ok")).collect();
    assert!(matches!(lacking[..], [line] if line.starts_with("warning  journal")), "{after}");
    let app = serve(&folder);
    assert_eq!((hit(&app, "a"), hit(&app, "b")), ("{\"result\":1.0}\n".into(), "{\"result\":0.5}\n".into()));
    assert_eq!(app.ask("c").header("cache-status"), Some("augur; fwd=miss; stored"));
}

#[test]
#[ignore = "needs the Python packages that scripts/test.sh installs"]
fn each_program_answers_what_the_other_stored_and_the_way_back_is_open() {
    let folder = folder();
    let flask = Flask::start(&folder);
    let old = flask.ask("http://a.example/flask");
    let app = serve(&folder);
    assert_eq!(hit(&app, "http://a.example/flask"), old);
    let new = app.ask("http://a.example/augur").result_text();
    assert_eq!(flask.ask("http://a.example/augur"), format!("{{\"result\":{new}}}\n"));
    drop(flask);
    let alone = app.ask("http://a.example/alone").result_text();
    drop(app);
    let flask = Flask::start(&folder);
    assert_eq!(flask.ask("http://a.example/alone"), format!("{{\"result\":{alone}}}\n"));
    assert_eq!(flask.ask("http://a.example/flask"), old);
}

#[test]
#[ignore = "needs the Python packages that scripts/test.sh installs"]
fn both_programs_answer_the_bodies_of_the_page_with_its_statuses() {
    let folder = folder();
    let (flask, app) = (Flask::start(&folder), serve(&folder));
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap();
    let mut bodies = 0;
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let body = cells[1].trim_matches('`');
        // augur first: the Flask program stores what augur refuses.
        let augur = app.post("/url", body).status;
        let flask = flask.post(body).0;
        assert_eq!([flask.to_string(), augur.to_string()], [cells[2], cells[3]], "{body}");
        bodies += 1;
    }
    assert_eq!(bodies, 11);
}
