//! Story 5: a phone's cloud messaging, before and after the update that made it opt-in.

use super::script::{Body, Server};
use super::{Planted, Random, Script, Story};
use dyetrace_case::ConsentChange;
use serde_json::json;

/// Before the update the phone talked in clear.
const CLEAR: Server = Server { origin: "http://api.cloudmsg.example", address: "198.51.100.60" };
/// After it, inside TLS.
const SECURE: Server = Server { origin: "https://api.cloudmsg.example", address: "198.51.100.60" };
/// Where the phone asks the time, without anything personal.
const CLOCK: Server = Server { origin: "https://time.cloudmsg.example", address: "198.51.100.61" };
/// Times that each thing is done.
const TIMES: usize = 3;

struct Phone {
    number: String,
    imei: String,
    imsi: String,
    friend: String,
}

pub(super) fn make(mut random: Random) -> Story {
    // 154 has not been given to any operator; allocation codes that begin with 00 are for tests (GSMA TS.06), as is
    // the network 001 01 (ITU-T E.212).
    let mut number = || format!("154{}", random.digits(8));
    let (own, friend) = (number(), number());
    let imei = with_check_digit(&format!("00{}", random.digits(12)));
    let phone = Phone { number: own, imei, imsi: format!("00101{}", random.digits(10)), friend };
    Story {
        person: "Wang Xia",
        runs: vec![before(&phone, random.clone()), after(&phone, random)],
        data: vec![
            Planted { kind: "phone", text: phone.number, how: "the number of the SIM card", bits: 26 },
            Planted { kind: "imei", text: phone.imei, how: "kept by the phone", bits: 39 },
            Planted { kind: "imsi", text: phone.imsi, how: "kept by the SIM card", bits: 33 },
            Planted { kind: "phone", text: phone.friend, how: "typed into the address book", bits: 26 },
        ],
    }
}

/// On by default, in clear: the SIM's number, IMSI and IMEI when the phone starts, a friend's number with each message.
fn before(phone: &Phone, random: Random) -> Script {
    let mut run = Script::begin("before", random, "2014-07-30T02:00:00Z");
    run.planted(&["phone#2"]);
    run.action("first-start", |run| {
        run.exchange(CLOCK, "/now", Body::Empty, &json!({"now": 1_406_685_600}));
        let body = json!({"phone": phone.number, "imei": phone.imei, "imsi": phone.imsi});
        run.exchange(CLEAR, "/v1/activate", Body::Json(body), &json!({"state": "active"}));
    });
    for _ in 0..TIMES {
        run.action("send-message", |run| {
            let body = json!({"phone": phone.number, "imei": phone.imei, "imsi": phone.imsi, "contacts": [{"phone": phone.friend}]});
            run.exchange(CLEAR, "/v1/online", Body::Json(body), &json!({"online": []}));
        });
    }
    // The user finds the switch and turns the service off: from here on the phone is silent.
    run.consent(ConsentChange::Refused);
    for _ in 0..TIMES {
        run.action("send-message", |run| {
            run.exchange(CLOCK, "/now", Body::Empty, &json!({"now": 1_406_685_660}));
        });
    }
    run.end()
}

/// Off until it is turned on; then inside TLS, and readable for whoever runs the servers.
fn after(phone: &Phone, random: Random) -> Script {
    let mut run = Script::begin("after", random, "2014-08-12T02:00:00Z");
    run.planted(&["phone#2"]);
    let idle = |run: &mut Script| run.exchange(CLOCK, "/now", Body::Empty, &json!({"now": 1_407_808_800}));
    run.action("first-start", idle);
    (0..TIMES).for_each(|_| run.action("send-message", idle));
    run.consent(ConsentChange::Shown);
    run.consent(ConsentChange::Refused);
    (0..TIMES).for_each(|_| run.action("send-message", idle));
    run.consent(ConsentChange::Shown);
    run.consent(ConsentChange::Given);
    for _ in 0..TIMES {
        run.action("send-message", |run| {
            let body = json!({"phone": phone.number, "imei": phone.imei, "imsi": phone.imsi, "contacts": [{"phone": phone.friend}]});
            run.exchange(SECURE, "/v2/online", Body::Json(body), &json!({"online": []}));
        });
    }
    run.end()
}

/// Fourteen digits and the check digit (3GPP TS 23.003 annex B, the Luhn formula).
fn with_check_digit(digits: &str) -> String {
    let doubled = |(at, digit): (usize, u32)| if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 };
    let sum: u32 = digits.chars().filter_map(|c| c.to_digit(10)).enumerate().map(doubled).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        // Example of 3GPP TS 23.003 annex B is by formula only; this one is GSMA's own, TS.06.
        assert_eq!(with_check_digit("49015420323751"), "490154203237518");
    }
}
