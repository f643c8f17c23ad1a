//! Originals as they are kept: screens run-length coded at working size, photographs plain and smaller.

use std::borrow::Cow;

use crate::luma::{Luma, limited};

/// Bytes that one original may take.
const BYTES: usize = 1 << 18;
/// Shortest run that is worth a code of its own.
const SHORTEST_RUN: usize = 3;
/// Longest run, and longest stretch of other pixels, of one code.
const LONGEST: usize = 128;

/// A picture in at most [`BYTES`] bytes.
pub(crate) enum Kept {
    Plain(Luma),
    Runs { width: usize, height: usize, bytes: Vec<u8> },
}

impl Kept {
    /// As it is where its runs are short enough, else reduced to fit.
    pub(crate) fn new(picture: &Luma) -> Self {
        let bytes = packed(picture.pixels());
        if bytes.len() <= BYTES {
            return Self::Runs { width: picture.width(), height: picture.height(), bytes };
        }
        Self::Plain(limited(picture, BYTES))
    }

    /// Its width and height.
    pub(crate) fn size(&self) -> (usize, usize) {
        match self {
            Self::Plain(luma) => (luma.width(), luma.height()),
            Self::Runs { width, height, .. } => (*width, *height),
        }
    }

    /// The pixels.
    pub(crate) fn open(&self) -> Option<Cow<'_, Luma>> {
        match self {
            Self::Plain(luma) => Some(Cow::Borrowed(luma)),
            Self::Runs { width, height, bytes } => Luma::new(*width, *height, unpacked(bytes)).map(Cow::Owned),
        }
    }
}

/// Codes as in PackBits (TIFF 6.0, section 9): below 128 one less than how many pixels follow, from 128 on how often
/// the next one is repeated, less one and plus 128.
fn packed(pixels: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut literal = 0;
    let mut at = 0;
    while let Some(pixel) = pixels.get(at) {
        let run = pixels.iter().skip(at).take(LONGEST).take_while(|other| *other == pixel).count();
        if run < SHORTEST_RUN {
            at += 1;
            continue;
        }
        push_literals(&mut out, pixels.get(literal..at).unwrap_or_default());
        out.extend([(run + LONGEST - 1) as u8, *pixel]);
        at += run;
        literal = at;
    }
    push_literals(&mut out, pixels.get(literal..).unwrap_or_default());
    out
}

fn push_literals(out: &mut Vec<u8>, pixels: &[u8]) {
    for stretch in pixels.chunks(LONGEST) {
        out.push((stretch.len() - 1) as u8);
        out.extend(stretch);
    }
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let [code, following @ ..] = rest {
        let count = usize::from(*code) % LONGEST + 1;
        let taken = if usize::from(*code) < LONGEST { count.min(following.len()) } else { following.len().min(1) };
        let (pixels, after) = following.split_at(taken);
        if usize::from(*code) < LONGEST {
            out.extend(pixels);
        } else {
            out.extend(pixels.iter().cycle().take(if taken == 0 { 0 } else { count }));
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(runs in proptest::collection::vec((any::<u8>(), 1_usize..300), 1..60)) {
            let pixels: Vec<u8> = runs.into_iter().flat_map(|(pixel, count)| std::iter::repeat_n(pixel, count)).collect();
            prop_assert_eq!(unpacked(&packed(&pixels)), pixels);
        }
    }

    #[test]
    fn a_screen_keeps_its_size_and_a_photograph_does_not() {
        let screen =
            Luma::new(1000, 1000, (0..1_000_000).map(|at| if at / 1000 % 40 == 0 { at as u8 } else { 240 }).collect());
        let photo = Luma::new(1000, 1000, (0..1_000_000_u32).map(|at| (at.wrapping_mul(at) >> 9) as u8).collect());
        let (screen, photo) = (Kept::new(&screen.unwrap()), Kept::new(&photo.unwrap()));
        assert_eq!(screen.size(), (1000, 1000));
        assert_eq!(photo.size(), (512, 512));
        assert!(screen.open().is_some_and(|luma| luma.row(80)[10] == 138 && luma.row(81)[10] == 240));
    }
}
