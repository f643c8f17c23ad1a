//! What a camera writes into its files beside the picture: EXIF 2.32 (CIPA DC-008) in a TIFF 6.0 structure.

/// What the camera of the lab's phone writes.
pub(super) struct Exif<'a> {
    /// As EXIF has it: `2019:01:05 10:11:12`.
    pub(super) taken: &'a str,
    /// Degrees, minutes and hundredths of a second to the north.
    pub(super) north: [u32; 3],
    /// The same to the east.
    pub(super) east: [u32; 3],
    /// `ImageUniqueID`: 32 hexadecimal digits.
    pub(super) unique_id: &'a str,
}

/// The content of one entry of a directory.
enum Value {
    Bytes(u16, Vec<u8>),
    Short(u16),
    Long(u32),
    Rationals(Vec<[u32; 2]>),
    /// Where the directory of that number begins.
    Directory(usize),
}

const ASCII: u16 = 2;
const UNDEFINED: u16 = 7;
const BYTE: u16 = 1;
const HEADER: usize = 8;
const ENTRY: usize = 12;

type Directory = Vec<(u16, Value)>;

impl Exif<'_> {
    /// The TIFF structure, big-endian: three directories, then what does not fit into their entries.
    pub(super) fn tiff(&self) -> Vec<u8> {
        let directories = [self.image(), self.camera(), self.place()];
        let length = |directory: &Directory| 2 + directory.len() * ENTRY + 4;
        let mut starts = vec![HEADER];
        for directory in &directories {
            starts.push(starts.last().unwrap_or(&HEADER) + length(directory));
        }
        let mut beyond = Vec::new();
        let end = starts.last().copied().unwrap_or(HEADER);
        let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
        for directory in &directories {
            tiff.extend((directory.len() as u16).to_be_bytes());
            for (tag, value) in directory {
                tiff.extend(tag.to_be_bytes());
                tiff.extend(value.entry(&starts, end, &mut beyond));
            }
            tiff.extend([0; 4]);
        }
        tiff.extend(beyond);
        tiff
    }

    fn image(&self) -> Directory {
        vec![
            (0x010f, text("Example")),
            (0x0110, text("Example Phone 5")),
            (0x0112, Value::Short(1)),
            (0x0132, text(self.taken)),
            (0x8769, Value::Directory(1)),
            (0x8825, Value::Directory(2)),
        ]
    }

    fn camera(&self) -> Directory {
        vec![
            (0x829a, Value::Rationals(vec![[1, 60]])),
            (0x8827, Value::Short(200)),
            (0x9000, Value::Bytes(UNDEFINED, b"0232".to_vec())),
            (0x9003, text(self.taken)),
            (0xa002, Value::Long(800)),
            (0xa003, Value::Long(600)),
            (0xa420, text(self.unique_id)),
        ]
    }

    fn place(&self) -> Directory {
        let angle = |[degrees, minutes, hundredths]: [u32; 3]| {
            Value::Rationals(vec![[degrees, 1], [minutes, 1], [hundredths, 100]])
        };
        let date = self.taken.split(' ').next().unwrap_or_default();
        vec![
            (0x00, Value::Bytes(BYTE, vec![2, 3, 0, 0])),
            (0x01, text("N")),
            (0x02, angle(self.north)),
            (0x03, text("E")),
            (0x04, angle(self.east)),
            (0x1d, text(date)),
        ]
    }
}

/// Text ends with a zero byte.
fn text(text: &str) -> Value {
    Value::Bytes(ASCII, [text.as_bytes(), b"\0"].concat())
}

impl Value {
    /// Type, count, and the value or where it is.
    fn entry(&self, directories: &[usize], end: usize, beyond: &mut Vec<u8>) -> Vec<u8> {
        let (kind, count, bytes) = match self {
            Self::Bytes(kind, bytes) => (*kind, bytes.len(), bytes.clone()),
            Self::Short(number) => (3, 1, number.to_be_bytes().to_vec()),
            Self::Long(number) => (4, 1, number.to_be_bytes().to_vec()),
            Self::Rationals(numbers) => {
                (5, numbers.len(), numbers.as_flattened().iter().flat_map(|number| number.to_be_bytes()).collect())
            }
            Self::Directory(number) => {
                (4, 1, (directories.get(*number).copied().unwrap_or_default() as u32).to_be_bytes().to_vec())
            }
        };
        let mut entry = [kind.to_be_bytes().as_slice(), &(count as u32).to_be_bytes()].concat();
        if bytes.len() <= 4 {
            entry.extend(bytes);
            entry.resize(10, 0);
        } else {
            entry.extend(((end + beyond.len()) as u32).to_be_bytes());
            beyond.extend(bytes);
            // Offsets are even.
            beyond.resize(beyond.len().next_multiple_of(2), 0);
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads one entry of one directory as the standard says.
    fn find(tiff: &[u8], directory: usize, tag: u16) -> Vec<u8> {
        let short = |at: usize| u16::from_be_bytes([tiff[at], tiff[at + 1]]);
        let long = |at: usize| u32::from_be_bytes(tiff[at..at + 4].try_into().unwrap()) as usize;
        let entries = (0..usize::from(short(directory))).map(|index| directory + 2 + index * ENTRY);
        let at = entries.into_iter().find(|at| short(*at) == tag).unwrap();
        let size = [0, 1, 1, 2, 4, 8, 0, 1][usize::from(short(at + 2))] * long(at + 4);
        let from = if size <= 4 { at + 8 } else { long(at + 8) };
        tiff[from..from + size].to_vec()
    }

    #[test]
    fn every_directory_points_at_what_it_names() {
        let unique_id = "0123456789abcdef0123456789abcdef";
        let exif = Exif { taken: "2019:01:05 10:11:12", north: [30, 4, 1234], east: [122, 59, 8], unique_id };
        let tiff = exif.tiff();
        let directory = |tag| u32::from_be_bytes(find(&tiff, HEADER, tag).try_into().unwrap()) as usize;
        assert_eq!(find(&tiff, HEADER, 0x0132), b"2019:01:05 10:11:12\0");
        assert_eq!(find(&tiff, directory(0x8769), 0xa420), [unique_id.as_bytes(), b"\0"].concat());
        assert_eq!(find(&tiff, directory(0x8769), 0x9000), b"0232");
        let north: Vec<u8> = [30_u32, 1, 4, 1, 1234, 100].iter().flat_map(|number| number.to_be_bytes()).collect();
        assert_eq!(find(&tiff, directory(0x8825), 0x02), north);
        assert_eq!(find(&tiff, directory(0x8825), 0x03), b"E\0");
    }
}
