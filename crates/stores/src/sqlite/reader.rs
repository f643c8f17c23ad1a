//! Goes through the pages: schema, tables and indexes, free pages, and what is left.

mod rows;

use super::bytes::u32_at;
use super::cell::{Cell, Node, Type};
use super::header::{Header, RESERVED};
use super::images::{Image, Images};
use super::record::{self, Payload, Piece};
use super::schema::{self, Table};
use super::{File, journal};
use crate::out::{Damaged, Out, State};
use crate::place::{Origin, Part, Place};
use rows::within;
use std::ops::Range;
use std::rc::Rc;

/// How a page is read.
#[derive(Debug, Clone, Copy)]
struct Reading {
    state: State,
    /// Overflow pages are those after so many frames; none where the page's time is not known.
    as_of: Option<u32>,
    /// Only records that are whole and add up are taken as records, and nothing is called damaged.
    strict: bool,
    /// What raw bytes of it are.
    part: Part,
}

/// The state of going through one database.
pub(super) struct Reader<'a, 'r, 'o> {
    header: Header,
    images: Images<'a>,
    out: &'r mut Out<'o>,
    /// Images that were given, by id.
    claimed: Vec<bool>,
    /// Images that were tried as overflow of a removed record, by id: each is tried once.
    tried: Vec<bool>,
    /// Pages on the list of free pages, by number.
    free: Vec<bool>,
    /// The table that a page belongs to, by number.
    owner: Vec<Option<Rc<Table>>>,
    /// What the rows of the schema declare, with root pages; only while these rows are read.
    declared: Option<Vec<(u32, Table)>>,
    /// Whether it was said that names of columns were not kept.
    refused_names: bool,
}

/// Longest statement from which names are taken.
const LONGEST_STATEMENT: usize = 1 << 20;
/// Most tables and indexes whose names are kept.
const MOST_TABLES: usize = 100_000;

impl<'a, 'r, 'o> Reader<'a, 'r, 'o> {
    pub(super) fn new(header: Header, images: Images<'a>, out: &'r mut Out<'o>) -> Self {
        let count = images.count();
        // Page numbers are believed up to the number of images: no database has more pages than that at hand.
        let numbers = count + 1;
        Self {
            header,
            images,
            out,
            claimed: vec![false; count],
            tried: vec![false; count],
            free: vec![false; numbers],
            owner: vec![None; numbers],
            declared: None,
            refused_names: false,
        }
    }

    /// All pages but those of a journal.
    pub(super) fn read_pages(&mut self) {
        self.say_what_is_missing();
        self.reserved();
        for (root, table) in self.schema() {
            self.tree(root, &Rc::new(table));
        }
        self.free_pages();
        self.leftovers();
    }

    fn say_what_is_missing(&mut self) {
        let pages = self.header.pages.unwrap_or(0);
        let (there, size) = (u64::from(self.images.main_pages), self.header.page_size as u64);
        if there > 0 && self.images.wal.is_none() && u64::from(pages) > there {
            self.out.damage(File::Main, there * size..u64::from(pages) * size, Damaged::Short);
        }
    }

    /// Gives what stands in the header where zeros must.
    fn reserved(&mut self) {
        let committed = self.images.committed();
        let Some(first) = self.images.as_of(1, committed).filter(|first| Header::parse(first.bytes).is_some()) else {
            return;
        };
        self.raw(&first, RESERVED.start, RESERVED.end, None, State::Unallocated, Part::Other);
    }

    /// Gives the rows of the schema, and returns what they declare, with root pages.
    fn schema(&mut self) -> Vec<(u32, Table)> {
        let names = ["type", "name", "tbl_name", "rootpage", "sql"];
        let columns = names.iter().map(ToString::to_string).collect();
        let table = Rc::new(Table { name: "sqlite_schema".to_owned(), is_index: false, columns, row_id: None });
        self.declared = Some(Vec::new());
        self.tree(1, &table);
        self.declared.take().unwrap_or_default()
    }

