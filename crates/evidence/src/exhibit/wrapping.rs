//! The compression around an exhibit, undone as a stream.

use ruzstd::decoding::errors::{FrameDecoderError, FrameHeaderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, BufReader, Read};

/// The compression around a whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapping {
    /// None.
    None,
    /// gzip (RFC 1952), any number of members.
    Gzip,
    /// zlib (RFC 1950), as mitmproxy wraps HAR files.
    Zlib,
    /// Zstandard (RFC 8878), any number of frames.
    Zstd,
}

impl Wrapping {
    /// The wrapping that `head`, the first bytes of a file, begins.
    pub(super) fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            // RFC 1950 section 2.2: deflate, and both bytes as one number divide by 31.
            [method, flags, ..] if method & 0x8f == 0x08 && u16::from_be_bytes([*method, *flags]) % 31 == 0 => {
                Self::Zlib
            }
            _ => Self::None,
        }
    }

    /// The content of `reader`. Its errors say what is wrong with the compressed bytes.
    pub(super) fn undo<'r>(self, reader: impl Read + 'r) -> Box<dyn Read + 'r> {
        let buffered = BufReader::with_capacity(256 << 10, reader);
        match self {
            Self::None => Box::new(buffered.into_inner()),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(buffered)),
            Self::Zlib => Box::new(flate2::bufread::ZlibDecoder::new(buffered)),
            Self::Zstd => Box::new(ZstdFrames::new(buffered)),
        }
    }

    /// The name of the compression, for an error about its content.
    pub(super) fn is_of_something_else(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("a gzip file of something that is not read here"),
            Self::Zlib => Some("a zlib stream of something that is not read here"),
            Self::Zstd => Some("a zstd file of something that is not read here"),
        }
    }
}

/// Frame after frame of a zstd file; skippable frames are skipped.
struct ZstdFrames<R> {
    source: R,
    decoder: FrameDecoder,
    begun: bool,
    /// What is wrong with the frame; said once all that was decoded before it is read.
    fault: Option<&'static str>,
}

/// An empty last block and room for a checksum, which this decoder does not compare: ends a frame,
/// so that the decoder gives up the window (of some MiB, as a rule) that it holds back.
const LAST_BLOCK: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

impl<R: BufRead> ZstdFrames<R> {
    fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), begun: false, fault: None }
    }

    /// Decodes until there is something to collect or the frame is over.
    fn advance(&mut self) {
        while self.fault.is_none() && self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
            let step = self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
            if let Err(error) = step {
                self.fault = Some(zstd_fault(&error));
                let _ = self.decoder.decode_blocks(&LAST_BLOCK[..], BlockDecodingStrategy::All);
            }
        }
    }

    /// Begins the next frame; false at the end of the file.
    fn begin(&mut self) -> io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.begun = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    io::copy(&mut (&mut self.source).take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, zstd_fault(&error))),
            }
        }
    }
}

/// The decoder's own texts hold numbers from the file at most; this keeps them short.
fn zstd_fault(error: &FrameDecoderError) -> &'static str {
    match error {
        FrameDecoderError::FrameHeaderError(FrameHeaderError::WindowTooBig { .. })
        | FrameDecoderError::WindowSizeTooBig { .. } => "zstd window larger than 128 MiB",
        FrameDecoderError::DictNotProvided { .. } => "zstd with a dictionary that is not at hand",
        _ => "corrupt or cut zstd data",
    }
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.begun && !self.begin()? {
                return Ok(0);
            }
            self.advance();
            let read = self.decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            if let Some(fault) = self.fault {
                return Err(io::Error::new(io::ErrorKind::InvalidData, fault));
            }
            self.begun = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    fn undone(bytes: &[u8]) -> (Vec<u8>, bool) {
        let mut content = Vec::new();
        let whole = Wrapping::of(bytes).undo(bytes).read_to_end(&mut content).is_ok();
        (content, whole)
    }

    #[test]
    fn zstd_frames_follow_one_another_and_skippable_ones_are_skipped() {
        let mut file = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        for text in ["one ", "two ", "three"] {
            file.extend(compress_to_vec(text.as_bytes(), CompressionLevel::Fastest));
        }
        assert_eq!(undone(&file), (b"one two three".to_vec(), true));
        let (content, whole) = undone(&file[..file.len() - 2]);
        assert!(!whole && content.starts_with(b"one two "), "what was decoded before the cut is kept");
    }

    #[test]
    fn a_frame_that_is_cut_gives_up_what_is_still_within_its_window() {
        // Bytes that do not compress: a window of MiB, of which the decoder would keep all.
        let mut state = 1u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        let content: Vec<u8> = (0..300_000).map(|_| noise()).collect();
        let file = compress_to_vec(content.as_slice(), CompressionLevel::Fastest);
        let (read, whole) = undone(&file[..file.len() - 10]);
        assert!(!whole && read.len() >= 128 << 10 && content.starts_with(&read), "{} bytes", read.len());
    }
}
