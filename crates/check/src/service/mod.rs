//! The service: evaluates blinded elements, gives out buckets, shows a page. It learns a bucket's number and never who
//! is asked for; it keeps nothing and logs nothing.

pub mod http;
mod limit;
mod listen;

pub use listen::{Front, serve};

use crate::evaluate::{Key, MOST_ELEMENTS};
use crate::index::Index;
use crate::oprf::Element;
use crate::{from_hex, to_hex};
use http::Request;
use limit::{Limit, Who};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Elements of one request, at most.
pub const MOST_AT_ONCE: usize = 64;
const _: () = assert!(MOST_AT_ONCE <= MOST_ELEMENTS);

/// What a bucket costs, where an evaluation costs one.
const BUCKET_COST: f64 = 0.25;
/// Evaluations and buckets for one token of proof, in each period.
const MOST_FOR_TOKEN: u32 = 10;
const TOKEN_PERIOD: Duration = Duration::from_mins(10);
/// Characters of a token, at most.
const MOST_TOKEN: usize = 512;

const HTML: &str = include_str!("../../page/index.html");
const STYLE: &str = include_str!("../../page/page.css");
const SCRIPT: &str = include_str!("../../page/page.js");
const OPENAPI: &str = include_str!("../../openapi.json");

/// What the operator's endpoint is asked: whether this token shows control of an identifier in this bucket.
pub struct ProofQuestion {
    /// The token as the client gave it.
    pub token: String,
    /// The bucket that it is to be good for.
    pub bucket: u32,
    /// The index's own number, in hexadecimal.
    pub index: String,
}

/// Asks the operator's endpoint. It may block.
///
/// # Errors
/// Where the endpoint gave no answer that could be understood.
pub type AskProof = dyn Fn(&ProofQuestion) -> Result<bool, String> + Send + Sync;

/// How the service is set up.
pub struct Setup {
    /// Names under which it may be asked, beside those of this machine: against DNS rebinding.
    pub names: Vec<String>,
    /// Evaluations for one address in each minute.
    pub each_minute: u32,
    /// Whether `X-Forwarded-For` says who asks: only behind a proxy that sets it.
    pub forwarded: bool,
    /// Who is asked whether clients control what they ask for.
    pub proof: Option<Box<AskProof>>,
    /// The page's WebAssembly, where it was built.
    pub wasm: Option<Vec<u8>>,
}

/// An index with its key, ready to answer.
pub struct Service {
    index: Index,
    key: Key,
    setup: Setup,
    started: Instant,
    addresses: Mutex<Limit>,
    tokens: Mutex<Limit>,
}

/// An answer, without its length and what all answers have.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// What the body is.
    pub kind: &'static str,
    /// Seconds after which it may be asked again.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// What is sent to be evaluated.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Evaluate {
    /// Blinded elements, in hexadecimal.
    elements: Vec<String>,
    /// The bucket that the token is for. Only where proof of control is asked for.
    bucket: Option<Bucket>,
}

/// A bucket's number, or its digits with zeros before them, so that requests have one length.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bucket {
    Number(u32),
    Digits(String),
}

impl Bucket {
    fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Digits(digits) => bucket_number(digits),
        }
    }
}

/// The bucket of up to seven digits.
fn bucket_number(digits: &str) -> Option<u32> {
    let is_plain = digits.len() <= 7 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}

#[derive(Serialize)]
struct Evaluated {
    elements: Vec<String>,
    proof: String,
}

#[derive(Serialize)]
struct About {
    most_elements: usize,
    evaluations_each_minute: u32,
    proof_of_control: bool,
    page: bool,
}

impl Service {
    /// A service of an index. `None` where the key is not the index's.
    pub fn new(index: Index, key: Key, setup: Setup) -> Option<Self> {
        let addresses = Mutex::new(Limit::new(setup.each_minute.max(1), Duration::from_mins(1)));
        let tokens = Mutex::new(Limit::new(MOST_FOR_TOKEN, TOKEN_PERIOD));
        let is_right = index.manifest().element() == Some(key.public());
        is_right.then(|| Self { index, key, setup, started: Instant::now(), addresses, tokens })
    }

    /// Answers one request of somebody. It may block for the disk, the arithmetic, and the operator's endpoint.
    pub fn answer(&self, request: &Request, peer: IpAddr) -> Response {
        if !self.is_named(&request.host) {
            return Response::problem(421, "this service has another name");
        }
        let result = match (request.method.as_str(), request.path.as_str()) {
            ("GET" | "HEAD", "/") => Ok(Response::text("text/html; charset=utf-8", HTML)),
            ("GET" | "HEAD", "/page.css") => Ok(Response::text("text/css; charset=utf-8", STYLE)),
            ("GET" | "HEAD", "/page.js") => Ok(Response::text("text/javascript; charset=utf-8", SCRIPT)),
            ("GET" | "HEAD", "/page.wasm") => self.wasm(),
            ("GET" | "HEAD", "/v1/openapi.json") => Ok(Response::text("application/json", OPENAPI)),
            ("GET" | "HEAD", "/v1/service") => Ok(Response::json(&self.about())),
            ("GET" | "HEAD", "/v1/manifest") => Ok(Response::json(self.index.signed())),
            ("POST", "/v1/evaluate") => self.evaluate(request, peer),
            ("GET", path) if path.starts_with("/v1/buckets/") => self.bucket(request, peer),
            (
                _,
                "/" | "/page.css" | "/page.js" | "/page.wasm" | "/v1/openapi.json" | "/v1/service" | "/v1/manifest",
            ) => Err(Response::problem(405, "this can only be read")),
            (_, "/v1/evaluate") => Err(Response::problem(405, "elements are sent with POST")),
            _ => Err(Response::problem(404, "there is nothing under this path")),
        };
        result.unwrap_or_else(|problem| problem)
    }

