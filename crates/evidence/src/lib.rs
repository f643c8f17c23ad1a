//! Exhibits to records: the readers.
//!
//! [`layer`]'s `Layer` is the seam: `capture` turns a file into transport payloads, `flow` puts
//! them in order and guesses the protocol, `http` and its neighbours turn bytes into records.

mod archive;
mod capture;
mod coding;
mod dns;
mod exhibit;
mod flow;
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod layer;
mod live;
mod mqtt;
mod provisioning;
mod raw;
mod resync;
pub mod snapshot;
#[cfg(test)]
mod testing;
mod websocket;

use dyetrace_case::{Format, Sink};
use snapshot::Stores;

pub use exhibit::{HEAD, Kind, OpenError, Opened, Unknown, Wrapping, open, open_bytes, recognise};
pub use layer::{Conn, Layer, Limits, Out, Tally};
pub use live::{Inside, Live};

/// Reads an exhibit to its end (or until the sink wants no more) and pushes what is in it to
/// `sink`: records, what could not be read, and what was broken.
///
/// The secrets in the exhibit ([`Opened::secrets`]) are used; those of `tls` are used as well, and
/// so are those of other exhibits where the caller loaded them. `progress` is called with the bytes
/// of the file done.
pub fn read(
    opened: &Opened,
    limits: Limits,
    tls: &mut dyetrace_tls::Decryptor,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(u64),
) -> Tally {
    read_known(opened, limits, tls, None, sink, progress)
}

/// The same. Values of `stores` that were read before, without damage, and of which nobody wants to know more are not
/// read again.
pub fn read_known<'s>(
    opened: &Opened,
    limits: Limits,
    tls: &'s mut dyetrace_tls::Decryptor,
    stores: Option<&'s Stores<'s>>,
    sink: &'s mut dyn Sink,
    progress: &mut dyn FnMut(u64),
) -> Tally {
    for secrets in opened.secrets() {
        tls.secrets.load(secrets);
    }
    let mut tally = Tally::default();
    let mut out = Out::new(opened.exhibit().id, limits, tls, &mut tally, sink);
    out.stores = stores;
    match opened.exhibit().format {
        Format::Pcap | Format::Pcapng => capture::read(opened, &mut out, progress),
        Format::Tar | Format::Zip | Format::AndroidBackup => snapshot::read(opened, &mut out, progress),
        _ => archive::read(opened, &mut out, progress),
    }
    tally
}
