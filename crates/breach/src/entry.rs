//! One entry's bytes into batches.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Arc, Weak};

use crate::dialect::fields::Fields;
use crate::dialect::{Header, State, Step, Text, guess, line_end};
use crate::read::{Checkpoint, Known, Options};
use crate::rows::{Batch, Damage, Dialect, Place, Sink, Table, TableId};
use crate::window::{CELL, Window};

/// Which part of an entry is read.
pub(crate) struct Bounds {
    /// From this point; else from the entry's beginning.
    pub(crate) from: Option<Checkpoint>,
    /// Up to the first boundary between statements or lines at or after this offset.
    pub(crate) until: Option<u64>,
    /// Whether the source stands at [`start_of`] already; else at its beginning.
    pub(crate) placed: bool,
}

/// Where reading ended.
pub(crate) struct End {
    pub(crate) at: Checkpoint,
    /// Whether the entry goes on there.
    pub(crate) is_cut: bool,
}

/// Where reading must begin to go on from a point: one cell earlier, so that the cell of the point is
/// decided from all of its fields.
pub(crate) fn start_of(from: Option<&Checkpoint>) -> u64 {
    let known = from.filter(|from| from.known.is_some());
    known.map_or(0, |from| (from.offset / CELL).saturating_sub(1) * CELL)
}

/// Rows are given at least this often.
const MOST_ROWS: usize = 16 << 10;

/// Reads an entry.
pub(crate) struct EntryReader<'a, 'r> {
    entry: u32,
    options: &'a Options,
    sink: &'a mut dyn Sink,
    progress: &'a dyn Fn() -> u64,
    window: Window<'r>,
    state: State,
    fields: Fields,
    /// The table the waiting rows belong to, as the sink knows it.
    table: Option<(Arc<Header>, Dialect, TableId)>,
    told: Told,
    /// Where in the entry the first waiting row begins.
    first: u64,
    /// The dialect is not guessed again before this offset.
    examined: u64,
    /// Rows that begin before this offset end with their line; 0 where none does.
    looked: u64,
    /// No offset before this place of the window is beyond `examined`.
    not_before: usize,
    until: Option<u64>,
    /// Whether reading ended because the part does.
    is_cut: bool,
    /// Whether it ended because the sink wants no more.
    is_stopped: bool,
    /// The offset at or after which the next cell begins.
    edge: u64,
    /// No offset before this place of the window is beyond `until` or `edge`.
    within: usize,
    /// Where reading began: what is lost before is another part's loss.
    from: u64,
    damages: Damages,
}

impl<'a, 'r> EntryReader<'a, 'r> {
    pub(crate) fn new(
        entry: u32,
        source: &'r mut dyn Read,
        bounds: Bounds,
        options: &'a Options,
        sink: &'a mut dyn Sink,
        progress: &'a dyn Fn() -> u64,
    ) -> Self {
        let offset = bounds.from.as_ref().map_or(0, |from| from.offset);
        let start = start_of(bounds.from.as_ref());
        let known = bounds.from.and_then(|from| from.known);
        let passed = if bounds.placed { start } else { pass(source, start) };
        let window = Window::new(source, passed, options.block, known.as_ref().map(|known| known.charset));
        let (state, examined, looked) =
            known.map_or((State::unknown(), 0, 0), |known| (known.state, known.examined, known.looked));
        let mut reader = Self {
            entry,
            options,
            sink,
            progress,
            window,
            state,
            fields: Fields::new(),
            table: None,
            told: Told::default(),
            first: 0,
            examined,
            looked,
            not_before: 0,
            until: bounds.until,
            is_cut: false,
            is_stopped: false,
            edge: 0,
            within: 0,
            from: offset,
            damages: Damages::new(options.most_damages),
        };
        reader.seek(offset);
        reader.edge = reader.after(offset);
        reader
    }

    /// Consumes the text before `offset`.
    fn seek(&mut self, offset: u64) {
        loop {
            let (text, at) = self.window.text();
            let end = text.len();
            if self.window.raw_offset(end) >= offset {
                self.window.consume_to(place_of(&self.window, at, end, offset));
                return;
            }
            self.window.consume_to(end);
            if !self.window.fill() {
                return;
            }
        }
    }

