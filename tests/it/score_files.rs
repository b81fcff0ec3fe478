//! `augur score`: what it does with its files, and with input that is not as it should be.

use std::fs;
use std::io::Write as _;
use std::process::{Child, Output, Stdio};
use std::time::Instant;

use crate::app::PATIENCE;
use crate::score::{Folder, many, succeeded};

/// What it says where it has to fail, which is one sentence.
fn failed(done: &Output) -> String {
    let said = String::from_utf8(done.stderr.clone()).unwrap();
    assert!(!done.status.success(), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

/// Line numbers in a file of bad rows.
fn lines(bad: &str) -> Vec<u64> {
    let number = |line: &str| line.strip_prefix("line ")?.split(':').next()?.parse().ok();
    bad.lines().map(|line| number(line).unwrap()).collect()
}

/// Ends a run as soon as its state is on disk.
fn kill_midway(folder: &Folder, mut child: Child, out: &str) {
    let end = Instant::now() + PATIENCE;
    while !folder.path(&format!("{out}.progress")).exists() {
        assert!(child.try_wait().unwrap().is_none(), "the input is too short for this test");
        assert!(Instant::now() < end, "the run does not come further");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

const URL: &str = "url\nhttp://a.example/\n";

#[test]
fn a_pipe_stays_one_and_gets_the_rows() {
    let folder = Folder::new();
    let pipe = folder.path("out.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let reader = std::process::Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
    let done = folder.score("in.csv", "url\nhttp://a.example/\n\"\"\n", "out.csv", &["--no-store"]);
    let is_pipe = std::os::unix::fs::FileTypeExt::is_fifo(&fs::metadata(&pipe).unwrap().file_type());
    if !is_pipe {
        // Nobody else opens it.
        let mut reader = reader;
        reader.kill().unwrap();
        reader.wait().unwrap();
        panic!("the pipe is gone");
    }
    let said = succeeded(&done);
    assert!(said.starts_with("line 3: must not be empty\n2 rows, 1 of them bad;"), "{said}");
    let got = String::from_utf8(reader.wait_with_output().unwrap().stdout).unwrap();
    assert!(got.starts_with("url,result\nhttp://a.example/,0."), "{got}");
}

#[test]
fn what_is_neither_file_nor_stream_is_refused_and_a_link_stays_one() {
    let folder = Folder::new();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path("socket")).unwrap();
    let said = failed(&folder.score("in.csv", URL, "socket", &["--no-store"]));
    assert!(said.contains("socket: there is something that is no regular file"), "{said}");
    fs::create_dir(folder.path("data")).unwrap();
    fs::write(folder.path("data/real.csv"), "old").unwrap();
    std::os::unix::fs::symlink("data/real.csv", folder.path("link.csv")).unwrap();
    succeeded(&folder.score("in.csv", URL, "link.csv", &["--no-store"]));
    assert!(folder.path("link.csv").is_symlink());
    assert!(folder.read("data/real.csv").starts_with("url,result\nhttp://a.example/,0."));
    assert_eq!(fs::read_dir(folder.path("data")).unwrap().count(), 1);
}

#[test]
fn what_is_read_is_not_written_over() {
    let folder = Folder::new();
    fs::write(folder.path("in.csv"), "").unwrap();
    std::os::unix::fs::symlink("in.csv", folder.path("link.csv")).unwrap();
    for out in ["in.csv", "link.csv"] {
        let said = failed(&folder.score("in.csv", URL, out, &["--no-store"]));
        assert!(said.contains("--out and --in are the same file"), "{said}");
        assert_eq!(folder.read("in.csv"), URL);
    }
    let said = failed(&folder.score("x.bad", URL, "x", &["--no-store", "--format", "csv"]));
    assert!(said.contains("the bad rows' file and --in are the same file"), "{said}");
    // Also where it is standard input.
    let input = fs::File::open(folder.path("in.csv")).unwrap();
    let mut command = folder.command("-".as_ref(), &folder.path("in.csv"), &["--no-store", "--format", "csv"]);
    let said = failed(&command.stdin(input).output().unwrap());
    assert!(said.contains("--out and --in are the same file"), "{said}");
    // The table is read, too.
    succeeded(&folder.score("in.csv", URL, "out.csv", &[]));
    let table = fs::read(folder.path("augur.db")).unwrap();
    let said = failed(&folder.score("in.csv", URL, "augur.db", &[]));
    assert!(said.contains("--out and store.sqlite.path are the same file"), "{said}");
    assert!(fs::read(folder.path("augur.db")).unwrap() == table);
}

#[test]
fn a_run_goes_on_only_with_the_same_input_form_and_table() {
    let folder = Folder::new();
    let text = (0..150_000).fold("url\n".to_owned(), |text, n| text + &format!("http://example.com/{n}\n"));
    let [input, out] = ["in.csv", "out.csv"].map(|name| folder.path(name));
    fs::write(&input, &text).unwrap();
    let mut command = folder.command(&input, &out, &[]);
    kill_midway(&folder, command.stderr(Stdio::null()).spawn().unwrap(), "out.csv");
    let part = fs::read(folder.path("out.csv.part")).unwrap();
    let refused = |more: &[&str]| {
        let said = failed(&folder.command(&input, &out, more).output().unwrap());
        assert!(said.contains("out.csv.progress is of another run: remove it to begin anew"), "{said}");
    };
    refused(&["--format", "ndjson"]);
    refused(&["--no-store"]);
    let other_table = format!("store.sqlite.path={}", folder.path("other.db").display());
    refused(&["--set", &other_table]);
    refused(&["--set", "store.table.name=OTHER"]);
    // Another file with as many bytes and the same time.
    let written = fs::metadata(&input).unwrap().modified().unwrap();
    let other = folder.path("other.csv");
    fs::write(&other, text.replace("example.com", "example.org")).unwrap();
    fs::File::options().append(true).open(&other).unwrap().set_modified(written).unwrap();
    fs::rename(&input, folder.path("kept.csv")).unwrap();
    fs::rename(&other, &input).unwrap();
    refused(&[]);
    // The same one, written to since.
    fs::rename(folder.path("kept.csv"), &input).unwrap();
    fs::write(&input, text.replace("example.com", "example.org")).unwrap();
    refused(&[]);
    assert!(fs::read(folder.path("out.csv.part")).unwrap() == part, "what was done is still there");
}

#[test]
fn standard_input_is_begun_anew() {
    let folder = Folder::new();
    let out = folder.path("out.ndjson");
    let start = || {
        let mut command = folder.command("-".as_ref(), &out, &["--no-store", "--format", "ndjson"]);
        command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut child = start();
    let end = Instant::now() + PATIENCE;
    let mut stdin = child.stdin.take().unwrap();
    // Until some of it is in the file; more than a second, after which an ordinary run saves its state.
    let begun = Instant::now();
    while begun.elapsed().as_millis() < 1500
        || fs::metadata(folder.path("out.ndjson.part")).map_or(true, |part| part.len() == 0)
    {
        assert!(Instant::now() < end, "nothing is written");
        stdin.write_all(many(2000).as_bytes()).unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut child = start();
    child.stdin.take().unwrap().write_all(b"{\"url\":\"http://other.example/\"}\n").unwrap();
    let said = succeeded(&child.wait_with_output().unwrap());
    assert!(said.contains("out.ndjson.part is of a run that cannot be gone on with: it is begun anew"), "{said}");
    assert!(folder.read("out.ndjson").starts_with("{\"url\":\"http://other.example/\","));
    assert_eq!(folder.read("out.ndjson").lines().count(), 1);
    assert!(!folder.path("out.ndjson.progress").exists());
}

#[test]
fn bad_rows_of_csv_are_named_by_their_lines() {
    let folder = Folder::new();
    for (text, expected) in [
        ("url\nhttp://a/\n\"\"\nhttp://b/\n,x\n", &[3, 5][..]),
        ("url\r\nhttp://a/\r\n\"\"\r\nhttp://b/\r\n,x\r\n", &[3, 5]),
        ("\u{feff}url\r\n\r\n\n\"\"\r\n\n\n,x", &[4, 7]),
        ("id,url\r\n\"1\r\n2\",\r\n\r\n\"3\n\n4\",http://a/\r\n5,\"a\r\nb\"\r\n6\r\n7,http://b/\r\n", &[2, 8, 10]),
    ] {
        succeeded(&folder.score("in.csv", text, "out.csv", &["--no-store"]));
        assert_eq!(lines(&folder.read("out.csv.bad")), expected, "{text:?}");
    }
}

#[test]
fn an_open_quote_stops_it_with_its_line_and_a_long_line_is_a_bad_row() {
    let folder = Folder::new();
    let limit = ["--no-store", "--set", "limits.max_body_bytes=3000"];
    let open = format!("url\nhttp://a/\n\"http://b/\n{}", "http://c/\n".repeat(100));
    let said = failed(&folder.score("in.csv", &open, "out.csv", &limit));
    assert!(said.contains("in.csv: line 3: a quote in the row that begins here is not closed by the end"), "{said}");
    let long = format!("{open}{}", "http://c/\n".repeat(10_000));
    let said = failed(&folder.score("in.csv", &long, "longer.csv", &limit));
    assert!(said.contains("line 3: a quote in the row that begins here is not closed within 3000 bytes"), "{said}");
    assert!(!folder.path("out.csv").exists() && !folder.path("longer.csv").exists());
    // One line that is too long is no reason to stop, be it one column or many.
    let text = format!("url,x\nhttp://a/,{}\nhttp://b/\nhttp://c/{}\n", "x".repeat(3_000_000), ",".repeat(3_000_000));
    succeeded(&folder.score("in.csv", &text, "wide.csv", &limit));
    assert_eq!(folder.read("wide.csv.bad"), "line 2: is too long a line\nline 4: is too long a line\n");
    assert!(folder.read("wide.csv").lines().nth(1).unwrap().starts_with("http://b/,"));
}

#[test]
fn the_bad_rows_of_an_earlier_run_do_not_stay() {
    let folder = Folder::new();
    succeeded(&folder.score("in.csv", "url\nhttp://a/\n\"\"\n", "out.csv", &["--no-store"]));
    assert_eq!(folder.read("out.csv.bad"), "line 3: must not be empty\n");
    succeeded(&folder.score("in.csv", URL, "out.csv", &["--no-store"]));
    assert!(!folder.path("out.csv.bad").exists());
}

#[test]
fn a_url_that_the_model_has_no_finite_score_for_is_a_bad_row() {
    let folder = Folder::new();
    // Made by the tests of the model: no training leads to it.
    let setting = format!("models.url.path={}/tests/data/steep.augur", env!("CARGO_MANIFEST_DIR"));
    let text = format!("url\nhttp://a/\n\"\"\nhttp://b/{}\nhttp://c/\n", "-".repeat(3900));
    for more in [&["--set", &setting][..], &["--set", &setting, "--no-store"]] {
        let said = succeeded(&folder.score("in.csv", &text, "out.csv", more));
        assert!(said.contains("4 rows, 2 of them bad (see "), "{said}");
        let bad = "line 3: must not be empty\nline 4: has no result: the model's score of it is not finite\n";
        assert_eq!(folder.read("out.csv.bad"), bad);
        let good = folder.read("out.csv");
        let urls: Vec<&str> = good.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(urls, ["http://a/", "http://c/"]);
    }
}
