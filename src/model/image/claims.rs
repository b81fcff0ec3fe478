//! Claims: what a file says of itself beside the size that its decoder tells, read here before a decoder believes it.
//!
//! Decoders take memory for a frame or for metadata by what the file says, and some before they compare that with
//! anything. What is read here takes none.

use image::{ImageFormat, metadata::Orientation};
use memchr::memmem;

/// Scans of a JPEG at most: each is one more pass over the whole picture. Encoders make about ten.
const MAX_JPEG_SCANS: usize = 64;

/// What a file of one format claims.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    /// The largest frame that the decoder would make room for, as width and height in pixels; it may be larger than the
    /// picture.
    pub(super) frame: Option<(u32, u32)>,
    /// Bytes that the decoder keeps of metadata, at most.
    pub(super) metadata: u64,
    /// How the picture is turned, where the decoder is not to be asked for it.
    pub(super) orientation: Option<Orientation>,
}

/// Reads the claims of a file, or says why no decoder is to see it.
pub(super) fn read(format: ImageFormat, bytes: &[u8]) -> Result<Claims, &'static str> {
    match format {
        ImageFormat::Png => Ok(png(bytes)),
        ImageFormat::Jpeg => jpeg(bytes),
        ImageFormat::Gif => gif(bytes).ok_or("the GIF file ends before its first frame"),
        ImageFormat::WebP => webp(bytes),
        ImageFormat::Tiff if has_long_tags(bytes) => Err("a tag of the TIFF file has too many values"),
        ImageFormat::Tiff => Ok(Claims { frame: jpeg_frame(bytes), ..Claims::default() }),
        _ => Ok(Claims::default()),
    }
}

/// The size is in the first chunk. Metadata are all chunks but those of the picture itself; the decoder has a chunk, a
/// buffer of up to twice its size, and the text in it.
fn png(bytes: &[u8]) -> Claims {
    const SIGNATURE: usize = 8;
    let (mut frame, mut metadata, mut at) = (None, 0, SIGNATURE);
    while let (Some(length), Some(kind)) = (u32_be(bytes, at), bytes.get(at + 4..at + 8)) {
        match kind {
            b"IHDR" => frame = frame.or(u32_be(bytes, at + 8).zip(u32_be(bytes, at + 12))),
            b"IDAT" | b"fdAT" => {}
            _ => metadata += 3 * u64::from(length).min(bytes.len() as u64),
        }
        // length, kind and checksum stand around the data
        at = at.saturating_add(12).saturating_add(length as usize);
    }
    Claims { frame, metadata, orientation: None }
}

/// The decoder fills up what is missing of a JPEG with grey, without a word. A whole file has a scan and an end mark; what
/// stands after that, such as the film of a motion photo, is not the picture's.
fn jpeg(bytes: &[u8]) -> Result<Claims, &'static str> {
    const ENDS: &str = "the JPEG file ends too early";
    let (mut at, mut scans) = (0, 0);
    loop {
        let rest = bytes.get(at..).ok_or(ENDS)?;
        at += memchr::memchr(0xff, rest).ok_or(ENDS)? + 1;
        match *bytes.get(at).ok_or(ENDS)? {
            // a byte of the scan itself, a restart, the start of the file, or no more than a filling byte
            0 | 1 | 0xd0..=0xd8 => at += 1,
            0xff => {}
            0xd9 if scans > 0 => return Ok(Claims::default()),
            0xd9 => return Err("the JPEG file holds no picture"),
            marker => {
                if marker == 0xda {
                    scans += 1;
                }
                if scans > MAX_JPEG_SCANS {
                    return Err("the JPEG file has more than 64 scans");
                }
                at += 1 + usize::from(u16_be(bytes, at + 1).ok_or(ENDS)?).max(2);
            }
        }
    }
}

/// Whether the first directory of a TIFF, the only one that is read, says of a tag that the decoder reads that it has more
/// values than such a tag has. Each becomes 32 bytes, whatever it is in the file. Broken ones are the decoder's business.
fn has_long_tags(bytes: &[u8]) -> bool {
    /// 50 million pixels in tiles of 16 x 16 are fewer, and so are the rows of a picture in strips of one.
    const MAX_CHUNKS: u64 = 1 << 18;
    const MAX_TABLE_BYTES: u64 = 1 << 16;
    /// The decoder has use for at most one value for each of five samples.
    const MAX_VALUES: u64 = 16;
    let is_little = bytes.starts_with(b"II");
    let number = |at: u64, length: u64| -> Option<u64> {
        let at = usize::try_from(at).ok()?;
        let field = bytes.get(at..at.checked_add(length as usize)?)?;
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if is_little { field.iter().rev().fold(0, join) } else { field.iter().fold(0, join) })
    };
    // Big TIFF has longer numbers.
    let is_big = number(2, 2) == Some(43);
    let (first, entries_length, entry_length, word) = if is_big { (8, 8, 20, 8) } else { (4, 2, 12, 4) };
    let Some(directory) = number(first, word) else { return false };
    let entries = number(directory, entries_length).unwrap_or(0);
    let mut at = directory.saturating_add(entries_length);
    for _ in 0..entries {
        let (Some(tag), Some(values)) = (number(at, 2), number(at.saturating_add(4), word)) else { return false };
        let most = match tag {
            // offsets and lengths of strips and tiles
            273 | 279 | 324 | 325 => MAX_CHUNKS,
            // JPEG tables
            347 => MAX_TABLE_BYTES,
            // sides, samples, compression, orientation and the like
            256..=259 | 262 | 274 | 277 | 278 | 284 | 317 | 322 | 323 | 338 | 339 | 530 => MAX_VALUES,
            _ => u64::MAX,
        };
        if values > most {
            return true;
        }
        at = at.saturating_add(entry_length);
    }
    false
}

