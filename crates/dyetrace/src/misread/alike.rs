//! Characters that readers take for one another.

/// Pairs that look alike, in small letters. A pair of two digits is none: one digit for another is what the next order
/// or invoice has.
const ALIKE: [(char, char); 22] = [
    ('0', 'o'),
    ('0', 'd'),
    ('0', 'q'),
    ('1', 'l'),
    ('1', 'i'),
    ('1', '|'),
    ('1', '!'),
    ('2', 'z'),
    ('5', 's'),
    ('6', 'b'),
    ('6', 'g'),
    ('7', '|'),
    ('8', 'b'),
    ('9', 'g'),
    ('9', 'q'),
    ('i', 'l'),
    ('i', '|'),
    ('i', '!'),
    ('l', '|'),
    ('l', '!'),
    ('u', 'v'),
    ('c', 'e'),
];

/// True where a reader easily takes one for the other.
pub(super) fn alike(one: char, other: char) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    ALIKE.contains(&(one, other)) || ALIKE.contains(&(other, one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_look_like_digits_and_no_digit_like_another() {
        for (one, other) in
            [('O', '0'), ('0', 'D'), ('I', '1'), ('l', 'I'), ('S', '5'), ('8', 'B'), ('b', '6'), ('v', 'u')]
        {
            assert!(alike(one, other) && alike(other, one), "{one} {other}");
        }
        for one in '0'..='9' {
            assert!(('0'..='9').all(|other| !alike(one, other)), "{one}");
        }
        assert!(!alike('w', 'l') && !alike('号', '0'));
    }
}
