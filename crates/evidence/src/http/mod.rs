//! HTTP/1 and HTTP/2 seen from outside.

mod exchange;
mod frames;
pub(crate) mod hpack;
mod http1;
mod http2;
mod huffman;
mod streams;

pub(crate) use http1::Http1;
pub(crate) use http2::Http2;