    /// Gives everything below a page.
    fn tree(&mut self, root: u32, table: &Rc<Table>) {
        let committed = self.images.committed();
        let reading = Reading { state: State::Live, as_of: Some(committed), strict: false, part: Part::Gap };
        let mut waiting = vec![root];
        while let Some(number) = waiting.pop() {
            let image = self.images.as_of(number, committed);
            let node = image.and_then(|image| {
                let free_to_take = image.id.is_some_and(|id| self.claimed.get(id) == Some(&false));
                free_to_take.then(|| Node::parse(image.bytes, number, self.header.usable)).flatten()
            });
            let Some((image, node)) = image.zip(node) else {
                self.not_in_the_tree(image, number);
                continue;
            };
            self.claim(&image);
            if let Some(owner) = self.owner.get_mut(number as usize) {
                *owner = Some(Rc::clone(table));
            }
            self.node(&image, &node, Some(table), reading);
            let children = node.cells.iter().filter_map(|cell| cell.child).chain(node.last_child);
            let from = waiting.len();
            waiting.extend(children);
            waiting[from..].reverse();
        }
    }

    /// A page that a tree names is missing, used already, or of no fitting type. In a log without its database most
    /// pages are missing.
    fn not_in_the_tree(&mut self, image: Option<Image<'a>>, number: u32) {
        match image {
            Some(image) => {
                let end = image.at(image.bytes.len());
                self.out.damage(image.file(), image.start..end, Damaged::Page);
            }
            None if self.images.main_pages > 0 => {
                let size = self.header.page_size as u64;
                let start = u64::from(number).saturating_sub(1) * size;
                self.out.damage(File::Main, start..start + size, Damaged::Page);
            }
            None => {}
        }
    }

    fn claim(&mut self, image: &Image<'_>) {
        if let Some(claimed) = image.id.and_then(|id| self.claimed.get_mut(id)) {
            *claimed = true;
        }
    }

    fn declare(&mut self, payload: &Payload<'a>) {
        let is_room = self.declared.as_ref().is_some_and(|declared| declared.len() < MOST_TABLES);
        let Some((root, mut table)) = is_room.then(|| self.declaration(payload)).flatten() else { return };
        // A name of one letter is kept as two dozen bytes, and statements have thousands of them.
        if !self.names_may_be_kept(table.kept_bytes(), payload) {
            table.columns = Vec::new();
        }
        if let Some(declared) = self.declared.as_mut() {
            declared.push((root, table));
        }
    }

    fn names_may_be_kept(&mut self, bytes: usize, payload: &Payload<'_>) -> bool {
        let granted = self.out.charge(bytes);
        if !granted
            && !std::mem::replace(&mut self.refused_names, true)
            && let Some(first) = payload.pieces.first()
        {
            self.out.damage(payload.file, first.at..first.at + first.bytes.len() as u64, Damaged::Limit);
        }
        granted
    }

    fn declaration(&self, payload: &Payload<'a>) -> Option<(u32, Table)> {
        let header = record::Header::of(payload)?;
        let mut texts: [Option<String>; 5] = Default::default();
        let mut start = header.length;
        for (text, serial) in texts.iter_mut().zip(header.types()) {
            let end = start.checked_add(serial.size()?)?;
            if let Some(part) = payload.part(start..end, LONGEST_STATEMENT) {
                let (_, bytes) = serial.value(part.bytes, self.header.encoding);
                *text = Some(String::from_utf8_lossy(&bytes).into_owned());
            } else if serial.0 == 9 {
                *text = Some("1".to_owned());
            }
            start = end;
        }
        let [kind, name, _, root, statement] = texts;
        let is_index = kind.is_some_and(|kind| kind == "index");
        let root = root?.parse().ok().filter(|root| *root > 0)?;
        Some((root, schema::declared(&name?, is_index, &statement.unwrap_or_default())))
    }

    /// Marks the pages on the list of free pages, and gives what its trunks hold beside the list.
    fn free_pages(&mut self) {
        let committed = self.images.committed();
        let mut next = self.first_free();
        while next != 0 {
            let trunk = self.images.as_of(next, committed);
            let unused = trunk.filter(|trunk| trunk.id.is_some_and(|id| self.claimed.get(id) == Some(&false)));
            let Some(trunk) = unused else { return self.not_in_the_tree(trunk, next) };
            self.claim(&trunk);
            let end = self.free_leaves(&trunk);
            self.raw(&trunk, end, trunk.bytes.len(), None, State::Unallocated, Part::Free);
            next = u32_at(trunk.bytes, 0).unwrap_or(0);
        }
    }

