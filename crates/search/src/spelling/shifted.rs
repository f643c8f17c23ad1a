//! The shifted coordinates of Chinese maps: GCJ-02 of the survey office, and BD-09 which Baidu
//! makes of it. Formulas as published by reverse engineering (eviltransform, coordtransform).

use std::f64::consts::PI;

/// Semi-major axis and squared eccentricity of the Krassowsky 1940 ellipsoid.
const AXIS: f64 = 6_378_245.0;
const ECCENTRICITY: f64 = 0.006_693_421_622_965_943;

/// Latitude and longitude in GCJ-02; `None` outside the rectangle in which maps are shifted.
pub(super) fn gcj02(latitude: f64, longitude: f64) -> Option<(f64, f64)> {
    if !(0.8293..=55.8271).contains(&latitude) || !(72.004..=137.8347).contains(&longitude) {
        return None;
    }
    let (x, y) = (longitude - 105.0, latitude - 35.0);
    let radians = latitude.to_radians();
    let magic = 1.0 - ECCENTRICITY * radians.sin().powi(2);
    let root = magic.sqrt();
    let by_latitude = northward(x, y).to_degrees() / (AXIS * (1.0 - ECCENTRICITY) / (magic * root));
    let by_longitude = eastward(x, y).to_degrees() / (AXIS / root * radians.cos());
    Some((latitude + by_latitude, longitude + by_longitude))
}

/// BD-09 of a position in GCJ-02.
pub(super) fn bd09((latitude, longitude): (f64, f64)) -> (f64, f64) {
    let turn = PI * 3000.0 / 180.0;
    let radius = longitude.hypot(latitude) + 0.00002 * (latitude * turn).sin();
    let angle = latitude.atan2(longitude) + 0.000_003 * (longitude * turn).cos();
    (radius * angle.sin() + 0.006, radius * angle.cos() + 0.0065)
}

/// Shift to the north, in metres.
fn northward(x: f64, y: f64) -> f64 {
    -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + waves(x, [(20.0, 6.0), (20.0, 2.0)])
        + waves(y, [(20.0, 1.0), (40.0, 1.0 / 3.0)])
        + waves(y, [(160.0, 1.0 / 12.0), (320.0, 1.0 / 30.0)])
}

/// Shift to the east, in metres.
fn eastward(x: f64, y: f64) -> f64 {
    300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + waves(x, [(20.0, 6.0), (20.0, 2.0)])
        + waves(x, [(20.0, 1.0), (40.0, 1.0 / 3.0)])
        + waves(x, [(150.0, 1.0 / 12.0), (300.0, 1.0 / 30.0)])
}

fn waves(at: f64, pair: [(f64, f64); 2]) -> f64 {
    pair.iter().map(|(height, rate)| height * (rate * at * PI).sin()).sum::<f64>() * 2.0 / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: (f64, f64), expected: (f64, f64)) {
        assert!((found.0 - expected.0).abs() < 1e-6 && (found.1 - expected.1).abs() < 1e-6, "{found:?}");
    }

    /// The pairs of eviltransform's own tests.
    #[test]
    fn known_pairs() {
        near(gcj02(31.177_427_6, 121.527_210_6).unwrap(), (31.175_303_983_645_97, 121.531_541_859_215));
        near(gcj02(22.543_847, 113.912_316).unwrap(), (22.540_796_131_694_766, 113.917_176_480_836_3));
        assert_eq!(gcj02(-48.876, -123.393), None);
    }

    #[test]
    fn baidu_adds_its_own_shift() {
        near(bd09((39.915, 116.404)), (39.921_336_993_510_21, 116.410_369_493_710_29));
    }
}
