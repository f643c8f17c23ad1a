//! The ears of devices that have not joined yet: they hear how long each datagram is, and nothing else.
//!
//! A receiver for each scheme of [`crate::provisioning`], written from the same public descriptions and kept apart from the
//! decoders that read captures, so that the two can be held against each other. The lab's air loses nothing, and
//! adds nothing to a length; a piece whose checksum is wrong is dropped and comes again in the next round.

mod blocks;
mod esptouch;
mod esptouch2;

use crate::provisioning::{airkiss, esptouch as touch, tuya_ez};

/// How chips are told the home's Wi-Fi.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// ESP-Touch, the first version.
    EspTouch,
    /// ESP-Touch, the second version.
    EspTouch2,
    /// `AirKiss`.
    AirKiss,
    /// Tuya's EZ mode.
    TuyaEz,
}

impl Scheme {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::EspTouch, Self::EspTouch2, Self::AirKiss, Self::TuyaEz];

    /// The name as marks and reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EspTouch => "esp-touch",
            Self::EspTouch2 => "esp-touch-v2",
            Self::AirKiss => "airkiss",
            Self::TuyaEz => "tuya-ez",
        }
    }

    /// Where its datagrams go.
    pub fn port(self) -> u16 {
        match self {
            Self::EspTouch | Self::EspTouch2 => touch::PORT,
            Self::AirKiss => airkiss::PORT,
            Self::TuyaEz => tuya_ez::PORT,
        }
    }

    /// A receiver that has heard nothing yet.
    pub fn ear(self) -> Box<dyn Ear> {
        match self {
            Self::EspTouch => Box::new(esptouch::EspTouch::default()),
            Self::EspTouch2 => Box::new(esptouch2::EspTouch2::default()),
            Self::AirKiss => Box::new(blocks::Blocks::airkiss()),
            Self::TuyaEz => Box::new(blocks::Blocks::tuya_ez()),
        }
    }
}

/// What a device has understood.
#[derive(Clone, PartialEq, Eq)]
pub struct Heard {
    /// The network's name.
    pub ssid: Vec<u8>,
    /// Its password.
    pub password: Vec<u8>,
    /// `AirKiss`: the byte that the device is to answer with.
    pub random: Option<u8>,
}

/// A receiver.
pub trait Ear {
    /// Hears one datagram; says what was understood once it is all there.
    fn hear(&mut self, length: u16) -> Option<Heard>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provisioning::{Credentials, Datagram, esptouch2};
    use proptest::prelude::*;

    fn lengths(scheme: Scheme, home: &Credentials) -> Vec<u16> {
        let length = |datagram: Datagram| datagram.length;
        let token = tuya_ez::Token { region: *b"AY", token: *b"01234567", secret: *b"abcd" };
        match scheme {
            Scheme::EspTouch => touch::datagrams(home).map(length).collect(),
            Scheme::EspTouch2 => esptouch2::datagrams(home, &esptouch2::Options::default()).map(length).collect(),
            Scheme::AirKiss => airkiss::datagrams(home, 77).map(length).collect(),
            Scheme::TuyaEz => tuya_ez::datagrams(home, &token).map(length).collect(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn what_an_app_sends_is_understood(
            ssid in "[ -~]{1,32}|[一-龥]{1,10}", password in "[ -~]{8,63}", skipped in 0_usize..200,
        ) {
            let home = Credentials::new(&ssid, &password, [2, 0, 0, 0, 0, 1], [10, 24, 7, 21].into()).unwrap();
            for scheme in Scheme::ALL {
                let mut ear = scheme.ear();
                // Whoever listens late hears a later round.
                let heard = lengths(scheme, &home).into_iter().skip(skipped).find_map(|length| ear.hear(length));
                let heard = heard.map(|heard| (heard.ssid, heard.password));
                prop_assert!(heard == Some((ssid.clone().into_bytes(), password.clone().into_bytes())), "{scheme:?}");
            }
        }

        #[test]
        fn noise_is_not_understood(noise in proptest::collection::vec(0_u16..1500, 0..600)) {
            for scheme in Scheme::ALL {
                let mut ear = scheme.ear();
                prop_assert!(noise.iter().all(|length| ear.hear(*length).is_none()), "{scheme:?}");
            }
        }
    }
}