    /// Marks the pages that a trunk lists, and returns where its list ends. Where it is no list, it is told and given
    /// like the rest of the page.
    fn free_leaves(&mut self, trunk: &Image<'a>) -> usize {
        let count = u32_at(trunk.bytes, 4).unwrap_or(0) as usize;
        let end = count.saturating_mul(4).saturating_add(8).min(self.header.usable);
        let mut is_list = count <= self.header.usable / 4 - 2;
        for number in (8..end).step_by(4).filter_map(|at| u32_at(trunk.bytes, at)) {
            match self.free.get_mut(number as usize).filter(|_| number > 0) {
                Some(free) => *free = true,
                // Of a log alone the other pages are not at hand.
                None => is_list &= number > 0 && self.images.main_pages == 0,
            }
        }
        if is_list {
            return end;
        }
        self.out.damage(trunk.file(), trunk.at(0)..trunk.at(trunk.bytes.len()), Damaged::Page);
        4
    }

    /// The first trunk, from the newest first page.
    fn first_free(&self) -> u32 {
        let first = self.images.as_of(1, self.images.committed());
        first.and_then(|page| Header::parse(page.bytes)).map_or(self.header.first_free, |header| header.first_free)
    }

    /// Everything that was not given yet: first pages on which whole records stand, so that these can have their
    /// overflow pages, then the others as raw bytes.
    fn leftovers(&mut self) {
        for records in [true, false] {
            let committed = self.images.committed();
            let frames = self.images.wal.as_ref().map_or(0, |wal| wal.frames.len() as u32);
            for number in 1..=self.images.main_pages {
                let Some(image) = self.images.main_page(number) else { continue };
                let reading = self.main_reading(number, committed);
                self.leftover(&image, reading, records);
            }
            for index in 0..frames {
                let Some(image) = self.images.frame(index) else { continue };
                let reading = self.frame_reading(&image, index, committed);
                self.leftover(&image, reading, records);
            }
        }
    }

    /// How a page of the database file is read that no tree gave.
    fn main_reading(&self, number: u32, committed: u32) -> Reading {
        let live = self.images.as_of(number, committed).is_some_and(|image| image.origin == Origin::Database);
        let free = self.free.get(number as usize) == Some(&true);
        let part = if free { Part::Free } else { Part::Other };
        let (state, as_of) = if live { (State::Deleted, committed) } else { (State::Superseded, 0) };
        Reading { state, as_of: Some(as_of), strict: true, part }
    }

    /// How a frame is read that no tree gave.
    fn frame_reading(&self, image: &Image<'_>, index: u32, committed: u32) -> Reading {
        let valid = self.images.wal.as_ref().map_or(0, |wal| wal.valid as u32);
        let newest = self.images.as_of(image.number, committed).is_some_and(|newest| newest.id == image.id);
        let alone = self.images.main_pages == 0;
        let (state, as_of) = match index {
            _ if newest && alone => (State::Live, Some(committed)),
            _ if newest => (State::Deleted, Some(committed)),
            _ if index < committed => {
                (State::Superseded, self.images.wal.as_ref().and_then(|wal| wal.ends.get(index as usize).copied()))
            }
            _ if index < valid => (State::Uncommitted, Some(valid)),
            _ => (State::Superseded, None),
        };
        Reading { state, as_of, strict: true, part: Part::Other }
    }

    fn leftover(&mut self, image: &Image<'a>, reading: Reading, records: bool) {
        if image.id.is_some_and(|id| self.claimed.get(id) == Some(&true)) {
            return;
        }
        let newest = self.images.as_of(image.number, self.images.committed());
        if newest.is_some_and(|newest| newest.id != image.id && newest.bytes == image.bytes) {
            return self.claim(image);
        }
        if !records {
            self.claim(image);
            return self.raw(image, 0, image.bytes.len(), None, reading.state_of_raw(), reading.part);
        }
        let Some(node) = Node::parse(image.bytes, image.number, self.header.usable) else { return };
        if node.cells.iter().any(|cell| is_whole(image, cell)) {
            self.claim(image);
            let table = self.owner_now(image.number, node.kind, reading.state);
            self.node(image, &node, table.as_ref(), reading);
        }
    }

    /// The table that owns the page's number now, for earlier images of the same kind.
    fn owner_now(&self, number: u32, kind: Type, state: State) -> Option<Rc<Table>> {
        if state == State::Deleted {
            return None;
        }
        let owner = self.owner.get(number as usize)?.as_ref()?;
        let newest = self.images.as_of(number, self.images.committed())?;
        let same_kind = Type::of(newest.bytes, number)?.is_table() == kind.is_table();
        same_kind.then(|| Rc::clone(owner))
    }

