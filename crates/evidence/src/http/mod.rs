//! HTTP/1 and HTTP/2 seen from outside.

mod http1;
mod http2;

pub(crate) use http1::Http1;
pub(crate) use http2::Http2;
