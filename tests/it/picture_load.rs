//! Many pictures at the same time: what they may cost in memory, and that nobody is turned away for it.

use image::{DynamicImage, ImageFormat, RgbImage};

use crate::classify::{Sqlite, classify};
use crate::pictures::Random;

/// A PNG of noise, which cannot be compressed, of just under 10 MB; another one for each seed.
fn large(seed: u64) -> Vec<u8> {
    const SIDE: u32 = 1815;
    let mut random = Random(seed + 1);
    let mut pixel = || image::Rgb([0; 3].map(|_: u8| (random.share() * 256.0) as u8));
    let noise = RgbImage::from_fn(SIDE, SIDE, |_, _| pixel());
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(noise).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn sixteen_pictures_of_10_mb_at_the_same_moment_are_answered_within_200_mb() {
    let server = Sqlite::start(&[]);
    std::thread::scope(|scope| {
        for seed in 0..16 {
            let app = &server.app;
            scope.spawn(move || {
                let picture = large(seed);
                assert!((9_500_000..10 << 20).contains(&picture.len()), "{}", picture.len());
                assert_eq!(classify(app, "/classify", &picture).status, 200);
            });
        }
    });
    assert_eq!(server.labels().len(), 16);
    let peak = server.app.peak_kib();
    assert!(peak < 200_000_000 / 1024, "{peak} KiB");
}

#[test]
fn large_pictures_of_wide_pixels_are_decoded_one_at_a_time() {
    const SIDE: u32 = 4000;
    const DECODED_KIB: u64 = 8 * (SIDE as u64).pow(2) / 1024;
    // Plain, so that the files are small: what counts is what they become.
    let mut picture = std::io::Cursor::new(Vec::new());
    DynamicImage::new_rgba16(SIDE, SIDE).write_to(&mut picture, ImageFormat::Png).unwrap();
    let picture = picture.into_inner();
    let server = Sqlite::start(&[]);
    std::thread::scope(|scope| {
        for number in 0..6_u8 {
            let (app, picture) = (&server.app, &picture);
            // What stands after its end makes it another picture.
            scope.spawn(move || assert_eq!(classify(app, "/classify", &[picture, &[number][..]].concat()).status, 200));
        }
    });
    assert_eq!(server.labels().len(), 6);
    let peak = server.app.peak_kib();
    assert!((DECODED_KIB..2 * DECODED_KIB).contains(&peak), "{peak} KiB, one decoded picture is {DECODED_KIB}");
}
