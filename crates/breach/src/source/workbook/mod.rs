//! Workbooks (.xlsx; ECMA-376 part 1, 12 and 18; part 2 for the package): a zip whose sheets name strings and styles of
//! other parts, which may stand behind them. So it is gone through twice.

mod number;
mod sheet;
mod strings;
mod styles;
mod text;
mod xml;

use std::io::{BufReader, Cursor, Read, SeekFrom};

use self::sheet::Sheet;
use self::strings::Strings;
use self::styles::Styles;
use self::xml::{Item, Xml, attribute};
use super::bounded::Bounded;
use super::{BUFFER, Content, DEEPEST, Found, Here, MOST_IN_MEMORY, SeekRead, Source, Visit, zip};
use crate::rows::Entry;

/// The folders in which office files keep all they have.
const FOLDERS: [&str; 8] =
    ["[content_types].xml", "_rels/", "docprops/", "customxml/", "customui/", "xl/", "word/", "ppt/"];

/// What the sheets need of other parts.
#[derive(Default)]
struct Book {
    strings: Strings,
    styles: Styles,
    from_1904: bool,
    parts: Parts,
}

/// What kind of file its parts make it.
#[derive(Default)]
struct Parts {
    is_office: bool,
    is_binary: bool,
    has_sheets: bool,
}

/// Whether a zip that begins like this may be an office file: by its first name (APPNOTE 4.3.7).
pub(super) fn may_begin(head: &[u8]) -> bool {
    let length = head.get(26..28).map_or(0, |length| usize::from(length[0]) | usize::from(length[1]) << 8);
    let name = head.get(30..).map(|rest| &rest[..rest.len().min(length)]).unwrap_or_default();
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    FOLDERS.iter().any(|folder| name.starts_with(folder))
}

/// Walks a zip that may be a workbook, of which `head` has been read from `source`.
pub(super) fn walk(here: &Here, head: &[u8], source: Source<'_>, visit: Visit<'_>) {
    match source {
        Source::File(file) => walk_file(here, file, visit),
        Source::Stream(stream) => {
            let mut bytes = Vec::new();
            // What is missing at the end is seen again where the last part is read.
            let _ = head.chain(&mut *stream).take(MOST_IN_MEMORY + 1).read_to_end(&mut bytes);
            if bytes.len() as u64 <= MOST_IN_MEMORY {
                return walk_file(here, &mut Cursor::new(bytes), visit);
            }
            let mut whole = BufReader::with_capacity(BUFFER, Cursor::new(bytes).chain(stream));
            zip::walk(here, &mut whole, visit);
        }
    }
}

fn walk_file(here: &Here, file: &mut dyn SeekRead, visit: Visit<'_>) {
    let unpacked = here.budget.unpacked();
    let Some(book) = book(here, file) else {
        return here.unreadable("the archive cannot be read from its beginning", visit);
    };
    here.budget.set_unpacked(unpacked);
    if file.seek(SeekFrom::Start(0)).is_err() {
        return here.unreadable("the archive cannot be read from its beginning", visit);
    }
    let mut whole = BufReader::with_capacity(BUFFER, file);
    if !book.parts.is_office {
        zip::walk(here, &mut whole, visit);
    } else if book.parts.is_binary {
        here.unreadable("binary workbooks (.xlsb) are not read: save them as .xlsx or CSV", visit);
    } else if !book.parts.has_sheets {
        here.unreadable("of office files only workbooks (.xlsx) with sheets are read", visit);
    } else {
        rows(here, &book, &mut whole, visit);
    }
}

/// Parts are no containers: what is embedded is not opened.
fn flat(here: &Here) -> Here {
    Here { depth: DEEPEST - 1, ..here.clone() }
}

/// The name of a part, as it is compared.
fn part_of(here: &Here, path: &str) -> String {
    let name = path.strip_prefix(here.path.as_str()).and_then(|rest| rest.strip_prefix('!')).unwrap_or_default();
    name.replace('\\', "/").trim_start_matches('/').to_ascii_lowercase()
}

