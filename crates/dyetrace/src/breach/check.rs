//! `dyetrace breach check`: asks a check service. What is asked for is read from the terminal or the standard input,
//! never from the command line, which other users of the machine can see.

use crate::data::fetch;
use crate::exit::{Exit, Fault, say};
use crate::output;
use clap::Args;
use dyetrace_check::client::{Exposure, Question, answers};
use dyetrace_check::oprf::Evaluation;
use dyetrace_check::{Identifier, Kind, Manifest, SignedManifest, from_hex, to_hex};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::time::Duration;
use ureq::http::uri::Authority;
use ureq::http::{Response, StatusCode, Uri};
use ureq::{Agent, Body, RequestBuilder};

/// Bytes of an answer, at most: a bucket is smaller.
const MOST: u64 = 16 << 20;
/// Lines that are asked for, at most.
const MOST_LINES: usize = 10_000;
/// How long a service may let itself be waited for, and how often for one request.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
const MOST_WAITS: usize = 20;

/// Arguments of `breach check`.
#[derive(Debug, Args)]
#[command(
    after_help = "One identifier a line: an e-mail address, a telephone number, a resident ID, a QQ number. Answers are by line number;
what was asked for is not repeated.

Examples:
  dyetrace breach check https://check.example.org --signer 2152f8d1…
  dyetrace breach check http://127.0.0.1:8090 < identifiers.txt"
)]
pub(crate) struct CheckArguments {
    /// The service
    #[arg(value_name = "URL")]
    url: String,
    /// Believe only an index that this key signed
    #[arg(long, value_name = "KEY")]
    signer: Option<String>,
    /// What kind the identifiers are of: email, phone, id.cn or qq (default: by their form)
    #[arg(long, value_name = "KIND")]
    kind: Option<Kind>,
    /// A file with the token that shows control of the identifier, where the service asks for one
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
}

/// Runs `breach check`.
pub(super) fn run(arguments: &CheckArguments) -> Result<Exit, Fault> {
    let remote = Remote::new(arguments)?;
    let signer =
        arguments.signer.as_ref().map(|signer| from_hex::<32>(signer).ok_or("a signer has 64 hexadecimal digits"));
    let signer = signer.transpose().map_err(Fault::new)?;
    let published: SignedManifest =
        serde_json::from_slice(&remote.get("/v1/manifest")?).map_err(|_| not_understood())?;
    let manifest = published.trusted(signer.as_ref()).map_err(Fault::new)?;
    if signer.is_none() {
        say(&format!("The index is signed by {}; give it as --signer next time.", published.signer));
    }
    let service: Value = serde_json::from_slice(&remote.get("/v1/service")?).map_err(|_| not_understood())?;
    let most = at_once(&service);
    let proof = service["proof_of_control"] == true;
    let asked = identifiers(arguments.kind)?;
    for (batch, first) in asked.chunks(most).zip((1..).step_by(most)) {
        let mut text = String::new();
        for (exposures, line) in ask(&remote, &manifest, batch, proof)?.iter().zip(first..) {
            told(&mut text, line, exposures, signer.is_some());
        }
        output::print(text.as_bytes())?;
    }
    Ok(Exit::Fine)
}

/// How many are asked for at once: as many as the service takes, and as one minute's allowance covers with their
/// buckets, each of which costs a quarter of an evaluation.
fn at_once(service: &Value) -> usize {
    let most = service["most_elements"].as_u64().map_or(1, |most| most.clamp(1, 64));
    let allowed = service["evaluations_each_minute"].as_u64().unwrap_or(u64::MAX);
    most.min(allowed / 5 * 4 + allowed % 5 * 4 / 5).max(1) as usize
}

fn not_understood() -> Fault {
    Fault::new("this does not answer as a check service does")
}

/// Without a known signer, all that is proved is that the service showed an index without this identifier: it may have
/// another.
fn told(text: &mut String, line: usize, exposures: &[Exposure], is_signer_known: bool) {
    if exposures.is_empty() {
        let none = if is_signer_known { "not in it; this is proved" } else { "not in the index this service showed" };
        let _ = writeln!(text, "{line}: {none}");
    }
    for Exposure { source, fields } in exposures {
        let date = source.date.as_ref().map(|date| format!(" ({date})")).unwrap_or_default();
        let clean = |text: &str| text.chars().filter(|character| !character.is_control()).collect::<String>();
        let _ = writeln!(text, "{line}: in {}{}: {}", clean(&source.name), clean(&date), clean(&fields.join(", ")));
    }
}

