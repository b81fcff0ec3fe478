//! Decoding: a file of any kind that we read becomes a small picture, or a reason why not.
//!
//! What a file says of itself is checked before memory is taken for it. Only one frame is ever decoded.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::claims;
use super::room::Room;
use crate::domain::PictureError;

/// Longest side of a decoded picture, in pixels: enough for every look, and a bound for all work after the decoder.
const MAX_SIDE: u32 = 256;
/// Bytes of the widest pixel there is: four channels of 32-bit floats.
const MAX_PIXEL_BYTES: u64 = 16;
/// Bytes of a pixel of a frame that is decoded on its own.
const FRAME_PIXEL_BYTES: u64 = 4;
/// What a decoder may take for metadata and tables before the picture has its room.
const HEADER_BYTES: u64 = 1 << 20;
/// Memory for all pictures that are decoded at the same time, but for a larger one, which is then alone.
const ROOM_BYTES: u64 = 96 << 20;
/// How many times the picture's bytes a decoder holds at most, where it does not decode in place: a progressive JPEG has
/// two bytes for each byte of the picture, or more for CMYK; an animated WebP has a canvas and a frame; a TIFF of 64-bit
/// samples has four times those that come out.
const MOST_COPIES: u64 = 5;

/// What decodes files to pictures, within bounds of pixels and memory.
#[derive(Debug)]
pub(super) struct Decoder {
    max_pixels: u64,
    room: Room,
}

impl Decoder {
    /// One for pictures of at most `max_pixels`. As many threads as like may use it at the same time.
    pub(super) fn new(max_pixels: u64) -> Self {
        Self { max_pixels, room: Room::new(ROOM_BYTES) }
    }

    /// Decodes a PNG, JPEG, GIF, BMP, WebP or TIFF within the limits, upright, scaled down to at most [`MAX_SIDE`].
    /// Of an animation the first frame counts. Blocks for as long as decoding
    /// takes, and until there is room for it.
    pub(super) fn decode(&self, bytes: &[u8]) -> Result<DynamicImage, PictureError> {
        // A decoder that panics on a file has met a broken file; it holds nothing that outlives it.
        catch_unwind(AssertUnwindSafe(|| self.decode_guarded(bytes)))
            .unwrap_or_else(|_| Err(PictureError::Undecodable("the decoder gave up".to_owned())))
    }

    fn decode_guarded(&self, bytes: &[u8]) -> Result<DynamicImage, PictureError> {
        if bytes.is_empty() {
            return Err(PictureError::Undecodable("the file is empty".to_owned()));
        }
        let mut reader =
            ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| undecodable(&e.into()))?;
        let Some(format) = reader.format() else {
            return Err(PictureError::Undecodable("it is no PNG, JPEG, GIF, BMP, WebP or TIFF".to_owned()));
        };
        let claims = claims::read(format, bytes).map_err(|reason| PictureError::Undecodable(reason.to_owned()))?;
        let (frame_width, frame_height) = claims.frame.unwrap_or_default();
        self.check_pixels(frame_width, frame_height)?;
        // One row of the picture, and what stands before it.
        let row_bytes = u64::from(frame_width) * MAX_PIXEL_BYTES;
        reader.limits(limits(HEADER_BYTES + claims.metadata + row_bytes));
        let mut decoder = reader.into_decoder().map_err(|e| undecodable(&e))?;
        let (width, height) = decoder.dimensions();
        self.check_pixels(width, height)?;
        // A picture without readable metadata is upright.
        let orientation =
            claims.orientation.or_else(|| decoder.orientation().ok()).unwrap_or(Orientation::NoTransforms);
        let frame_bytes = u64::from(frame_width) * u64::from(frame_height) * FRAME_PIXEL_BYTES;
        let needed = match format {
            ImageFormat::Png | ImageFormat::Bmp => decoder.total_bytes(),
            // the screen, and beside it the frame
            ImageFormat::Gif => decoder.total_bytes().saturating_add(frame_bytes),
            _ => decoder.total_bytes().max(frame_bytes).saturating_mul(MOST_COPIES),
        };
        let room = self.room.take(needed);
        decoder.set_limits(limits(needed + bytes.len() as u64 + HEADER_BYTES)).map_err(|e| undecodable(&e))?;
        let mut picture = scaled_down(DynamicImage::from_decoder(decoder).map_err(|e| undecodable(&e))?);
        drop(room);
        picture.apply_orientation(orientation);
        Ok(picture)
    }

    fn check_pixels(&self, width: u32, height: u32) -> Result<(), PictureError> {
        let max_pixels = self.max_pixels;
        if u64::from(width) * u64::from(height) > max_pixels {
            return Err(PictureError::TooManyPixels { width, height, max_pixels });
        }
        Ok(())
    }
}

/// Memory is what is limited; sides are not, where their product is not too large.
fn limits(max_bytes: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(max_bytes);
    limits
}

fn scaled_down(picture: DynamicImage) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    let longest = width.max(height);
    if longest <= MAX_SIDE {
        return picture;
    }
    let side = |pixels: u32| (f64::from(pixels) * f64::from(MAX_SIDE) / f64::from(longest)).round().max(1.0) as u32;
    picture.thumbnail_exact(side(width), side(height))
}

/// What a decoder refuses a file for: its size, or the reason on one line. What a decoder says of itself is fit for the
/// client, since it holds no secrets of ours.
fn undecodable(error: &ImageError) -> PictureError {
    if matches!(error, ImageError::Limits(_)) {
        return PictureError::TooMuchMemory;
    }
    const MAX_CHARS: usize = 200;
    let text = error.to_string();
    let reason: String = text.trim_end_matches('.').chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    PictureError::Undecodable(reason.chars().take(MAX_CHARS).collect())
}
