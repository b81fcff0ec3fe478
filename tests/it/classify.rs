//! `POST /classify` through the front door: what the Flask program's clients rely on, and what pictures may look like.

use std::io::Cursor;
use std::sync::Barrier;

use image::{DynamicImage, GrayImage, ImageFormat, Rgb, RgbImage};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::app::{App, Response};
use crate::pictures::{Digit, Drawing, Random, digits, encoded};

/// A server on a fresh SQLite file, and the file.
pub(crate) struct Sqlite {
    folder: TempDir,
    pub(crate) app: App,
}

impl Sqlite {
    pub(crate) fn start(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = Self::serve(&folder, more);
        Self { folder, app }
    }

    fn serve(folder: &TempDir, more: &[&str]) -> App {
        let path = format!("store.sqlite.path={}", folder.path().join("augur.db").display());
        App::start(&[&[path.as_str(), "server.request_timeout_ms=30000"], more].concat())
    }

    /// The tables as another program sees them.
    fn database(&self) -> Connection {
        Connection::open(self.folder.path().join("augur.db")).unwrap()
    }

    pub(crate) fn labels(&self) -> Vec<(String, String, String)> {
        let database = self.database();
        let mut rows = database.prepare("SELECT IMAGE_SHA256, LABEL, MODEL FROM IMAGE_RESULT").unwrap();
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap().map(Result::unwrap).collect()
    }
}

