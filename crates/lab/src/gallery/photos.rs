//! What the camera of the lab's phone takes: drawn things under uneven light, with the noise of a sensor.

use super::canvas::{Canvas, Colour, Turn};

const WIDTH: i32 = 800;
const HEIGHT: i32 = 600;

/// An identity card on a table. No office issues such a card.
pub(super) fn identity_card(holder: &str, number: &str) -> Canvas {
    let mut card = Canvas::new(560, 350, [226, 232, 238]);
    card.rectangle(0, 0, 560, 54, [170, 60, 60]);
    card.text(24, 16, 4, [255; 3], "SPECIMEN IDENTITY CARD");
    card.rectangle(392, 84, 140, 180, [190, 200, 214]);
    portrait(&mut card, (462, 190), 2);
    for (row, (name, value)) in [("NAME", holder), ("BORN", "1990.02.30"), ("PLACE", "NOWHERE")].into_iter().enumerate()
    {
        card.text(24, 92 + row as i32 * 62, 2, [90, 100, 120], name);
        card.text(24, 112 + row as i32 * 62, 4, [20; 3], value);
    }
    card.text(24, 302, 4, [20; 3], number);
    let mut photo = table(11);
    photo.lay(&card, (410, 300), Turn { cosine: 3700, sine: -420 });
    developed(photo, 12)
}

/// A face, in front of a wall.
pub(super) fn face() -> Canvas {
    let mut photo = Canvas::new(WIDTH, HEIGHT, [150, 160, 170]);
    photo.change(|x, y, _| shaded([168, 176, 182], soft(21, x, y, 90) - 128));
    photo.rectangle(80, 60, 150, 260, [120, 150, 180]);
    photo.rectangle(92, 72, 126, 112, [190, 214, 230]);
    portrait(&mut photo, (420, 300), 8);
    developed(photo, 22)
}

/// A letter on a table.
pub(super) fn letter(lines: &[&str]) -> Canvas {
    let mut paper = Canvas::new(520, 700, [238, 236, 230]);
    paper.rectangle(40, 40, 60, 60, [0, 96, 88]);
    paper.text(120, 56, 4, [0, 96, 88], "RIVER BANK");
    for (row, line) in lines.iter().enumerate() {
        paper.text(40, 150 + row as i32 * 44, 3, [40; 3], line);
    }
    let mut photo = table(31);
    photo.lay(&paper, (380, 320), Turn { cosine: 4600, sine: 610 });
    developed(photo, 32)
}

/// Wood.
fn table(seed: u32) -> Canvas {
    let mut table = Canvas::new(WIDTH, HEIGHT, [0; 3]);
    table.change(|x, y, _| {
        let grain = soft(seed, x / 9, y, 14) - 128 + (soft(seed + 1, x, y, 160) - 128) / 2;
        shaded([134, 92, 58], grain / 2)
    });
    table
}

/// Shoulders, neck, head, hair, eyes and mouth.
fn portrait(on: &mut Canvas, (x, y): (i32, i32), unit: i32) {
    let at = |across: i32, down: i32| (x + across * unit, y + down * unit);
    on.ellipse(at(0, 36), (26 * unit, 14 * unit), [60, 80, 120]);
    on.ellipse(at(0, 20), (7 * unit, 10 * unit), [206, 160, 130]);
    on.ellipse(at(0, -6), (19 * unit, 24 * unit), [50, 38, 32]);
    on.ellipse(at(0, 0), (15 * unit, 20 * unit), [222, 178, 148]);
    for side in [-6, 6] {
        on.ellipse(at(side, -2), (3 * unit, 2 * unit), [250; 3]);
        on.ellipse(at(side, -2), (unit, unit + unit / 2), [60, 40, 30]);
        on.rectangle(x + side * unit - 3 * unit, y - 7 * unit, 6 * unit, unit, [50, 38, 32]);
    }
    on.ellipse(at(0, 5), (2 * unit, 3 * unit), [206, 156, 128]);
    on.ellipse(at(0, 12), (5 * unit, unit), [176, 84, 84]);
}

/// Light from the upper left, darker corners, and noise.
fn developed(mut photo: Canvas, seed: u32) -> Canvas {
    photo.change(|x, y, colour| {
        let (across, down) = (x - WIDTH / 2, y - HEIGHT / 2);
        let corner = (across * across + down * down) / 6000;
        let light = 14 - (x + y) / 50 - corner / 2 + (soft(seed, x, y, 220) - 128) / 8;
        let noise = (chance(seed, x, y) & 7) + (chance(seed + 1, x, y) & 7) - 7;
        shaded(colour, light + noise)
    });
    photo
}

fn shaded(colour: Colour, light: i32) -> Colour {
    colour.map(|part| (i32::from(part) + light).clamp(0, 255) as u8)
}

/// Smooth hills of about that size, from 0 to 255.
fn soft(seed: u32, x: i32, y: i32, size: i32) -> i32 {
    let (column, row) = (x.div_euclid(size), y.div_euclid(size));
    let (across, down) = (x.rem_euclid(size), y.rem_euclid(size));
    let corner = |right: i32, below: i32| chance(seed, column + right, row + below);
    let above = corner(0, 0) * (size - across) + corner(1, 0) * across;
    let below = corner(0, 1) * (size - across) + corner(1, 1) * across;
    (above * (size - down) + below * down) / (size * size)
}

/// A number from 0 to 255 that follows from the three, mixed as in MurmurHash3's end.
fn chance(seed: u32, x: i32, y: i32) -> i32 {
    let mut hash = seed.wrapping_mul(0x9e37_79b9) ^ (x as u32).wrapping_mul(0x85eb_ca6b) ^ (y as u32).rotate_left(16);
    for factor in [0x85eb_ca6b, 0xc2b2_ae35] {
        hash = (hash ^ (hash >> 15)).wrapping_mul(factor);
    }
    (hash >> 24) as i32
}
