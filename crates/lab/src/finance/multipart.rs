//! As much of `multipart/form-data` (RFC 7578) as the app and its support need from each other.

const BOUNDARY: &str = "finance-7d1b40c2a9";

/// The media type of what [`form`] writes.
pub fn media_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// A question with a picture.
pub fn form(question: &str, name: &str, picture: &[u8]) -> Vec<u8> {
    let kind = kind_of(picture);
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"question\"\r\n\r\n{question}\r\n--{BOUNDARY}\r\n\
         Content-Disposition: form-data; name=\"picture\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n"
    );
    [head.as_bytes(), picture, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

/// The media type of a picture.
pub fn kind_of(picture: &[u8]) -> &'static str {
    if picture.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" }
}

/// The picture in such a form.
pub fn picture(form: &[u8]) -> Option<&[u8]> {
    let part = find(form, b"name=\"picture\"")?;
    let content = part.get(4 + part.windows(4).position(|four| four == b"\r\n\r\n")?..)?;
    let end = format!("\r\n--{BOUNDARY}");
    content.get(..content.len() - find(content, end.as_bytes())?.len())
}

/// From where something is found.
fn find<'a>(bytes: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    bytes.get(bytes.windows(what.len()).position(|window| window == what)?..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_picture_that_was_put_in_comes_out(bytes: Vec<u8>) {
            let form = form("Why?", "1.jpg", &bytes);
            prop_assert_eq!(picture(&form), Some(bytes.as_slice()));
        }
    }

    #[test]
    fn a_form_without_a_picture_has_none() {
        assert_eq!(picture(b"--x\r\nContent-Disposition: form-data; name=\"question\"\r\n\r\nWhy?\r\n--x--"), None);
    }
}
