//! Models are changed while the server runs: no request fails, and every value is that of the model it names.

use std::collections::HashMap;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use augur::model::{UrlModel, Versions};
use tempfile::TempDir;

use crate::app::{App, PATIENCE, augur};

/// A folder with a database and a folder of versions.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("models")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(crate) fn settings(&self) -> [String; 2] {
        [format!("store.sqlite.path={}", self.path("augur.db")), format!("models.url.path={}", self.path("models"))]
    }

    /// `augur` with this place's settings.
    pub(crate) fn augur(&self, args: &[&str]) -> Output {
        let mut command = augur();
        command.args(args);
        for setting in self.settings() {
            command.args(["--set", &setting]);
        }
        command.output().unwrap()
    }

    /// What the command prints, which has to end well.
    pub(crate) fn run(&self, args: &[&str]) -> String {
        let output = self.augur(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn refusal(&self, args: &[&str]) -> String {
        let output = self.augur(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Trains on the test data without its last `without` lines, and adds the model; its version.
    pub(crate) fn trained(&self, without: usize) -> String {
        let data = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/urls.csv")).unwrap();
        let lines: Vec<&str> = data.lines().collect();
        let (csv, file) = (self.path(&format!("{without}.csv")), self.path(&format!("{without}.augur")));
        std::fs::write(&csv, lines[..lines.len() - without].join("\n")).unwrap();
        self.run(&["train", "--data", &csv, "--out", &file]);
        self.run(&["model", "add", &file]).split(' ').next().unwrap().to_owned()
    }

    pub(crate) fn versions(&self) -> Versions {
        Versions::of(&self.folder.path().join("models"))
    }

    pub(crate) fn model(&self, version: &str) -> UrlModel {
        self.versions().load(version).unwrap()
    }
}

/// Asks for new URLs until a version answers.
fn wait_for_version(app: &App, version: &str) {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let end = Instant::now() + PATIENCE;
    let model = format!("url@{version}");
    loop {
        let url = format!("http://wait.example/{}", ASKED.fetch_add(1, Ordering::Relaxed));
        if app.ask(&url).header("augur-model") == Some(&model) {
            return;
        }
        assert!(Instant::now() < end, "{model} does not answer:\n{}", app.log());
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_hundred_reloads_under_load_fail_no_request_and_every_value_is_of_the_model_it_names() {
    let place = Place::new();
    let versions = [place.trained(0), place.trained(100)];
    let models: HashMap<String, UrlModel> =
        versions.iter().map(|version| (format!("url@{version}"), place.model(version))).collect();
    place.run(&["model", "activate", &versions[0]]);
    let app = App::start(&place.settings());
    let done = AtomicBool::new(false);
    let mut answers: HashMap<String, usize> = HashMap::new();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|client| {
                let (app, done, models) = (&app, &done, &models);
                scope.spawn(move || {
                    let mut mine: HashMap<String, usize> = HashMap::new();
                    for n in 0.. {
                        let url = format!("http://www.example{n}.com/login/{client}?id={n}");
                        let answer = app.ask(&url);
                        let text = answer.result_text();
                        let name = answer.header("augur-model").unwrap();
                        let predicted = models[name].predict(&[&url]).unwrap()[0];
                        assert_eq!(text.parse::<f64>().unwrap(), predicted, "{url} by {name}");
                        *mine.entry(name.to_owned()).or_default() += 1;
                        if done.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                    mine
                })
            })
            .collect();
        for reload in 1..=100 {
            let version = &versions[reload % 2];
            place.versions().activate::<UrlModel>(version).unwrap();
            app.signal("HUP");
            wait_for_version(&app, version);
        }
        done.store(true, Ordering::Relaxed);
        for client in clients {
            for (name, count) in client.join().unwrap() {
                *answers.entry(name).or_default() += count;
            }
        }
    });
    assert_eq!(answers.len(), 2, "both answered under load: {answers:?}");
}

#[test]
fn the_pointer_is_noticed_without_a_signal_and_rollback_goes_back() {
    let place = Place::new();
    let said = place.refusal(&["serve"]);
    assert!(said.contains("models.url.path: no version in ") && said.contains("augur model activate"), "{said}");
    let [first, second] = [place.trained(0), place.trained(100)];
    place.run(&["model", "activate", &first]);
    assert!(place.refusal(&["model", "rollback"]).contains(&format!("no version was live before {first}")));
    let app = App::start(&place.settings());
    wait_for_version(&app, &first);
    assert_eq!(place.run(&["model", "activate", &second]), format!("{second} is live\n"));
    wait_for_version(&app, &second);
    let mut newest_first = [(&first, ' '), (&second, '*')];
    newest_first.sort_by(|a, b| b.cmp(a));
    let list: String = newest_first.map(|(version, star)| format!("{star} url@{version}\n")).concat();
    assert_eq!(place.run(&["model", "list"]), list);
    assert_eq!(place.run(&["model", "rollback"]), format!("{first} is live again\n"));
    wait_for_version(&app, &first);
    let card: serde_json::Value = serde_json::from_str(&place.run(&["model", "inspect"])).unwrap();
    assert_eq!(card["version"], first);
    let card: serde_json::Value = serde_json::from_str(&place.run(&["model", "inspect", &second])).unwrap();
    assert_eq!(card["version"], second);
}

#[test]
fn a_bad_model_is_refused_with_the_reason_and_tried_again_when_it_changes() {
    let place = Place::new();
    let [first, second] = [place.trained(0), place.trained(100)];
    place.run(&["model", "activate", &first]);
    let app = App::start(&place.settings());
    let file = place.versions().path_of(&second).unwrap();
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert!(place.refusal(&["model", "activate", &second]).contains("it is truncated or padded"));
    assert!(place.run(&["model", "list"]).contains(&format!("  {second}  unusable: cannot load model ")));
    // As somebody would who does not know the command.
    std::fs::write(place.versions().pointer(), format!("{second}\n")).unwrap();
    let line = app.wait_for_log("it is truncated or padded");
    assert!(line.contains("models.url.path: cannot load model ") && line.ends_with("goes on answering"), "{line}");
    wait_for_version(&app, &first);
    std::fs::write(&file, &whole).unwrap();
    wait_for_version(&app, &second);
    std::fs::write(place.versions().pointer(), "../../etc/passwd\n").unwrap();
    app.wait_for_log("does not begin with a version");
    std::fs::remove_file(place.versions().pointer()).unwrap();
    app.wait_for_log("no version in ");
    wait_for_version(&app, &second);
    std::fs::rename(&file, place.versions().path_of("20200101T000000Z-000000000000").unwrap()).unwrap();
    assert!(place.refusal(&["model", "activate", "20200101T000000Z-000000000000"]).contains("holds version"));
    assert!(place.refusal(&["model", "activate", "../x"]).contains("is no version"));
    assert!(place.refusal(&["model", "activate", "x"]).contains("there is no version x in"));
}

#[test]
fn activate_writes_a_pointer_anew_whatever_is_in_it() {
    let place = Place::new();
    let [first, second] = [place.trained(0), place.trained(100)];
    place.run(&["model", "activate", &first]);
    for garbage in [&b"\xff\xfe"[..], b"../../etc/passwd", b"<<<<<<< HEAD"] {
        std::fs::write(place.versions().pointer(), [garbage, b"\n", first.as_bytes(), b"\n"].concat()).unwrap();
        let said = place.refusal(&["model", "rollback"]);
        assert!(said.contains("does not begin with a version"), "{said}");
        place.run(&["model", "activate", &second]);
        assert_eq!(place.run(&["model", "rollback"]), format!("{first} is live again\n"));
    }
}

#[test]
fn a_model_that_could_not_be_read_for_a_passing_reason_is_tried_again_by_itself() {
    let place = Place::new();
    let [first, second] = [place.trained(0), place.trained(100)];
    let file = place.path("served.augur");
    std::fs::copy(place.versions().path_of(&first).unwrap(), &file).unwrap();
    let app = App::start(&[place.settings()[0].clone(), format!("models.url.path={file}")]);
    wait_for_version(&app, &first);
    let before = app.limit_files(Some(3));
    // In one step, so that there is one change to notice.
    let new = place.path("new.augur");
    std::fs::copy(place.versions().path_of(&second).unwrap(), &new).unwrap();
    std::fs::rename(&new, &file).unwrap();
    let line = app.wait_for_log("Too many open files");
    assert!(line.contains("models.url.path: cannot load model "), "{line}");
    app.limit_files(before);
    wait_for_version(&app, &second);
    let told = app.log().lines().filter(|line| line.contains("models.url.path: cannot load model ")).count();
    assert_eq!(told, 1, "{}", app.log());
}

#[test]
fn a_single_file_is_watched_too_and_a_model_of_something_else_is_refused() {
    let place = Place::new();
    let [first, second] = [place.trained(0), place.trained(100)];
    let file = place.path("served.augur");
    std::fs::copy(place.versions().path_of(&first).unwrap(), &file).unwrap();
    let app = App::start(&[place.settings()[0].clone(), format!("models.url.path={file}")]);
    wait_for_version(&app, &first);
    std::fs::copy(place.versions().path_of(&second).unwrap(), &file).unwrap();
    wait_for_version(&app, &second);
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/image-default.augur"), &file).unwrap();
    app.wait_for_log("it is no model of URLs");
    wait_for_version(&app, &second);
}

#[test]
fn pictures_have_versions_too() {
    let place = Place::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/image-default.augur");
    let setting = format!("models.image.path={}", place.path("models"));
    let image = ["model", "--model", "image", "--set", &setting];
    let with = |more: &[&'static str]| -> Vec<String> {
        image.iter().map(ToString::to_string).chain(more.iter().map(ToString::to_string)).collect()
    };
    let run = |args: Vec<String>| place.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let mut add = with(&["add"]);
    add.push(shipped.display().to_string());
    let version = run(add).split(' ').next().unwrap().to_owned();
    let mut activate = with(&["activate"]);
    activate.push(version.clone());
    run(activate);
    assert_eq!(run(with(&["list"])), format!("* image@{version}\n"));
    let app = App::start(&[place.settings()[0].clone(), setting.clone()]);
    app.signal("HUP");
    app.wait_for_log(&format!("models.image.path was read again: image@{version} goes on answering"));
    let said = augur().args(["model", "rollback"]).output().unwrap().stderr;
    assert!(String::from_utf8(said).unwrap().contains("models.url.path is not set"));
}

#[test]
fn a_model_of_another_name_is_served_under_it_and_renews_nothing_of_the_others() {
    let place = Place::new();
    place.run(&["schema", "apply"]);
    let older = "url@20200101T000000Z-000000000000";
    let database = rusqlite::Connection::open(place.path("augur.db")).unwrap();
    let insert = "INSERT INTO URL_RESULT (URL, RESULT, MODEL) VALUES ('http://old.example/', 0.25, ?1)";
    database.execute(insert, [older]).unwrap();
    let csv = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/urls.csv");
    let file = place.path("m.augur");
    let train =
        ["train", "--name", "load-time", "--algorithm", "ridge", "--out", &file, "--data", csv.to_str().unwrap()];
    place.run(&train);
    let version = place.run(&["model", "add", &file]).split(' ').next().unwrap().to_owned();
    place.run(&["model", "activate", &version]);
    let name = format!("load-time@{version}");
    assert_eq!(place.run(&["model", "list"]), format!("* {name}\n"));
    assert!(place.run(&["rescore"]).starts_with("         0  rows renewed\n"));
    assert!(place.run(&["prune", "--older-than", "1"]).starts_with("         0  rows removed\n"));

    let mut settings = place.settings().to_vec();
    settings.push("store.stale=recompute".to_owned());
    let app = App::start(&settings);
    let old = app.ask("http://old.example/");
    assert_eq!((old.header("cache-status"), old.header("augur-model")), (Some("augur; hit"), Some(older)));
    assert_eq!(app.ask("http://new.example/").header("augur-model"), Some(&*name));
    let stored = "SELECT MODEL FROM URL_RESULT WHERE URL = 'http://new.example/'";
    assert_eq!(database.query_row(stored, [], |row| row.get::<_, String>(0)).unwrap(), name);
    let asked = r#"{"inputs":[{"name":"url","shape":[1],"datatype":"BYTES","data":["http://new.example/"]}]}"#;
    let answer = app.post("/v2/models/url/infer", asked).json();
    assert_eq!((answer["model_name"].as_str(), answer["model_version"].as_str()), (Some("url"), Some(&*version)));
}
