//! The made-up person, home and devices. Every value was made for this lab and belongs to nobody.

use crate::subject::{self, Planted};

/// The person's name.
pub const NAME: &str = "Lin Mei";
/// The home's Wi-Fi name: thirteen random characters of 36.
pub const SSID: &str = "Linden-HTUMV6T5IT3GZ";
/// The home's Wi-Fi password: fifteen random characters of 62.
pub const PASSWORD: &str = "VoB7n-3CDB9-ggiCO";
/// The name of the Wi-Fi in the home of story 2: twelve random characters of 31.
pub const SSID_2: &str = "Plum-cavyuzzhwbte";
/// Its password: fourteen random characters of 55.
pub const PASSWORD_2: &str = "8ARcVF9h7VMSY3";
/// A number under 154, which no Chinese operator has been given.
pub const PHONE: &str = "15480612929";
/// An address under a reserved name.
pub const EMAIL: &str = "lin.mei.86hhyy46a7v45@mail.example";
/// What is typed as the account's password.
pub const ACCOUNT_PASSWORD: &str = "Jade+gswZQgJ3Ph3W";
/// The phone's identifier as Android gives it to an app.
pub const ANDROID_ID: &str = "19a4598ce35edd52";

/// One Wi-Fi plug.
#[derive(Debug, Clone, Copy)]
pub struct Plug {
    /// Its name with the maker.
    pub id: &'static str,
    /// Its MAC address (locally administered).
    pub mac: &'static str,
    /// The month it was made.
    pub made: &'static str,
    /// Its model.
    pub model: &'static str,
    /// The app seals what it says of this generation to its maker.
    pub seals: bool,
}

/// Made before the maker changed its protocol.
pub const PLUG_A: Plug =
    Plug { id: "plug-a-58213", mac: "56:a9:24:f6:50:a7", made: "2016-03", model: "EP-1", seals: false };
/// Made after.
pub const PLUG_B: Plug =
    Plug { id: "plug-b-90467", mac: "8e:2f:9d:72:42:40", made: "2017-02", model: "EP-2", seals: true };

/// The planted values as `subject.yaml`.
pub fn subject_yaml() -> String {
    let plant = |kind, value, how, bits| Planted { kind, value, how, bits };
    let data = [
        plant("wifi.ssid", SSID, "typed into the app's set-up screen", 67),
        plant("wifi.password", PASSWORD, "typed into the app's set-up screen", 89),
        plant("phone", PHONE, "typed into the app's log-in screen", 26),
        plant("email", EMAIL, "typed into the app's log-in screen", 67),
        plant("account.password", ACCOUNT_PASSWORD, "typed into the app's log-in screen", 71),
        plant("android.id", ANDROID_ID, "kept by the phone", 64),
        plant("mac", PLUG_A.mac, "printed on the first plug", 46),
        plant("mac", PLUG_B.mac, "printed on the second plug", 46),
    ];
    subject::yaml(NAME, &data)
}

/// Those of story 2.
pub fn subject_yaml_2() -> String {
    let plant = |kind, value, how, bits| Planted { kind, value, how, bits };
    let data = [
        plant("wifi.ssid", SSID_2, "typed into the app's set-up screen", 59),
        plant("wifi.password", PASSWORD_2, "typed into the app's set-up screen", 80),
        plant("phone", PHONE, "typed into the app's log-in screen", 26),
        plant("email", EMAIL, "typed into the app's log-in screen", 67),
        plant("account.password", ACCOUNT_PASSWORD, "typed into the app's log-in screen", 71),
    ];
    subject::yaml(NAME, &data)
}
