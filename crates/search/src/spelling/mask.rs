//! Masked values: `138****8472` shows seven of eleven digits.
//!
//! A mask is *derived*: many values share it, and it carries the bits of what it shows only.

use super::list::{List, Spelling};
use crate::bits;

/// Characters that stand for hidden ones; `x` also as `X`.
const HIDING: [char; 4] = ['*', 'x', '•', '#'];

/// A mask that shows fewer characters is no sign of anything.
const FEWEST_SHOWN: usize = 6;

/// How the shown and the hidden pieces are joined.
#[derive(Clone, Copy)]
pub(super) enum Joined {
    /// `138****8472`
    Closely,
    /// `138 **** 8472`
    BySpaces,
    /// `6222 **** **** 8472`
    InFours,
}

/// The masks of an ASCII text that show its first `head` and last `tail` characters.
pub(super) fn push(text: &str, head: usize, tail: usize, joined: Joined, list: &mut List) {
    let hidden = text.len().saturating_sub(head + tail);
    if !text.is_ascii() || hidden == 0 || head + tail < FEWEST_SHOWN {
        return;
    }
    let (before, behind) = (&text[..head], &text[text.len() - tail..]);
    let shown = [before, behind].concat();
    for hiding in HIDING {
        let stars: String = std::iter::repeat_n(hiding, hidden).collect();
        let text = match joined {
            Joined::Closely => [before, &stars, behind].concat(),
            Joined::BySpaces => [before, &stars, behind].join(" "),
            Joined::InFours => in_fours(&[before, &stars, behind].concat()),
        };
        let form = format!("partial, first {head} and last {tail}");
        let spelling = Spelling::text(form, text).any_case(list.any_case || hiding == 'x').bounded().derived();
        list.insert(spelling.carrying(bits::of_value(shown.as_bytes(), None)));
    }
}

/// Like [`super::number::in_fours`], where the hiding character is longer than a byte.
fn in_fours(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(4).map(|piece| piece.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}
