//! A proxy made with hudsucker that counts requests and, in bodies both ways, occurrences of given values.
//!
//!   hudsucker-peer LISTEN AUTHORITY KEY SERVER-AUTHORITY VALUES
//!
//! LISTEN is an address with a port, VALUES a file with a value a line. Asked to end (SIGTERM), it prints both counts.

use aho_corasick::AhoCorasick;
use futures::StreamExt as _;
use http_body_util::BodyDataStream;
use hudsucker::certificate_authority::RcgenAuthority;
use hudsucker::hyper::{Method, Request, Response};
use hudsucker::rcgen::{Issuer, KeyPair};
use hudsucker::rustls::crypto::aws_lc_rs;
use hudsucker::rustls::pki_types::CertificateDer;
use hudsucker::rustls::pki_types::pem::PemObject as _;
use hudsucker::rustls::{ClientConfig, RootCertStore};
use hudsucker::{Body, HttpContext, HttpHandler, Proxy, RequestOrResponse};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counts {
    values: AhoCorasick,
    longest: usize,
    requests: AtomicUsize,
    found: AtomicUsize,
}

#[derive(Clone)]
struct Counter(Arc<Counts>);

impl Counter {
    /// The same body; pieces are searched as they pass, each with the end of the one before.
    fn watched(&self, body: Body) -> Body {
        let counts = Arc::clone(&self.0);
        let mut end: Vec<u8> = Vec::new();
        Body::from_stream(BodyDataStream::new(body).map(move |piece| {
            if let Ok(piece) = &piece {
                let before = end.len();
                end.extend_from_slice(piece);
                let fresh = counts.values.find_iter(&end).filter(|found| found.end() > before).count();
                counts.found.fetch_add(fresh, Ordering::Relaxed);
                let kept = end.len().saturating_sub(counts.longest - 1);
                end.drain(..kept);
            }
            piece
        }))
    }
}

impl HttpHandler for Counter {
    async fn handle_request(&mut self, _: &HttpContext, request: Request<Body>) -> RequestOrResponse {
        if request.method() == Method::CONNECT {
            return request.into();
        }
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        let (head, body) = request.into_parts();
        Request::from_parts(head, self.watched(body)).into()
    }

    async fn handle_response(&mut self, _: &HttpContext, response: Response<Body>) -> Response<Body> {
        let (head, body) = response.into_parts();
        Response::from_parts(head, self.watched(body))
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, authority, key, server_authority, values] = &arguments[..] else { panic!("five arguments") };
    let text = |path: &String| std::fs::read_to_string(path).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&text(authority), KeyPair::from_pem(&text(key)).unwrap()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(server_authority).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .build();
    let values: Vec<String> = text(values).lines().map(str::to_owned).collect();
    let counts = Arc::new(Counts {
        values: AhoCorasick::new(&values).unwrap(),
        longest: values.iter().map(String::len).max().unwrap(),
        requests: AtomicUsize::new(0),
        found: AtomicUsize::new(0),
    });
    let ended = async {
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
        terminated.recv().await;
    };
    let proxy = Proxy::builder()
        .with_addr(listen.parse().unwrap())
        .with_ca(RcgenAuthority::new(issuer, 1_000, aws_lc_rs::default_provider()))
        .with_http_connector(connector)
        .with_http_handler(Counter(Arc::clone(&counts)))
        .build()
        .unwrap();
    tokio::select! {
        served = proxy.start() => served.unwrap(),
        () = ended => {}
    }
    println!("{} {}", counts.requests.load(Ordering::Relaxed), counts.found.load(Ordering::Relaxed));
}
