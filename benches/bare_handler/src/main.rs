//! The bare HTTP server that `scripts/bench.sh` measures augur against: the same framework, the same JSON and the same
//! forms, no work.
//!
//! `bare_handler PORT` serves on 127.0.0.1 until it is killed. It is a package of its own, so that building it gives augur
//! no other features than it ships with.

use actix_multipart::{Multipart, MultipartError};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Ask {
    url: String,
}

#[derive(Serialize)]
struct Reply {
    result: f64,
}

async fn answer(body: Bytes) -> HttpResponse {
    match serde_json::from_slice::<Ask>(&body) {
        // Kept from the optimiser: a parser may leave out what nobody reads.
        Ok(ask) => {
            std::hint::black_box(ask.url);
            HttpResponse::Ok().json(Reply { result: 0.5 })
        }
        Err(_) => HttpResponse::BadRequest().finish(),
    }
}

#[derive(Serialize)]
struct Label {
    prediction: &'static str,
}

/// Reads the picture of a form and does nothing with it.
async fn classify(mut form: Multipart) -> Result<HttpResponse, MultipartError> {
    let mut picture = Vec::new();
    while let Some(mut field) = form.try_next().await? {
        while let Some(chunk) = field.try_next().await? {
            picture.extend_from_slice(&chunk);
        }
    }
    std::hint::black_box(picture);
    Ok(HttpResponse::Ok().json(Label { prediction: "7" }))
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let Some(port) = std::env::args().nth(1).and_then(|text| text.parse::<u16>().ok()) else {
        return Err(std::io::Error::other("usage: bare_handler PORT"));
    };
    // The number of workers is the framework's choice, as in augur: one a core.
    let app = || App::new().route("/url", web::post().to(answer)).route("/classify", web::post().to(classify));
    HttpServer::new(app).bind(("127.0.0.1", port))?.run().await
}
