//! RO-Crate 1.1 metadata (<https://w3id.org/ro/crate/1.1>): what a bundle is, for programs that know nothing of dyetrace.

use crate::bag::Payload;
use serde_json::{Value, json};

/// The file's name; the payload is the crate.
pub const FILE: &str = "ro-crate-metadata.json";

/// What the metadata say beside the files.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The case's title.
    pub title: &'a str,
    /// What the bundle is.
    pub description: &'a str,
    /// An ISO 8601 date or time; absent where nothing in the case has one.
    pub dated: Option<&'a str>,
    /// Who made the case.
    pub author: Option<&'a str>,
    /// Name and version of the program that judged.
    pub tool: (&'a str, &'a str),
    /// What was judged and what came out, as paths of the payload; absent without a judgement.
    pub judged: Option<(&'a [String], &'a [String])>,
}

/// The metadata of a payload.
pub fn metadata(payload: &Payload, about: &About<'_>) -> Vec<u8> {
    let ids = |paths: &[String]| paths.iter().map(|path| json!({"@id": id(path)})).collect::<Vec<_>>();
    let all: Vec<String> = payload.keys().cloned().collect();
    let mut root = json!({
        "@id": "./",
        "@type": "Dataset",
        "name": about.title,
        "description": about.description,
        "hasPart": ids(&all),
    });
    if let Some(dated) = about.dated {
        root["datePublished"] = json!(dated);
    }
    if about.author.is_some() {
        root["author"] = json!({"@id": "#investigator"});
    }
    let mut graph = vec![
        json!({
            "@id": FILE,
            "@type": "CreativeWork",
            "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
            "about": {"@id": "./"},
        }),
        root,
    ];
    graph.extend(payload.iter().map(|(path, (_, measured))| {
        json!({
            "@id": id(path),
            "@type": "File",
            "name": path,
            "contentSize": measured.bytes.to_string(),
            "encodingFormat": media_type(path),
            "sha256": measured.sha256.to_string(),
        })
    }));
    graph.extend(others(about, &ids));
    let document = json!({
        "@context": ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://schema.org/sha256"}],
        "@graph": graph,
    });
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn others(about: &About<'_>, ids: &dyn Fn(&[String]) -> Vec<Value>) -> Vec<Value> {
    let mut graph = Vec::new();
    if let Some(author) = about.author {
        graph.push(json!({"@id": "#investigator", "@type": "Person", "name": author}));
    }
    let (name, version) = about.tool;
    graph.push(json!({"@id": "#tool", "@type": "SoftwareApplication", "name": name, "softwareVersion": version}));
    if let Some((objects, results)) = about.judged {
        graph.push(json!({
            "@id": "#judgement",
            "@type": "CreateAction",
            "name": "What the maker says, held against what was seen",
            "instrument": {"@id": "#tool"},
            "object": ids(objects),
            "result": ids(results),
        }));
    }
    graph
}

/// A relative URI reference (RFC 3986 section 2.3: what is not unreserved is percent-encoded).
fn id(path: &str) -> String {
    use std::fmt::Write as _;
    let mut id = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            id.push(char::from(byte));
        } else {
            let _ = write!(id, "%{byte:02X}");
        }
    }
    id
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "json" | "har" => "application/json",
        "jsonl" | "log" => "application/jsonl",
        "yaml" | "yml" => "application/yaml",
        "html" => "text/html",
        "txt" | "md" => "text/plain",
        "pcap" | "pcapng" => "application/vnd.tcpdump.pcap",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bag::Content;

    #[test]
    fn every_file_is_described_and_names_become_references() {
        let content = Content::Bytes(b"x".to_vec());
        let measured = content.measure().unwrap();
        let payload = Payload::from([("evidence/a b#.har".to_owned(), (content, measured))]);
        let judged = (vec!["evidence/a b#.har".to_owned()], vec!["report/judgement.json".to_owned()]);
        let about = About {
            title: "t",
            description: "d",
            dated: Some("2026-01-31"),
            author: Some("A. Tester"),
            tool: ("dyetrace", "0.1.0"),
            judged: Some((&judged.0, &judged.1)),
        };
        let document: Value = serde_json::from_slice(&metadata(&payload, &about)).unwrap();
        let graph = document["@graph"].as_array().unwrap();
        let find = |id: &str| graph.iter().find(|node| node["@id"] == id).unwrap();
        assert_eq!(find("./")["hasPart"][0]["@id"], "evidence/a%20b%23.har");
        assert_eq!(find("evidence/a%20b%23.har")["sha256"], measured.sha256.to_string());
        assert_eq!(find(FILE)["about"]["@id"], "./");
        assert_eq!(find("#judgement")["instrument"]["@id"], "#tool");
        assert_eq!(find("./")["author"]["@id"], "#investigator");
    }
}