/// What is asked for, from the standard input.
fn identifiers(kind: Option<Kind>) -> Result<Vec<Identifier>, Fault> {
    let input = std::io::stdin();
    if input.is_terminal() {
        say(&"An e-mail address, telephone number, resident ID or QQ number; an empty line ends:");
    }
    let mut asked = Vec::new();
    for line in input.lock().lines() {
        let line = line.map_err(|error| Fault::new(format!("standard input: {error}")))?;
        if line.trim().is_empty() {
            break;
        }
        if asked.len() == MOST_LINES {
            return Err(Fault::new(format!("more than {MOST_LINES} lines are not asked for at once"))
                .hint("ask for them in several files; nothing was asked for yet"));
        }
        let identifier = Identifier::new(kind.unwrap_or_else(|| guess(&line)), &line);
        asked.push(identifier.map_err(|error| Fault::new(format!("line {}: {error}", asked.len() + 1)))?);
    }
    if asked.is_empty() { Err(Fault::new("nothing was asked for")) } else { Ok(asked) }
}

/// The kind that a text has the form of.
fn guess(text: &str) -> Kind {
    let tries = [Kind::Email, Kind::Resident, Kind::Phone, Kind::Qq];
    tries.into_iter().find(|kind| Identifier::new(*kind, text).is_ok()).unwrap_or(Kind::Phone)
}

fn ask(remote: &Remote, manifest: &Manifest, asked: &[Identifier], proof: bool) -> Result<Vec<Vec<Exposure>>, Fault> {
    let mut questions = Vec::with_capacity(asked.len());
    for identifier in asked {
        let mut entropy = [0; 64];
        getrandom::fill(&mut entropy).map_err(Fault::new)?;
        questions.push(Question::new(manifest, identifier.clone(), &mut entropy).ok_or_else(not_understood)?);
    }
    let elements: Vec<_> = questions.iter().map(|question| to_hex(&question.element())).collect();
    let bucket = questions.first().filter(|_| proof).map(Question::bucket_digits);
    let body =
        bucket.map_or_else(|| json!({"elements": elements}), |bucket| json!({"elements": elements, "bucket": bucket}));
    let evaluation = evaluation(&remote.post("/v1/evaluate", &body)?).ok_or_else(not_understood)?;
    let buckets = questions.iter().map(|question| remote.get(&format!("/v1/buckets/{}", question.bucket_digits())));
    let buckets: Vec<_> = buckets.collect::<Result<_, _>>()?;
    let frames: Vec<_> = buckets.iter().map(Vec::as_slice).collect();
    answers(manifest, &questions, &evaluation, &frames).map_err(Fault::new)
}

fn evaluation(answer: &[u8]) -> Option<Evaluation> {
    let value: Value = serde_json::from_slice(answer).ok()?;
    let elements = value["elements"].as_array()?.iter().map(|element| from_hex(element.as_str()?));
    Some(Evaluation { elements: elements.collect::<Option<_>>()?, proof: from_hex(value["proof"].as_str()?)? })
}

/// The service, as it is reached.
struct Remote {
    agent: Agent,
    base: String,
    token: Option<String>,
}

