//! A judged case as one HTML page.
//!
//! The page needs no network and no second file. Its content security policy allows exactly one style
//! and one script, by their SHA-256, and nothing else; so even evidence that slipped past the escaping
//! could neither run nor load anything. Without the script everything can still be read, but for the
//! later rows of the table of sightings.

mod claims;
mod csp;
mod evidence;
mod excerpt;
mod first;
mod giveaway;
mod markup;
mod matrix;
mod others;
mod pictures;
mod practices;
mod repeat;
mod sankey;
mod timeline;
mod unread;

pub use excerpt::{Excerpt, Excerpts};
pub use pictures::Pictures;

use crate::audit::Audit;
use crate::words::Lang;
use dyetrace_case::Judgement;
use markup::{Context, escape};
use std::fmt::Write as _;
use std::io::{self, Write};

/// How the page may look, and what it needs beside judgement and audit.
#[derive(Debug, Clone, Copy, Default)]
pub struct HtmlLook<'a> {
    /// The language of everything that is not quoted.
    pub lang: Lang,
    /// True where the texts of the audit show planted values; the page then warns of it.
    pub reveal: bool,
    /// The command that made the page, for whoever wants to repeat it.
    pub command: Option<&'a str>,
    /// Bytes around sightings.
    pub excerpts: Option<&'a Excerpts>,
    /// Planted pictures, and what was seen of them.
    pub pictures: Option<&'a Pictures>,
}

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Writes the page.
///
/// # Errors
/// Writing failed.
pub fn write_html(judgement: &Judgement, audit: &Audit, look: HtmlLook<'_>, out: &mut dyn Write) -> io::Result<()> {
    let context = Context::new(judgement, audit, look);
    out.write_all(head(&context).as_bytes())?;
    for section in [
        first::section,
        matrix::section,
        timeline::section,
        claims::section,
        evidence::section,
        sankey::section,
        unread::section,
        repeat::todo,
        repeat::section,
    ] {
        out.write_all(section(&context).as_bytes())?;
    }
    out.write_all(tail().as_bytes())
}

fn head(context: &Context<'_>) -> String {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}';{} base-uri 'none'; form-action 'none'",
        csp::source(STYLE),
        csp::source(SCRIPT),
        // Pictures are part of the page.
        if context.look.pictures.is_some_and(|pictures| !pictures.found.is_empty()) { " img-src data:;" } else { "" }
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{}<main id=\"main\">\n",
        context.lang().tag(),
        escape(&context.title()),
        navigation(context)
    )
}

fn navigation(context: &Context<'_>) -> String {
    let mut items = String::new();
    for (id, english, chinese) in SECTIONS {
        let _ = write!(items, "<li><a href=\"#{id}\">{}</a></li>", context.pick(english, chinese));
    }
    format!(
        "<a class=\"skip\" href=\"#main\">{}</a>\n<header class=\"bar\"><nav aria-label=\"{}\"><ul>{items}</ul></nav>\
         <button type=\"button\" id=\"theme\" hidden>{}</button></header>\n",
        context.pick("To the verdicts", "跳到结论"),
        context.pick("Sections", "章节"),
        context.pick("Light or dark", "浅色／深色"),
    )
}

/// Anchors and short names of the sections, in their order.
const SECTIONS: [(&str, &str, &str); 9] = [
    ("verdicts", "Verdicts", "结论"),
    ("matrix", "Who received what", "谁收到了什么"),
    ("timeline", "Timeline", "时间线"),
    ("claims", "Claims", "声明"),
    ("evidence", "Evidence", "证据"),
    ("ways", "Ways", "去向"),
    ("unread", "Not read", "未能读取"),
    ("todo", "To do", "待办"),
    ("repeat", "Repeat", "如何重做"),
];

fn tail() -> String {
    format!("</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")
}
