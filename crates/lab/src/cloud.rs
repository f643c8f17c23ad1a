//! The Internet of the lab: every server of every story, and the name server that knows them.

use crate::plan::{
    API, CLOCK, CONTENT, DEVICES, EVENTS, FINANCE, MESSAGES, MESSAGES_CLEAR, PARTNER, Plan, SUPPORT, Service, TRACK,
};
use crate::server::{Book, Received, Site, accept, converse, listen};
use crate::tester::Outcome;
use crate::tls::{self, Authority};
use crate::truth::Ledger;
use crate::{dns, finance, messaging, smarthome};
use std::net::UdpSocket;
use std::sync::Arc;
use std::thread;

/// A running cloud. It ends with the process.
pub struct Cloud {
    /// Where it listens, with the ports that the system picked.
    pub plan: Plan,
    /// The certificate to trust.
    pub authority: String,
    book: Arc<Book>,
}

/// The sites that speak HTTPS, and the versions of TLS that they speak.
const SITES: [(Service, Site, tls::Versions); 9] = [
    (API, smarthome::cloud::api, tls::ALL),
    (EVENTS, smarthome::cloud::events, tls::OLD),
    (PARTNER, smarthome::cloud::partner, tls::ALL),
    (MESSAGES, messaging::server::messages, tls::ALL),
    (CLOCK, messaging::server::clock, tls::ALL),
    (FINANCE, finance::cloud::api, tls::ALL),
    (SUPPORT, finance::cloud::support, tls::ALL),
    (TRACK, finance::cloud::track, tls::ALL),
    (CONTENT, finance::cloud::content, tls::ALL),
];

impl Cloud {
    /// Starts every server of the plan.
    ///
    /// # Errors
    /// An address is taken.
    pub fn start(mut plan: Plan, ledger: Option<Ledger>) -> Outcome<Self> {
        let authority = Authority::new()?;
        let book = Book::new(ledger);
        for (service, site, versions) in SITES {
            let (config, book) = (authority.server(service.name, versions)?, Arc::clone(&book));
            let serve = move |socket| converse(accept(&config, socket)?, service.name, site, &book);
            plan.bind(service, listen(plan.socket_of(service), serve)?);
        }
        let (clear, config) = (Arc::clone(&book), authority.server(DEVICES.name, tls::ALL)?);
        let serve = move |socket| converse(socket, MESSAGES_CLEAR.name, messaging::server::messages, &clear);
        plan.bind(MESSAGES_CLEAR, listen(plan.socket_of(MESSAGES_CLEAR), serve)?);
        let reports = Arc::clone(&book);
        let serve = move |socket| smarthome::cloud::devices(accept(&config, socket)?, &reports);
        plan.bind(DEVICES, listen(plan.socket_of(DEVICES), serve)?);
        let socket = UdpSocket::bind(plan.dns)?;
        plan.dns = socket.local_addr()?;
        let names = plan.clone();
        thread::spawn(move || dns::serve(&socket, &names));
        Ok(Self { plan, authority: authority.pem, book })
    }

    /// Everything received until now.
    pub fn received(&self) -> Vec<Received> {
        self.book.received()
    }
}
