//! The made-up owner of the phone. Every value was made for this lab and belongs to nobody.

use crate::subject::{self, Planted};

/// The number of the SIM card. 154 has not been given to any operator.
pub const NUMBER: &str = "15406161102";
/// The phone's own number; allocation codes that begin with 00 are for tests (GSMA TS.06).
pub const IMEI: &str = "002732971442377";
/// The SIM card's; the network 001 01 is for tests (ITU-T E.212).
pub const IMSI: &str = "001018606186125";
/// The phone's identifier as Android gives it to a service.
pub const ANDROID_ID: &str = "f8e3c9523adf30e1";
/// A friend's number, in the address book.
pub const FRIEND: &str = "15480478757";

/// The planted values as `subject.yaml`.
pub fn subject_yaml() -> String {
    let plant = |kind, value, how, bits| Planted { kind, value, how, bits };
    let data = [
        plant("phone", NUMBER, "the number of the SIM card", 26),
        plant("imei", IMEI, "kept by the phone", 39),
        plant("imsi", IMSI, "kept by the SIM card", 33),
        plant("android.id", ANDROID_ID, "kept by the phone", 64),
        plant("phone", FRIEND, "typed into the address book", 26),
    ];
    subject::yaml("Wang Xia", &data)
}
