//! Writes handwritten digits as picture files, for `augur train --images` and `augur evaluate --images`:
//!
//! `digits FOLDER` makes `FOLDER/train`, each sample that is learnt from once as it is and a few times as an ordinary
//! picture; `FOLDER/plain`, the samples held aside, as they are; and `FOLDER/ordinary`, those as ordinary pictures, PNG and
//! JPEG in turn. Each has one folder for each label.

#[path = "../tests/it/pictures.rs"]
mod pictures;

use std::path::Path;

use image::ImageFormat;
use pictures::{Drawing, Random, digits, encoded};

/// Ordinary pictures of each sample that is learnt from.
const VARIANTS: usize = 5;

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args().nth(1) else {
        return Err(std::io::Error::other("usage: digits FOLDER"));
    };
    // Two rows of numbers: what is judged by must not change with how much is learnt.
    let (mut learning, mut judging) = (Random(1), Random(2));
    for (at, (digit, held_aside)) in digits().iter().enumerate() {
        let random = if *held_aside { &mut judging } else { &mut learning };
        let write = |part: &str, variant: usize, drawing: &Drawing, random: &mut Random| {
            let folder = Path::new(&folder).join(part).join(digit.label.to_string());
            std::fs::create_dir_all(&folder)?;
            let (format, ending) =
                if (at + variant).is_multiple_of(2) { (ImageFormat::Png, "png") } else { (ImageFormat::Jpeg, "jpg") };
            let picture = encoded(digit.draw(drawing, random), format);
            std::fs::write(folder.join(format!("{at:04}-{variant}.{ending}")), picture)
        };
        let plain = Drawing::plain(64);
        if *held_aside {
            write("plain", 0, &plain, random)?;
            write("ordinary", 0, &Drawing::ordinary(random), random)?;
            continue;
        }
        write("train", 0, &plain, random)?;
        for variant in 1..=VARIANTS {
            write("train", variant, &Drawing::ordinary(random), random)?;
        }
    }
    Ok(())
}
