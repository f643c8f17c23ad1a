//! Why something could not be read, in Chinese. Readers say it in English sentences, most of them fixed but for numbers
//! and names; what is not known here stays English.

use super::Lang;

/// English and Chinese, `{}` for what differs, in the same order in both.
const REASONS: &[(&str, &str)] = &[
    // TLS and what is encrypted.
    ("no key in the log for this connection", "密钥日志中没有此连接的密钥"),
    ("the key in the log does not fit this connection", "密钥日志中的密钥与此连接不符"),
    ("the early secret is not in the key log", "密钥日志中没有早期数据的密钥"),
    ("the key log lacks this secret of the connection", "密钥日志缺少此连接的这一密钥"),
    ("record does not verify", "TLS 记录校验失败"),
    ("bytes are missing before these", "此前的字节缺失"),
    ("the handshake was not captured", "未录到 TLS 握手"),
    ("the TLS handshake was not finished", "TLS 握手未完成"),
    ("cipher suite not supported", "不支持该密码套件"),
    ("compressed inside TLS", "在 TLS 内压缩"),
    ("not TLS records", "不是 TLS 记录"),
    ("the capture ended inside a record", "抓包在一条记录中途结束"),
    ("picked up in the middle of an encrypted connection", "从加密连接的中途开始录制"),
    ("QUIC is not decrypted yet", "尚不能解密 QUIC"),
    ("DTLS is not decrypted yet", "尚不能解密 DTLS"),
    // Bodies.
    ("the recorder did not keep the body", "录制工具没有保存正文"),
    ("a content coding could not be undone", "有一种内容编码无法还原"),
    ("a body was longer than is kept", "正文超过可保存的长度"),
    ("an exhibit could not be opened", "有一件证据文件无法打开"),
    // What the network lost.
    ("gap of {} bytes from the {}", "{} 字节的缺口，来自{}"),
    ("{} gaps, {} bytes from the {}", "{} 处缺口，共 {} 字节，来自{}"),
    ("{} bytes of datagrams cut off by the recorder", "录制工具截去了数据报中的 {} 字节"),
    ("fragments of an IP packet whose other fragments are missing", "IP 分片不全，其余分片缺失"),
    ("tunnels nested deeper than 8", "隧道嵌套超过 8 层"),
    ("IP protocols and frames that are not read, beyond {} pairs of hosts", "未读取的 IP 协议和帧，超过 {} 对主机"),
    ("{}, in {} packets", "{}，共 {} 个数据包"),
    ("{} is not read", "不读取 {}"),
    ("{} cut off or broken", "{} 被截断或损坏"),
    // Protocols.
    ("{} bytes from the {} in {} places: {}", "来自{1}的 {0} 字节，共 {2} 处：{3}"),
    ("{} bytes from the {}: {}", "来自{1}的 {0} 字节：{2}"),
    ("{} bytes could not be read as DNS", "有 {} 字节无法按 DNS 读取"),
    ("not HTTP/2 frames", "不是 HTTP/2 帧"),
    ("field blocks that could not be decoded", "无法解码的字段块"),
    ("on streams that were over", "位于已结束的流上"),
    ("a frame that was cut short", "被截短的帧"),
    ("not MQTT control packets", "不是 MQTT 控制报文"),
    ("malformed MQTT packets", "格式错误的 MQTT 报文"),
    ("an MQTT packet that was cut short", "被截短的 MQTT 报文"),
    ("message head is longer than is read: {} bytes", "报文头超过可读取的长度：{} 字节"),
    ("chunked body breaks off at bytes that are no chunk", "分块正文在不是分块的字节处中断"),
    ("{} bytes of fields over the limit of {}", "字段超出上限 {1}，多出 {0} 字节"),
    ("gap in a message head", "报文头中有缺口"),
    (
        "bytes are no WebSocket frame; what follows is read without structure",
        "字节不是 WebSocket 帧；其后内容不按结构读取",
    ),
    // Files.
    ("the file ends within {}", "文件在 {} 中途结束"),
    ("the file could not be read", "文件无法读取"),
    ("the file cannot be read further: {}", "文件无法继续读取：{}"),
    ("the file cannot be read or unpacked from here on", "文件自此处起无法读取或解压"),
    ("broken JSON at byte {}", "第 {} 字节处的 JSON 损坏"),
    ("a packet header makes no sense", "数据包头无意义"),
    ("a block's length makes no sense", "数据块的长度无意义"),
    ("a block's two lengths differ", "数据块前后两个长度不一致"),
    ("this flow could not be read", "此条 flow 无法读取"),
    ("part of this flow could not be read", "此条 flow 的一部分无法读取"),
    // Limits of the search.
    (
        "limit reached in {} records: {}; something may have been missed there",
        "有 {} 条记录达到上限：{}；此处可能有遗漏",
    ),
    ("there were more wrappings within one another than are undone", "包装嵌套层数超过可还原的层数"),
    ("the work for one record was spent before every wrapping was undone", "单条记录的处理量已用尽，未能还原全部包装"),
    ("there were more sightings in one record than are listed", "单条记录中的所见次数超过可列出的数量"),
    ("a body too long for memory was searched in pieces", "正文过长，内存放不下，已分段搜索"),
    ("a body that was put to disk could not be read back", "写入磁盘的正文无法读回"),
    // What stands in the places of others.
    ("client", "客户端"),
    ("server", "服务器"),
];

