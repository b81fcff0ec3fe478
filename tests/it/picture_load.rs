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
