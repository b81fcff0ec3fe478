//! What an operator sees: mistakes stop the start with one sentence, and the commands around the settings.

use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;

use crate::app::{App, augur};

/// Runs the command, which must fail, and gives the one line it says.
fn refusal(args: &[&str]) -> String {
    let done = augur().args(args).output().unwrap();
    assert!(matches!(done.status.code(), Some(1 | 2)), "{args:?}: {done:?}");
    let text = String::from_utf8(done.stderr).unwrap();
    // Warnings may come before; the reason is the last line, and the only one of its kind.
    let reasons: Vec<&str> = text.lines().filter(|line| line.starts_with("augur: ")).collect();
    assert_eq!(reasons.len(), 1, "{args:?}: {text}");
    reasons[0].to_owned()
}

#[test]
fn a_misspelt_key_is_named_with_its_place_and_the_nearest_known_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("augur.toml");
    std::fs::write(&file, "[lanes]\nmax_bach = 3\n").unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(
        refusal(&["serve", "--config", file]),
        format!("augur: lanes.max_bach ({file}) is not a setting; did you mean lanes.max_batch?")
    );
    assert_eq!(
        refusal(&["config", "check", "--set", "store.backnd=oracle"]),
        "augur: store.backnd (--set) is not a setting; did you mean store.backend?"
    );
}

#[test]
fn a_wrong_type_or_value_is_named() {
    assert_eq!(
        refusal(&["config", "check", "--set", "lanes.max_batch=many"]),
        "augur: lanes.max_batch (--set) must be an integer, not `many`"
    );
    assert_eq!(
        refusal(&["config", "check", "--set", "lanes.max_batch=0"]),
        "augur: lanes.max_batch must be at least 1"
    );
    for (setting, said) in [
        (
            "server.listen=[\"localhost:8000\"]",
            "server.listen (--set) = [\"localhost:8000\"]: \
             write an IP address and a port, such as \"127.0.0.1:8000\" or \"[::1]:8000\"",
        ),
        (
            "store.backend=mysql",
            "store.backend (--set) = \"mysql\": unknown variant `mysql`, expected `sqlite` or `oracle`",
        ),
        ("store.stale=no", "store.stale (--set) = \"no\": unknown variant `no`, expected `serve` or `recompute`"),
        ("cache.max_entries=-1", "cache.max_entries (--set) = -1: must be 0 or more"),
        ("store.oracle.pool_size=5000000000", "store.oracle.pool_size (--set) = 5000000000: is too large"),
    ] {
        assert_eq!(refusal(&["config", "check", "--set", setting]), format!("augur: {said}"));
    }
    let identifier = refusal(&["config", "check", "--set", "store.table.name=a;drop table b"]);
    assert!(identifier.contains("store.table.name: `a;drop table b` is no identifier"), "{identifier}");
    let level = refusal(&["config", "check", "--set", "log.level=loud"]);
    assert!(level.starts_with("augur: log.level: `loud` is none of"), "{level}");
    let pool = refusal(&["config", "check", "--set", "store.oracle.pool_size=4000000000"]);
    assert!(pool.contains("store.oracle.pool_size must be at most"), "{pool}");
    for (setting, said) in [
        ("cache.ttl_ms=0", "cache.ttl_ms must be at least 1"),
        ("cache.ttl_ms=86400001", "cache.ttl_ms must be at most 86400000 (a day)"),
        ("cache.max_entries=100000001", "cache.max_entries must be at most 100000000 (0 turns the cache off)"),
    ] {
        assert_eq!(refusal(&["config", "check", "--set", setting]), format!("augur: {said}"));
    }
}