    /// Goes on to the next place at which a part may begin.
    pub(crate) fn align(&mut self) {
        loop {
            let (text, at) = self.window.text();
            let end = text.len();
            if self.state.is_boundary(text, at) && at > 0 && text.get(at - 1) == Some(&b'\n') {
                self.from = self.window.raw_offset(at);
                self.edge = self.after(self.from);
                return;
            }
            let next = line_end(text, at).filter(|&next| next < end);
            let is_over = self.until.is_some_and(|until| self.window.raw_offset(at) >= until);
            if is_over || next.is_none() && self.window.ended() {
                return;
            }
            if let Some(next) = next {
                self.window.consume_to(next);
            } else {
                // The last byte stays, so that a line end there is seen.
                self.window.consume_to(end.saturating_sub(1));
                self.slide();
            }
        }
    }

    /// Reads to the first row, and returns what is known then.
    pub(crate) fn beginning(mut self) -> Checkpoint {
        while self.fields.rows() == 0 && self.turn() {}
        self.checkpoint()
    }

    /// Reads to the end of the part, and returns the point where reading ended.
    pub(crate) fn run(mut self) -> End {
        if self.state.table.is_some() {
            self.announce();
        }
        while self.turn() {}
        self.flush();
        self.tell_losses();
        self.damages.flush(self.sink);
        self.damages.finish(self.sink);
        End { at: self.checkpoint(), is_cut: self.is_cut }
    }

    /// One step. `false` at the end.
    #[inline]
    fn turn(&mut self) -> bool {
        let (bytes, at) = self.window.text();
        let ended = self.window.ended();
        if self.is_stopped {
            return false;
        }
        if at == bytes.len() {
            return !ended && self.fill();
        }
        if at >= self.within && self.is_beyond(at) {
            if self.until.is_some_and(|until| self.window.raw_offset(at) >= until) {
                self.is_cut = true;
                return false;
            }
            self.pass_edge();
        }
        let lines = self.looked > 0 && self.was_looked_at(at);
        let (bytes, _) = self.window.text();
        let step = self.state.step(Text { bytes, ended, examine: true, lines }, at, &mut self.fields);
        self.follow(step, at)
    }

    #[inline]
    fn follow(&mut self, step: Step, at: usize) -> bool {
        match step {
            Step::Row(next) => self.row(at, next),
            Step::Skip(next) => self.window.consume_to(next),
            Step::Table(next) => {
                self.window.consume_to(next);
                self.announce();
            }
            Step::More => return self.more(),
            Step::Misfit => return self.misfit(at),
            Step::Lost(next, what) => {
                self.lose(at, next, what);
                self.window.consume_to(next);
            }
            Step::LostLooking { end, reach, what } => {
                self.looked = self.window.raw_offset(reach);
                self.lose(at, end, what);
                self.window.consume_to(end);
            }
        }
        true
    }

    /// Whether what begins here was looked at when a row before it was lost.
    #[cold]
    fn was_looked_at(&mut self, at: usize) -> bool {
        if self.window.raw_offset(at) >= self.looked {
            self.looked = 0;
        }
        self.looked > 0
    }

    #[inline]
    fn row(&mut self, at: usize, next: usize) {
        if self.fields.rows() == 0 {
            let start = self.state.row_start(self.window.text().0, at);
            self.first = self.window.raw_offset(start);
        }
        if self.fields.has_escapes() {
            self.window.settle(next);
        }
        self.fields.commit(self.window.text_mut());
        self.window.consume_to(next);
        if self.fields.rows() >= MOST_ROWS {
            self.flush();
        }
    }

    /// Gives the rows that wait.
    fn flush(&mut self) {
        if self.fields.rows() == 0 {
            return;
        }
        if self.table.is_none() {
            self.announce_anyway();
        }
        if let Some((_, _, table)) = &self.table {
            let (bytes, _) = self.window.text();
            let place = Place { entry: self.entry, offset: self.first };
            let batch = Batch { bytes, spans: &self.fields.spans, starts: &self.fields.starts, place };
            self.sink.batch(*table, &batch);
        }
        self.fields.clear();
    }

    /// Tells the sink the table that the rows from here on belong to.
    fn announce(&mut self) {
        let dialect = self.state.dialect();
        let is_same = match (&self.table, &self.state.table) {
            (Some((header, told, _)), Some(table)) => header == table && Some(*told) == dialect,
            _ => false,
        };
        if !is_same {
            self.flush();
            self.announce_anyway();
        }
    }

    fn announce_anyway(&mut self) {
        let header = self.state.table.clone().unwrap_or_default();
        let Some(dialect) = self.state.dialect() else { return };
        let id = self.told.id(&header, dialect).unwrap_or_else(|| self.tell(&header, dialect));
        self.table = Some((header, dialect, id));
    }