/// The body that `requests.post(..., files={'image': open('test_image.jpg', 'rb')})` makes.
pub(crate) fn form(picture: &[u8]) -> Vec<u8> {
    let head =
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"test_image.jpg\"\r\n\r\n");
    [head.as_bytes(), picture, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

pub(crate) const BOUNDARY: &str = "0e5b6bb7d0a2cf5f4a2c7e1d4b9b3a61";

/// Sends it as requests 2.x does.
pub(crate) fn classify(app: &App, path: &str, picture: &[u8]) -> Response {
    send(app, path, &form(picture))
}

pub(crate) fn send(app: &App, path: &str, body: &[u8]) -> Response {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let headers = [("User-Agent", "python-requests/2.32.3"), ("Accept", "*/*"), ("Content-Type", kind.as_str())];
    app.post_to(path, &headers, body)
}

fn label(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    response.json()["prediction"].as_str().unwrap().to_owned()
}

/// A held-aside digit and its picture.
pub(crate) fn held_aside(at: usize, format: ImageFormat) -> (Digit, Vec<u8>) {
    let digit = digits().into_iter().filter(|(_, aside)| *aside).nth(at).unwrap().0;
    let picture = encoded(digit.draw(&Drawing::plain(80), &mut Random(1)), format);
    (digit, picture)
}

#[test]
fn the_documents_client_gets_exactly_one_member_and_the_next_request_is_a_hit() {
    let server = Sqlite::start(&[]);
    let (digit, picture) = held_aside(0, ImageFormat::Jpeg);
    let first = classify(&server.app, "/classify", &picture);
    assert_eq!(label(&first), digit.label.to_string());
    assert_eq!(first.json().as_object().unwrap().len(), 1);
    assert_eq!(first.header("content-type"), Some("application/json"));
    assert_eq!(first.header("cache-status"), Some("augur; fwd=miss; stored"));
    let model = first.header("augur-model").unwrap().to_owned();
    assert!(model.starts_with("image@"), "{model}");
    let second = classify(&server.app, "/classify", &picture);
    assert_eq!(second.header("cache-status"), Some("augur; hit"));
    assert_eq!(second.header("augur-model"), Some(&*model));
    assert_eq!(second.body, first.body);
    use sha2::{Digest, Sha256};
    let key: String = Sha256::digest(&picture).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(server.labels(), [(key, digit.label.to_string(), model)]);
    assert!(server.app.log().contains("route=/classify status=200"), "{}", server.app.log());
}

#[test]
fn twins_at_the_same_moment_share_one_prediction() {
    let server = Sqlite::start(&[]);
    // Large, so that the first is still being decoded when the others come.
    let picture = encoded(GrayImage::from_fn(3000, 3000, |x, y| image::Luma([(x * y % 251) as u8])), ImageFormat::Png);
    let together = Barrier::new(8);
    let answers: Vec<Response> = std::thread::scope(|scope| {
        let ask = || {
            together.wait();
            classify(&server.app, "/classify", &picture)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == answers[0].body));
    let made = |answer: &&Response| answer.header("cache-status") == Some("augur; fwd=miss; stored");
    assert_eq!(answers.iter().filter(made).count(), 1, "one of them was predicted, the others shared it or hit");
    assert_eq!(server.labels().len(), 1);
}

#[test]
fn a_label_survives_a_restart_and_one_changed_by_hand_is_what_is_served() {
    let Sqlite { folder, mut app } = Sqlite::start(&[]);
    let (digit, picture) = held_aside(1, ImageFormat::Jpeg);
    assert_eq!(label(&classify(&app, "/classify", &picture)), digit.label.to_string());
    app.kill();
    let server = Sqlite { app: Sqlite::serve(&folder, &[]), folder };
    let again = classify(&server.app, "/classify", &picture);
    assert_eq!(again.header("cache-status"), Some("augur; hit"));
    assert_eq!(label(&again), digit.label.to_string());
    server.database().execute("UPDATE IMAGE_RESULT SET LABEL = 'a cat', MODEL = 'manual'", []).unwrap();
    let corrected = classify(&server.app, "/classify", &picture);
    assert_eq!(label(&corrected), "a cat");
    assert_eq!(corrected.header("augur-model"), Some("manual"));
    // The scores are the model's all the same.
    let with_scores = classify(&server.app, "/classify?top=2", &picture).json();
    assert_eq!(with_scores["prediction"], "a cat");
    assert_eq!(with_scores["scores"][0]["label"], digit.label.to_string());
}

#[test]
fn a_hit_is_answered_whatever_the_bytes_are_since_they_are_not_decoded() {
    let server = Sqlite::start(&[]);
    // printf 'no picture' | sha256sum
    server
        .database()
        .execute(
            "INSERT INTO IMAGE_RESULT (IMAGE_SHA256, LABEL) VALUES (?1, 'stored')",
            ["8fbde7bde2ab0fdd70cc23f15f9faec9d9c2a4a6a3a0ad4b5d5f0c3a4f7c7f00"],
        )
        .unwrap();
    assert_eq!(classify(&server.app, "/classify", b"no picture").status, 415, "another digest");
    use sha2::{Digest, Sha256};
    let key: String = Sha256::digest(b"no picture").iter().map(|byte| format!("{byte:02x}")).collect();
    server.database().execute("UPDATE IMAGE_RESULT SET IMAGE_SHA256 = ?1", [key]).unwrap();
    assert_eq!(label(&classify(&server.app, "/classify", b"no picture")), "stored");
}

#[test]
fn top_adds_the_best_labels_with_their_shares() {
    let server = Sqlite::start(&[]);
    let (digit, picture) = held_aside(2, ImageFormat::Jpeg);
    for _ in 0..2 {
        let answer = classify(&server.app, "/classify?top=3", &picture).json();
        assert_eq!(answer["prediction"], digit.label.to_string());
        let scores = answer["scores"].as_array().unwrap();
        assert_eq!(scores.len(), 3);
        assert_eq!(scores[0]["label"], digit.label.to_string());
        let shares: Vec<f64> = scores.iter().map(|score| score["probability"].as_f64().unwrap()).collect();
        assert!(shares.is_sorted_by(|a, b| a >= b) && shares.iter().all(|share| (0.0..=1.0).contains(share)));
    }
    let all = classify(&server.app, "/classify?top=99", &picture).json();
    let shares: f64 =
        all["scores"].as_array().unwrap().iter().map(|score| score["probability"].as_f64().unwrap()).sum();
    assert_eq!(all["scores"].as_array().unwrap().len(), 10);
    assert!((shares - 1.0).abs() < 1e-9);
    for wrong in ["0", "-1", "x", ""] {
        assert_eq!(classify(&server.app, &format!("/classify?top={wrong}"), &picture).status, 400, "{wrong}");
    }
}

#[test]
fn the_shipped_classifier_knows_98_of_100_digits_held_aside() {
    let model = augur::model::ImageModel::embedded().unwrap();
    let aside: Vec<Digit> = digits().into_iter().filter(|(_, aside)| *aside).map(|(digit, _)| digit).collect();
    assert_eq!(aside.len(), 359, "a fifth of 1,797");
    let right = aside.iter().filter(|digit| {
        let picture = encoded(digit.draw(&Drawing::plain(64), &mut Random(1)), ImageFormat::Png);
        model.classify(&picture).unwrap() == digit.label.to_string()
    });
    let accuracy = right.count() as f64 / aside.len() as f64;
    assert!(accuracy >= 0.98, "{accuracy}");
}

#[test]
fn at_least_95_of_100_held_aside_digits_as_ordinary_pictures_get_their_label() {
    let server = Sqlite::start(&[]);
    let mut random = Random(20_261_123);
    let aside = digits().into_iter().filter(|(_, aside)| *aside).map(|(digit, _)| digit).step_by(3).take(100);
    let (mut right, mut asked) = (0, 0);
    for digit in aside {
        let format = if asked % 2 == 0 { ImageFormat::Png } else { ImageFormat::Jpeg };
        let picture = encoded(digit.draw(&Drawing::ordinary(&mut random), &mut random), format);
        right += usize::from(label(&classify(&server.app, "/classify", &picture)) == digit.label.to_string());
        asked += 1;
    }
    assert_eq!(asked, 100);
    assert!(right >= 95, "{right} of 100");
}

#[test]
fn every_odd_picture_that_can_be_decoded_is_answered() {
    let server = Sqlite::start(&[]);
    let file = |picture: DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let mut frames = Vec::new();
    {
        let mut gif = image::codecs::gif::GifEncoder::new(&mut frames);
        let frame =
            |grey| image::Frame::new(image::RgbaImage::from_pixel(20, 20, image::Rgba([grey, grey, grey, 255])));
        gif.encode_frames([frame(0), frame(200)]).unwrap();
    }
    let pictures = [
        ("1 x 1", file(DynamicImage::new_rgb8(1, 1), ImageFormat::Png)),
        ("16 bit", file(DynamicImage::new_rgba16(30, 20), ImageFormat::Png)),
        ("transparent", file(DynamicImage::new_rgba8(30, 20), ImageFormat::Png)),
        ("animated", frames),
        ("CMYK", include_bytes!("../data/cmyk.jpg").to_vec()),
        ("bmp", file(DynamicImage::new_rgb8(9, 9), ImageFormat::Bmp)),
        ("webp", file(DynamicImage::new_rgb8(9, 9), ImageFormat::WebP)),
        ("tiff", file(DynamicImage::new_rgb16(9, 9), ImageFormat::Tiff)),
        ("very wide", file(DynamicImage::new_luma8(60_000, 1), ImageFormat::Png)),
        ("colours", file(RgbImage::from_fn(64, 64, |x, y| Rgb([x as u8, y as u8, 99])).into(), ImageFormat::Jpeg)),
    ];
    for (what, picture) in pictures {
        let answer = classify(&server.app, "/classify", &picture);
        assert_eq!(answer.status, 200, "{what}: {}", String::from_utf8_lossy(&answer.body));
        let label = label(&answer);
        assert!(label.len() == 1 && label.chars().all(|c| c.is_ascii_digit()), "{what}: {label}");
    }
}

#[test]
fn without_an_image_model_there_is_no_such_route() {
    let server = Sqlite::start(&["models.image.enabled=false"]);
    let (_, picture) = held_aside(0, ImageFormat::Jpeg);
    assert_eq!(classify(&server.app, "/classify", &picture).status, 404);
    assert_eq!(server.app.get("/classify").status, 404);
    assert!(!server.app.log().contains("image@"));
    assert_eq!(server.app.ask("http://example.com/").status, 200);
}

#[test]
fn the_inference_protocol_takes_pictures_as_binary_tensors() {
    let server = Sqlite::start(&[]);
    let (digit, picture) = held_aside(0, ImageFormat::Png);
    let (other, second) = held_aside(1, ImageFormat::Jpeg);
    let known = classify(&server.app, "/classify", &picture).json()["prediction"].clone();
    let tensor: Vec<u8> = [&picture, &second, &picture]
        .into_iter()
        .flat_map(|picture| [&(picture.len() as u32).to_le_bytes()[..], picture].concat())
        .collect();
    let infer = |app: &App, head: &serde_json::Value, tensor: &[u8]| {
        let head = head.to_string();
        let length = head.len().to_string();
        let body = [head.as_bytes(), tensor].concat();
        app.post_to("/v2/models/image/infer", &[("Inference-Header-Content-Length", &length)], &body)
    };
    let head = |size: usize| json!({ "inputs": [{ "name": "image", "datatype": "BYTES", "shape": [3], "parameters": { "binary_data_size": size } }] });
    let response = infer(&server.app, &head(tensor.len()), &tensor);
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    let output = &response.json()["outputs"][0];
    assert_eq!((&output["name"], &output["datatype"]), (&json!("prediction"), &json!("BYTES")));
    assert_eq!(output["data"], json!([known, other.label.to_string(), digit.label.to_string()]));
    assert_eq!(server.labels().len(), 2);

    // One that is none fails the request, and leaves nothing behind.
    let broken = [&tensor[..], &3_u32.to_le_bytes(), b"GIF"].concat();
    let mut four = head(broken.len());
    four["inputs"][0]["shape"] = json!([4]);
    let response = infer(&server.app, &four, &broken);
    assert_eq!(response.status, 415);
    assert!(response.json()["error"].as_str().unwrap().contains("cannot be decoded"));
    let text = json!({ "inputs": [{ "name": "image", "datatype": "BYTES", "shape": [1], "data": ["a"] }] });
    assert_eq!(infer(&server.app, &text, b"").status, 400);
    // All together may be as long as one.
    let sum = 2 * picture.len() + second.len();
    for (max_image_bytes, status) in [(sum, 200), (sum - 1, 413)] {
        let other = Sqlite::start(&[&format!("limits.max_image_bytes={max_image_bytes}")]);
        assert_eq!(infer(&other.app, &head(tensor.len()), &tensor).status, status);
    }

    let off = Sqlite::start(&["models.image.enabled=false"]);
    assert_eq!(off.app.get("/v2/models/image").status, 404);
}
