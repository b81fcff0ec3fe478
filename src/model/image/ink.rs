//! Ink: the strokes of a drawn sign, told from their ground whether dark on light or light on dark.

use super::look::Plane;

/// Weakest contrast that is taken for ink, of the whole range: less is the noise of cameras and of JPEG.
const MIN_CONTRAST: f32 = 0.06;
/// A spot of less than this share of the largest one is dirt, not part of the sign.
const MIN_SPOT: f32 = 0.08;

/// Cuts the sign out, centres it in a square and scales it to `size` x `size` bytes, 255 where all is ink; `None` where
/// there is no ink.
pub(super) fn find(picture: &Plane, size: usize) -> Option<Vec<u8>> {
    let ink = contrast(&smoothed(picture))?;
    let threshold = otsu(&ink.values);
    let spots = spots(&ink, threshold);
    let [left, top, right, bottom] = bounds(&ink, &spots)?;
    // What is fainter than half of the threshold is ground; so is all that belongs to dirt.
    let clean = Plane {
        values: ink
            .values
            .iter()
            .zip(&spots)
            .map(|(value, spot)| if *spot == Spot::Dirt || *value < threshold / 2.0 { 0.0 } else { *value })
            .collect(),
        ..ink
    };
    let (width, height) = (right - left, bottom - top);
    let half = width.max(height) / 2.0;
    let (x, y) = ((left + right) / 2.0, (top + bottom) / 2.0);
    Some(clean.resampled([x - half, y - half, x + half, y + half], size, size).to_bytes())
}

/// A mean over a few pixels of a large picture; a small one is left as it is.
fn smoothed(picture: &Plane) -> Plane {
    const PIXELS_A_STEP: usize = 40;
    let radius = picture.width.min(picture.height) / PIXELS_A_STEP;
    let values = mean_along(&picture.values, picture.width, picture.height, 1, picture.width, radius);
    let values = mean_along(&values, picture.height, picture.width, picture.width, 1, radius);
    Plane { width: picture.width, height: picture.height, values }
}

/// The moving mean of each of `lines` lines of `length` values; `step` to the next value, `stride` to the next line.
fn mean_along(values: &[f32], length: usize, lines: usize, step: usize, stride: usize, radius: usize) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    for line in 0..lines {
        let at = |place: usize| line * stride + place * step;
        for place in 0..length {
            let window = place.saturating_sub(radius)..(place + radius + 1).min(length);
            let count = window.len() as f32;
            out[at(place)] = window.map(|place| values[at(place)]).sum::<f32>() / count;
        }
    }
    out
}

/// How far each pixel is from the ground towards the ink, from 0 to 1. The ground is the median of the rim, and ink is on
/// that side of it where more of the picture is.
fn contrast(picture: &Plane) -> Option<Plane> {
    let (width, height) = (picture.width, picture.height);
    let mut rim: Vec<f32> = (0..width)
        .flat_map(|x| [x, (height - 1) * width + x])
        .chain((0..height).flat_map(|y| [y * width, y * width + width - 1]))
        .map(|at| picture.values[at])
        .collect();
    rim.sort_unstable_by(f32::total_cmp);
    let ground = rim[rim.len() / 2];
    let weight = |sign: f32| picture.values.iter().map(|v| (sign * (v - ground)).max(0.0).powi(2)).sum::<f32>();
    let sign = if weight(1.0) > weight(-1.0) { 1.0 } else { -1.0 };
    let mut depths: Vec<f32> = picture.values.iter().map(|value| (sign * (value - ground)).max(0.0)).collect();
    let mut sorted = depths.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    // The deepest pixels of all may be single ones that are no ink.
    let deepest = sorted[sorted.len() - 1 - sorted.len() / 200];
    if deepest < MIN_CONTRAST {
        return None;
    }
    depths.iter_mut().for_each(|depth| *depth = (*depth / deepest).min(1.0));
    Some(Plane { width, height, values: depths })
}

