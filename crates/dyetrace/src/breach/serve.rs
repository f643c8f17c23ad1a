//! `dyetrace breach serve`: the service, its certificate, its page, and the operator's endpoint.

use super::keys;
use crate::data::fetch;
use crate::exit::{Exit, Fault, say};
use clap::Args;
use dyetrace_check::evaluate::Key;
use dyetrace_check::index::Index;
use dyetrace_check::service::{AskProof, Front, ProofQuestion, Service, Setup, serve};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;

/// Arguments of `breach serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without a certificate only this machine is served, for example a proxy on it. Nothing is logged and nothing kept.
Who is asked for is never told to the service; see docs/check.md for what it does learn.

Examples:
  dyetrace breach serve shop.index --key shop.key --page page.wasm
  dyetrace breach serve shop.index --key shop.key --listen 0.0.0.0:443 --certificate chain.pem --certificate-key key.pem \\
      --name check.example.org --proof-webhook https://accounts.example.org/proof"
)]
pub(crate) struct ServeArguments {
    /// The index
    #[arg(value_name = "INDEX")]
    index: PathBuf,
    /// The key of the function with which the index was made
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// The chain of certificates (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate_key")]
    certificate: Option<PathBuf>,
    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    certificate_key: Option<PathBuf>,
    /// A name under which the service is asked, beside those of this machine
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
    /// Evaluations for one address in each minute
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    each_minute: u32,
    /// Take the last address of X-Forwarded-For as the one that asks: only behind a proxy that sets it
    #[arg(long)]
    forwarded: bool,
    /// Ask this address whether a client's token is good for a bucket; who is asked for is not told
    #[arg(long, value_name = "URL")]
    proof_webhook: Option<String>,
    /// The page's WebAssembly program
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

/// Runs `breach serve` until it is interrupted.
pub(super) fn run(arguments: &ServeArguments) -> Result<Exit, Fault> {
    let index =
        Index::open(&arguments.index).map_err(|error| Fault::new(format!("{}: {error}", arguments.index.display())))?;
    let key = Key::from_bytes(keys::read(&arguments.key)?);
    let key = key.ok_or_else(|| Fault::new(format!("{}: this is no key", arguments.key.display())))?;
    let service = Service::new(index, key, setup(arguments)?);
    let service = Arc::new(service.ok_or_else(|| Fault::new("the index was made with another key"))?);
    let tls = tls(arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Fault::new)?;
    runtime.block_on(async {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let front = Front::bind(arguments.listen, tls).await;
        let front = front.map_err(|error| Fault::new(format!("{}: {error}", arguments.listen)))?;
        let address = front.address().map_err(Fault::new)?;
        say(&format!("Answering at {scheme}://{address}/ until interrupted."));
        tokio::select! {
            () = serve(front, service) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(Exit::Fine)
    })
}

fn setup(arguments: &ServeArguments) -> Result<Setup, Fault> {
    let wasm = arguments.page.as_ref().map(|path| std::fs::read(path).map_err(|error| Fault::file(path, &error)));
    let wasm = wasm.transpose()?;
    if wasm.is_none() {
        say(&"The page says that its program is not installed: see docs/check.md for how it is built.");
    }
    Ok(Setup {
        names: arguments.name.iter().map(|name| name.to_ascii_lowercase()).collect(),
        each_minute: arguments.each_minute,
        forwarded: arguments.forwarded,
        proof: arguments.proof_webhook.clone().map(webhook),
        wasm,
    })
}

/// Asks the operator's endpoint: 2xx is yes, 401, 403, 404 and 422 are no. A redirect is neither: it may lead to a page
/// for signing in, which answers everybody with 200, and the token is for nobody else.
fn webhook(url: String) -> Box<AskProof> {
    let agent: Agent = fetch::agent(Duration::from_secs(10));
    Box::new(move |question: &ProofQuestion| {
        let body = serde_json::json!({"token": question.token, "bucket": question.bucket, "index": question.index});
        // Padded as requests are: white space behind JSON means nothing.
        let padding = 7_usize.saturating_sub(question.bucket.to_string().len());
        let body = format!("{body}{:padding$}", "");
        let request = agent.post(&url).config().max_redirects(0).build().header("Content-Type", "application/json");
        match request.send(body.as_bytes()) {
            Ok(answer) if answer.status().is_success() => Ok(true),
            Err(ureq::Error::StatusCode(401 | 403 | 404 | 422)) => Ok(false),
            _ => Err("the endpoint gave no answer".to_owned()),
        }
    })
}

fn tls(arguments: &ServeArguments) -> Result<Option<Arc<ServerConfig>>, Fault> {
    let (Some(chain), Some(key)) = (&arguments.certificate, &arguments.certificate_key) else { return Ok(None) };
    let fault = |path: &Path| Fault::new(format!("{}: this is no PEM file of the kind wanted", path.display()));
    let certificates = CertificateDer::pem_file_iter(chain).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|_| fault(chain))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|_| fault(key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(Fault::new)?;
    let config = config.with_no_client_auth().with_single_cert(certificates, private).map_err(Fault::new)?;
    Ok(Some(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    /// The address of an endpoint that answers each request with these words.
    fn endpoint(answer: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        format!("http://{address}/proof")
    }

    fn status(line: &str, fields: &str) -> String {
        endpoint(format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n{fields}\r\n"))
    }

    fn ask(url: String) -> Result<bool, String> {
        webhook(url)(&ProofQuestion { token: "token".to_owned(), bucket: 1, index: "00".repeat(16) })
    }

    #[test]
    fn an_endpoint_that_leads_elsewhere_has_not_said_yes() {
        assert_eq!(ask(status("200 OK", "")), Ok(true));
        assert_eq!(ask(status("204 No Content", "")), Ok(true));
        assert_eq!(ask(status("403 Forbidden", "")), Ok(false));
        assert!(ask(status("500 Internal Server Error", "")).is_err());
        let elsewhere = status("200 OK", "");
        for line in
            ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "304 Not Modified"]
        {
            assert!(ask(status(line, &format!("Location: {elsewhere}\r\n"))).is_err(), "{line}");
        }
    }
}
