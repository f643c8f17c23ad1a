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