/// The threshold that parts the values best into two groups (Otsu 1979), from 0 to 1.
fn otsu(values: &[f32]) -> f32 {
    const BINS: usize = 64;
    let mut counts = [0_usize; BINS];
    for value in values {
        counts[((value * BINS as f32) as usize).min(BINS - 1)] += 1;
    }
    let total: usize = counts.iter().enumerate().map(|(bin, count)| bin * count).sum();
    let (mut below, mut sum_below, mut best, mut threshold) = (0, 0, 0.0, BINS / 2);
    for (bin, count) in counts.iter().enumerate() {
        below += count;
        sum_below += bin * count;
        let above = values.len() - below;
        if below == 0 || above == 0 {
            continue;
        }
        let gap = sum_below as f64 / below as f64 - (total - sum_below) as f64 / above as f64;
        let between = below as f64 * above as f64 * gap * gap;
        if between > best {
            (best, threshold) = (between, bin + 1);
        }
    }
    threshold as f32 / BINS as f32
}

/// What a pixel belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    /// Fainter than the threshold.
    Ground,
    /// A spot that is large enough.
    Sign,
    /// A spot that is too small.
    Dirt,
}

/// Parts the pixels at or above the threshold into connected spots, by size.
fn spots(ink: &Plane, threshold: f32) -> Vec<Spot> {
    let mut seen = vec![false; ink.values.len()];
    let mut found: Vec<Vec<usize>> = Vec::new();
    for start in 0..ink.values.len() {
        if seen[start] || ink.values[start] < threshold {
            continue;
        }
        seen[start] = true;
        let mut spot = vec![start];
        let mut next = 0;
        while next < spot.len() {
            let (x, y) = (spot[next] % ink.width, spot[next] / ink.width);
            next += 1;
            for y in y.saturating_sub(1)..(y + 2).min(ink.height) {
                for x in x.saturating_sub(1)..(x + 2).min(ink.width) {
                    let at = y * ink.width + x;
                    if !seen[at] && ink.values[at] >= threshold {
                        seen[at] = true;
                        spot.push(at);
                    }
                }
            }
        }
        found.push(spot);
    }
    let largest = found.iter().map(Vec::len).max().unwrap_or(0);
    let mut spots = vec![Spot::Ground; ink.values.len()];
    for spot in found {
        let kind = if spot.len() as f32 >= MIN_SPOT * largest as f32 { Spot::Sign } else { Spot::Dirt };
        spot.into_iter().for_each(|at| spots[at] = kind);
    }
    spots
}

/// The rectangle `[left, top, right, bottom]` around the sign, in pixels.
fn bounds(ink: &Plane, spots: &[Spot]) -> Option<[f32; 4]> {
    let places = || (0..spots.len()).filter(|&at| spots[at] == Spot::Sign);
    let (left, right) = (places().map(|at| at % ink.width).min()?, places().map(|at| at % ink.width).max()?);
    let (top, bottom) = (places().next()? / ink.width, places().next_back()? / ink.width);
    Some([left as f32, top as f32, right as f32 + 1.0, bottom as f32 + 1.0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cross of 2 x 2 strokes at `(x, y)`, of a depth on a ground.
    fn cross(side: usize, at: (usize, usize), ground: f32, ink: f32) -> Plane {
        let mut values = vec![ground; side * side];
        for step in 0..10 {
            for width in 0..2 {
                values[(at.1 + 4 + width) * side + at.0 + step] = ink;
                values[(at.1 + step) * side + at.0 + 4 + width] = ink;
            }
        }
        Plane { width: side, height: side, values }
    }

    #[test]
    fn a_sign_looks_the_same_wherever_it_stands_and_whichever_is_darker() {
        let first = find(&cross(30, (2, 3), 1.0, 0.0), 10).expect("there is ink");
        assert_eq!(first[4], 255);
        assert_eq!(first[0], 0);
        for plane in [cross(30, (17, 12), 1.0, 0.0), cross(30, (5, 5), 0.0, 1.0), cross(30, (9, 1), 0.75, 0.5)] {
            assert_eq!(find(&plane, 10).expect("there is ink"), first);
        }
    }

    #[test]
    fn a_speck_beside_the_sign_is_not_part_of_it() {
        let clean = cross(30, (2, 3), 1.0, 0.0);
        let mut dirty = cross(30, (2, 3), 1.0, 0.0);
        dirty.values[29 * 30 + 28] = 0.0;
        assert_eq!(find(&dirty, 10), find(&clean, 10));
    }

    #[test]
    fn a_plain_picture_has_no_ink() {
        assert_eq!(find(&Plane { width: 4, height: 4, values: vec![0.4; 16] }, 8), None);
        assert_eq!(find(&Plane { width: 1, height: 1, values: vec![1.0] }, 8), None);
    }
}
