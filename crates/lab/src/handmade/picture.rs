//! The smallest JPEG file that carries an image's unique number.

/// A JPEG (ITU-T T.81 annex B) with EXIF 2.32 tags `ImageDescription` and `ImageUniqueID`. What follows is not a scan
/// that anyone could look at: `noise` stands for it.
pub(super) fn jpeg(unique_id: &str, description: &str, noise: &[u8]) -> Vec<u8> {
    let tiff = tiff(unique_id, description);
    let segment = [b"Exif\0\0".as_slice(), &tiff].concat();
    // Bytes of 255 would look like markers.
    let noise: Vec<u8> = noise.iter().map(|byte| byte & 0x7f).collect();
    [b"\xff\xd8\xff\xe1".as_slice(), &length(segment.len() + 2), &segment, &noise, b"\xff\xd9"].concat()
}

fn length(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes()
}

/// Two directories, big endian (TIFF 6.0 section 2): the first has the description and points to the EXIF one.
fn tiff(unique_id: &str, description: &str) -> Vec<u8> {
    let description = [description.as_bytes(), b"\0"].concat();
    let unique_id = [unique_id.as_bytes(), b"\0"].concat();
    let first_directory = 8u32;
    let exif_directory = first_directory + 2 + 2 * 12 + 4;
    let texts = exif_directory + 2 + 12 + 4;
    let after_description = texts + description.len() as u32;
    let mut bytes = b"MM\0\x2a".to_vec();
    bytes.extend(first_directory.to_be_bytes());
    bytes.extend(2u16.to_be_bytes());
    bytes.extend(entry(0x010e, 2, description.len() as u32, texts));
    bytes.extend(entry(0x8769, 4, 1, exif_directory));
    bytes.extend(0u32.to_be_bytes());
    bytes.extend(1u16.to_be_bytes());
    bytes.extend(entry(0xa420, 2, unique_id.len() as u32, after_description));
    bytes.extend(0u32.to_be_bytes());
    bytes.extend(description);
    bytes.extend(unique_id);
    bytes
}

fn entry(tag: u16, kind: u16, count: u32, value: u32) -> Vec<u8> {
    [tag.to_be_bytes().as_slice(), &kind.to_be_bytes(), &count.to_be_bytes(), &value.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_points_at_the_number() {
        let bytes = tiff("0123456789abcdef0123456789abcdef", "Screenshot");
        let entry = bytes.windows(2).position(|pair| pair == 0xa420u16.to_be_bytes()).unwrap();
        let offset = u32::from_be_bytes(bytes[entry + 8..entry + 12].try_into().unwrap()) as usize;
        assert_eq!(&bytes[offset..offset + 33], b"0123456789abcdef0123456789abcdef\0");
    }
}
