//! Story 4: a finance app keeps copies of screenshots and photos "for sending them to support".

use super::picture::jpeg;
use super::script::{Body, Server};
use super::{Planted, Random, Script, Story};
use serde_json::json;

const API: Server = Server { origin: "https://api.finance.example", address: "198.51.100.80" };
const SUPPORT: Server = Server { origin: "https://support.finance.example", address: "198.51.100.81" };
const TIMES: usize = 3;

pub(super) fn make(mut random: Random) -> Story {
    let (screenshot, photo) = (random.hex(32), random.hex(32));
    let account = format!("9{}", random.digits(17));
    let mut run = Script::begin("pictures", random, "2019-02-16T06:00:00Z");
    run.action("open-app", |run| {
        run.exchange(API, "/v1/home", Body::Json(json!({"account": account})), &json!({"state": "ok"}));
    });
    run.planted(&["photo"]);
    for _ in 0..TIMES {
        run.action("take-screenshot", heartbeat);
    }
    run.planted(&["photo#2"]);
    for _ in 0..TIMES {
        run.action("take-photo", heartbeat);
    }
    run.action("send-to-support", |run| {
        let pixels = run.random.bytes(1_500);
        let body = multipart(&jpeg(&screenshot, "Screenshot", &pixels));
        run.exchange(SUPPORT, "/v1/tickets", body, &json!({"ticket": 40_117}));
    });
    let plant = |kind, text, how, bits| Planted { kind, text, how, bits };
    Story {
        person: "Zhao Min",
        runs: vec![run.end()],
        data: vec![
            plant("photo", screenshot, "EXIF ImageUniqueID of the screenshot of another bank's app", 128),
            plant("photo", photo, "EXIF ImageUniqueID of a photo of an identity card, taken with the camera", 128),
            plant("bank-account", account, "typed at log-in, in an earlier session", 56),
        ],
    }
}

/// What the app sends whenever it comes to the front: that it is there.
fn heartbeat(run: &mut Script) {
    run.exchange(API, "/v1/alive", Body::Json(json!({"screen": "home", "seconds": 4})), &json!({"state": "ok"}));
}

/// RFC 7578.
fn multipart(picture: &[u8]) -> Body {
    let head = "--handmade-41\r\nContent-Disposition: form-data; name=\"question\"\r\n\r\nWhy was my transfer refused?\r\n\
                --handmade-41\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"shot.jpg\"\r\n\
                Content-Type: image/jpeg\r\n\r\n";
    let bytes = [head.as_bytes(), picture, b"\r\n--handmade-41--\r\n"].concat();
    Body::Bytes("multipart/form-data; boundary=handmade-41", bytes)
}