#[test]
fn the_environment_counts_and_says_where_a_mistake_is() {
    let done = augur().args(["config", "check"]).env("AUGUR__LANES__MAX_BATCH", "x").output().unwrap();
    assert_eq!(
        String::from_utf8(done.stderr).unwrap(),
        "augur: lanes.max_batch (environment AUGUR__LANES__MAX_BATCH) must be an integer, not `x`\n"
    );
    let done = augur().args(["config", "check"]).env("AUGUR_STORE__BACKEND", "oracle").output().unwrap();
    assert_eq!(
        String::from_utf8(done.stderr).unwrap(),
        "augur: environment AUGUR_STORE__BACKEND: write AUGUR__STORE__BACKEND, with two underscores after AUGUR\n"
    );
    let not_text = std::ffi::OsStr::from_bytes(b"secret\xff");
    let done = augur().args(["config", "check"]).env("AUGUR__STORE__ORACLE__PASSWORD", not_text).output().unwrap();
    assert_eq!(
        String::from_utf8(done.stderr).unwrap(),
        "augur: environment AUGUR__STORE__ORACLE__PASSWORD is not UTF-8\n"
    );
    let shown = augur()
        .args(["--set", "log.level=debug", "config", "show"])
        // what platforms set for services of this name
        .env("AUGUR_SERVICE_HOST", "10.0.0.7")
        .env("AUGUR_DB__PRIMARY_SERVICE_HOST", "10.0.0.7")
        .env("AUGUR_ENV_AUGUR__STORE__BACKEND", "oracle")
        .env("AUGUR_SOMETHING", not_text)
        .env("AUGUR__STORE__ORACLE__PASSWORD", "12345")
        .env("AUGUR__LANES__MAX_BATCH", "7")
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("lanes.max_batch = 7  # environment AUGUR__LANES__MAX_BATCH\n"), "{shown}");
    assert!(shown.contains("log.level = \"debug\"  # --set\n"), "{shown}");
    assert!(shown.contains("store.backend = \"sqlite\"  # default\n"), "{shown}");
    assert!(shown.contains("store.oracle.password = (hidden)  # environment"), "{shown}");
    assert!(!shown.contains("12345"), "{shown}");
}

#[test]
fn the_shipped_examples_load_and_a_file_can_be_named_by_the_environment() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/config/oracle.toml");
    let shown = augur().args(["config", "show"]).env("AUGUR_CONFIG", example).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains(&format!("store.backend = \"oracle\"  # {example}\n")), "{shown}");
    assert!(augur().args(["config", "check", "--config", example]).output().unwrap().status.success());
    let folder = tempfile::tempdir().unwrap();
    let no_text = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.toml"));
    std::fs::copy(example, &no_text).unwrap();
    let shown = augur().args(["config", "show"]).env("AUGUR_CONFIG", no_text).output().unwrap();
    assert!(String::from_utf8(shown.stdout).unwrap().contains("store.backend = \"oracle\"  # "), "{:?}", shown.stderr);
}

#[test]
fn settings_before_and_after_the_subcommand_all_count_and_the_last_one_wins() {
    let shown = augur()
        .args(["--set", "lanes.max_batch=5", "--set=log.level=warn", "config", "show"])
        .args(["--set", "lanes.queue_capacity=9", "--set=lanes.max_batch=6"])
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    for line in ["lanes.max_batch = 6  # --set", "lanes.queue_capacity = 9  # --set", "log.level = \"warn\"  # --set"] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn no_secret_is_taken_from_a_command_line_or_inside_a_connect_string() {
    let refused = refusal(&["serve", "--set", "store.oracle.password=hunter2"]);
    assert!(refused.contains("store.oracle.password_file") && !refused.contains("hunter2"), "{refused}");
    let inside = refusal(&["config", "show", "--set", "store.oracle.connect_string=scott/hunter2@db/XE"]);
    assert!(inside.contains("must not hold user and password") && !inside.contains("hunter2"), "{inside}");
}

#[test]
fn an_unusable_file_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.augur");
    let free = "server.listen=[\"127.0.0.1:0\"]";
    let model = refusal(&["serve", "--set", free, "--set", &format!("models.url.path={}", missing.display())]);
    assert!(model.contains("models.url.path") && model.contains("none.augur"), "{model}");
    let broken = folder.path().join("broken.augur");
    std::fs::write(&broken, b"not a model").unwrap();
    let model = refusal(&["serve", "--set", free, "--set", &format!("models.url.path={}", broken.display())]);
    assert!(model.contains("broken.augur"), "{model}");
    // A file where the folder should be: also root cannot write there.
    let path = format!("store.sqlite.path={}/augur.db", broken.display());
    let store = refusal(&["serve", "--set", free, "--set", &path]);
    assert!(store.contains("store.sqlite.path"), "{store}");
    let no_database = format!("store.sqlite.path={}", broken.display());
    let store = refusal(&["serve", "--set", free, "--set", &no_database]);
    assert!(store.contains("store.sqlite.path"), "{store}");
}

#[test]
fn a_file_that_is_no_toml_is_named_with_the_line_and_without_what_stands_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("augur.toml");
    std::fs::write(&file, "[store.oracle]\npassword = hunter2\n").unwrap();
    let refused = refusal(&["config", "check", "--config", file.to_str().unwrap()]);
    assert!(refused.contains("augur.toml") && refused.contains("line 2") && !refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_misspelt_quoted_column_is_missing_and_not_a_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("store.sqlite.path={}", folder.path().join("a.db").display());
    assert!(augur().args(["schema", "apply", "--set", &path]).output().unwrap().status.success());
    let app = App::start(&[path, "store.table.result_column=\"Reslut\"".to_owned()]);
    assert_eq!(app.get("/health/ready").status, 503);
    assert_eq!(app.ask("http://example.com/").status, 503);
}

