//! The programs of the documents, as people run them, against a real server: what stands in README.md and docs/clients.md
//! is what is run here, and prints what stands there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::ImageFormat;

use crate::app::App;
use crate::classify::{Sqlite, held_aside};
use crate::pictures::digits;

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

/// A folder with what the programs read.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let seven = digits().into_iter().filter(|(_, aside)| *aside).position(|(digit, _)| digit.label == 7).unwrap();
    std::fs::write(folder.path().join("test_image.jpg"), held_aside(seven, ImageFormat::Jpeg).1).unwrap();
    folder
}

/// The text with `#` for the digits of decimal fractions: the scores are the shipped model's, which changes.
fn without_digits(text: &str) -> String {
    let mut masked = String::new();
    let mut in_fraction = false;
    for c in text.trim_end().chars() {
        let digit = c.is_ascii_digit();
        if !(in_fraction && digit) {
            in_fraction = c == '.' && masked.ends_with(|before: char| before.is_ascii_digit());
            masked.push(c);
            if in_fraction {
                masked.push('#');
            }
        }
    }
    masked
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
        assert_eq!(without_digits(&output), without_digits(&printed.text), "{}", program.text);
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
    let programs: Vec<Block> = blocks("README.md").into_iter().filter(|block| block.language == "python").collect();
    let [url, picture] = &*programs else { panic!("{} Python programs in README.md", programs.len()) };
    assert_eq!(run(url, &server.app, folder.path()), format!("{{'result': {result}}} augur; hit\n"));
    for _ in 0..2 {
        assert_eq!(run(picture, &server.app, folder.path()), "{'prediction': '7'}\n");
    }
    assert_eq!(server.labels().len(), 1);
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
fn only_the_digits_of_fractions_are_left_out() {
    assert_eq!(without_digits("{'result': 0.3032} 7, 50 {200} a.1\n"), "{'result': 0.#} 7, 50 {200} a.1");
}
