//! What a recording on a stage of network namespaces needs.

use std::process::Command;

/// What stands in the way of recording here: a program that is missing, or namespaces that are not allowed.
pub fn obstacle() -> Option<String> {
    let tools = ["tcpdump", "ip", "unshare", "nsenter", "mergecap", "editcap"];
    let missing = tools.into_iter().find(|tool| Command::new(tool).arg("--version").output().is_err());
    if let Some(tool) = missing {
        return Some(format!("{tool} is not installed"));
    }
    let flags = [["--net", "--"].as_slice(), &["--user", "--map-current-user", "--keep-caps", "--net", "--"]];
    let bridge = ["ip", "link", "add", "dyetrace-test", "type", "bridge"];
    let works = |flags: &&[&str]| {
        Command::new("unshare").args(*flags).args(bridge).output().is_ok_and(|output| output.status.success())
    };
    if flags.iter().any(works) { None } else { Some("network namespaces with bridges are not allowed".into()) }
}