/// Deepest sentence within a sentence.
const DEEPEST: usize = 2;

/// The sentence of a reader in the reader's language; `None` where it has none in it.
pub(crate) fn reason(text: &str, lang: Lang) -> Option<String> {
    match lang {
        Lang::English => Some(text.to_owned()),
        Lang::Chinese => chinese(text, DEEPEST),
    }
}

fn chinese(text: &str, deepest: usize) -> Option<String> {
    REASONS.iter().find_map(|(english, chinese)| {
        // Where sentences are counted by what they say, their numbers are left out: `not HTTP/… frames`.
        let found =
            parts(english, text).or_else(|| parts(&english.replace(|c: char| c.is_ascii_digit(), "…"), text))?;
        Some(filled(chinese, &found, deepest))
    })
}

/// What stands in the places of a sentence; `None` where the text is not of it.
fn parts<'t>(sentence: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut pieces = sentence.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut found = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let at = if pieces.peek().is_none() { rest.len().checked_sub(piece.len())? } else { rest.find(piece)? };
        let (part, behind) = rest.split_at_checked(at)?;
        rest = behind.strip_prefix(piece)?;
        found.push(part);
    }
    rest.is_empty().then_some(found)
}

/// Puts parts in their places, `{}` in order or `{0}` by number; a part that is itself a sentence is put into Chinese.
fn filled(sentence: &str, parts: &[&str], deepest: usize) -> String {
    let mut text = String::new();
    for (number, piece) in sentence.split('{').enumerate() {
        let Some((place, behind)) = piece.split_once('}').filter(|_| number > 0) else {
            text.push_str(piece);
            continue;
        };
        let at = place.parse().unwrap_or(number - 1);
        let part = parts.get(at).copied().unwrap_or_default();
        let known = deepest.checked_sub(1).and_then(|deepest| chinese(part, deepest));
        text.push_str(&known.unwrap_or_else(|| part.to_owned()));
        text.push_str(behind);
    }
    text
}

/// Every sentence in English, `{}` for what differs.
pub fn reasons() -> impl Iterator<Item = &'static str> {
    REASONS.iter().map(|(english, _)| *english)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_readers_are_put_into_chinese_with_their_numbers() {
        let of = |text| reason(text, Lang::Chinese);
        assert_eq!(of("no key in the log for this connection").as_deref(), Some("密钥日志中没有此连接的密钥"));
        assert_eq!(of("gap of 1,448 bytes from the client").as_deref(), Some("1,448 字节的缺口，来自客户端"));
        assert_eq!(of("IP protocol 50 (ESP) is not read").as_deref(), Some("不读取 IP protocol 50 (ESP)"));
        assert_eq!(
            of("12 bytes from the server in 3 places: malformed MQTT packets").as_deref(),
            Some("来自服务器的 12 字节，共 3 处：格式错误的 MQTT 报文")
        );
        assert_eq!(
            of("… bytes from the client: not HTTP/… frames").as_deref(),
            Some("来自客户端的 … 字节：不是 HTTP/2 帧")
        );
        assert_eq!(of("link type 9 is not read, in 3 packets").as_deref(), Some("不读取 link type 9，共 3 个数据包"));
        assert_eq!(of("something new"), None);
        assert_eq!(of(""), None);
        assert_eq!(reason("something new", Lang::English).as_deref(), Some("something new"));
    }

    #[test]
    fn every_sentence_is_found_again_and_keeps_what_differs() {
        for (english, chinese) in REASONS {
            let holes = english.matches("{}").count();
            assert_eq!(chinese.matches('{').count(), holes, "{english}");
            let text = (0..holes).fold((*english).to_owned(), |text, at| text.replacen("{}", &format!("x{at}"), 1));
            let shown = reason(&text, Lang::Chinese).unwrap();
            assert!((0..holes).all(|at| shown.contains(&format!("x{at}"))), "{english}: {shown}");
            assert!(!shown.is_ascii() && !chinese.is_ascii());
        }
    }
}
