//! Positions on the earth.

use super::geohash::geohash;
use super::list::{List, Spelling};
use super::number::bits_of_digits;
use super::shifted;
use dyetrace_case::Strength;

/// Decimals at which coordinates are written by the programs that round them.
const DECIMALS: std::ops::RangeInclusive<usize> = 3..=7;

/// Decimal powers by which fixed-point coordinates are multiplied: microdegrees in older Android
/// interfaces, 1e7 in newer ones, 1e5 in polylines.
const SCALES: [(&str, f64); 3] = [("E7", 1e7), ("E6", 1e6), ("E5", 1e5)];

/// Shortest geohash that is exact enough to stand for the position: half a metre.
const EXACT_GEOHASH: usize = 10;

/// One of the two numbers.
struct Coordinate<'a> {
    name: &'static str,
    text: &'a str,
    degrees: f64,
    /// Bits of its digits.
    bits: f64,
    /// Digits of the whole degrees in NMEA 0183.
    width: usize,
}

/// `latitude,longitude`: each on its own and both together.
pub(super) fn push(text: &str, list: &mut List) {
    let mut parts = text.split([',', ';', ' ']).filter(|part| !part.is_empty());
    let latitude = parts.next().and_then(|part| coordinate("latitude", part, 2));
    let longitude = parts.next().and_then(|part| coordinate("longitude", part, 3));
    for each in [&latitude, &longitude].into_iter().flatten() {
        list.number(each.name, each.text);
    }
    for each in [&latitude, &longitude].into_iter().flatten() {
        rounded(each, list);
        machine(each, list);
        minutes(each, list);
    }
    if let (Some(latitude), Some(longitude)) = (&latitude, &longitude) {
        both(latitude, longitude, list);
    }
}

fn coordinate<'a>(name: &'static str, text: &'a str, width: usize) -> Option<Coordinate<'a>> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
    let degrees = text.parse::<f64>().ok().filter(|number| plain && number.abs() <= 180.0)?;
    let bits = bits_of_digits(text.bytes().filter(u8::is_ascii_digit).count());
    text.contains('.').then_some(Coordinate { name, text, degrees, bits, width })
}

/// Rounded and cut to fewer decimals, or filled up with zeros.
fn rounded(each: &Coordinate, list: &mut List) {
    let Some((whole, decimals)) = each.text.split_once('.') else { return };
    for kept in DECIMALS {
        let nearest = format!("{:.kept$}", each.degrees);
        if kept > decimals.len() {
            list.number(&format!("{} to {kept} decimals", each.name), &nearest);
            continue;
        }
        let cut = format!("{whole}.{}", decimals.get(..kept).unwrap_or_default());
        for text in [nearest, cut] {
            let form = format!("{} to {kept} decimals", each.name);
            if let Some(number) = text.parse::<f64>().ok().filter(|_| kept >= 4) {
                let bits = bits_of_digits(text.bytes().filter(u8::is_ascii_digit).count());
                list.float(&form, number, bits, Strength::Derived);
            }
            list.insert(Spelling::text(form, text).bounded().derived());
        }
    }
}

/// IEEE 754 and fixed-point numbers.
fn machine(each: &Coordinate, list: &mut List) {
    let name = each.name;
    list.raw(&format!("{name}, float64 little-endian"), each.degrees.to_le_bytes(), each.bits);
    list.raw(&format!("{name}, float64 big-endian"), each.degrees.to_be_bytes(), each.bits);
    list.float(&format!("{name}, float64"), each.degrees, each.bits, Strength::Exact);
    let single = f64::from(each.degrees as f32);
    list.float(&format!("{name}, float32"), single, each.bits.min(24.0), Strength::Exact);
    for (scale, factor) in SCALES {
        let exact = each.degrees * factor;
        for number in [exact.round(), exact.trunc()] {
            let (form, text) = (format!("{name}, {scale}"), format!("{number:.0}"));
            list.integer(&form, number as i128, bits_of_digits(text.len()).min(each.bits));
            list.insert(Spelling::text(form, text).bounded());
        }
    }
}

/// Degrees, minutes and seconds to the whole second, so that any decimals behind match too; and
/// NMEA 0183's `ddmm.mmmm`. The hemisphere stands beside it and is no part of the number.
fn minutes(each: &Coordinate, list: &mut List) {
    let degrees = each.degrees.abs();
    let in_minutes = degrees.fract() * 60.0;
    let (whole, minute, second) = (degrees.trunc(), in_minutes.trunc(), (in_minutes.fract() * 60.0).trunc());
    let form = format!("{} in degrees, minutes, seconds", each.name);
    for text in [
        format!("{whole}°{minute}'{second}"),
        format!("{whole}°{minute:02}'{second:02}"),
        format!("{whole}° {minute}' {second}"),
        format!("{whole}°{minute}′{second}"),
    ] {
        list.insert(Spelling::text(&form, text).bounded().derived().carrying(bits_of_digits(6)));
    }
    for decimals in [4usize, 5, 6] {
        let width = each.width;
        let tens = 10f64.powi(decimals as i32);
        for minutes in [(in_minutes * tens).round() / tens, (in_minutes * tens).trunc() / tens] {
            let text = format!("{whole:0width$.0}{minutes:0fill$.decimals$}", fill = decimals + 3);
            list.insert(Spelling::text(format!("{} as in NMEA 0183", each.name), text).bounded().derived());
        }
    }
}

/// Both numbers side by side, as one geohash, and shifted as Chinese maps are.
fn both(latitude: &Coordinate, longitude: &Coordinate, list: &mut List) {
    list.push("latitude first", format!("{},{}", latitude.text, longitude.text));
    list.push("longitude first", format!("{},{}", longitude.text, latitude.text));
    let bits = latitude.bits + longitude.bits;
    for (order, [first, second]) in
        [("latitude first", [latitude, longitude]), ("longitude first", [longitude, latitude])]
    {
        let [a, b] = [first.degrees, second.degrees];
        let singles = [a as f32, b as f32];
        list.raw(&format!("{order}, float32 little-endian"), singles.map(f32::to_le_bytes).concat(), bits.min(48.0));
        list.raw(&format!("{order}, float32 big-endian"), singles.map(f32::to_be_bytes).concat(), bits.min(48.0));
        for (scale, factor) in &SCALES[..2] {
            let fixed = [a, b].map(|degrees| (degrees * factor).round() as i32);
            list.raw(&format!("{order}, {scale} little-endian"), fixed.map(i32::to_le_bytes).concat(), bits);
            list.raw(&format!("{order}, {scale} big-endian"), fixed.map(i32::to_be_bytes).concat(), bits);
        }
    }
    let hash = geohash(latitude.degrees, longitude.degrees);
    for length in (7..=hash.len()).rev() {
        let spelling = Spelling::text(format!("geohash of {length}"), &hash[..length]).carrying(5.0 * length as f64);
        list.insert(if length >= EXACT_GEOHASH { spelling } else { spelling.derived() });
    }
    shifts(latitude.degrees, longitude.degrees, list);
}

fn shifts(latitude: f64, longitude: f64, list: &mut List) {
    let Some(gcj) = shifted::gcj02(latitude, longitude) else { return };
    for (system, position) in [("GCJ-02", gcj), ("BD-09", shifted::bd09(gcj))] {
        for (name, degrees) in [("latitude", position.0), ("longitude", position.1)] {
            for decimals in 4usize..=6 {
                let spelling = Spelling::text(format!("{name} in {system}"), format!("{degrees:.decimals$}"));
                list.insert(spelling.bounded().derived());
            }
        }
    }
}