/// Whether only office files have a part of this name.
pub(super) fn is_office(part: &str) -> bool {
    ["[content_types].xml", "_rels/.rels", "xl/workbook.xml", "xl/workbook.bin"]
        .iter()
        .any(|known| part.eq_ignore_ascii_case(known))
}

fn is_sheet(part: &str) -> bool {
    part.strip_prefix("xl/worksheets/").is_some_and(|name| name.strip_suffix(".xml").is_some() && !name.contains('/'))
}

/// The first time through: what sheets need. `None` where there is no first byte to go to.
fn book(here: &Here, file: &mut dyn SeekRead) -> Option<Book> {
    file.seek(SeekFrom::Start(0)).ok()?;
    let mut book = Book::default();
    let mut whole = BufReader::with_capacity(BUFFER, file);
    zip::files(&flat(here), &mut whole, &mut |found| {
        let part = part_of(here, &found.entry.path);
        book.parts.is_office |= is_office(&part);
        book.parts.is_binary |= part == "xl/workbook.bin";
        book.parts.has_sheets |= is_sheet(&part);
        let Content::Bytes(content) = found.content else { return };
        match part.as_str() {
            "xl/sharedstrings.xml" => book.strings.read(content),
            "xl/styles.xml" => book.styles = Styles::read(content),
            "xl/workbook.xml" => book.from_1904 = counts_from_1904(content),
            _ => {}
        }
    });
    Some(book)
}

/// Whether days count from 1904 (18.2.28).
fn counts_from_1904(source: &mut dyn Read) -> bool {
    let mut xml = Xml::new(source);
    loop {
        match xml.next() {
            Ok(Item::Open(start)) if start.local_name().as_ref() == "workbookPr" => {
                return attribute(&start, "date1904").is_some_and(|value| matches!(&*value, "1" | "true"));
            }
            Ok(Item::End) | Err(_) => return false,
            Ok(_) => {}
        }
    }
}

/// The second time through: the sheets, in their order.
fn rows(here: &Here, book: &Book, whole: &mut BufReader<&mut dyn SeekRead>, visit: Visit<'_>) {
    let mut last_was_sheet = false;
    let mut number = 0;
    if let Some(why) = book.strings.incomplete {
        here.inside("xl/sharedStrings.xml", None).unreadable(why, visit);
    }
    zip::files(&flat(here), whole, &mut |found| {
        let Found { entry, content } = found;
        let part = part_of(here, &entry.path);
        let was_sheet = std::mem::replace(&mut last_was_sheet, is_sheet(&part));
        match content {
            Content::Bytes(content) if is_sheet(&part) => {
                number += 1;
                one_sheet(here, (&part, number), entry, Sheet::new(content, book), visit);
            }
            Content::Bytes(_) if part.starts_with("xl/embeddings/") => {
                visit(Found { entry, content: Content::Unreadable("what is embedded in a workbook is not read") });
            }
            Content::Damaged(why) if was_sheet => visit(Found { entry, content: Content::Damaged(why) }),
            Content::Unreadable(why) | Content::Damaged(why) => {
                visit(Found { entry, content: Content::Unreadable(why) });
            }
            Content::Bytes(_) | Content::Sheet(..) => {}
        }
    });
}

fn one_sheet(here: &Here, (part, number): (&str, usize), entry: Entry, mut sheet: Sheet<'_>, visit: Visit<'_>) {
    let written = part.trim_start_matches("xl/worksheets/sheet").trim_end_matches(".xml");
    let number = written.parse::<u16>().map_or(number, usize::from);
    let path = entry.path.clone();
    // Sheets that name long strings again and again are bombs too.
    let mut text = Bounded::new(&mut sheet, &here.budget);
    visit(Found { entry, content: Content::Sheet(&mut text, format!("sheet {number}")) });
    for why in sheet.notes() {
        visit(Found { entry: Entry { path: path.clone(), size: None }, content: Content::Damaged(why) });
    }
}
