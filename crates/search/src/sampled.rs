//! Long things looked for at every byte by asking about every fourth byte only: whatever is long enough has a sample
//! wholly in it wherever it begins, and which sample that is tells where it may begin.

/// Bytes between two samples.
pub(crate) const STRIDE: usize = 4;
/// Bytes of a sample, fewer of which may be asked about.
const SAMPLE: usize = 8;
/// Bytes whose samples are asked about together: a bit for each sample.
const ROW: usize = 64 * STRIDE;
/// A row with what its last sample reaches behind it.
type Row = [u8; ROW + SAMPLE - STRIDE];

/// Calls `visit` with each place that is at most three bytes before a sample that may be known, in order and each once.
///
/// `may_be_known` is asked about the eight bytes of each sample, zeros behind the end.
pub(crate) fn each_place(bytes: &[u8], may_be_known: impl Fn([u8; SAMPLE]) -> bool, mut visit: impl FnMut(usize)) {
    let mut places = |start: usize, mut known: u64| {
        while known != 0 {
            let sample = start + known.trailing_zeros() as usize * STRIDE;
            (sample.saturating_sub(STRIDE - 1)..=sample).for_each(&mut visit);
            known &= known - 1;
        }
    };
    let mut start = 0;
    while let Some(row) = bytes.get(start..).and_then(<[u8]>::first_chunk) {
        places(start, known_samples(row, ROW / STRIDE, &may_be_known));
        start += ROW;
    }
    let rest = bytes.get(start..).unwrap_or_default();
    let mut row = [0; size_of::<Row>()];
    row[..rest.len()].copy_from_slice(rest);
    // Samples further behind the end tell of no place before it.
    let samples = (rest.len() / STRIDE + 2).min(ROW / STRIDE);
    places(start, known_samples(&row, samples, &may_be_known));
}

/// Without branches, so that the processor has many look-ups under way at once.
#[inline]
fn known_samples(row: &Row, samples: usize, may_be_known: impl Fn([u8; SAMPLE]) -> bool) -> u64 {
    let samples = row.array_windows::<SAMPLE>().step_by(STRIDE).take(samples);
    (0..).zip(samples).fold(0, |known, (number, sample)| known | u64::from(may_be_known(*sample)) << number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn eleven_bytes_are_met_wherever_they_begin(length in 11usize..700, place in any::<proptest::sample::Index>()) {
            let place = place.index(length - 10);
            let mut bytes = vec![0; length];
            bytes[place..place + 11].copy_from_slice(b"abcdefghijk");
            let is_known = |eight: [u8; 8]| b"abcdefghijk".windows(8).any(|window| window == eight);
            let mut places = Vec::new();
            each_place(&bytes, is_known, |at| places.push(at));
            prop_assert!(places.contains(&place));
            prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
            // One sample only.
            prop_assert!(places.len() <= STRIDE);
        }
    }

    #[test]
    fn every_place_is_visited_once_where_all_samples_may_be_known() {
        for length in [0, 1, 255, 256, 259, 260, 261, 600] {
            let mut places = Vec::new();
            each_place(&vec![0; length], |_| true, |at| places.push(at));
            assert!(places.iter().copied().eq(0..places.len()));
            // What begins behind the last sample has fewer than eleven bytes.
            assert!(places.len() + 10 >= length);
        }
    }
}
