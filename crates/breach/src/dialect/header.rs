//! Whether a list's first line names its columns.
//!
//! Columns' names are told and kept, values never are: in doubt a first line is a row.

use super::fields::Fields;
use super::{Step, Text};

/// Names that columns of personal data bear, in part or whole.
const NAMES: &[&str] = &[
    "account",
    "addr",
    "address",
    "age",
    "birth",
    "birthday",
    "card",
    "city",
    "company",
    "country",
    "created",
    "date",
    "dob",
    "email",
    "gender",
    "hash",
    "id",
    "idcard",
    "ip",
    "ipaddr",
    "lastname",
    "firstname",
    "login",
    "mail",
    "mobile",
    "money",
    "name",
    "nick",
    "nickname",
    "order",
    "pass",
    "passwd",
    "password",
    "phone",
    "province",
    "pwd",
    "qq",
    "regdate",
    "regip",
    "regtime",
    "salt",
    "sex",
    "tel",
    "telephone",
    "time",
    "truename",
    "realname",
    "uid",
    "user",
    "userid",
    "username",
    "uuid",
    "zip",
    "zipcode",
    "xingming",
    "shouji",
    "mima",
    "youxiang",
    "dizhi",
    "shenfenzheng",
    "姓名",
    "密码",
    "密碼",
    "邮箱",
    "郵箱",
    "手机",
    "手機",
    "电话",
    "電話",
    "地址",
    "身份证",
    "身分證",
    "账号",
    "帳號",
    "用户",
    "用戶",
    "性别",
    "性別",
    "生日",
    "编号",
    "時間",
    "时间",
    "昵称",
    "暱稱",
    "盐",
];

/// The names of the columns, where the first line has them, and the length of that line. `step` takes a line apart.
pub(crate) fn of(
    sample: &[u8],
    step: impl Fn(Text<'_>, usize, &mut Fields) -> Step,
) -> (Option<Vec<Option<String>>>, usize) {
    let mut fields = Fields::new();
    let text = Text { bytes: sample, ended: true, examine: false, lines: false };
    let mut at = 0;
    let mut read: Vec<Vec<String>> = Vec::new();
    let mut first_end = 0;
    while read.len() < 50 && at < sample.len() {
        match step(text, at, &mut fields) {
            Step::Row(next) => {
                let mut line = sample[..next].to_vec();
                fields.commit(&mut line);
                let field = |span: &crate::rows::Span| {
                    String::from_utf8_lossy(span.of(&line).unwrap_or_default()).trim().to_owned()
                };
                read.push(fields.spans.iter().map(field).collect());
                fields.clear();
                if first_end == 0 {
                    first_end = next;
                }
                at = next;
            }
            Step::Skip(next) | Step::Lost(next, _) => at = next,
            _ => break,
        }
    }
    match read.split_first() {
        Some((first, others)) if is_header(first, others) => {
            (Some(first.iter().map(|name| (!name.is_empty()).then(|| name.clone())).collect()), first_end)
        }
        _ => (None, 0),
    }
}

fn is_header(first: &[String], others: &[Vec<String>]) -> bool {
    let mut sorted: Vec<&String> = first.iter().filter(|name| !name.is_empty()).collect();
    let filled = sorted.len();
    sorted.sort();
    sorted.dedup();
    let could_be_names =
        filled * 2 > first.len() && sorted.len() == filled && first.iter().all(|name| could_name(name));
    if !could_be_names {
        return false;
    }
    let known = first.iter().filter(|name| is_known(name)).count();
    let contrasts = (0..first.len()).filter(|&column| contrasts(first, others, column)).count();
    known * 2 > filled || known >= 1 && contrasts >= 1 || known >= 3
}

/// No value of a person: no address, no number.
fn could_name(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    name.chars().count() <= 40
        && digits <= 2
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.contains('@')
}

fn is_known(name: &str) -> bool {
    let lower = name.to_lowercase();
    let parts = || lower.split(|character: char| !character.is_alphanumeric());
    NAMES.iter().any(|known| {
        lower == *known || parts().any(|part| part == *known) || !known.is_ascii() && lower.contains(known)
    })
}

/// Whether most rows have digits or an `@` in a column whose first field has none.
fn contrasts(first: &[String], others: &[Vec<String>], column: usize) -> bool {
    let is_value = |field: &String| field.contains('@') || field.bytes().any(|byte| byte.is_ascii_digit());
    let values = others.iter().filter(|row| row.get(column).is_some_and(is_value)).count();
    !first.get(column).is_some_and(is_value) && values * 10 >= others.len() * 8 && values > 0
}
