//! Story 2: the smart-home platform under a law that wants consent first. Each partner's chip is set up in its own
//! way, and each partner's module in the app has its own habits.

use super::script::{Body, Server};
use super::{Planted, Random, Script, Story};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dyetrace_case::{ActionOutcome, ConsentChange};
use serde_json::json;

const API: Server = Server { origin: "https://api.smarthome.example", address: "198.51.100.10" };
/// The partner whose chips are set up by `AirKiss` has a cloud of its own.
const PARTNER: Server = Server { origin: "https://open.chips.example", address: "203.0.113.40" };
const TIMES: usize = 3;
/// A key that stands in the app's code; the case tells it to the search.
const MODULE_KEY: &[u8] = b"module-key-58217";

/// Which app.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Build {
    /// As an experimenter found it.
    Reported,
    /// As the law wants it.
    Promised,
}

struct Home {
    ssid: String,
    password: String,
}

pub(super) fn make(mut random: Random, build: Build) -> Story {
    // The two builds are used in the same home.
    let mut minted = Random::new("story2");
    let home = Home { ssid: format!("Plum-{}", minted.word(12)), password: minted.password(14) };
    let mut run = Script::begin("first-use", random.clone(), "2022-03-14T08:00:00Z");
    run.random = Random::new(&random.hex(8));
    run.planted(&["wifi.ssid", "wifi.password"]);
    run.action("first-start", |run| {
        run.exchange(API, "/v5/config", Body::Empty, &json!({"consent": "ask", "variants": 4}));
    });
    let early = ["esp-touch", "airkiss"];
    set_up_all(&mut run, &home, build, |variant| build == Build::Reported && early.contains(&variant));
    run.consent(ConsentChange::Shown);
    run.consent(ConsentChange::Given);
    set_up_all(&mut run, &home, build, |_| true);
    let plant = |kind, text, bits| Planted { kind, text, how: "typed into the app's set-up screen", bits };
    Story {
        person: "Lin Mei",
        data: vec![plant("wifi.ssid", home.ssid, 59), plant("wifi.password", home.password, 80)],
        runs: vec![run.end()],
    }
}

/// Every way three times. In the reported build the device with an access point of its own was out of range at first.
fn set_up_all(run: &mut Script, home: &Home, build: Build, uploads: impl Fn(&str) -> bool) {
    let out_of_range = build == Build::Reported && !run.is_consented();
    for variant in ["smartconfig", "esp-touch", "airkiss", "softap"] {
        let fails = out_of_range && variant == "softap";
        let outcome = if fails { ActionOutcome::Failed } else { ActionOutcome::Succeeded };
        for _ in 0..TIMES {
            run.action_as("provision-device", Some(variant), outcome, |run| {
                let body = json!({"variant": variant, "step": "begin"});
                run.exchange(API, "/v5/pairing", Body::Json(body), &json!({"pairing": 7}));
                if uploads(variant) {
                    upload(run, home, build, variant);
                }
            });
        }
    }
}

/// As promised the app seals what it sends to the maker. As reported it sends base64, except for one partner's module,
/// which seals it and sends it to the partner.
fn upload(run: &mut Script, home: &Home, build: Build, variant: &str) {
    let sealed =
        || STANDARD.encode(rc4(MODULE_KEY, json!({"ssid": home.ssid, "pwd": home.password}).to_string().as_bytes()));
    match (build, variant) {
        (Build::Reported, "airkiss") => {
            run.exchange(PARTNER, "/module/pair", Body::Json(json!({"m": sealed()})), &json!({"ok": 1}));
        }
        (Build::Reported, _) => {
            let password = STANDARD.encode(&home.password);
            let body = json!({"variant": variant, "wifi": {"ssid": home.ssid, "password": password}});
            run.exchange(API, "/v5/pairing/network", Body::Json(body), &json!({"ok": true}));
        }
        (Build::Promised, _) => {
            let body = json!({"variant": variant, "sealed": sealed()});
            run.exchange(API, "/v6/pairing/network", Body::Json(body), &json!({"ok": true}));
        }
    }
}

/// Rivest's stream cipher as its 1994 disclosure describes it (RFC 6229 has the test vectors).
fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut state: [u8; 256] = std::array::from_fn(|at| at as u8);
    let mut j = 0u8;
    for i in 0..256 {
        j = j.wrapping_add(state[i]).wrapping_add(key[i % key.len()]);
        state.swap(i, usize::from(j));
    }
    let (mut i, mut j) = (0u8, 0u8);
    let mut next = |byte: &u8| {
        i = i.wrapping_add(1);
        j = j.wrapping_add(state[usize::from(i)]);
        state.swap(usize::from(i), usize::from(j));
        byte ^ state[usize::from(state[usize::from(i)].wrapping_add(state[usize::from(j)]))]
    };
    data.iter().map(&mut next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cipher_gives_the_bytes_of_the_standard() {
        // RFC 6229 section 2, key length 40 bits, offset 0.
        let stream = rc4(&[1, 2, 3, 4, 5], &[0; 16]);
        assert_eq!(stream, *b"\xb2\x39\x63\x05\xf0\x3d\xc0\x27\xcc\xc3\x52\x4a\x0a\x11\x18\xa8");
    }
}
