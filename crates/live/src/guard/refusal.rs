//! What a client gets in the server's place.

use super::Noticed;
use std::collections::BTreeSet;

/// Status 451 and why, as JSON (RFC 7725): kinds of data, never values. `host` is what may be shown of its name.
pub(super) fn body(what: &[Noticed], host: &str) -> String {
    let kinds: BTreeSet<&str> = what.iter().map(|noticed| noticed.kind.as_str()).collect();
    let kinds: Vec<String> = kinds.into_iter().map(|kind| format!("\"{kind}\"")).collect();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '*');
    let host: String = host.chars().filter(|c| is_plain(*c)).collect();
    format!(
        "{{\"blocked_by\":\"dyetrace guard\",\"data\":[{}],\"to\":\"{host}\",\"to_allow\":\"allow these data for this \
         host where dyetrace live runs, then send again\"}}\n",
        kinds.join(",")
    )
}

/// The answer on HTTP/1.
pub(super) fn answer(what: &[Noticed], host: &str, to_method: &str, closes: bool) -> Vec<u8> {
    let body = body(what, host);
    let connection = if closes { "Connection: close\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 451 Unavailable For Legal Reasons\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\n{connection}\r\n",
        body.len()
    );
    if to_method == "HEAD" { head.into_bytes() } else { (head + &body).into_bytes() }
}

/// The answer to what is not passed on because it is not clear what it is.
pub(super) fn bad_request(why: &str) -> Vec<u8> {
    let body = format!("dyetrace guard: {why}\n");
    format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_each_kind_once_and_the_host() {
        let one = |datum: &str, kind: &str| Noticed {
            datum: dyetrace_case::DatumId(datum.to_owned()),
            kind: kind.parse().unwrap(),
            part: "body",
        };
        let what = [one("phone", "phone"), one("phone#2", "phone"), one("wifi.password", "wifi.password")];
        let text = String::from_utf8(answer(&what, "a\"b.test", "POST", true)).unwrap();
        assert!(text.starts_with("HTTP/1.1 451 ") && text.contains("\r\nConnection: close\r\n"));
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(body.contains("\"data\":[\"phone\",\"wifi.password\"],\"to\":\"ab.test\""), "{body}");
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
        assert!(String::from_utf8(answer(&what, "a", "HEAD", false)).unwrap().ends_with("\r\n\r\n"));
    }
}
