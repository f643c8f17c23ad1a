//! Writers of dumps in every dialect and encoding.

#![allow(dead_code, reason = "each test uses a part")]

/// A row of an account, a remark and an address.
pub(crate) type Row = Vec<String>;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Dialect {
    Sql,
    Csv,
    List,
    Json,
    Php,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Charset {
    Utf8,
    Gb18030,
    Big5,
    Utf16Le,
    Utf16Be,
}

const COLUMNS: [&str; 3] = ["account", "note", "mail"];

/// Rows as a dialect writes them.
pub(crate) fn written(dialect: Dialect, rows: &[Row]) -> String {
    let line = |row: &Row| match dialect {
        Dialect::Sql => {
            let values: Vec<String> = row.iter().map(|field| format!("'{}'", field.replace('\'', "\\'"))).collect();
            format!("INSERT INTO `users` VALUES ({});\n", values.join(","))
        }
        Dialect::Csv => {
            row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect::<Vec<_>>().join(",") + "\n"
        }
        Dialect::List => row.join("----") + "\r\n",
        Dialect::Json => {
            let pairs = COLUMNS.iter().zip(row).map(|(name, field)| (name, field.as_str()));
            serde_json::to_string(&pairs.collect::<std::collections::BTreeMap<_, _>>()).expect("written") + "\n"
        }
        Dialect::Php => {
            let pair =
                |(name, field): (&&str, &String)| format!("s:{}:\"{name}\";s:{}:\"{field}\";", name.len(), field.len());
            format!("a:3:{{{}}}\n", COLUMNS.iter().zip(row).map(pair).collect::<String>())
        }
    };
    let head = match dialect {
        Dialect::Sql => "CREATE TABLE `users` (`account` text, `note` text, `mail` text);\n",
        _ => "",
    };
    head.to_owned() + &rows.iter().map(line).collect::<String>()
}

/// Text in an encoding.
pub(crate) fn encoded(charset: Charset, text: &str) -> Vec<u8> {
    let units = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes);
    match charset {
        Charset::Utf8 => text.as_bytes().to_vec(),
        Charset::Gb18030 => encoding_rs::GB18030.encode(text).0.into_owned(),
        Charset::Big5 => encoding_rs::BIG5.encode(text).0.into_owned(),
        Charset::Utf16Le => [0xFF, 0xFE].into_iter().chain(units(u16::to_le_bytes)).collect(),
        Charset::Utf16Be => [0xFE, 0xFF].into_iter().chain(units(u16::to_be_bytes)).collect(),
    }
}
