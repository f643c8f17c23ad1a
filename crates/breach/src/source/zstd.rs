//! Zstandard (RFC 8878), with one frame after another.

use std::io::{self, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The largest window that is kept: that of `zstd --long=27`.
const LARGEST_WINDOW: u64 = 128 << 20;

/// The frames of a stream.
pub(super) struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    /// Whether a frame has begun.
    inside: bool,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(LARGEST_WINDOW);
        Self { source, decoder, inside: false }
    }

    /// Begins the next frame. `false` where the stream ends before it.
    fn begin(&mut self) -> io::Result<bool> {
        let mut first = [0; 1];
        if self.source.read(&mut first)? == 0 {
            return Ok(false);
        }
        match self.decoder.reset((&first[..]).chain(&mut self.source)) {
            Ok(()) => {
                self.inside = true;
                Ok(true)
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                io::copy(&mut (&mut self.source).take(u64::from(length)), &mut io::sink())?;
                Ok(true)
            }
            Err(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            if self.inside && self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if !self.inside || self.decoder.is_finished() {
                self.inside = false;
                if !self.begin()? {
                    return Ok(0);
                }
                continue;
            }
            let strategy = BlockDecodingStrategy::UptoBytes(buffer.len().max(1));
            self.decoder
                .decode_blocks(&mut self.source, strategy)
                .map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        }
        Ok(0)
    }
}
