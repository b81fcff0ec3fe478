//! Small files that claim much: a decoder that believed them would take memory that is neither within the limit of pixels
//! nor within the room of all pictures. And files with more in them than a picture, which are answered.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat};

use crate::app::Response;
use crate::classify::{Sqlite, classify};

/// What may come on top of a picture of a few pixels.
const MOST_KIB: u64 = 24 << 10;

fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(16, 16).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Sends the file to a server that has seen ordinary ones; its answer must not cost memory.
fn cheap_answer(file: &[u8]) -> Response {
    let server = Sqlite::start(&[]);
    for format in [ImageFormat::Gif, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff] {
        assert_eq!(classify(&server.app, "/classify", &picture(format)).status, 200, "{format:?}");
    }
    let before = server.app.peak_kib();
    let answer = classify(&server.app, "/classify", file);
    let grown = server.app.peak_kib() - before;
    assert!(grown < MOST_KIB, "{grown} KiB for a file of {} bytes, answered with {}", file.len(), answer.status);
    answer
}

fn detail(answer: &Response, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()["detail"].as_str().unwrap_or_default().to_owned()
}

/// A GIF whose logical screen is one pixel, with a frame of this size that holds one pixel.
fn gif(side: u16) -> Vec<u8> {
    let screen = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".as_slice();
    let comment = b"!\xfe\x03abc\0".as_slice();
    let frame = [&b",\0\0\0\0"[..], &side.to_le_bytes(), &side.to_le_bytes(), b"\0\x02\x02\x44\x01\0;"].concat();
    [screen, comment, &frame].concat()
}

#[test]
fn a_gif_frame_larger_than_its_screen_counts_with_its_own_pixels() {
    let answer = cheap_answer(&gif(14_000));
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["errors"][0]["detail"], "is 14000 x 14000 pixels, the limit is 50000000 pixels");
    assert_eq!(cheap_answer(&gif(1)).status, 200);
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

/// Zeros as zlib has them: one, and then `copies` times the 258 before.
fn deflated_zeros(copies: usize) -> Vec<u8> {
    // last block, fixed codes; literal 0; then length 258 and distance 1 each time; end of block
    let bits = "110".to_owned() + "00110000" + &"1100010100000".repeat(copies) + "0000000";
    let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | (bit - b'0'));
    let sum = ((1 + 258 * copies) % 65_521) << 16 | 1;
    let blocks: Vec<u8> = bits.as_bytes().chunks(8).map(byte).collect();
    [&[0x78, 0x01], &blocks[..], &u32::try_from(sum).unwrap().to_be_bytes()].concat()
}

/// A picture with a colour profile of zeros.
fn png_with_profile(copies: usize) -> Vec<u8> {
    let named = [b"iCCPa\0\0", &deflated_zeros(copies)[..]].concat();
    let data_length = u32::try_from(named.len() - 4).unwrap().to_be_bytes();
    let chunk = [&data_length[..], &named, &crc32(&named).to_be_bytes()].concat();
    let whole = picture(ImageFormat::Png);
    const HEADER_END: usize = 33;
    [&whole[..HEADER_END], &chunk, &whole[HEADER_END..]].concat()
}

#[test]
fn a_png_is_read_without_inflating_a_large_profile() {
    assert_eq!(cheap_answer(&png_with_profile(800_000)).status, 200);
    assert_eq!(cheap_answer(&png_with_profile(12)).status, 200);
}

/// An extended WebP of a lossless picture with metadata whose chunk says that it has this many bytes.
fn webp_with_exif(claimed: u32, exif: &[u8]) -> Vec<u8> {
    const FIRST_CHUNK: usize = 12;
    let simple = picture(ImageFormat::WebP);
    let extended = b"VP8X\x0a\0\0\0\x08\0\0\0\x0f\0\0\x0f\0\0".as_slice();
    let rest = [extended, &simple[FIRST_CHUNK..], b"EXIF", &claimed.to_le_bytes(), exif].concat();
    let length = u32::try_from(rest.len() + 4).unwrap().to_le_bytes();
    [b"RIFF", &length[..], b"WEBP", &rest].concat()
}

#[test]
fn webp_metadata_that_end_beyond_the_file_are_refused() {
    let told = detail(&cheap_answer(&webp_with_exif(1 << 30, b"")), 415);
    assert!(told.contains("a chunk of the WebP file ends beyond it"), "{told}");
    assert_eq!(cheap_answer(&webp_with_exif(6, b"II*\0ab")).status, 200);
}

#[test]
fn a_webp_frame_larger_than_its_picture_counts_with_its_own_pixels() {
    let frame = b"VP8 \x0a\0\0\0\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f".as_slice();
    let extended = b"VP8X\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0".as_slice();
    let rest = [extended, frame].concat();
    let length = u32::try_from(rest.len() + 4).unwrap().to_le_bytes();
    let answer = cheap_answer(&[b"RIFF", &length[..], b"WEBP", &rest].concat());
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["errors"][0]["detail"], "is 16383 x 16383 pixels, the limit is 50000000 pixels");
}

/// A grey TIFF of one pixel with one more tag of bytes.
fn tiff_with(tag: u16, values: u32) -> Vec<u8> {
    let long = |tag: u16, value: u32| (tag, 4_u16, 1_u32, value);
    let mut tags =
        vec![long(256, 1), long(257, 1), long(258, 8), long(259, 1), long(262, 1), long(273, 0), long(279, 1)];
    tags.retain(|known| known.0 != tag);
    tags.push((tag, 1, values, 256));
    tags.sort_unstable();
    let mut file = [b"II*\0\x08\0\0\0".as_slice(), &u16::try_from(tags.len()).unwrap().to_le_bytes()].concat();
    for (tag, kind, values, value) in tags {
        file.extend([&tag.to_le_bytes()[..], &kind.to_le_bytes()].concat());
        file.extend([values.to_le_bytes(), value.to_le_bytes()].concat());
    }
    file.resize(256 + values as usize, 1);
    file
}

#[test]
fn tiff_tags_of_millions_of_values_are_refused() {
    const VALUES: u32 = 4_000_000;
    for tag in [258, 273, 274, 279, 338] {
        let told = detail(&cheap_answer(&tiff_with(tag, VALUES)), 415);
        assert!(told.contains("a tag of the TIFF file has too many values"), "{tag}: {told}");
    }
    // One that is not read does not matter.
    assert_eq!(cheap_answer(&tiff_with(34675, VALUES)).status, 200);
}

#[test]
fn a_jpeg_is_answered_whatever_is_appended_to_it() {
    let server = Sqlite::start(&[]);
    let whole = picture(ImageFormat::Jpeg);
    for appended in [&b"\xff\xda"[..], b"ftypmp4\xff\xda\0\x08", b"\0"] {
        let motion = [&whole[..], appended].concat();
        assert_eq!(classify(&server.app, "/classify", &motion).status, 200, "{appended:?}");
    }
    // An end mark in what is appended does not make up for the picture's own.
    let cut = [&whole[..whole.len() - 2], b"\0\xff\x00"].concat();
    detail(&classify(&server.app, "/classify", &cut), 415);
}

#[test]
fn a_jpeg_of_more_scans_than_any_encoder_makes_is_refused() {
    let whole = picture(ImageFormat::Jpeg);
    let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    let scans = whole[scan..whole.len() - 2].repeat(100);
    let told = detail(&cheap_answer(&[&whole[..scan], &scans, b"\xff\xd9"].concat()), 415);
    assert!(told.contains("more than 64 scans"), "{told}");
}
