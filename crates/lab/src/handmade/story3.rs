//! Story 3: the shop whose customers' data is for sale, on the day it asks them to change their passwords.
//! The package itself is not here: `crate::shop` makes it, and what was counted in it stands in the case's `measured.yaml`.

use super::script::Server;
use super::{Planted, Random, Script, Story};
use serde_json::json;

const SHOP: Server = Server { origin: "https://passport.shop.example", address: "198.51.100.90" };
const TIMES: usize = 3;

pub(super) fn make(mut random: Random) -> Story {
    let name = format!("liu_{}", random.word(9));
    let email = format!("liu.yang.{}@mail.example", random.word(10));
    let (old, new) = (random.password(14), random.password(14));
    let mut run = Script::begin("change-password", random, "2016-12-12T03:00:00Z");
    run.planted(&["account.name", "account.password", "account.password#2", "email"]);
    run.action("log-in", |run| {
        let body = json!({"name": name, "password": old});
        run.exchange(SHOP, "/login", &body, &json!({"advice": "change-your-password"}));
    });
    for _ in 0..TIMES {
        run.action("change-password", |run| {
            let body = json!({"name": name, "email": email, "old": old, "new": new});
            run.exchange(SHOP, "/password", &body, &json!({"changed": true}));
        });
    }
    let plant = |kind, text, how, bits| Planted { kind, text, how, bits };
    Story {
        person: "Liu Yang",
        runs: vec![run.end()],
        data: vec![
            plant("account.name", name, "chosen when the account was opened, before the leak", 44),
            plant("account.password", old, "chosen when the account was opened, before the leak", 80),
            plant("account.password", new, "typed into the page for a new password", 80),
            plant("email", email, "typed when the account was opened, before the leak", 49),
        ],
    }
}
