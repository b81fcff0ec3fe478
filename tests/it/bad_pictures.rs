//! What `/classify` is sent that is no picture, or no form: each gets its 4xx with a reason, stores nothing, and the next
//! picture is answered.

use std::io::{Cursor, Read, Write};
use std::net::Shutdown;

use image::{DynamicImage, ImageFormat};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::app::{App, Response};
use crate::classify::{BOUNDARY, Sqlite, classify, form, send};

/// Checks the form that every error has; answers its reason, which a client can show.
fn reason(answer: &Response, status: u16, what: &str) -> String {
    assert_eq!(answer.status, status, "{what}: {}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    let problem = answer.json();
    assert_eq!(problem["status"], status, "{what}");
    problem["detail"].as_str().unwrap().to_owned()
}

/// Nothing bad was stored, nothing panicked unseen, and a good picture is answered.
fn assert_healthy(server: &Sqlite) {
    assert!(server.labels().is_empty(), "{:?}", server.labels());
    assert_eq!(classify(&server.app, "/classify", &picture(ImageFormat::Png)).status, 200);
    assert!(!server.app.log().contains("panicked"), "{}", server.app.log());
}

const FORMATS: [ImageFormat; 6] =
    [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Tiff];

/// With enough in it that half a file is not the whole picture.
fn picture(format: ImageFormat) -> Vec<u8> {
    let noise = image::RgbImage::from_fn(80, 60, |x, y| image::Rgb([(x * y) as u8, (x * 31 + y * 17) as u8, y as u8]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(noise).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A PNG whose header says this size, and which holds no pixel.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let named = [kind.as_slice(), data].concat();
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [length.as_slice(), &named, &crc32(&named).to_be_bytes()].concat()
    };
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(b"IHDR", &header), &chunk(b"IDAT", &[]), &chunk(b"IEND", &[])].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[test]
fn what_is_no_picture_is_refused_with_the_reason() {
    let server = Sqlite::start(&[]);
    let mut cases = vec![
        ("empty".to_owned(), Vec::new()),
        ("text".to_owned(), b"no picture at all".to_vec()),
        ("HTML".to_owned(), b"<!DOCTYPE html><html><body><img src=\"a.jpg\"></body></html>".to_vec()),
        (
            "SVG".to_owned(),
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"><rect width=\"9\" height=\"9\"/></svg>".to_vec(),
        ),
        ("ZIP".to_owned(), b"PK\x03\x04\x14\x00\x00\x00".to_vec()),
        ("zeros".to_owned(), vec![0; 5000]),
    ];
    for format in FORMATS {
        let whole = picture(format);
        cases.push((format!("half of a {format:?}"), whole[..whole.len() / 2].to_vec()));
        cases.push((format!("the first bytes of a {format:?}"), whole[..16].to_vec()));
    }
    for (what, bytes) in cases {
        let reason = reason(&classify(&server.app, "/classify", &bytes), 415, &what);
        assert!(reason.starts_with("The image cannot be decoded: "), "{what}: {reason}");
    }
    assert_healthy(&server);
}

#[test]
fn a_huge_picture_is_refused_by_its_header_before_memory_is_taken() {
    let server = Sqlite::start(&[]);
    assert_eq!(classify(&server.app, "/classify", &picture(ImageFormat::Jpeg)).status, 200);
    let before = server.app.peak_kib();
    let cases = [
        (30_000, "is 30000 x 30000 pixels, the limit is 50000000 pixels"),
        (0x7fff_ffff, "is 2147483647 x 2147483647 pixels, the limit is 50000000 pixels"),
    ];
    for (side, expected) in cases {
        let answer = classify(&server.app, "/classify", &png_of(side, side));
        reason(&answer, 422, expected);
        assert_eq!(answer.json()["errors"][0]["pointer"], "/image");
        assert_eq!(answer.json()["errors"][0]["detail"], expected);
    }
    let grown = server.app.peak_kib() - before;
    assert!(grown < 16 << 10, "{grown} KiB for pictures that were refused");
    assert_eq!(server.labels().len(), 1);
}

#[test]
fn the_limits_of_bytes_and_pixels_are_those_of_the_settings() {
    let bytes = picture(ImageFormat::Png);
    let limit = |key: &str, value: usize| Sqlite::start(&[&format!("limits.{key}={value}")]);
    let server = limit("max_image_bytes", bytes.len());
    assert_eq!(classify(&server.app, "/classify", &bytes).status, 200);
    let longer = [&bytes[..], b"\0"].concat();
    let told = reason(&classify(&server.app, "/classify", &longer), 413, "one byte more");
    assert_eq!(told, format!("The image is over {} bytes.", bytes.len()));
    reason(&classify(&server.app, "/classify", &vec![0; 1 << 20]), 413, "by its declared length");
    // A body without a declared length is counted while it is read.
    let told = chunked(&server.app, &form(&vec![0; 1 << 20]));
    assert!(told.starts_with("HTTP/1.1 413"), "{told}");
    assert_eq!(classify(&limit("max_image_pixels", 80 * 60).app, "/classify", &bytes).status, 200);
    let server = limit("max_image_pixels", 80 * 60 - 1);
    reason(&classify(&server.app, "/classify", &bytes), 422, "one pixel more");
    assert!(server.labels().is_empty());
}

/// Sends a form without saying how long it is.
fn chunked(app: &App, body: &[u8]) -> String {
    let head = format!(
        "POST /classify HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n{:x}\r\n",
        body.len()
    );
    app.raw(&[head.as_bytes(), body, b"\r\n0\r\n\r\n"].concat())
}

#[test]
fn a_form_without_exactly_one_field_image_is_refused() {
    let server = Sqlite::start(&[]);
    let bytes = picture(ImageFormat::Png);
    let whole = form(&bytes);
    let field = |name: &str| {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\n\r\n");
        [head.as_bytes(), &bytes, b"\r\n"].concat()
    };
    let end = format!("--{BOUNDARY}--\r\n").into_bytes();
    let cases = [
        ("no field", end.clone(), "The file field image is missing."),
        ("another field", [field("picture"), end.clone()].concat(), "The file field image is missing."),
        ("two", [field("image"), field("image"), end.clone()].concat(), "The field image is there more than once."),
        ("nothing", Vec::new(), "The multipart body is broken"),
        ("no form", bytes.clone(), "The multipart body is broken"),
        ("cut off", whole[..whole.len() / 2].to_vec(), "The multipart body is broken"),
        ("no last boundary", whole[..whole.len() - end.len() - 2].to_vec(), "The multipart body is broken"),
    ];
    for (what, body, expected) in cases {
        let told = reason(&send(&server.app, "/classify", &body), 400, what);
        assert!(told.starts_with(expected), "{what}: {told}");
    }
    assert_healthy(&server);
    let beside = [field("note"), field("image"), field("more"), end].concat();
    assert_eq!(send(&server.app, "/classify", &beside).status, 200, "other fields do not matter");
}

#[test]
fn a_broken_boundary_or_another_type_is_refused() {
    let server = Sqlite::start(&[]);
    let body = form(&picture(ImageFormat::Png));
    let post = |kind: &str| server.app.post_to("/classify", &[("Content-Type", kind)], &body);
    for kind in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other"] {
        reason(&post(kind), 400, kind);
    }
    for kind in ["image/png", "application/json", "multipart/mixed", "text/plain; a=multipart/form-data"] {
        assert_eq!(reason(&post(kind), 415, kind), "Send the image as Content-Type: multipart/form-data.");
    }
    assert_eq!(post(&format!("Multipart/Form-Data; charset=utf-8; boundary=\"{BOUNDARY}\"")).status, 200);
}

#[test]
fn a_body_that_stops_half_way_ends_with_its_connection_or_its_time() {
    let server = Sqlite::start(&["server.request_timeout_ms=500"]);
    let body = form(&picture(ImageFormat::Png));
    let head = format!(
        "POST /classify HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n",
        body.len()
    );
    let half = [head.as_bytes(), &body[..body.len() / 2]].concat();
    let mut gone = server.app.connect();
    gone.write_all(&half).unwrap();
    gone.shutdown(Shutdown::Write).unwrap();
    let mut slow = server.app.connect();
    slow.write_all(&half).unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    assert!(server.labels().is_empty());
    assert_eq!(server.app.ask("http://example.com/").status, 200);
}

#[test]
fn damaged_pictures_and_forms_get_a_4xx_or_an_answer() {
    let server = Sqlite::start(&[]);
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() };
    let damages = proptest::collection::vec((any::<Index>(), any::<u8>()), 1..12);
    proptest!(config, |(damages in damages, format in select(FORMATS.as_slice()), whole_form in any::<bool>())| {
        let mut bytes = if whole_form { form(&picture(format)) } else { picture(format) };
        for (at, byte) in damages {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let body = if whole_form { bytes } else { form(&bytes) };
        let answer = send(&server.app, "/classify", &body);
        prop_assert!(
            matches!(answer.status, 200 | 400 | 413 | 415 | 422),
            "{}", String::from_utf8_lossy(&answer.body)
        );
    });
    assert_eq!(server.app.ask("http://example.com/").status, 200);
}