impl Remote {
    fn new(arguments: &CheckArguments) -> Result<Self, Fault> {
        let base = arguments.url.trim_end_matches('/').to_owned();
        may_be_asked(&base)?;
        let token = arguments.token.as_ref().map(|path| {
            let mut token = String::new();
            let file = std::fs::File::open(path).and_then(|file| file.take(1024).read_to_string(&mut token));
            file.map(|_| token.trim().to_owned()).map_err(|error| Fault::file(path, &error))
        });
        Ok(Self { agent: fetch::agent(Duration::from_mins(1)), base, token: token.transpose()? })
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, Fault> {
        patiently(|| self.prepared(self.agent.get(format!("{}{path}", self.base))).call())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Vec<u8>, Fault> {
        let body = body.to_string();
        patiently(|| {
            let request = self.prepared(self.agent.post(format!("{}{path}", self.base)));
            request.header("Content-Type", "application/json").send(body.as_bytes())
        })
    }

    /// With the token, which is for this service alone: where it leads elsewhere is not gone.
    fn prepared<Any>(&self, request: RequestBuilder<Any>) -> RequestBuilder<Any> {
        let request = request.config().max_redirects(0).http_status_as_error(false).build();
        self.token.iter().fold(request, |request, token| request.header("Proof-Token", token))
    }
}

/// Refuses an address on the way to which others could look on.
fn may_be_asked(base: &str) -> Result<(), Fault> {
    let address: Uri = base.parse().map_err(|_| Fault::new("this is no address of a service"))?;
    let authority = address.authority().map_or("", Authority::as_str);
    if authority.contains('@') || address.query().is_some() || base.contains('#') {
        return Err(Fault::new("the address of a service has no name and password, no ? and no #"));
    }
    let is_own = matches!(address.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match address.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_own => Ok(()),
        _ => Err(Fault::new("only https is asked, but on this machine")
            .hint("others on the way could see which bucket you ask for")),
    }
}

/// Asks, and where the service says so waits and asks again.
fn patiently(request: impl Fn() -> Result<Response<Body>, ureq::Error>) -> Result<Vec<u8>, Fault> {
    for _ in 0..MOST_WAITS {
        let answer = request().map_err(Fault::new)?;
        let Some(wait) = wait(&answer) else { return read(answer) };
        if wait > Duration::from_secs(5) {
            say(&format!("The service lets wait for {} seconds.", wait.as_secs()));
        }
        std::thread::sleep(wait);
    }
    read(request().map_err(Fault::new)?)
}

/// How long to wait before the same is asked again. `None` where waiting does not help, or takes too long.
fn wait(answer: &Response<Body>) -> Option<Duration> {
    let seconds = answer.headers().get("Retry-After").filter(|_| answer.status() == StatusCode::TOO_MANY_REQUESTS)?;
    let wait = Duration::from_secs(seconds.to_str().ok()?.trim().parse().ok()?);
    (wait <= LONGEST_WAIT).then_some(wait.max(Duration::from_secs(1)))
}

fn read(mut answer: Response<Body>) -> Result<Vec<u8>, Fault> {
    match answer.status().as_u16() {
        200..=299 => answer.body_mut().with_config().limit(MOST).read_to_vec().map_err(Fault::new),
        300..=399 => Err(Fault::new("the service leads to another address, which is not followed")),
        401 => Err(Fault::new("the service asks for a token").hint("give the token you were sent: --token FILE")),
        403 => Err(Fault::new("the token is not good for this identifier")),
        429 => Err(Fault::new("too much was asked; try again later")),
        status => Err(Fault::new(format!("the service answers with status {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_form() {
        assert_eq!(guess("lin@example.test"), Kind::Email);
        assert_eq!(guess("11010519491231002X"), Kind::Resident);
        assert_eq!(guess("138 0000 0427"), Kind::Phone);
        assert_eq!(guess("+12025550143"), Kind::Phone);
        assert_eq!(guess("10001"), Kind::Qq);
    }

    #[test]
    fn an_address_is_this_machine_by_its_host_and_not_by_how_it_begins() {
        for right in ["https://check.example.org", "http://127.0.0.1:8090", "http://localhost", "http://[::1]:1"] {
            assert!(may_be_asked(right).is_ok(), "{right}");
        }
        for wrong in [
            "http://localhost:x@evil.example",
            "http://localhost@evil.example",
            "https://lin:secret@check.example.org",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "http://check.example.org",
            "ftp://localhost",
            "localhost",
            "https://",
            "https://check.example.org?a",
            "https://check.example.org/#a",
            "",
        ] {
            assert!(may_be_asked(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_more_is_asked_at_once_than_a_minute_allows() {
        let service =
            |most: u64, each_minute: u64| json!({"most_elements": most, "evaluations_each_minute": each_minute});
        let expected = [
            (64, 20, 16),
            (64, 1, 1),
            (64, 6, 4),
            (64, 1_000_000, 64),
            (1, 20, 1),
            (0, 0, 1),
            (u64::MAX, u64::MAX, 64),
        ];
        for (most, each_minute, right) in expected {
            assert_eq!(at_once(&service(most, each_minute)), right, "{most} {each_minute}");
        }
        assert_eq!(at_once(&json!({})), 1);
    }

    fn answer(status: u16, after: &str) -> Response<Body> {
        let answer = Response::builder().status(status).header("Retry-After", after);
        answer.body(Body::builder().data([0; 0])).unwrap()
    }

    #[test]
    fn a_service_is_waited_for_no_longer_than_it_says_and_never_for_ever() {
        assert_eq!(wait(&answer(429, "7")), Some(Duration::from_secs(7)));
        assert_eq!(wait(&answer(429, "0")), Some(Duration::from_secs(1)), "it is not asked without a pause");
        for after in ["121", "18446744073709551616", "-1", "Wed, 21 Oct 2015 07:28:00 GMT", ""] {
            assert_eq!(wait(&answer(429, after)), None, "{after}");
        }
        assert_eq!(wait(&answer(503, "7")), None);
        assert_eq!(wait(&answer(200, "7")), None);
    }
}
