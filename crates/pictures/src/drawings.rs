//! Pictures for tests, drawn by a fixed generator.

use crate::luma::Luma;
use jpeg_encoder::{ColorType, Encoder};

/// A picture of soft noise at three sizes and of discs, drawn by a fixed generator.
pub(crate) fn photo(width: usize, height: usize, seed: u64) -> Luma {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let grids: Vec<(usize, Vec<usize>)> =
        [97, 31, 11].iter().map(|cell| (*cell, (0..60 * 60).map(|_| draw(80)).collect())).collect();
    let discs: Vec<_> = (0..40).map(|_| (draw(width), draw(height), 8 + draw(60), draw(160))).collect();
    let pixel = |x: usize, y: usize| {
        let noise: usize = grids.iter().map(|(cell, values)| values[(y / cell) % 60 * 60 + (x / cell) % 60]).sum();
        let over =
            discs.iter().rev().find(|(u, v, radius, _)| x.abs_diff(*u).pow(2) + y.abs_diff(*v).pow(2) < radius.pow(2));
        over.map_or(noise, |(.., grey)| noise / 3 + grey) as u8
    };
    Luma::new(
        width,
        height,
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect(),
    )
    .unwrap()
}

/// A screen of rows with marks like letters, seven by nine pixels; `name` is the last row's contents.
pub(crate) fn screen(rows: u64, name: u64) -> Luma {
    let (width, height) = (360, 720);
    let mut pixels = vec![245_u8; width * height];
    let contents = (0..13_u64).map(|row| (row, rows ^ row)).chain([(13, name)]);
    for (row, content) in contents {
        for letter in 0..24_u64 {
            let shape = (content * 1_000 + letter + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 1;
            for bit in (0..63_u64).filter(|bit| shape >> bit & 1 == 1) {
                let (x, y) = (30 + letter * 12 + bit % 7, 30 + row * 48 + bit / 7);
                pixels[y as usize * width + x as usize] = 20;
            }
        }
    }
    Luma::new(width, height, pixels).unwrap()
}

/// With the grain of a photograph: hardly a pixel is like its neighbours.
pub(crate) fn grainy(picture: &Luma) -> Luma {
    let grain = |at: usize| ((at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 61) as u8;
    let pixels = picture.pixels().iter().enumerate().map(|(at, pixel)| pixel.saturating_add(grain(at)));
    Luma::new(picture.width(), picture.height(), pixels.collect()).unwrap()
}

/// A screen without one of its rows.
pub(crate) fn blanked(screen: &Luma, row: usize) -> Luma {
    let mut pixels = screen.pixels().to_vec();
    let start = (30 + row * 48) * screen.width();
    pixels[start..start + 12 * screen.width()].fill(245);
    Luma::new(screen.width(), screen.height(), pixels).unwrap()
}

/// A card: half of it is plain, half a pattern like a photograph's that all cards share; the name is the last row's.
pub(crate) fn card(name: u64, width: usize, height: usize) -> Luma {
    let (pattern, text) = (photo(width, height, 77), screen(900, name));
    let mut pixels = pattern.pixels().to_vec();
    for y in 0..height {
        for x in 0..width {
            let plain = (y / 24) % 3 != 0;
            let letters = text.row((y + 300).min(719)).get(x).copied().unwrap_or(245);
            if plain {
                pixels[y * width + x] = letters;
            }
        }
    }
    Luma::new(width, height, pixels).unwrap()
}

/// As a file, with a restart after so many blocks.
pub(crate) fn jpeg(picture: &Luma, interval: u16) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    if interval > 0 {
        encoder.set_restart_interval(interval);
    }
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    encoder.encode(picture.pixels(), width, height, ColorType::Luma).unwrap();
    file
}