#[test]
fn a_port_in_use_is_named_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = format!("store.sqlite.path={}", folder.path().join("a.db").display());
    assert_eq!(
        refusal(&["serve", "--set", &path, "--set", &format!("server.listen=[\"{address}\"]")]),
        format!(
            "augur: {address} is taken by another program: stop that, or serve elsewhere, as with --set 'server.listen=[\"127.0.0.1:8001\"]'"
        )
    );
}

#[test]
fn oracle_without_a_client_library_says_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "secret\n").unwrap();
    let refused = refusal(&[
        "serve",
        "--set",
        "server.listen=[\"127.0.0.1:0\"]",
        "--set",
        "store.backend=oracle",
        "--set",
        "store.oracle.connect_string=//db.invalid/XE",
        "--set",
        "store.oracle.user=augur",
        "--set",
        &format!("store.oracle.password_file={}", password.display()),
        "--set",
        &format!("store.oracle.client_lib_dir={}", folder.path().display()),
    ]);
    assert!(refused.contains("DPI-1047") && refused.contains("Instant Client"), "{refused}");
}

#[test]
fn a_missing_setting_of_the_oracle_store_is_named() {
    for command in [["serve"].as_slice(), &["config", "check"]] {
        let refused = refusal(&[command, &["--set", "store.backend=oracle"]].concat());
        assert!(refused.contains("store.oracle.connect_string is not set"), "{refused}");
    }
}

#[test]
fn the_schema_can_be_printed_made_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("store.sqlite.path={}", folder.path().join("a.db").display());
    let run = |args: &[&str]| augur().args(["--set", &path]).args(args).output().unwrap();
    let run_without_images = |args: &[&str]| {
        augur().args(["--set", &path, "--set", "models.image.enabled=false"]).args(args).output().unwrap()
    };
    let printed = run(&["schema", "print", "--set", "store.backend=oracle", "--set", "store.table.name=SCORES"]);
    assert!(String::from_utf8(printed.stdout).unwrap().contains("CREATE TABLE SCORES ("));
    let printed = String::from_utf8(run(&["schema", "print", "--set", "store.table.name=SCORES"]).stdout).unwrap();
    assert!(printed.contains("CREATE TABLE IF NOT EXISTS SCORES ("), "{printed}");
    assert!(printed.contains("CREATE TABLE IF NOT EXISTS IMAGE_RESULT ("), "{printed}");
    let printed = run_without_images(&["schema", "print"]).stdout;
    assert!(!String::from_utf8(printed).unwrap().contains("IMAGE_RESULT"));
    let lacking = run(&["schema", "check"]);
    assert_eq!(lacking.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(lacking.stdout).unwrap(),
        "failed   URL_RESULT: table: there is no table URL_RESULT: run `augur schema apply`\n\
         failed   IMAGE_RESULT: table: there is no table IMAGE_RESULT: run `augur schema apply`\n"
    );
    assert!(run_without_images(&["schema", "apply"]).status.success());
    assert!(run_without_images(&["schema", "check"]).status.success());
    let lacking = String::from_utf8(run(&["schema", "check"]).stdout).unwrap();
    assert!(lacking.starts_with("ok       URL_RESULT: as it should be: sqlite at "), "{lacking}");
    assert!(lacking.contains("\nfailed   IMAGE_RESULT: table: "), "{lacking}");
    assert!(run(&["schema", "apply"]).status.success());
    assert!(run(&["schema", "apply"]).status.success());
    assert!(run(&["schema", "check"]).status.success());
}

#[test]
fn the_first_line_says_where_it_listens_with_which_store_and_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/augur.db");
    let app = App::start(&[format!("store.sqlite.path={}", path.display())]);
    let line = app.wait_for_log("listening on");
    assert!(line.contains(&format!("store: sqlite at {}", path.display())), "{line}");
    assert!(line.contains("model: url@"), "{line}");
    assert!(path.exists());
}

#[test]
fn json_logs_are_one_object_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("store.sqlite.path={}", folder.path().join("a.db").display());
    let app = App::start(&[path, "log.format=json".to_owned()]);
    app.ask("http://example.com/");
    let line = app.wait_for_log("augur::access");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["route"], "/url");
    assert_eq!(line["status"], 200);
    assert!(line["duration_ms"].is_number() && line["cache"] == "stored", "{line}");
}
