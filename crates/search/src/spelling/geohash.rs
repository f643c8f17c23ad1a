//! Geohash (G. M. Morton's curve in Niemeyer's base 32): both coordinates in one word whose
//! beginnings are coarser positions.

const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// Twelve characters, 3.7 by 1.9 centimetres at the equator.
const LENGTH: usize = 12;

/// The geohash of a position in degrees.
pub(super) fn geohash(latitude: f64, longitude: f64) -> String {
    let mut ranges = [(-180.0, 180.0), (-90.0, 90.0)];
    let values = [longitude, latitude];
    let mut code = String::with_capacity(LENGTH);
    for character in 0..LENGTH {
        let mut index = 0u8;
        for bit in 0..5 {
            let axis = (character * 5 + bit) % 2;
            let (low, high) = ranges[axis];
            let middle = f64::midpoint(low, high);
            let upper = values[axis] >= middle;
            ranges[axis] = if upper { (middle, high) } else { (low, middle) };
            index = index << 1 | u8::from(upper);
        }
        code.push(char::from(ALPHABET[usize::from(index & 31)]));
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_its_inventor() {
        assert!(geohash(57.64911, 10.40744).starts_with("u4pruydqqvj"));
        assert!(geohash(42.605, -5.603).starts_with("ezs42"));
    }
}