/// The largest JPEG frame anywhere in a file: a TIFF's strips and tiles may be whole JPEG files of any size. By chance the
/// bytes of such a header hardly occur: a marker, the length for one to four components, 8 bits, height, width, their
/// number.
fn jpeg_frame(bytes: &[u8]) -> Option<(u32, u32)> {
    let frames = memchr::memchr_iter(0xff, bytes).filter_map(|at| {
        let header = bytes.get(at + 1..at + 10)?;
        let components = header[8];
        let is_frame = matches!(header[0], 0xc0..=0xc2)
            && matches!(components, 1..=4)
            && header[1..4] == [0, 8 + 3 * components, 8];
        let side = |at| u16_be(header, at).map(u32::from);
        is_frame.then_some(())?;
        side(6).zip(side(4))
    });
    largest(frames)
}

/// The first frame of a GIF, of which the size of the logical screen says nothing.
fn gif(bytes: &[u8]) -> Option<Claims> {
    const SCREEN_END: usize = 13;
    let colours = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = SCREEN_END + colours(*bytes.get(10)?);
    // An extension: its mark, what it is, then blocks that begin with their lengths, to one of none.
    while *bytes.get(at)? == b'!' {
        at += 2;
        while *bytes.get(at)? != 0 {
            at += 1 + usize::from(*bytes.get(at)?);
        }
        at += 1;
    }
    if *bytes.get(at)? != b',' {
        return None;
    }
    let side = |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    Some(Claims { frame: Some((side(at + 5)?, side(at + 7)?)), ..Claims::default() })
}

/// No chunk of a WebP ends beyond the file, since the decoder makes room for it as a whole. Its frames may be of other
/// sizes than the picture, and are compared with it only when they are decoded.
fn webp(bytes: &[u8]) -> Result<Claims, &'static str> {
    const FIRST_CHUNK: usize = 12;
    // The decoder would take metadata from other places too, where the file's length is wrong.
    let mut orientation = Orientation::NoTransforms;
    let end = u32_le(bytes, 4).map_or(0, |length| bytes.len().min((length as usize).saturating_add(8)));
    let mut at = FIRST_CHUNK;
    while at + 8 <= end {
        let Some(length) = u32_le(bytes, at + 4) else { break };
        let data = at + 8..(at + 8).saturating_add(length as usize);
        let next = data.end.saturating_add(length as usize & 1);
        let chunk = bytes.get(data).ok_or("a chunk of the WebP file ends beyond it")?;
        if bytes[at..].starts_with(b"EXIF") {
            orientation = Orientation::from_exif_chunk(chunk).unwrap_or(orientation);
        }
        at = next;
    }
    // A lossy frame, wherever it stands: its chunk's name and length, 3 bytes, its signature, width and height in 14 bits.
    let frames = memmem::find_iter(bytes, b"VP8 ").filter_map(|at| {
        let header = bytes.get(at + 11..at + 18)?;
        let side = |at: usize| u32::from(u16::from_le_bytes([header[at], header[at + 1]]) & 0x3fff);
        header.starts_with(&[0x9d, 0x01, 0x2a]).then(|| (side(3), side(5)))
    });
    Ok(Claims { frame: largest(frames), metadata: 0, orientation: Some(orientation) })
}

fn largest(frames: impl Iterator<Item = (u32, u32)>) -> Option<(u32, u32)> {
    frames.max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
}

fn u16_be(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    u32_be(bytes, at).map(u32::swap_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jpeg_inside_a_tiff_claims_its_own_size() {
        let small = [0xff, 0xc0, 0, 11, 8, 0, 8, 0, 16, 1];
        let large = [0xff, 0xc2, 0, 17, 8, 0x40, 0, 0x30, 0, 3];
        // neither 12 bits nor a length that does not fit make a frame
        let none =
            [[0xff, 0xc0, 0, 11, 12, 0xff, 0xff, 0xff, 0xff, 1], [0xff, 0xc0, 0, 17, 8, 0xff, 0xff, 0xff, 0xff, 1]];
        let file = [b"II*\0\x08\0\0\0\0\0".as_slice(), &small, &large, &none.concat()].concat();
        let claims = read(ImageFormat::Tiff, &file).expect("nothing is wrong with its tags");
        assert_eq!(claims.frame, Some((0x3000, 0x4000)));
    }

    #[test]
    fn whatever_is_cut_off_is_read_without_a_panic() {
        let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xda, 0, 2, 5, 0xff, 0, 0xff, 0xd0, 0xff, 0xd9];
        assert_eq!(read(ImageFormat::Jpeg, &jpeg), Ok(Claims::default()));
        for length in 0..jpeg.len() {
            assert!(read(ImageFormat::Jpeg, &jpeg[..length]).is_err(), "{length} bytes");
        }
        let all_ones = [0xff; 64];
        for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Tiff] {
            for length in 0..all_ones.len() {
                let _ = read(format, &all_ones[..length]);
            }
        }
    }
}
