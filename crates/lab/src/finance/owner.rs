//! The made-up subject. Every value was made for this lab and belongs to nobody.

use crate::gallery;
use crate::subject::{self, Planted};

/// The number that the subject logs in with. 154 has not been given to any operator.
pub const PHONE: &str = "15480739146";

/// The planted values and pictures as `subject.yaml`.
pub fn subject_yaml() -> String {
    let phone = Planted { kind: "phone", value: PHONE, how: "typed into the app's log-in screen", bits: 26 };
    subject::yaml("Zhao Min", &[phone]) + &gallery::yaml()
}
