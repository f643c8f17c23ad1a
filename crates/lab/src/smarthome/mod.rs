//! Stories 1 and 2: a smart-home app, the devices it sets up and their maker's cloud.

pub mod app;
pub mod chips;
pub mod cloud;
pub mod device;
pub mod household;
pub mod mqtt;
pub mod pairing;
pub mod radio;

/// The key that stands in the app's code; whoever takes the app apart can read it.
pub const APP_KEY: &[u8; 16] = b"example-home-k17";
/// The key that stands in the module of the partner who makes the chips for `AirKiss`.
pub const MODULE_KEY: &[u8; 16] = b"module-key-58217";
