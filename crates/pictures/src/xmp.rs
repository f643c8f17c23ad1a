//! What programs wrote about a picture in XMP (ISO 16684-1): a search for the properties that tell of somebody, in
//! attributes and in elements, without reading the XML around them. Packets are often cut or damaged, and then no
//! parser reads them.

use memchr::memmem;
use std::ops::Range;

/// Bytes of a packet that are looked at.
const LONGEST_PACKET: usize = 1 << 20;
/// Bytes of one value.
const LONGEST_VALUE: usize = 256;
/// Occurrences of a property's name that are looked at.
const MOST_TRIES: usize = 16;

/// Properties by their local names. The prefix is the writer's choice and is not asked.
const PROPERTIES: [&str; 23] = [
    "DateTimeOriginal",
    "CreateDate",
    "DateCreated",
    "Make",
    "Model",
    "SerialNumber",
    "BodySerialNumber",
    "Lens",
    "LensModel",
    "LensSerialNumber",
    "OwnerName",
    "CameraOwnerName",
    "creator",
    "CreatorTool",
    "City",
    "Location",
    "Country",
    "AuthorsPosition",
    "description",
    "title",
    "DocumentID",
    "OriginalDocumentID",
    "PersonDisplayName",
];

/// One property: its name, its value, and where that lies.
pub(crate) type Property = (&'static str, String, Range<usize>);

/// The properties in the packet, if there is one.
pub(crate) fn properties(file: &[u8]) -> Vec<Property> {
    let Some(packet) = packet(file) else { return Vec::new() };
    let bytes = file.get(packet.clone()).unwrap_or_default();
    let moved = |(text, range): (String, Range<usize>)| (text, range.start + packet.start..range.end + packet.start);
    let mut found: Vec<Property> = Vec::new();
    for name in PROPERTIES {
        let value = value(bytes, name).map(moved);
        found.extend(value.map(|(text, range)| (name, text, range)));
    }
    found
}

/// Degrees north and east, and where both values lie.
pub(crate) fn position(file: &[u8]) -> Option<((f64, f64), Range<usize>)> {
    let packet = packet(file)?;
    let bytes = file.get(packet.clone())?;
    let (north, at) = value(bytes, "GPSLatitude")?;
    let (east, also_at) = value(bytes, "GPSLongitude")?;
    let north = degrees(&north, "N", "S").filter(|degrees| degrees.abs() <= 90.0)?;
    let east = degrees(&east, "E", "W").filter(|degrees| degrees.abs() <= 180.0)?;
    let whole = packet.start + at.start.min(also_at.start)..packet.start + at.end.max(also_at.end);
    Some(((north, east), whole))
}

fn packet(file: &[u8]) -> Option<Range<usize>> {
    let start = memmem::find(file, b"<x:xmpmeta").or_else(|| memmem::find(file, b"<rdf:RDF"))?;
    let rest = file.get(start..)?;
    let rest = rest.get(..LONGEST_PACKET).unwrap_or(rest);
    let end = memmem::find(rest, b"</x:xmpmeta").or_else(|| memmem::find(rest, b"</rdf:RDF"));
    Some(start..start + end.unwrap_or(rest.len()))
}

/// The value of the first property of that name: `x:Name="value"` or `<x:Name>value<`, where lists may stand between.
fn value(packet: &[u8], name: &str) -> Option<(String, Range<usize>)> {
    let named = |at: &usize| at.checked_sub(1).and_then(|before| packet.get(before)) == Some(&b':');
    let mut places = memmem::find_iter(packet, name.as_bytes()).filter(named).take(MOST_TRIES);
    places.find_map(|at| after(packet, at + name.len()))
}

fn after(packet: &[u8], at: usize) -> Option<(String, Range<usize>)> {
    let rest = packet.get(at..)?;
    let spaces = |bytes: &[u8]| bytes.len() - bytes.trim_ascii_start().len();
    let before_sign = spaces(rest);
    match rest.get(before_sign)? {
        b'=' => {
            let gap = before_sign + 1;
            let quote = gap + spaces(rest.get(gap..)?);
            let mark = *rest.get(quote).filter(|mark| matches!(mark, b'"' | b'\''))?;
            text(packet, at + quote + 1, mark)
        }
        b'>' => element(packet, at + before_sign + 1),
        _ => None,
    }
}

/// The first text inside an element, at most three elements deeper (`rdf:Seq`, `rdf:Alt`, `rdf:li`).
fn element(packet: &[u8], mut at: usize) -> Option<(String, Range<usize>)> {
    for _ in 0..4 {
        let rest = packet.get(at..)?;
        at += rest.len() - rest.trim_ascii_start().len();
        if packet.get(at) != Some(&b'<') {
            return text(packet, at, b'<');
        }
        if packet.get(at + 1) == Some(&b'/') {
            return None;
        }
        let tag = packet.get(at..)?;
        at += 1 + memchr::memchr(b'>', tag.get(..LONGEST_VALUE).unwrap_or(tag))?;
    }
    None
}

fn text(packet: &[u8], start: usize, end: u8) -> Option<(String, Range<usize>)> {
    let rest = packet.get(start..)?;
    let length = memchr::memchr(end, rest.get(..LONGEST_VALUE).unwrap_or(rest))?;
    let value = std::str::from_utf8(rest.get(..length)?).ok()?.trim_end();
    let plain = unescaped(value);
    (!plain.is_empty()).then(|| (plain, start..start + value.len()))
}

/// The five entities of XML, where any stands.
fn unescaped(value: &str) -> String {
    if !value.contains('&') {
        return value.to_owned();
    }
    let all = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    all.into_iter().fold(value.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

/// `DD,MM.mmk` or `DD,MM,SSk` (XMP specification part 2, section 1.2.7.4), or a decimal number.
fn degrees(text: &str, positive: &str, negative: &str) -> Option<f64> {
    let upper = text.trim().to_ascii_uppercase();
    let (number, sign) = match (upper.strip_suffix(positive), upper.strip_suffix(negative)) {
        (Some(number), _) => (number, 1.0),
        (_, Some(number)) => (number, -1.0),
        _ => (upper.as_str(), 1.0),
    };
    let mut sum = 0.0;
    for (index, part) in number.split(',').enumerate() {
        let unit = [1.0, 60.0, 3600.0].get(index)?;
        sum += part.trim().parse::<f64>().ok().filter(|part| part.is_finite())? / unit;
    }
    Some(sum * sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACKET: &str = r#"junk<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Make = 'Maker &amp; Co'
        exif:GPSLatitude="30,4.2057N" exif:GPSLongitude="122,59,8.5W"><dc:creator><rdf:Seq><rdf:li>Lin</rdf:li></rdf:Seq>
        </dc:creator><aux:SerialNumber>0427</aux:SerialNumber><dc:title/></rdf:Description></rdf:RDF></x:xmpmeta>"#;

    #[test]
    fn attributes_and_elements_are_read_where_they_lie() {
        let file = PACKET.as_bytes();
        let found = properties(file);
        let told: Vec<_> = found.iter().map(|(name, text, _)| (*name, text.as_str())).collect();
        assert_eq!(told, [("Make", "Maker & Co"), ("SerialNumber", "0427"), ("creator", "Lin")]);
        assert_eq!(&file[found[1].2.clone()], b"0427");
        let ((north, east), range) = position(file).unwrap();
        assert!((north - 30.070_095).abs() < 1e-9 && (east + 122.985_694_444).abs() < 1e-6);
        assert!(file[range.clone()].starts_with(b"30,4") && file[range].ends_with(b"8.5W"));
    }

    proptest! {
        #[test]
        fn damaged_packets_neither_panic_nor_point_outside(at in 0_usize..480, byte in any::<u8>(), end in 0_usize..500) {
            let mut file = PACKET.as_bytes().to_vec();
            if let Some(place) = file.get_mut(at) {
                *place = byte;
            }
            file.truncate(end);
            for (_, text, range) in properties(&file) {
                prop_assert!(range.end <= file.len() && text.len() <= LONGEST_VALUE);
            }
            if let Some((_, range)) = position(&file) {
                prop_assert!(range.end <= file.len());
            }
        }
    }
}
