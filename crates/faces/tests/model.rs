//! With the real model, which must be installed: without it these tests say that they are skipped, and pass; with
//! `DYETRACE_NEEDS_MODELS=1` in the environment they fail instead.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and a skipped test must say so")]

use dyetrace_faces::{Detector, Found, Limits};
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::OnceLock;

fn bytes() -> Option<&'static [u8]> {
    static BYTES: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let base = || named("XDG_DATA_HOME").or_else(|| named("HOME").map(|home| home.join(".local/share")));
    let folder = named("DYETRACE_MODELS").or_else(|| base().map(|base| base.join("dyetrace/models")));
    let read = || std::fs::read(folder?.join("seeta_fd_frontal_v1.0.bin")).ok();
    let bytes = BYTES.get_or_init(read).as_deref();
    if bytes.is_none() {
        let needed = "needs seeta_fd_frontal_v1.0.bin in DYETRACE_MODELS (dyetrace models install)";
        assert!(named("DYETRACE_NEEDS_MODELS").is_none(), "{needed}");
        println!("skipped: {needed}");
    }
    bytes
}

/// That believes everything, so that no place is left out of what is checked.
fn detector() -> Option<&'static Detector> {
    static DETECTOR: OnceLock<Option<Detector>> = OnceLock::new();
    let limits = Limits { side: 400, score: 0.0, places: 300, ..Limits::default() };
    DETECTOR.get_or_init(|| Some(Detector::new(bytes()?, limits).unwrap())).as_ref()
}

/// Numbers that look like chance and are always the same.
fn noise(count: usize, mut state: u64) -> Vec<u8> {
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(next).collect()
}

fn is_inside(found: &Found, width: usize, height: usize) -> bool {
    let inside =
        |start: u32, length: u32, side: usize| length > 0 && u64::from(start) + u64::from(length) <= side as u64;
    found.faces.iter().all(|face| inside(face.left, face.width, width) && inside(face.top, face.height, height))
}

/// Brightness of a drawn face at a place, from its middle, in the thirtieth part of the width of the head.
fn drawn(x: f32, y: f32) -> u8 {
    let within =
        |left: f32, top: f32, wide: f32, high: f32| ((x - left) / wide).powi(2) + ((y - top) / high).powi(2) <= 1.0;
    let eye = 6.0 * x.signum();
    match () {
        () if within(0.0, 12.0, 5.0, 1.0) => 112,
        () if within(0.0, 5.0, 2.0, 3.0) => 165,
        () if (x - eye).abs() < 3.0 && (-7.0..-6.0).contains(&y) => 40,
        () if within(eye, -2.0, 1.0, 1.5) => 45,
        () if within(eye, -2.0, 3.0, 2.0) => 250,
        () if within(0.0, 0.0, 15.0, 20.0) => 186,
        () if within(0.0, -6.0, 19.0, 24.0) => 40,
        () if within(0.0, 20.0, 7.0, 10.0) => 168,
        () if within(0.0, 36.0, 26.0, 14.0) => 80,
        () => 150,
    }
}

/// 300 by 240 pixels with a face whose middle is at 100,110, however it is turned to the right.
fn portrait(turns: usize) -> (usize, usize, Vec<u8>) {
    let (width, height) = if turns.is_multiple_of(2) { (300, 240) } else { (240, 300) };
    // Some light from the upper left, and noise: without any, blocks that are alike count as brighter.
    let noise = noise(width * height, 11);
    let pixel = |at: usize| {
        let (mut x, mut y) = (at % width, at / width);
        for turn in (0..turns).rev() {
            let bottom = if turn.is_multiple_of(2) { 240 } else { 300 };
            (x, y) = (y, bottom - 1 - x);
        }
        let bright = drawn((x as f32 - 100.0) / 4.0, (y as f32 - 110.0) / 4.0);
        bright.saturating_sub(((x + y) / 24) as u8).saturating_add(noise[at] % 8)
    };
    (width, height, (0..width * height).map(pixel).collect())
}

#[test]
fn a_face_is_found_however_the_picture_lies() {
    let Some(bytes) = bytes() else { return };
    let detector = Detector::new(bytes, Limits::default()).unwrap();
    for (turns, (x, y)) in [(100, 110), (130, 100), (200, 130), (110, 200)].into_iter().enumerate() {
        let (width, height, pixels) = portrait(turns);
        let found = detector.find(width, height, &pixels).unwrap();
        let [face] = found.faces[..] else { panic!("{turns}: {found:?}") };
        let is_there =
            (face.left..face.left + face.width).contains(&x) && (face.top..face.top + face.height).contains(&y);
        assert!(is_there && (60..160).contains(&face.width), "{turns}: {face:?}");
    }
}

#[test]
fn pictures_of_odd_sizes_are_looked_at_without_harm() {
    let Some(detector) = detector() else { return };
    let sides = [1, 2, 3, 19, 20, 21, 39, 40, 41, 43, 79, 81, 500, 1999];
    for (width, height) in sides.iter().flat_map(|width| sides.map(|height| (*width, height))) {
        for pixels in [vec![0; width * height], vec![255; width * height], noise(width * height, 7)] {
            assert!(is_inside(&detector.find(width, height, &pixels).unwrap(), width, height), "{width}×{height}");
        }
    }
    for (width, height) in [(65_535, 1), (1, 65_535), (65_535, 15), (15, 65_535)] {
        assert_eq!(detector.find(width, height, &noise(width * height, 9)), Ok(Found::default()));
    }
    assert!(detector.find(0, 0, &[]).is_err() && detector.find(3, 0, &[]).is_err());
    assert!(detector.find(10, 10, &[0; 99]).is_err());
}

#[test]
fn a_model_that_is_cut_or_changed_is_refused_or_used_without_harm() {
    let Some(bytes) = bytes() else { return };
    let limits = Limits { side: 100, score: 0.0, places: 50, ..Limits::default() };
    for cut in [1, 4, 100, 5000, bytes.len() / 2, bytes.len() - 1] {
        assert!(Detector::new(&bytes[..cut], limits).is_err(), "{cut}");
    }
    assert!(Detector::new(&[bytes, &[0]].concat(), limits).is_err());
    let (picture, mut used) = (noise(90 * 80, 3), 0);
    for (at, value) in (0..2000).zip(noise(2000, 5)) {
        let mut changed = bytes.to_vec();
        // Every other one in the first numbers, where counts and places stand.
        let place = if at % 2 == 0 { at } else { at * 7919 % bytes.len() };
        changed[place] = value;
        if let Ok(detector) = Detector::new(&changed, limits) {
            used += 1;
            assert!(is_inside(&detector.find(90, 80, &picture).unwrap(), 90, 80));
        }
    }
    assert!(used > 0, "some changes leave a model");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Blocks of noise, large and small, on any ground: what the first stage lets through, the networks move about.
    #[test]
    fn whatever_is_shown_faces_lie_in_the_picture(
        (width, height) in (20_usize..260, 20_usize..260),
        seed in any::<u64>(),
        block in 1_usize..24,
        ground in any::<u8>(),
    ) {
        let Some(detector) = detector() else { return Ok(()) };
        let blocks = noise(width * height, seed);
        let at = |at: usize| (at / width / block) * width + at % width / block;
        let pixels: Vec<u8> = (0..width * height).map(|place| blocks[at(place)] / 2 + ground / 2).collect();
        let found = detector.find(width, height, &pixels).unwrap();
        prop_assert!(is_inside(&found, width, height));
        prop_assert_eq!(found, detector.find(width, height, &pixels).unwrap());
    }
}