    fn is_named(&self, host: &str) -> bool {
        ["127.0.0.1", "localhost", "[::1]"].contains(&host) || self.setup.names.iter().any(|name| name == host)
    }

    fn about(&self) -> About {
        About {
            most_elements: if self.setup.proof.is_some() { 1 } else { MOST_AT_ONCE },
            evaluations_each_minute: self.setup.each_minute,
            proof_of_control: self.setup.proof.is_some(),
            page: self.setup.wasm.is_some(),
        }
    }

    fn wasm(&self) -> Result<Response, Response> {
        let missing = || Response::problem(404, "the page's program was not built: see docs/check.md");
        self.setup.wasm.as_ref().map(|wasm| Response::new("application/wasm", wasm.clone())).ok_or_else(missing)
    }

    fn evaluate(&self, request: &Request, peer: IpAddr) -> Result<Response, Response> {
        let wrong = |words| Response::problem(422, words);
        let asked: Evaluate =
            serde_json::from_slice(&request.body).map_err(|_| wrong("this is no list of elements"))?;
        if asked.elements.is_empty() || asked.elements.len() > self.about().most_elements {
            return Err(wrong("there are too many elements, or none"));
        }
        let elements = asked.elements.iter().map(|element| from_hex(element));
        let elements: Vec<Element> =
            elements.collect::<Option<_>>().ok_or_else(|| wrong("elements are 64 hexadecimal digits"))?;
        self.admit(request, peer, elements.len() as f64)?;
        if self.setup.proof.is_some() {
            let bucket = asked.bucket.as_ref().and_then(Bucket::number);
            let bucket = bucket.filter(|bucket| *bucket < self.index.manifest().buckets());
            self.prove(request, bucket.ok_or_else(|| wrong("say for which bucket the token is"))?)?;
        }
        let mut random = [0; 64];
        getrandom::fill(&mut random).map_err(|_| Response::problem(500, "there is no randomness"))?;
        let evaluation =
            self.key.evaluate(&elements, &random).map_err(|_| wrong("this is no element of ristretto255"))?;
        let elements = evaluation.elements.iter().map(|element| to_hex(element)).collect();
        Ok(Response::json(&Evaluated { elements, proof: to_hex(&evaluation.proof) }))
    }

    fn bucket(&self, request: &Request, peer: IpAddr) -> Result<Response, Response> {
        let none = || Response::problem(404, "there is no such bucket");
        let number = request.path.strip_prefix("/v1/buckets/").unwrap_or_default();
        let number = bucket_number(number).ok_or_else(none)?;
        self.admit(request, peer, BUCKET_COST)?;
        if self.setup.proof.is_some() {
            self.prove(request, number)?;
        }
        let frame = self.index.bucket(number).map_err(|_| Response::problem(500, "the index could not be read"))?;
        frame.map(|frame| Response::new("application/octet-stream", frame)).ok_or_else(none)
    }

    /// Counts a request against its address.
    fn admit(&self, request: &Request, peer: IpAddr, cost: f64) -> Result<(), Response> {
        let forwarded = request.forwarded.as_deref().filter(|_| self.setup.forwarded);
        let address = forwarded.and_then(|address| address.parse().ok()).unwrap_or(peer);
        self.take(&self.addresses, Who::address(address), cost)
    }

    /// Counts a request against its token, and asks the operator whether the token is good.
    fn prove(&self, request: &Request, bucket: u32) -> Result<(), Response> {
        let Some(ask) = &self.setup.proof else { return Ok(()) };
        let token = request.proof_token.as_deref().filter(|token| !token.is_empty() && token.len() <= MOST_TOKEN);
        let token = token.ok_or_else(|| Response::problem(401, "show a token in the field Proof-Token"))?.to_owned();
        self.take(&self.tokens, Who::token(&token), 1.0)?;
        match ask(&ProofQuestion { token, bucket, index: self.index.manifest().index.clone() }) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Response::problem(403, "the token is not good for this bucket")),
            Err(_) => Err(Response::problem(502, "whether the token is good could not be asked")),
        }
    }

    fn take(&self, limit: &Mutex<Limit>, who: Who, cost: f64) -> Result<(), Response> {
        let mut limit = limit.lock().unwrap_or_else(PoisonError::into_inner);
        limit.take(who, cost, self.started.elapsed()).map_err(|wait| {
            let problem = Response::problem(429, "too much was asked; wait a little");
            Response { retry_after: Some(wait.as_secs() + 1), ..problem }
        })
    }
}

impl Response {
    fn new(kind: &'static str, body: Vec<u8>) -> Self {
        Self { status: 200, kind, retry_after: None, body }
    }

    fn text(kind: &'static str, body: &str) -> Self {
        Self::new(kind, body.as_bytes().to_vec())
    }

    fn json(value: &impl Serialize) -> Self {
        serde_json::to_vec(value)
            .map_or_else(|_| Self::problem(500, "no answer"), |body| Self::new("application/json", body))
    }

    /// What is wrong, as RFC 9457 has it.
    fn problem(status: u16, title: &str) -> Self {
        let body = serde_json::json!({"status": status, "title": title}).to_string().into_bytes();
        Self { status, kind: "application/problem+json", retry_after: None, body }
    }
}