    fn tell(&mut self, header: &Arc<Header>, dialect: Dialect) -> TableId {
        let table = Table {
            entry: self.entry,
            name: header.name.clone(),
            columns: header.columns.clone(),
            dialect,
            encoding: self.window.charset().name(),
        };
        let id = self.sink.table(&table);
        self.told.keep(header, dialect, id);
        id
    }

    /// Reads on. What waits is given first, because its places move.
    fn fill(&mut self) -> bool {
        self.flush();
        self.tell_losses();
        self.damages.flush(self.sink);
        let checkpoint = self.checkpoint();
        self.sink.checkpoint(&checkpoint, (self.progress)());
        self.is_stopped = !self.sink.wants_more();
        !self.is_stopped && self.slide()
    }

    fn slide(&mut self) -> bool {
        self.tell_losses();
        (self.not_before, self.within) = (0, 0);
        self.window.fill()
    }

    /// Tells what was lost while the window slid on, up to where reading ended: what lies beyond is told by the part
    /// that begins there.
    fn tell_losses(&mut self) {
        let here = self.window.raw_offset(self.window.text().1);
        for loss in self.window.take_losses(here) {
            if loss.offset < self.from {
                continue;
            }
            let place = Place { entry: self.entry, offset: loss.offset };
            self.damages.add(place, loss.bytes, loss.what, self.sink);
        }
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let (_, at) = self.window.text();
        let known = Known {
            charset: self.window.charset(),
            state: self.state.clone(),
            examined: self.examined,
            looked: self.looked,
        };
        Checkpoint { entry: self.entry, offset: self.window.raw_offset(at), known: Some(known) }
    }

    /// Reads on until there is twice the text, so that a long row is not looked at in every block.
    fn more(&mut self) -> bool {
        let before = self.window.remaining();
        if self.window.ended() {
            let (text, at) = self.window.text();
            let end = text.len();
            self.lose(at, end, "a row is cut short");
            self.window.consume_to(end);
            return false;
        }
        if before > self.options.longest_row {
            self.looked = self.window.raw_offset(self.window.text().0.len());
            self.lose_line("a line is longer than any row: up to its end it is lost");
            return true;
        }
        while self.window.remaining() < before * 2 && self.fill() {}
        true
    }

    /// Passes over text up to a line's end, however far that is.
    fn lose_line(&mut self, what: &'static str) {
        self.flush();
        let offset = self.window.raw_offset(self.window.text().1);
        loop {
            let (text, at) = self.window.text();
            let end = text.len();
            let resynced = self.state.resync(text, at);
            self.window.consume_to(resynced.unwrap_or(end));
            if resynced.is_some() || !self.slide() {
                break;
            }
        }
        let bytes = self.window.raw_offset(self.window.text().1).saturating_sub(offset);
        self.damages.add(Place { entry: self.entry, offset }, bytes, what, self.sink);
    }

    fn lose(&mut self, from: usize, to: usize, what: &'static str) {
        let offset = self.window.raw_offset(from);
        let bytes = self.window.raw_offset(to).saturating_sub(offset);
        self.damages.add(Place { entry: self.entry, offset }, bytes, what, self.sink);
    }

    /// What stands at `at` does not fit: perhaps another dump begins here.
    fn misfit(&mut self, at: usize) -> bool {
        if self.may_examine(at) {
            self.want_sample();
            let at = self.window.text().1;
            let every = self.options.examine_every.max(1);
            self.examined = (self.window.raw_offset(at) / every + 1) * every;
            if self.guess(at) {
                return true;
            }
        }
        let at = self.window.text().1;
        let lines = self.looked > 0 && self.was_looked_at(at);
        let text = Text { bytes: self.window.text().0, ended: self.window.ended(), examine: false, lines };
        let step = self.state.step(text, at, &mut self.fields);
        self.follow(step, at)
    }

    fn may_examine(&mut self, at: usize) -> bool {
        if at < self.not_before {
            return false;
        }
        let offset = self.window.raw_offset(at);
        self.not_before = at.saturating_add(least_text(self.examined.saturating_sub(offset)));
        offset >= self.examined
    }

    fn want_sample(&mut self) {
        while self.window.remaining() < self.options.sample && self.fill() {}
    }

    /// Takes another dialect where the sample at `at` speaks for it.
    fn guess(&mut self, at: usize) -> bool {
        let (text, _) = self.window.text();
        let end = text.len().min(at + self.options.sample);
        let ended = self.window.ended() && end == text.len();
        let Some(guess) = guess::guess(&text[at..end], ended) else { return false };
        if !self.state.yields_to(&guess) {
            return false;
        }
        self.flush();
        self.state = guess.state;
        self.table = None;
        if self.state.table.is_some() {
            self.announce_anyway();
        }
        self.window.consume_to(at + guess.skip);
        true
    }

