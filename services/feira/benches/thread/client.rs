//! A client that costs little: it shares the cores with what it measures.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use feira_bench::{Latencies, Round};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request as it goes over the wire.
pub struct Request(Vec<u8>);

impl Request {
    /// A GraphQL request with its whole body.
    pub fn graphql(token: &str, body: &str) -> Self {
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
             accept: application/graphql-response+json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self([head.as_bytes(), body.as_bytes()].concat())
    }
}

/// Asks over `connections` connections, each one request at a time, until `turn` has passed. `next` numbers what is
/// asked, over all rounds.
///
/// # Panics
/// When an answer is not 200 or speaks of an error: a figure for work that was not done is none.
pub async fn run<R>(address: SocketAddr, connections: usize, turn: Duration, next: &AtomicU64, requests: &R) -> Round
where
    R: Fn(u64) -> Request + ?Sized,
{
    let mut opened = Vec::new();
    for _ in 0..connections {
        opened.push(Connection::open(address).await);
    }
    let begun = Instant::now();
    let all = futures::future::join_all(opened.into_iter().map(|mut connection| async move {
        let mut latencies = Latencies::default();
        while begun.elapsed() < turn {
            let Request(bytes) = requests(next.fetch_add(1, Ordering::Relaxed));
            let asked = Instant::now();
            connection.ask(&bytes).await;
            latencies.record(asked.elapsed());
        }
        latencies
    }));
    Round::side_by_side(all.await, begun.elapsed())
}

/// Sends a feed and answers how long it took until all rows stood.
pub async fn import(address: SocketAddr, token: &str, number: usize, feed: String) -> Round {
    let rows = feed.lines().count() - 1;
    let run = format!("6f0c5d1e-3a52-4b7e-9d5e-2b6f7c8d9e{number:02}");
    let begun = Instant::now();
    let answer = reqwest::Client::new()
        .post(format!("http://{address}/v1/imports/products?run={run}&format=tsv"))
        .bearer_auth(token)
        .body(feed)
        .send()
        .await
        .expect("the gateway answers");
    let text = answer.text().await.expect("the answer ends");
    let took = begun.elapsed();
    let last: serde_json::Value =
        text.lines().last().and_then(|line| serde_json::from_str(line).ok()).expect("a last line");
    assert_eq!(last["done"]["changed"], rows, "not all rows were taken in: {last}");
    Round::of(rows as u64, took)
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server accepts");
        stream.set_nodelay(true).expect("a socket can be told");
        Self { stream, buffer: vec![0; 64 << 10] }
    }

    /// Sends one request and reads its whole answer.
    async fn ask(&mut self, request: &[u8]) {
        self.stream.write_all(request).await.expect("the server reads");
        let buffer = &mut self.buffer;
        let (mut filled, mut whole) = (0, None);
        while whole.is_none_or(|whole| filled < whole) {
            let read = self.stream.read(&mut buffer[filled..]).await.expect("the server answers");
            assert!(read > 0, "the server closed the connection, or the answer is too long");
            filled += read;
            whole = whole.or_else(|| whole_length(&buffer[..filled]));
        }
        let answer = &buffer[..filled];
        let wrong = [&b"\"errors\""[..], b"\"code\""].iter().any(|word| contains(answer, word));
        assert!(answer.starts_with(b"HTTP/1.1 200") && !wrong, "{}", String::from_utf8_lossy(answer));
    }
}

/// The length of head and body together, once the head is there.
fn whole_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&bytes[..head]).expect("a head is text");
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().expect("a number"))
    });
    Some(head + length.expect("the length is said"))
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}
