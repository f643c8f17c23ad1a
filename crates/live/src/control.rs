//! Programs that drive the product under test say what they do, and ask what was seen, with a token.
//!
//! On loopback only, with a token that is made at each start, and only under a name of this machine: a page in
//! the tester's browser must not be able to write marks (DNS rebinding).

use crate::upstream::within;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Bytes of a request.
const REQUEST: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(5);
/// Requests at once.
const AT_ONCE: usize = 16;
/// Names under which loopback is asked for.
const OWN_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Answers a request, which is method and path (`POST /v1/marks`) and a body: an answer, or what is wrong with the
/// body. `None` where there is nothing under that path.
pub type Answer = dyn Fn(&str, &str) -> Option<Result<String, String>> + Send + Sync;

/// Serves a listener until the task is dropped.
pub async fn serve(listener: TcpListener, token: Arc<str>, answers: Arc<Answer>) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return Ok(()) };
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let (token, answers) = (Arc::clone(&token), Arc::clone(&answers));
        tokio::spawn(async move {
            let _ = within(PATIENCE, "no whole request came", serve_one(client, &token, &answers)).await;
            drop(permit);
        });
    }
}

async fn serve_one(mut client: TcpStream, token: &Arc<str>, answers: &Arc<Answer>) -> io::Result<()> {
    let mut read = Vec::new();
    let request = loop {
        if let Some(request) = Request::read(&read) {
            break request;
        }
        if read.len() > REQUEST || client.read_buf(&mut read).await? == 0 {
            return answer(&mut client, "400 Bad Request", "this is no request").await;
        }
    };
    let (token, answers) = (Arc::clone(token), Arc::clone(answers));
    // A mark is on the disk before it is answered: no connection waits for that.
    let decided = tokio::task::spawn_blocking(move || decide(&request, &token, &*answers)).await;
    let (status, words) = decided.map_err(io::Error::other)?;
    answer(&mut client, status, &words).await
}

fn decide(request: &Request, token: &str, answers: &Answer) -> (&'static str, String) {
    let wrong = |status, words: &str| (status, words.to_owned());
    let host = request.host.rsplit_once(':').map_or(request.host.as_str(), |(host, _)| host);
    if !OWN_NAMES.contains(&host) {
        return wrong("403 Forbidden", "ask under 127.0.0.1 or localhost");
    }
    if !is_equal(request.token.as_bytes(), token.as_bytes()) {
        return wrong("401 Unauthorized", "send the header: Authorization: Bearer TOKEN");
    }
    match answers(&request.line, &request.body) {
        Some(Ok(answer)) => ("200 OK", answer),
        Some(Err(reason)) => ("422 Unprocessable Content", reason),
        None => wrong("404 Not Found", "there is nothing under this path"),
    }
}

/// Takes as long for a wrong token as for the right one.
fn is_equal(given: &[u8], right: &[u8]) -> bool {
    given.len() == right.len() && given.iter().zip(right).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

async fn answer(client: &mut TcpStream, status: &str, words: &str) -> io::Result<()> {
    let length = words.len() + 1;
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{words}\n"
    );
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}

/// What is needed of a request.
#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    line: String,
    host: String,
    token: String,
    body: String,
}

impl Request {
    /// `None` until it is whole.
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
        let mut lines = head.split("\r\n");
        let line = lines.next()?.rsplit_once(' ')?.0.to_owned();
        let mut request = Self { line, ..Self::default() };
        let mut length = 0;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            match (name.to_ascii_lowercase().as_str(), value.trim()) {
                ("host", value) => value.clone_into(&mut request.host),
                ("content-length", value) => length = value.parse().ok()?,
                ("authorization", value) => {
                    value.strip_prefix("Bearer").unwrap_or_default().trim().clone_into(&mut request.token);
                }
                _ => {}
            }
        }
        let body = bytes.get(end + 4..)?.get(..length)?;
        let body = std::str::from_utf8(body).ok()?.to_owned();
        Some(Self { body, ..request })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(head: &str, token: &str) -> &'static str {
        let text = format!("{head}\r\nAuthorization: Bearer {token}\r\nContent-Length: 2\r\n\r\n{{}}");
        let request = Request::read(text.as_bytes()).unwrap();
        let answers = |line: &str, _: &str| (line == "POST /v1/marks").then(|| Ok("written".to_owned()));
        decide(&request, "right", &answers).0
    }

    #[test]
    fn a_mark_needs_the_token_and_a_name_of_this_machine() {
        let post = "POST /v1/marks HTTP/1.1\r\nHost: 127.0.0.1:9000";
        assert_eq!(status(post, "right"), "200 OK");
        assert_eq!(status(post, "wrong"), "401 Unauthorized");
        assert_eq!(status(post, ""), "401 Unauthorized");
        assert_eq!(status("POST /v1/marks HTTP/1.1\r\nHost: rebound.example", "right"), "403 Forbidden");
        assert_eq!(status("GET /v1/marks HTTP/1.1\r\nHost: localhost", "right"), "404 Not Found");
    }

    #[test]
    fn a_request_is_read_when_it_is_whole() {
        let text = b"POST /v1/marks HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
        assert!((0..text.len()).all(|length| Request::read(&text[..length]).is_none()));
        assert_eq!(Request::read(text).unwrap().body, "hello");
    }

    #[tokio::test]
    async fn a_mark_that_waits_for_the_disk_keeps_no_connection_waiting() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // The disk is done once the relay, which has this one thread, went on.
        let (disk, done) = std::sync::mpsc::channel::<()>();
        let done = std::sync::Mutex::new(done);
        let answers = move |_: &str, _: &str| {
            done.lock().unwrap().recv_timeout(Duration::from_mins(1)).map(|()| Ok("written".to_owned())).ok()
        };
        let serving = tokio::spawn(serve(listener, "right".into(), Arc::new(answers)));
        let mut client = TcpStream::connect(address).await.unwrap();
        client
            .write_all(b"POST /v1/marks HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer right\r\n\r\n")
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        disk.send(()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        serving.abort();
    }
}
