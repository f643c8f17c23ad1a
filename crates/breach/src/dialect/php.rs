//! PHP's `serialize` (PHP manual, `serialize`; the format is that of `var.c`).
//!
//! A string's length is written before it, in bytes of the encoding it was serialised in. After a change
//! of encoding it no longer fits: then the string ends at the first `";`.

use super::Text;
use super::keyed::{DEEPEST, Slots, Stop, Value};
use super::schema::joined;

/// A name and its value; a null value is `None`.
pub type Pair<'f> = (String, Option<&'f [u8]>);

/// The names and values of a serialised array or object in a field, those of inner ones joined by dots.
/// `None` where the field is not one.
pub fn pairs(field: &[u8]) -> Option<Vec<Pair<'_>>> {
    let mut pairs = Vec::new();
    let mut put = |name: &str, value: Value| {
        let bytes = match value {
            Value::Null => None,
            Value::At(start, end, _) => field.get(start..end),
        };
        pairs.push((name.to_owned(), bytes));
    };
    let end = array(field, 0, "", 0, &mut put).ok()?;
    field[end..].trim_ascii().is_empty().then_some(pairs)
}

/// Reads the array of the line at `at` into `slots`. Returns the place after the line.
pub(crate) fn line(text: Text<'_>, at: usize, slots: &mut Slots<'_>) -> Result<usize, Stop> {
    let end = text.line_end(at).ok_or(Stop::More)?;
    let line = text.bytes.get(..end).unwrap_or_default();
    array(line, at, "", 0, &mut |name, value| slots.put(name, value)).map_err(|_| Stop::Bad(end))?;
    Ok(end)
}

type Put<'p> = &'p mut dyn FnMut(&str, Value);

/// `a:2:{key value key value}`, or `O:8:"stdClass":2:{…}`.
fn array(text: &[u8], at: usize, path: &str, depth: usize, put: Put<'_>) -> Result<usize, Stop> {
    let open = memchr::memchr(b'{', text.get(at..).ok_or(Stop::Bad(at))?).ok_or(Stop::Bad(at))?;
    let head = &text[at..at + open];
    let is_head = head.len() < 200 && (head.starts_with(b"a:") || head.starts_with(b"O:")) && head.ends_with(b":");
    if !is_head || depth >= DEEPEST {
        return Err(Stop::Bad(at));
    }
    let mut at = at + open + 1;
    while text.get(at) != Some(&b'}') {
        let (key, next) = scalar(text, at)?;
        let Value::At(start, end, _) = key else { return Err(Stop::Bad(at)) };
        let key = joined(path, String::from_utf8_lossy(&text[start..end]));
        at = if let Some(b'a' | b'O') = text.get(next) {
            array(text, next, &key, depth + 1, put)?
        } else {
            let (value, next) = scalar(text, next)?;
            put(&key, value);
            next
        };
    }
    Ok(at + 1)
}

fn scalar(text: &[u8], at: usize) -> Result<(Value, usize), Stop> {
    let rest = text.get(at..).ok_or(Stop::Bad(at))?;
    match rest {
        [b'N', b';', ..] => Ok((Value::Null, at + 2)),
        [b'i' | b'd' | b'b' | b'r' | b'R', b':', ..] => {
            let end = at + memchr::memchr(b';', &rest[..rest.len().min(400)]).ok_or(Stop::Bad(at))?;
            Ok((Value::At(at + 2, end, None), end + 1))
        }
        [b's', b':', ..] => string(text, at),
        _ => Err(Stop::Bad(at)),
    }
}

fn string(text: &[u8], at: usize) -> Result<(Value, usize), Stop> {
    let rest = &text[at + 2..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).take(10).count();
    let length: usize =
        std::str::from_utf8(&rest[..digits]).ok().and_then(|digits| digits.parse().ok()).ok_or(Stop::Bad(at))?;
    if !rest[digits..].starts_with(b":\"") {
        return Err(Stop::Bad(at));
    }
    let start = at + 2 + digits + 2;
    let told = start.saturating_add(length);
    let is_there = text.get(told..).is_some_and(|after| after.starts_with(b"\";"));
    let end =
        if is_there { told } else { start + memchr::memmem::find(&text[start..], b"\";").ok_or(Stop::Bad(at))? };
    Ok((Value::At(start, end, None), end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_within_an_array() {
        let field = br#"a:4:{s:4:"name";s:3:"a"b";s:3:"qq";i:10001;s:1:"x";N;s:2:"ip";a:1:{i:0;s:9:"127.0.0.1";}}"#;
        let expected: [(String, Option<&[u8]>); 4] = [
            ("name".into(), Some(b"a\"b")),
            ("qq".into(), Some(b"10001")),
            ("x".into(), None),
            ("ip.0".into(), Some(b"127.0.0.1")),
        ];
        assert_eq!(pairs(field).unwrap(), expected);
    }

    #[test]
    fn a_length_that_no_longer_fits_after_a_change_of_encoding() {
        let pairs = pairs("a:1:{s:4:\"name\";s:4:\"张三\";}".as_bytes()).unwrap();
        assert_eq!(pairs[0].1, Some("张三".as_bytes()));
    }

    #[test]
    fn cut_anywhere_it_is_no_array() {
        let field = br#"a:2:{s:4:"name";s:3:"abc";i:7;d:0.5;}"#;
        assert!((0..field.len()).all(|length| pairs(&field[..length]).is_none()));
    }
}
