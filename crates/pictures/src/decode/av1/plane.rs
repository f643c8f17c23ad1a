//! The brightness of a picture while it is decoded.

/// Samples of up to 12 bits, in rows that are long enough for whole superblocks.
pub(super) struct Plane {
    samples: Vec<u16>,
    stride: usize,
}

impl Plane {
    pub(super) fn new(stride: usize, rows: usize) -> Self {
        Self { samples: vec![0; stride * rows], stride }
    }

    #[inline]
    pub(super) fn at(&self, x: usize, y: usize) -> u16 {
        self.samples[y * self.stride + x]
    }

    #[inline]
    pub(super) fn set(&mut self, x: usize, y: usize, sample: u16) {
        self.samples[y * self.stride + x] = sample;
    }

    /// So many samples of a row.
    #[inline]
    pub(super) fn run(&self, x: usize, y: usize, length: usize) -> &[u16] {
        &self.samples[y * self.stride + x..][..length]
    }

    #[inline]
    pub(super) fn run_mut(&mut self, x: usize, y: usize, length: usize) -> &mut [u16] {
        &mut self.samples[y * self.stride + x..][..length]
    }

    /// Everything, and how far a row is from the next.
    pub(super) fn samples_mut(&mut self) -> (&mut [u16], usize) {
        (&mut self.samples, self.stride)
    }
}
