//! Uploads that come slowly, or not at all, while there is room in memory for so many bytes of pictures.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::app::App;
use crate::classify::{BOUNDARY, form, held_aside};
use crate::hostile::assert_healthy;

/// A server whose clients have 8 s, and room for uploads that one of the largest takes whole.
fn start_with_room_for_one() -> (TempDir, App) {
    let folder = tempfile::tempdir().unwrap();
    let path = format!("store.sqlite.path={}", folder.path().join("a.db").display());
    let largest = format!("limits.max_image_bytes={LARGEST}");
    let app = App::start(&[path, largest, "server.request_timeout_ms=8000".to_owned()]);
    (folder, app)
}

const LARGEST: usize = 64 << 20;

/// An upload of which there is the head.
fn begin_upload(app: &App, path: &str, length: usize) -> TcpStream {
    let mut upload = app.connect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    );
    upload.write_all(head.as_bytes()).unwrap();
    upload
}

/// Whether a picture gets its answer though an upload to `path` has all the room: `hold` is called with that one's
/// connection until there is the answer.
fn assert_room_is_given_back(path: &str, hold: impl Fn(&mut TcpStream) + Sync) {
    let (_folder, app) = start_with_room_for_one();
    let body = form(&held_aside(0, image::ImageFormat::Png).1);
    // Its time begins before the other's: were the room given back at the end of that one alone, it would come too late.
    let mut honest = begin_upload(&app, "/classify", body.len());
    std::thread::sleep(Duration::from_secs(1));
    let mut holder = begin_upload(&app, path, LARGEST);
    holder.write_all(format!("--{BOUNDARY}\r\n").as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                hold(&mut holder);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        honest.write_all(&body).unwrap();
        let mut answer = String::new();
        let read = honest.read_to_string(&mut answer);
        is_over.store(true, Ordering::Relaxed);
        assert!(read.is_ok() && answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    });
    app.wait_for_log("status=408");
    assert_healthy(&app);
}

#[test]
fn uploads_that_fall_silent_do_not_keep_others_out() {
    for path in ["/classify", "/v2/models/image/infer"] {
        assert_room_is_given_back(path, |_| {});
    }
}

#[test]
fn uploads_that_trickle_do_not_keep_others_out() {
    for path in ["/classify", "/v2/models/image/infer"] {
        // It fails once the server has closed.
        assert_room_is_given_back(path, |holder| drop(holder.write(b" ")));
    }
}

#[test]
fn an_upload_that_is_late_and_still_in_time_is_read_to_its_end() {
    let (_folder, app) = start_with_room_for_one();
    let body = form(&held_aside(0, image::ImageFormat::Png).1);
    let mut slow = begin_upload(&app, "/classify", body.len());
    let (first, second) = body.split_at(body.len() / 2);
    slow.write_all(first).unwrap();
    // A quarter and a half of 8 s it might take.
    std::thread::sleep(Duration::from_millis(1500));
    slow.write_all(second).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_healthy(&app);
}

#[test]
fn a_compressed_upload_is_refused_before_any_of_it_has_come() {
    let (_folder, app) = start_with_room_for_one();
    for path in ["/classify", "/v2/models/image/infer"] {
        let mut upload = app.connect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\n\
             Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
        );
        upload.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 12];
        upload.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 415", "{path}");
    }
}