    /// What pages held before a transaction.
    pub(super) fn read_journal(&mut self, bytes: &[u8]) {
        let journal::Contents { records, between } = journal::contents(bytes, self.header.page_size);
        let mut end = 0;
        for (index, record) in records.iter().enumerate() {
            let origin = Origin::Journal(index as u32 + 1);
            let image = Image { number: record.page, bytes: record.bytes, origin, start: record.at, id: None };
            end = image.at(image.bytes.len()) as usize + 4;
            self.journalled(&image);
        }
        for range in between.into_iter().filter(|range| range.end <= end) {
            let place = Place::Named { name: "between records of the rollback journal,", at: range.start as u64 };
            let (at, padding) = (range.start as u64, bytes.get(range).unwrap_or_default());
            self.out.raw(place, padding, at, File::Journal, State::Unallocated);
        }
        super::tail(bytes, end, File::Journal, self.out);
    }

    fn journalled(&mut self, image: &Image<'_>) {
        let reading = Reading { state: State::Superseded, as_of: None, strict: true, part: Part::Other };
        let node = Node::parse(image.bytes, image.number, self.header.usable);
        match node.filter(|node| node.cells.iter().any(|cell| is_whole(image, cell))) {
            Some(node) => {
                let table = self.owner_now(image.number, node.kind, reading.state);
                for cell in node.cells.iter().filter(|cell| is_whole(image, cell)) {
                    let Some(local) = &cell.record else { continue };
                    let pieces = vec![piece(image, 0, local.range.clone())];
                    let payload = Payload { pieces, file: image.file() };
                    self.record(&payload, table.as_ref(), cell.row, local.total, reading);
                }
                self.gaps(image, &node, table.as_ref(), reading);
            }
            None => self.raw(image, 0, image.bytes.len(), None, reading.state, reading.part),
        }
    }

    /// Gives the records of a page, and its other bytes raw.
    fn node(&mut self, image: &Image<'a>, node: &Node, table: Option<&Rc<Table>>, reading: Reading) {
        if !reading.strict {
            for at in node.broken.iter().map(|at| image.at(*at)) {
                self.out.damage(image.file(), at..at + 1, Damaged::Entry);
            }
        }
        for cell in &node.cells {
            let Some(local) = &cell.record else { continue };
            if reading.strict && !is_whole(image, cell) {
                continue;
            }
            let payload = self.payload(image, local, reading);
            self.declare(&payload);
            self.record(&payload, table, cell.row, local.total, reading);
        }
        self.gaps(image, node, table, reading);
    }

    /// What no record of a page covers.
    fn gaps(&mut self, image: &Image<'_>, node: &Node, table: Option<&Rc<Table>>, reading: Reading) {
        let covers = |cell: &&Cell| cell.record.is_none() || !reading.strict || is_whole(image, cell);
        let covered: Vec<Range<usize>> = node.cells.iter().filter(covers).map(|cell| cell.range.clone()).collect();
        let part = if reading.part == Part::Free { Part::Free } else { Part::Gap };
        // Pointers that do not all lead to records may be none: a page that nothing refers to can hold anything there.
        if reading.strict && (covered.len() < node.cells.len() || !node.broken.is_empty()) {
            self.raw(image, node.pointers, node.head_end, table, State::Unallocated, part);
        }
        for gap in node.gaps(image.bytes.len(), covered) {
            self.raw(image, gap.start, gap.end, table, State::Unallocated, part);
        }
    }

    fn raw(
        &mut self,
        image: &Image<'_>,
        start: usize,
        end: usize,
        table: Option<&Rc<Table>>,
        state: State,
        part: Part,
    ) {
        let bytes = image.bytes.get(start..end).unwrap_or_default();
        let place = Place::Page { part, within: within(table.map(AsRef::as_ref)), page: image.place(start) };
        self.out.raw(place, bytes, image.at(start), image.file(), state);
    }
}

impl Reading {
    /// Pages without records hold nothing that an app would see.
    fn state_of_raw(self) -> State {
        if matches!(self.state, State::Live | State::Deleted) { State::Unallocated } else { self.state }
    }
}

fn piece<'a>(image: &Image<'a>, start: u64, range: Range<usize>) -> Piece<'a> {
    let bytes = image.bytes.get(range.clone()).unwrap_or_default();
    Piece { start, bytes, page: image.place(range.start), at: image.at(range.start) }
}

/// Whether a cell carries a whole record, as far as it stands on its page.
fn is_whole(image: &Image<'_>, cell: &Cell) -> bool {
    let local = cell.record.as_ref().and_then(|local| Some((image.bytes.get(local.range.clone())?, local.total)));
    local.is_some_and(|(bytes, total)| record::is_record(bytes, total))
}
