//! Every image of every page: in the database, and in the frames of its write-ahead log.

use super::wal::Wal;
use crate::out::File;
use crate::place::{Origin, PageAt};
use std::collections::HashMap;

/// One page as it stands in one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Image<'a> {
    pub(super) number: u32,
    pub(super) bytes: &'a [u8],
    pub(super) origin: Origin,
    /// Offset of its first byte in its file.
    pub(super) start: u64,
    /// Number among all images that [`Images`] knows; none for pages of a journal.
    pub(super) id: Option<usize>,
}

impl Image<'_> {
    pub(super) fn file(&self) -> File {
        match self.origin {
            Origin::Database => File::Main,
            Origin::Frame(_) => File::Wal,
            Origin::Journal(_) => File::Journal,
        }
    }

    pub(super) fn place(&self, offset: usize) -> PageAt {
        PageAt { number: self.number, offset: offset as u32, origin: self.origin }
    }

    pub(super) fn at(&self, offset: usize) -> u64 {
        self.start.saturating_add(offset as u64)
    }
}

/// The database at different times: each is the database file overlaid by the first so many frames of the log.
#[derive(Debug)]
pub(super) struct Images<'a> {
    main: &'a [u8],
    page_size: usize,
    /// Whole pages in the database file.
    pub(super) main_pages: u32,
    pub(super) wal: Option<Wal<'a>>,
    /// Frames in order that hold each page, without those of earlier generations of the log.
    frames_of: HashMap<u32, Vec<u32>>,
}

impl<'a> Images<'a> {
    pub(super) fn new(main: &'a [u8], page_size: usize, wal: Option<Wal<'a>>) -> Self {
        let mut frames_of: HashMap<u32, Vec<u32>> = HashMap::new();
        if let Some(wal) = &wal {
            for (index, frame) in wal.frames.iter().take(wal.valid).enumerate() {
                frames_of.entry(frame.page).or_default().push(index as u32);
            }
        }
        let main_pages = u32::try_from(main.len() / page_size).unwrap_or(u32::MAX);
        Self { main, page_size, main_pages, wal, frames_of }
    }

    /// How many images there are; their ids are below it.
    pub(super) fn count(&self) -> usize {
        self.main_pages as usize + self.wal.as_ref().map_or(0, |wal| wal.frames.len())
    }

    /// The frame after the last finished transaction.
    pub(super) fn committed(&self) -> u32 {
        self.wal.as_ref().map_or(0, |wal| wal.committed as u32)
    }

    /// A page as it stands in the database file.
    pub(super) fn main_page(&self, number: u32) -> Option<Image<'a>> {
        let index = number.checked_sub(1).filter(|index| *index < self.main_pages)? as usize;
        let start = index * self.page_size;
        let bytes = self.main.get(start..start + self.page_size)?;
        Some(Image { number, bytes, origin: Origin::Database, start: start as u64, id: Some(index) })
    }

    /// What a frame holds, by its index from 0.
    pub(super) fn frame(&self, index: u32) -> Option<Image<'a>> {
        let frame = self.wal.as_ref()?.frames.get(index as usize)?;
        let id = Some(self.main_pages as usize + index as usize);
        Some(Image { number: frame.page, bytes: frame.bytes, origin: Origin::Frame(index + 1), start: frame.at, id })
    }

    /// A page as it was after the first `frames` frames.
    pub(super) fn as_of(&self, number: u32, frames: u32) -> Option<Image<'a>> {
        let holding = self.frames_of.get(&number).map(Vec::as_slice).unwrap_or_default();
        let before = holding.partition_point(|index| *index < frames);
        match before.checked_sub(1).and_then(|at| holding.get(at)) {
            Some(index) => self.frame(*index),
            None => self.main_page(number),
        }
    }
}