    /// Whether the part to read or its cell ends here.
    fn is_beyond(&mut self, at: usize) -> bool {
        let offset = self.window.raw_offset(at);
        let limit = self.until.unwrap_or(u64::MAX).min(self.edge);
        if offset < limit {
            let ahead = least_text(limit - offset);
            self.within = at.saturating_add(ahead);
            return false;
        }
        self.state.is_boundary(self.window.text().0, at)
    }

    /// Where the cell of an offset ends.
    fn after(&self, offset: u64) -> u64 {
        let cell = self.options.cell.max(1);
        (offset / cell).saturating_add(1).saturating_mul(cell)
    }

    /// Gives what waits, and tells of the point.
    #[cold]
    fn pass_edge(&mut self) {
        self.flush();
        self.tell_losses();
        self.damages.flush(self.sink);
        let checkpoint = self.checkpoint();
        self.edge = self.after(checkpoint.offset);
        let cell = checkpoint.offset / self.options.cell.max(1);
        self.sink.edge(cell, &checkpoint, (self.progress)());
    }
}

/// Text has at least half as many bytes as what it comes from.
fn least_text(bytes: u64) -> usize {
    usize::try_from(bytes / 2).unwrap_or(usize::MAX)
}

/// The place in the text, from `at` to `end`, that comes from `offset` of the entry.
fn place_of(window: &Window<'_>, at: usize, end: usize, offset: u64) -> usize {
    let (mut low, mut high) = (at, end);
    while low < high {
        let middle = low.midpoint(high);
        if window.raw_offset(middle) < offset { low = middle + 1 } else { high = middle }
    }
    low
}

/// Reads `count` bytes and forgets them. Returns how many there were.
fn pass(source: &mut dyn Read, count: u64) -> u64 {
    io::copy(&mut source.take(count), &mut io::sink()).unwrap_or(0)
}

/// The tables the sink was told of, by their names: statements that take turns would else cost all names of columns each.
#[derive(Default)]
struct Told(HashMap<String, (Weak<Header>, Dialect, TableId)>);

/// How many tables are known to have been told.
const MOST_TOLD: usize = 10_000;

impl Told {
    fn id(&self, header: &Arc<Header>, dialect: Dialect) -> Option<TableId> {
        let (told, as_dialect, id) = self.0.get(header.name.as_deref()?)?;
        (told.as_ptr() == Arc::as_ptr(header) && *as_dialect == dialect).then_some(*id)
    }

    fn keep(&mut self, header: &Arc<Header>, dialect: Dialect, id: TableId) {
        let Some(name) = &header.name else { return };
        if self.0.len() >= MOST_TOLD {
            self.0.clear();
        }
        self.0.insert(name.clone(), (Arc::downgrade(header), dialect, id));
    }
}

/// Damages of an entry: neighbours of one kind are told as one, and of very many only how many.
struct Damages {
    most: usize,
    waiting: Option<(Place, u64, &'static str)>,
    told: usize,
    untold: u64,
    untold_bytes: u64,
    last: Option<Place>,
}

impl Damages {
    fn new(most: usize) -> Self {
        Self { most, waiting: None, told: 0, untold: 0, untold_bytes: 0, last: None }
    }

    fn add(&mut self, place: Place, bytes: u64, what: &'static str, sink: &mut dyn Sink) {
        if let Some((start, length, waiting)) = &mut self.waiting
            && *waiting == what
            && start.offset + *length == place.offset
        {
            *length += bytes;
            return;
        }
        self.flush(sink);
        self.waiting = Some((place, bytes, what));
    }

    fn flush(&mut self, sink: &mut dyn Sink) {
        let Some((place, bytes, what)) = self.waiting.take() else { return };
        if self.told < self.most {
            self.told += 1;
            sink.damage(Damage { place, bytes: Some(bytes), what: what.to_owned() });
        } else {
            self.untold += 1;
            self.untold_bytes += bytes;
            self.last = Some(place);
        }
    }

    fn finish(&mut self, sink: &mut dyn Sink) {
        if let Some(place) = self.last.take() {
            let what = format!("{} more places were damaged, the last one here", self.untold);
            sink.damage(Damage { place, bytes: Some(self.untold_bytes), what });
        }
    }
}
