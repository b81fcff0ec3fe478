//! The programs of the documents, as people run them, against a real server: what stands in README.md and docs/clients.md
//! is what is run here, and prints what stands there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::ImageFormat;

use crate::app::App;
use crate::classify::Sqlite;
use crate::pictures::{Drawing, Random, digits, encoded};

/// A fenced block of a Markdown page.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
}

/// The fenced blocks of a page of the project, in order.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    // Every other piece between fences is a block: its language, a line's end, its text.
    let pieces: Vec<&str> = text.split("```").collect();
    assert_eq!(pieces.len() % 2, 1, "{page}: a fence is not closed");
    pieces
        .chunks_exact(2)
        .map(|pair| pair[1].split_once('\n').unwrap())
        .map(|(language, text)| Block { language: language.to_owned(), text: text.to_owned() })
        .collect()
}

/// The Python of the folder in which scripts/test.sh installs the packages.
pub(crate) fn python() -> OsString {
    std::env::var_os("AUGUR_TEST_PYTHON")
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/python").into())
}

/// Runs a block in a folder, with the server's address in place of the documents'; answers what it printed.
fn run(block: &Block, app: &App, folder: &Path) -> String {
    let text = block.text.replace("localhost:8000", &app.address.to_string());
    let mut command = if block.language == "sh" {
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail"]);
        command
    } else {
        Command::new(python())
    };
    // A proxy of the machine's is not meant for it.
    let done = command.args(["-c", &text]).env("NO_PROXY", "127.0.0.1").current_dir(folder).output();
    let done = done.unwrap_or_else(|e| panic!("{e}: {:?}", command.get_program()));
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}: {errors}\n{text}\n{}", done.status, app.log());
    String::from_utf8(done.stdout).unwrap()
}

/// A folder with what the programs read: the picture that README.md says how to make.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let makes_it = blocks("README.md").into_iter().find(|block| block.text.contains("--example digits")).unwrap();
    let (_, number) = makes_it.text.split_once("cp digits/plain/7/").unwrap();
    let at: usize = number.split_once("-0.jpg test_image.jpg").unwrap().0.parse().unwrap();
    let (seven, is_aside) = digits().swap_remove(at);
    assert!(is_aside && seven.label == 7 && !at.is_multiple_of(2), "examples/digits.rs makes no such file");
    let picture = encoded(seven.draw(&Drawing::plain(64), &mut Random(1)), ImageFormat::Jpeg);
    std::fs::write(folder.path().join("test_image.jpg"), picture).unwrap();
    folder
}

/// The text with `#` for each number with a fraction, and these numbers to three significant digits: the last digits may be
/// others on another machine, and a page leaves some out.
fn scores(text: &str) -> (String, Vec<String>) {
    let (mut masked, mut scores) = (String::new(), Vec::new());
    let mut rest = text.trim_end();
    while let Some(digit) = rest.find(|c: char| c.is_ascii_digit()) {
        let start = digit - usize::from(rest[..digit].ends_with('-'));
        let end = rest[digit..].find(|c: char| !c.is_ascii_digit() && !".e-".contains(c));
        let longest = end.map_or(rest.len(), |end| digit + end);
        let is_number = |end: &usize| rest[start..*end].parse::<f64>().is_ok() && !rest[..*end].ends_with('.');
        let end = (digit + 1..=longest).rev().find(is_number).unwrap();
        masked.push_str(&rest[..start]);
        let number = &rest[start..end];
        if number.contains('.') {
            masked.push('#');
            scores.push(format!("{:.2e}", number.parse::<f64>().unwrap()));
        } else {
            masked.push_str(number);
        }
        rest = &rest[end..];
    }
    (masked + rest, scores)
}

#[test]
#[ignore = "needs curl and the Python packages that scripts/test.sh installs"]
fn each_recipe_prints_what_the_page_says() {
    let folder = folder();
    let mut programs = 0;
    for pair in blocks("docs/clients.md").windows(2) {
        let [program, printed] = pair else { unreachable!("windows of two") };
        if !["sh", "python"].contains(&&*program.language) {
            continue;
        }
        assert_eq!(printed.language, "text", "what does it print?\n{}", program.text);
        let server = Sqlite::start(&[]);
        let output = run(program, &server.app, folder.path());
        assert_eq!(scores(&output), scores(&printed.text), "{}", program.text);
        programs += 1;
    }
    assert!(programs >= 11, "{programs} programs were found");
}

#[test]
#[ignore = "needs the Python packages that scripts/test.sh installs"]
fn the_documents_clients_print_what_the_readme_says() {
    let server = Sqlite::start(&[]);
    let folder = folder();
    // The page has it asked by curl first.
    let result = server.app.ask("http://www.example.com/news/2012/a.html").result_text();
    let page = blocks("README.md");
    let printed = page.iter().find_map(|block| block.text.strip_prefix("$ python3 client.py\n")).unwrap();
    let programs: Vec<&Block> = page.iter().filter(|block| block.language == "python").collect();
    let [url, picture] = *programs else { panic!("{} Python programs in README.md", programs.len()) };
    let output = run(url, &server.app, folder.path());
    assert_eq!(output, format!("{{'result': {result}}} augur; hit\n"));
    assert_eq!(scores(&output), scores(printed));
    for _ in 0..2 {
        assert_eq!(run(picture, &server.app, folder.path()), "{'prediction': '7'}\n");
    }
    assert_eq!(server.labels().len(), 1);
}

#[test]
#[ignore = "needs curl"]
fn the_readmes_scores_are_those_of_the_shipped_model() {
    let mut checked = 0;
    for block in blocks("README.md").iter().filter(|block| block.language == "console") {
        for step in format!("\n{}", block.text).split("\n$ ") {
            let (command, printed) = step.split_once('\n').unwrap_or((step, ""));
            // With a key it is about rows that somebody has stored.
            if !command.starts_with("curl") || !command.contains("localhost:8000/url") || command.contains("$KEY") {
                continue;
            }
            let server = Sqlite::start(&[]);
            let program = Block { language: "sh".to_owned(), text: command.to_owned() };
            let output = run(&program, &server.app, Path::new("."));
            // What the page leaves out (...) is passed over.
            let mut answered = scores(&output).1.into_iter();
            let printed = scores(printed).1;
            assert!(!printed.is_empty(), "no score is printed after $ {command}");
            for score in printed {
                assert!(answered.any(|answered| answered == score), "{score} after $ {command}\n{output}");
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 3, "commands with scores were found");
}

#[test]
#[ignore = "needs the Python packages that scripts/test.sh installs"]
fn httpx_asking_fifty_times_at_once_gets_one_answer() {
    let server = Sqlite::start(&[]);
    let program = include_str!("../clients/url_httpx.py");
    let block = Block { language: "python".to_owned(), text: program.to_owned() };
    let printed = run(&block, &server.app, Path::new("."));
    let result = server.app.ask("http://example.com/").result_text();
    assert_eq!(printed, format!("{{(200, '{{\"result\":{result}}}')}}\n"));
}

#[test]
fn numbers_with_a_fraction_are_scores_and_all_else_is_text() {
    let (text, found) = scores("{'result': 0.3032} 7, 50 {200} a.1 -6.4e-05, 4.6654... 2026-11-29 1.\n");
    assert_eq!(text, "{'result': #} 7, 50 {200} a.1 #, #... 2026-11-29 1.");
    assert_eq!(found, ["3.03e-1", "-6.40e-5", "4.67e0"]);
}
