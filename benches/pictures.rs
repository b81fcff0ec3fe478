//! Benchmarks of what a picture that is not known costs: decoding it and asking the classifier.

use std::hint::black_box;
use std::io::Cursor;

use augur::model::ImageModel;
use criterion::{Criterion, criterion_group, criterion_main};
use image::{DynamicImage, ImageFormat, RgbImage};

/// A picture with something in every pixel.
fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let picture =
        RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * y / 50) as u8, (x / 9) as u8, (y / 7) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture).write_to(&mut bytes, format).expect("a picture can be written to memory");
    bytes.into_inner()
}

fn classify(criterion: &mut Criterion) {
    let model = ImageModel::embedded().expect("the embedded model loads");
    for (name, width, height, format) in [
        ("PNG 200 x 200", 200, 200, ImageFormat::Png),
        ("PNG 3000 x 2000", 3000, 2000, ImageFormat::Png),
        ("JPEG 3000 x 2000", 3000, 2000, ImageFormat::Jpeg),
    ] {
        let bytes = file(width, height, format);
        criterion.bench_function(name, |bencher| bencher.iter(|| model.classify(black_box(&bytes)).map(str::len)));
    }
}

criterion_group!(benches, classify);
criterion_main!(benches);
