//! What pictures tell beside what they show.

use super::markup::{Context, code, escape, further, table};
use crate::audit::{PictureRow, who};
use crate::text::count;
use dyetrace_case::{Protocol, Side};
use std::fmt::Write as _;

/// Pictures that are shown.
const ROWS: usize = 200;
/// Notes of one picture.
const NOTES: usize = 40;

/// The part of the page; absent where there was no picture.
pub(super) fn part(context: &Context<'_>) -> Option<String> {
    let found = &context.audit.pictures;
    if found.seen == 0 {
        return None;
    }
    let mut out = format!("<h3>{}</h3>\n", context.pick("What pictures give away", "图片泄露的信息"));
    let (pictures, with) =
        (context.pick("Pictures", "图片"), context.pick("With notes of a camera or a program", "含相机或程序写入信息"));
    let (seen, telling) = (count(found.seen), count(found.telling));
    let _ = writeln!(out, "<p>{pictures}: {seen}. {with}: {telling}.</p>");
    if let Some(why) = &found.text_not_examined {
        let text = context.pick("The text in them was not examined", "未检查图片中的文字");
        let _ = writeln!(out, "<p class=\"note\">{text}: <span lang=\"en\">{}</span>.</p>", escape(why));
    }
    if let Some(why) = &found.faces_not_examined {
        let text = context.pick("Faces in them were not examined", "未检查图片中的人脸");
        let _ = writeln!(out, "<p class=\"note\">{text}: <span lang=\"en\">{}</span>.</p>", escape(why));
    }
    if found.rows.is_empty() {
        return Some(out);
    }
    let heads = [
        context.pick("Picture", "图片"),
        context.pick("Where", "位置"),
        context.pick("What it tells", "所含信息"),
        context.pick("Small picture inside", "内嵌缩略图"),
    ];
    let caption = context.pick("Pictures that tell more than they show", "含有附加信息的图片");
    let rows = found.rows.iter().take(ROWS).map(|row| cells(context, row));
    out.push_str(&table(caption, &heads, rows));
    out.push_str(&further(context, found.rows.len().saturating_sub(ROWS)));
    Some(out)
}

fn cells(context: &Context<'_>, row: &PictureRow) -> Vec<String> {
    let size = row.size.map_or(String::new(), |(width, height)| format!(" {width}×{height}"));
    let is_stored = row.record.protocol == Protocol::File;
    let (whose, way) = match row.place.part.side() {
        _ if is_stored => (String::new(), context.pick("kept", "存储")),
        Side::Request => (who(&row.record.server), context.pick("sent", "发送")),
        Side::Response => (who(&row.record.server), context.pick("received", "接收")),
    };
    let url = row.record.url.as_deref().unwrap_or_default();
    let notes: Vec<String> = row
        .notes
        .iter()
        .take(NOTES)
        .map(|note| {
            let planted: Vec<String> = note.planted.iter().map(|datum| escape(&datum.0)).collect();
            let planted = match &planted[..] {
                [] => String::new(),
                data => format!(" <b>{} {}</b>", context.pick("planted:", "植入："), data.join(", ")),
            };
            format!("{} {} {}{planted}", escape(&note.block), escape(&note.name), code(&note.shown))
        })
        .collect();
    let small = row.embedded.as_ref().map(|small| {
        let shows = match small.shows.as_deref() {
            Some("same") => context.pick("shows the same", "内容相同"),
            Some("another-shape") => {
                context.pick("another shape: cropped or turned after it was taken", "形状不同：拍摄后被裁剪或旋转")
            }
            Some("other-contents") => context
                .pick("shows something else: cropped or changed after it was taken", "内容不同：拍摄后被裁剪或修改"),
            _ => context.pick("what it shows cannot be told", "无法判断其内容"),
        };
        format!("{} {shows}", escape(&small.size))
    });
    vec![
        format!("{}{size}", escape(&row.format)),
        format!("{way} {}<br>{}", escape(&whose), code(url)),
        notes.join("<br>"),
        small.unwrap_or_default(),
    ]
}
