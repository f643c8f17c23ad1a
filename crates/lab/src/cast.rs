//! Who is on stage: the places, cards and programs of each story, as lines that `record.sh` obeys.
//!
//! ```text
//! air NAME                             a Wi-Fi network beside the home's, with a recorder of its own
//! card PLACE AIR DEVICE MAC ADDRESS    a network card; the place is made when it is named first
//! device PLACE NAME [opened]           a device's program; an opened one leaves its TLS keys
//! packed                               the recording is compressed: it has many datagrams of nothing but length
//! gallery                              the case gets the planted pictures
//! keys FILE                            the case gets this file of keys, besides those of TLS
//! ```

use crate::smarthome::chips::{ACCESS_POINT, LAMPS, Lamp, Way};
use std::fmt::Write as _;

/// The stories that can be recorded, each with its editions and their runs.
pub const STAGES: [(&str, &str, &[&str]); 9] = [
    ("story1", "reported", &["older", "newer"]),
    ("story1", "promised", &["older", "newer"]),
    ("story2", "reported", &["first-use"]),
    ("story2", "promised", &["first-use"]),
    ("story4", "reported", &["pictures"]),
    ("story4", "silent", &["pictures"]),
    ("story4", "promised", &["pictures"]),
    ("story5", "reported", &["before"]),
    ("story5", "promised", &["after-refused", "after-given"]),
];

const PHONE: &str = "card phone home wlan0 02:6f:14:88:d2:31 10.24.7.21/24\n";

/// The lines of one run; nothing for one that is not there.
pub fn cast(story: &str, edition: &str, run: &str) -> Option<String> {
    STAGES.iter().find(|(one, of, runs)| (*one, *of) == (story, edition) && runs.contains(&run))?;
    let mut lines = PHONE.to_owned();
    if story == "story1" {
        plug(&mut lines, edition == "promised", run == "older");
    }
    if story == "story2" {
        lamps(&mut lines);
    }
    if story == "story4" {
        lines.push_str("gallery\n");
    }
    if (story, edition) == ("story5", "promised") {
        lines.push_str("keys server-key.pem\n");
    }
    Some(lines)
}

/// As promised, the maker has opened the plug for the test: it leaves its keys. As reported, nobody helps.
fn plug(lines: &mut String, opened: bool, older: bool) {
    let (name, ap, joined, subnet, host, phone) = if older {
        ("older", "56:a9:24:f6:50:a6", "56:a9:24:f6:50:a7", 4, 31, 32)
    } else {
        ("newer", "8e:2f:9d:72:42:41", "8e:2f:9d:72:42:40", 5, 32, 33)
    };
    let opened = if opened { " opened" } else { "" };
    let _ = writeln!(lines, "air setup");
    let _ = writeln!(lines, "card phone setup setup0 02:6f:14:88:d2:{phone} 192.168.{subnet}.2/24");
    let _ = writeln!(lines, "card plug setup ap0 {ap} 192.168.{subnet}.1/24");
    let _ = writeln!(lines, "card plug home wlan0 {joined} 10.24.7.{host}/24");
    let _ = writeln!(lines, "device plug {name}{opened}");
}

fn lamps(lines: &mut String) {
    lines.push_str("packed\nair setup\ncard phone setup setup0 02:6f:14:88:d2:34 192.168.6.2/24\n");
    for Lamp { id, home, mac, way } in LAMPS {
        // A place for each lamp, with a name as short as Linux wants those of cards.
        let place = format!("lamp{}", home.octets()[3]);
        let mac = mac.map(|byte| format!("{byte:02x}")).join(":");
        let _ = writeln!(lines, "card {place} home wlan0 {mac} {home}/24");
        if way == Way::SoftAp {
            let _ = writeln!(lines, "card {place} setup ap0 5e:41:9c:20:78:01 {ACCESS_POINT}/24");
        }
        let _ = writeln!(lines, "device {place} {id}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_a_phone_and_another_run_has_nobody() {
        for (story, edition, runs) in STAGES {
            assert!(runs.iter().all(|run| cast(story, edition, run).unwrap().contains("card phone home")));
            assert_eq!(cast(story, edition, "rehearsal"), None);
        }
        assert_eq!(cast("story5", "reported", "after-given"), None);
    }
}
