//! The systems of the first story as running programs: a smart-home app, the plug it sets up and
//! their maker's cloud, in two builds: as reported, and as promised.
//!
//! They speak real TLS, HTTP, MQTT and DNS over real sockets so that recordings of them are real
//! recordings. Their protocol code is only as good as the story needs: nothing else may use it.

pub mod app;
pub mod cloud;
pub mod device;
pub mod dns;
pub mod handmade;
pub mod household;
pub mod http;
pub mod mqtt;
pub mod plan;
pub mod provisioning;
pub mod tls;
