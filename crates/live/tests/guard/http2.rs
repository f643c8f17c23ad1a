//! HTTP/2 through the guard.

use crate::toy::{BLANK, Heard, VALUE, decided, guarded, gzip, holding, listener};
use crate::world::World;
use bytes::Bytes;
use dyetrace_live::guard::{Decision, Mode};
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Request, Response};
use std::fmt::Write as _;
use std::net::SocketAddr;

/// A server that writes down each request: its line, its fields, its body and its trailers.
async fn server() -> (SocketAddr, Heard) {
    let (listener, address) = listener().await;
    let heard = Heard::default();
    let log = heard.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let log = log.clone();
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                while let Some(Ok((request, respond))) = connection.accept().await {
                    tokio::spawn(answer(request, respond, log.clone()));
                }
            });
        }
    });
    (address, heard)
}

async fn answer(request: Request<h2::RecvStream>, mut respond: h2::server::SendResponse<Bytes>, heard: Heard) {
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    let mut body = request.into_body();
    let mut content = Vec::new();
    while let Some(Ok(data)) = body.data().await {
        content.extend_from_slice(&data);
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    heard.add(&[text.as_bytes(), &content, b"\n"].concat());
    if let Ok(Some(trailers)) = body.trailers().await {
        heard.add(format!("{trailers:?}\n").as_bytes());
    }
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    stream.send_data(Bytes::from_static(b"ok"), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    stream.send_trailers(trailers).unwrap();
}

async fn connect(world: &World, server: SocketAddr) -> SendRequest<Bytes> {
    let (requests, connection) = h2::client::handshake(world.socks(server).await).await.unwrap();
    tokio::spawn(connection);
    requests
}

/// The status, the body, and whether trailers came.
async fn say(
    requests: &SendRequest<Bytes>,
    request: Request<()>,
    body: &[u8],
) -> Result<(u16, String, bool), h2::Error> {
    let mut requests = requests.clone().ready().await?;
    let (response, mut stream) = requests.send_request(request, false)?;
    let mut rest = Bytes::copy_from_slice(body);
    while !rest.is_empty() {
        stream.reserve_capacity(rest.len());
        match std::future::poll_fn(|context| stream.poll_capacity(context)).await {
            Some(Ok(room)) => stream.send_data(rest.split_to(room.min(rest.len())), false)?,
            _ => break,
        }
    }
    // Where it was answered already, nobody waits for the end.
    let _ = stream.send_data(Bytes::new(), true);
    let response = response.await?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut content = Vec::new();
    while let Some(data) = body.data().await {
        content.extend_from_slice(&data?);
    }
    let has_trailers = body.trailers().await?.is_some();
    Ok((status, String::from_utf8_lossy(&content).into_owned(), has_trailers))
}

fn post(path: &str) -> Request<()> {
    Request::post(format!("http://api.test{path}")).header("x-one", "1").body(()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_blocked_and_others_of_its_connection_pass() {
    let (world, _) = guarded("h2", Mode::Block).await;
    let (address, heard) = server().await;
    let requests = connect(&world, address).await;
    let body = format!("{{\"password\":\"{VALUE}\"}}");
    let (harmless, blocked) =
        tokio::join!(say(&requests, post("/a"), b"harmless"), say(&requests, post("/b"), body.as_bytes()),);
    assert_eq!(harmless.unwrap(), (200, "ok".to_owned(), true));
    let (status, body, _) = blocked.unwrap();
    assert!(status == 451 && body.contains("\"data\":[\"wifi.password\"]"), "{status} {body}");
    let (status, ..) = say(&requests, post(&format!("/c?{VALUE}")), b"").await.unwrap();
    assert_eq!(status, 451);
    assert_eq!(heard.text(), "POST http://api.test/a\nx-one: 1\nharmless\n");
    let decided: Vec<_> = decided(&world).iter().map(|guarded| (guarded.decision, guarded.data[0].part)).collect();
    assert_eq!(decided, [(Decision::Blocked, "body"), (Decision::Blocked, "url")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn redacted_requests_arrive_without_the_value() {
    let (world, _) = guarded("h2-redact", Mode::Redact).await;
    let (address, heard) = server().await;
    let requests = connect(&world, address).await;
    let mut request = post(&format!("/a?{VALUE}"));
    request.headers_mut().insert("cookie", HeaderValue::from_static(VALUE));
    say(&requests, request, VALUE.as_bytes()).await.unwrap();
    assert_eq!(heard.text(), format!("POST http://api.test/a?{BLANK}\nx-one: 1\ncookie: {BLANK}\n{BLANK}\n"));
    let coded = gzip(format!("<{VALUE}>").as_bytes());
    let mut request = post("/b");
    request.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
    request.headers_mut().insert("content-length", HeaderValue::from(coded.len()));
    let before = heard.text().len();
    assert_eq!(say(&requests, request, &coded).await.unwrap().0, 200);
    assert_eq!(heard.text()[before..], format!("POST http://api.test/b\nx-one: 1\ncontent-length: 14\n<{BLANK}>\n"));
    let _ = decided(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_bodies_pass_in_windows() {
    let (world, guarding) = holding("h2-long", Mode::Redact, 1000).await;
    let (address, heard) = server().await;
    let requests = connect(&world, address).await;
    let body = format!("{}{VALUE}{}", "x".repeat(200_000), "y".repeat(400_000));
    assert_eq!(say(&requests, post("/a"), body.as_bytes()).await.unwrap().0, 200);
    assert!(heard.text() == format!("POST http://api.test/a\nx-one: 1\n{}\n", body.replace(VALUE, BLANK)));
    guarding.set_mode(Mode::Block);
    let before = heard.text().len();
    let (status, ..) = say(&requests, post("/b"), body.as_bytes()).await.unwrap();
    assert_eq!(status, 451);
    let heard = &heard.text()[before..];
    assert!(!heard.contains(&VALUE[..4]));
    let blocked = decided(&world).pop().unwrap();
    assert!(blocked.decision == Decision::Blocked && blocked.left < 200_000, "{}", blocked.left);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_speaks_both_ways_is_not_kept_waiting() {
    let (world, _) = guarded("h2-call", Mode::Block).await;
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(socket).await.unwrap();
        let (request, mut respond) = connection.accept().await.unwrap().unwrap();
        tokio::spawn(async move { while connection.accept().await.is_some() {} });
        let mut body = request.into_body();
        let mut stream = respond.send_response(Response::new(()), false).unwrap();
        while let Some(Ok(data)) = body.data().await {
            stream.send_data(data, false).unwrap();
        }
        stream.send_data(Bytes::new(), true).unwrap();
    });
    let mut requests = connect(&world, address).await.ready().await.unwrap();
    let call = Request::post("http://a.test/s/m").header("content-type", "application/grpc").body(()).unwrap();
    let (response, mut stream) = requests.send_request(call, false).unwrap();
    stream.send_data(Bytes::from_static(b"one"), false).unwrap();
    let mut body = response.await.unwrap().into_body();
    assert_eq!(body.data().await.unwrap().unwrap(), "one");
    stream.send_data(Bytes::from_static(b"two"), false).unwrap();
    assert_eq!(body.data().await.unwrap().unwrap(), "two");
    stream.send_data(Bytes::from_static(VALUE.as_bytes()), false).unwrap();
    assert!(body.data().await.is_none_or(|data| data.is_err()), "and is cut");
    let head = "POST/s/m:authoritya.testcontent-typeapplication/grpc";
    assert_eq!(decided(&world)[0].left, (head.len() + "onetwo".len()) as u64);
}
