//! The systems of the stories as running programs: apps, devices, servers and a shop, as reported and as promised; that of
//! story 4 also worse than reported.
//!
//! They speak real TLS, HTTP, MQTT and DNS over real sockets so that recordings of them are real
//! recordings. Their protocol code is only as good as the stories need: nothing else may use it.

pub mod cast;
pub mod client;
pub mod cloud;
pub mod dns;
pub mod finance;
pub mod gallery;
pub mod handmade;
pub mod http;
pub mod messaging;
pub mod plan;
pub mod provisioning;
pub mod seal;
pub mod server;
pub mod shop;
pub mod smarthome;
pub mod stage;
pub mod subject;
pub mod tester;
pub mod tls;
pub mod truth;
