//! Look: how a classifier sees a picture, as a square of `size` x `size` cells with one byte for each channel.

use std::fmt;

use image::{DynamicImage, Rgb, RgbImage};
use serde::{Deserialize, Serialize};

use super::ink;

/// What of a picture counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// One channel: the ink of a drawn sign, dark on light or light on dark, cut out, centred and scaled.
    Ink,
    /// One channel: the brightness of the whole picture.
    #[default]
    Grey,
    /// Three channels: red, green and blue of the whole picture.
    Rgb,
}

impl fmt::Display for Channels {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Channels::Ink => "ink",
            Channels::Grey => "grey",
            Channels::Rgb => "rgb",
        })
    }
}

/// The sides and channels of what a classifier sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Cells in a row, and rows.
    pub size: u16,
    /// What the cells hold.
    pub channels: Channels,
}

impl Look {
    /// Sizes that are offered: one cell tells nothing, and more than 64 x 64 are beyond what the classifiers can use.
    pub const SIZES: std::ops::RangeInclusive<u16> = 2..=64;

    /// Number of features: one for each cell and channel.
    #[must_use]
    pub fn width(self) -> usize {
        let cells = usize::from(self.size) * usize::from(self.size);
        match self.channels {
            Channels::Ink | Channels::Grey => cells,
            Channels::Rgb => 3 * cells,
        }
    }

    /// The features of a picture: [`width`](Self::width) bytes, row by row, the channels of a cell side by side.
    pub(super) fn features(self, picture: &DynamicImage) -> Vec<u8> {
        let size = usize::from(self.size);
        let white = [255; 3];
        match self.channels {
            Channels::Ink => {
                let marked = ink::find(&Plane::grey(&on(picture, white)), size);
                // Signs may be drawn in white on nothing.
                marked.or_else(|| ink::find(&Plane::grey(&on(picture, [0; 3])), size)).unwrap_or(vec![0; self.width()])
            }
            Channels::Grey => {
                let plane = Plane::grey(&on(picture, white));
                plane.resampled([0.0, 0.0, plane.width as f32, plane.height as f32], size, size).to_bytes()
            }
            Channels::Rgb => {
                let planes = Plane::colours(&on(picture, white)).map(|plane| {
                    plane.resampled([0.0, 0.0, plane.width as f32, plane.height as f32], size, size).to_bytes()
                });
                (0..size * size).flat_map(|cell| [planes[0][cell], planes[1][cell], planes[2][cell]]).collect()
            }
        }
    }
}

/// The picture on a ground of one colour, where it is transparent.
fn on(picture: &DynamicImage, ground: [u8; 3]) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let picture = picture.to_rgba8();
    let mixed =
        |top: u8, ground: u8, alpha: u32| ((u32::from(top) * alpha + u32::from(ground) * (255 - alpha)) / 255) as u8;
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, alpha] = picture.get_pixel(x, y).0;
        let alpha = u32::from(alpha);
        Rgb([mixed(r, ground[0], alpha), mixed(g, ground[1], alpha), mixed(b, ground[2], alpha)])
    })
}

/// One channel, from 0 to 1, row by row; never empty.
pub(super) struct Plane {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: Vec<f32>,
}

impl Plane {
    fn of(picture: &RgbImage, value: impl Fn(&Rgb<u8>) -> f32) -> Self {
        Self {
            width: picture.width() as usize,
            height: picture.height() as usize,
            values: picture.pixels().map(value).collect(),
        }
    }

    /// Brightness, by Rec. 709.
    fn grey(picture: &RgbImage) -> Self {
        Self::of(picture, |Rgb([r, g, b])| {
            (0.2126 * f32::from(*r) + 0.7152 * f32::from(*g) + 0.0722 * f32::from(*b)) / 255.0
        })
    }

    fn colours(picture: &RgbImage) -> [Self; 3] {
        [0, 1, 2].map(|channel| Self::of(picture, |pixel| f32::from(pixel.0[channel]) / 255.0))
    }

    /// The rectangle `[left, top, right, bottom]` (in pixels, outside of the plane is 0) as `columns` x `rows` cells, each
    /// the mean of the area that it covers; so it serves for both enlarging and reducing.
    pub(super) fn resampled(&self, [left, top, right, bottom]: [f32; 4], columns: usize, rows: usize) -> Self {
        let across = spans(left, right, columns, self.width);
        let down = spans(top, bottom, rows, self.height);
        let area = (right - left) / columns as f32 * ((bottom - top) / rows as f32);
        let mut values = Vec::with_capacity(columns * rows);
        for rows in &down {
            for columns in &across {
                let sum: f32 = rows
                    .iter()
                    .map(|(y, share)| {
                        let row = &self.values[y * self.width..][..self.width];
                        share * columns.iter().map(|(x, share)| share * row[*x]).sum::<f32>()
                    })
                    .sum();
                values.push(sum / area);
            }
        }
        Self { width: columns, height: rows, values }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.values.iter().map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8).collect()
    }
}

/// For each of `cells` equal parts of `from..to`: the pixels it covers, each with the length covered.
fn spans(from: f32, to: f32, cells: usize, pixels: usize) -> Vec<Vec<(usize, f32)>> {
    let step = (to - from) / cells as f32;
    (0..cells)
        .map(|cell| {
            let (start, end) = (from + step * cell as f32, from + step * (cell + 1) as f32);
            let first = start.floor().max(0.0) as usize;
            let last = (end.ceil().max(0.0) as usize).min(pixels);
            let covered = |pixel: usize| (end.min(pixel as f32 + 1.0) - start.max(pixel as f32)).max(0.0);
            (first..last).map(|pixel| (pixel, covered(pixel))).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resampling_keeps_the_mean_whichever_way_it_goes() {
        let plane = Plane { width: 3, height: 2, values: vec![0.0, 0.3, 0.6, 0.9, 0.6, 0.0] };
        let whole = [0.0, 0.0, 3.0, 2.0];
        let mean = |plane: &Plane| plane.values.iter().sum::<f32>() / plane.values.len() as f32;
        for (columns, rows) in [(1, 1), (2, 2), (7, 5), (3, 2)] {
            let resampled = plane.resampled(whole, columns, rows);
            assert_eq!(resampled.values.len(), columns * rows);
            assert!((mean(&resampled) - mean(&plane)).abs() < 1e-6, "{columns} x {rows}");
        }
        assert_eq!(plane.resampled(whole, 3, 2).to_bytes(), plane.to_bytes());
    }

    #[test]
    fn every_look_has_its_width_whatever_the_picture() {
        for channels in [Channels::Ink, Channels::Grey, Channels::Rgb] {
            let look = Look { size: 8, channels };
            for (width, height) in [(1, 1), (1, 256), (256, 1), (5, 9)] {
                for picture in [DynamicImage::new_luma8(width, height), DynamicImage::new_rgba16(width, height)] {
                    assert_eq!(look.features(&picture).len(), look.width());
                }
            }
        }
    }
}
