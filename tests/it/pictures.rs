//! Handwritten digits as pictures: the 1,797 samples of smartcore's data set (8 x 8, 0 to 16; its names there are those
//! of another data set), and ways to draw them as people's pictures look.

use image::{DynamicImage, GrayImage, ImageFormat, Luma};

/// Every fifth sample is held aside: the shipped model has not learnt from it.
pub(crate) const HELD_ASIDE_EVERY: usize = 5;

/// A sample: 64 depths of ink from 0 to 1, row by row, and which digit it is.
pub(crate) struct Digit {
    ink: Vec<f32>,
    pub(crate) label: u8,
}

/// Where and how a digit is drawn.
pub(crate) struct Drawing {
    /// Sides of the picture, in pixels.
    pub(crate) size: (u32, u32),
    /// Side of the square that the sample fills, in pixels.
    pub(crate) digit: f32,
    /// The square's left upper corner.
    pub(crate) at: (f32, f32),
    /// Brightness of ground and ink.
    pub(crate) ground: f32,
    pub(crate) ink: f32,
    /// Largest change of a pixel by noise.
    pub(crate) noise: f32,
    /// Turn around the middle, in degrees.
    pub(crate) turn: f32,
}

/// All samples and whether each is held aside.
pub(crate) fn digits() -> Vec<(Digit, bool)> {
    let data = smartcore::dataset::digits::load_dataset();
    assert_eq!((data.num_samples, data.num_features), (1797, 64));
    let samples = data.data.chunks(64).zip(&data.target).enumerate();
    samples
        .map(|(at, (values, label))| {
            let ink = values.iter().map(|value| value / 16.0).collect();
            (Digit { ink, label: *label as u8 }, at % HELD_ASIDE_EVERY == HELD_ASIDE_EVERY - 1)
        })
        .collect()
}

impl Digit {
    /// Ink at a place of the sample's 8 x 8 square, smooth between the samples, none outside.
    fn ink_at(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let at = |column: f32, row: f32| {
            let inside = (0.0..8.0).contains(&column) && (0.0..8.0).contains(&row);
            if inside { self.ink[row as usize * 8 + column as usize] } else { 0.0 }
        };
        let (right_share, lower_share) = (x - left, y - top);
        let row = |row: f32| at(left, row) * (1.0 - right_share) + at(left + 1.0, row) * right_share;
        row(top) * (1.0 - lower_share) + row(top + 1.0) * lower_share
    }

    pub(crate) fn draw(&self, drawing: &Drawing, random: &mut Random) -> GrayImage {
        let (sine, cosine) = drawing.turn.to_radians().sin_cos();
        GrayImage::from_fn(drawing.size.0, drawing.size.1, |x, y| {
            let place = |pixel: u32, corner: f32| (pixel as f32 + 0.5 - corner) * 8.0 / drawing.digit - 4.0;
            let (x, y) = (place(x, drawing.at.0), place(y, drawing.at.1));
            let ink = self.ink_at(x * cosine - y * sine + 4.0, x * sine + y * cosine + 4.0);
            let noise = (random.share() * 2.0 - 1.0) * drawing.noise;
            let value = drawing.ground + (drawing.ink - drawing.ground) * ink + noise;
            Luma([(value.clamp(0.0, 1.0) * 255.0).round() as u8])
        })
    }
}

impl Drawing {
    /// Black on white, the sample enlarged and nothing else.
    pub(crate) fn plain(side: u32) -> Self {
        Self { size: (side, side), digit: side as f32, at: (0.0, 0.0), ground: 1.0, ink: 0.0, noise: 0.0, turn: 0.0 }
    }

    /// An ordinary picture: 28 to 600 pixels a side, dark on light or light on dark, off-centre, with margins and noise.
    pub(crate) fn ordinary(random: &mut Random) -> Self {
        let mut side = || (28.0 * (600.0_f32 / 28.0).powf(random.share())).round();
        let (width, height) = (side(), side());
        let digit = width.min(height) * (0.45 + 0.5 * random.share());
        let at = ((width - digit) * random.share(), (height - digit) * random.share());
        let (light, dark) = (0.8 + 0.2 * random.share(), 0.3 * random.share());
        let (ground, ink) = if random.share() < 0.5 { (light, dark) } else { (dark, light) };
        let noise = 0.12 * random.share();
        let turn = 16.0 * random.share() - 8.0;
        Self { size: (width as u32, height as u32), digit, at, ground, ink, noise, turn }
    }
}

/// The picture as a file.
pub(crate) fn encoded(picture: GrayImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(picture).write_to(&mut bytes, format).expect("a picture can be written to memory");
    bytes.into_inner()
}

/// The same numbers on every run and machine (xorshift64*, Vigna 2016).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// From 0 to 1.
    pub(crate) fn share(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1_u64 << 24) as f32
    }
}
