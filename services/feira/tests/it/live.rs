//! Subscriptions while a demo is played: one socket is cut again and again, another never, and both see the same.

use std::time::{Duration, Instant};

use feira_ids::Role;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::client::Client;
use crate::platform::{Dice, Platform, SHOPS};

/// How often the one socket is cut.
const CUTS: u64 = 100;
/// How long nothing is heard before all is taken to have been said.
const QUIET: Duration = Duration::from_secs(5);

/// What is followed: the buyer's thread with the first shop, and the buyer's account.
const FOLLOWED: [&str; 2] = ["thread", "account"];

/// Someone who follows, over as many sockets as it takes.
struct Follower {
    address: String,
    token: String,
    /// Of each that is followed: the last cursor, and the ids of the events.
    seen: [(Option<String>, Vec<String>); 2],
}

type Socket = WebSocketStream<TcpStream>;

impl Follower {
    fn new(platform: &Platform) -> Self {
        let address = platform.url.trim_start_matches("http://").to_owned();
        Self { address, token: platform.sign("ana", Role::Consumer, None), seen: Default::default() }
    }

    /// Opens a socket and goes on where the last one ended.
    async fn open(&self) -> Socket {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let mut request = format!("ws://{}/graphql", self.address).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        let init =
            json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {}", self.token) } });
        say(&mut socket, init).await;
        for (place, field) in FOLLOWED.iter().enumerate() {
            let of = if *field == "thread" { format!("business: \"{}\"", SHOPS[0]) } else { String::new() };
            let after = self.seen[place].0.as_ref().map_or(String::new(), |after| format!("after: \"{after}\""));
            let arguments = [of, after].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
            let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
            let query = format!("subscription {{ {field}{arguments} {{ kind cursor event {{ id }} }} }}");
            say(&mut socket, json!({ "id": place.to_string(), "type": "subscribe", "payload": { "query": query } }))
                .await;
        }
        socket
    }

    /// Takes in what is heard until `end`, or until nothing was heard for a while where there is no end.
    async fn hear(&mut self, socket: &mut Socket, end: Option<Instant>) {
        let mut quiet = Instant::now() + QUIET;
        loop {
            let until = end.unwrap_or(quiet);
            let next = tokio::time::timeout_at(until.into(), socket.next()).await;
            let Ok(message) = next else { return };
            let Message::Text(text) = message.expect("the gateway does not hang up").unwrap() else { continue };
            let said: Value = serde_json::from_str(&text).unwrap();
            if said["type"] != "next" {
                assert!(said["type"] == "connection_ack" || said["type"] == "ping", "{said}");
                continue;
            }
            assert!(said["payload"]["errors"].is_null(), "{said}");
            let place: usize = said["id"].as_str().unwrap().parse().unwrap();
            let frame = &said["payload"]["data"][FOLLOWED[place]];
            let (cursor, events) = &mut self.seen[place];
            *cursor = Some(frame["cursor"].as_str().unwrap().to_owned());
            if frame["kind"] == "EVENT" {
                events.push(frame["event"]["id"].as_str().unwrap().replace('-', ""));
                quiet = Instant::now() + QUIET;
            }
        }
    }
}

async fn say(socket: &mut Socket, what: Value) {
    socket.send(Message::text(what.to_string())).await.unwrap();
}

pub async fn a_demo_followed_through_a_hundred_cuts_shows_each_event_once(platform: &mut Platform) {
    // There is something to follow before the demo begins.
    let open = "mutation { accountOpen(input: {}) { position userErrors { code } } }";
    let ana = Client::new(&platform.url, &platform.sign("ana", Role::Consumer, None));
    let opened = ana.insist(open, json!({})).await;
    assert_eq!(opened["accountOpen"]["userErrors"], json!([]), "{opened}");
    let read = "query($position: Position) { account(position: $position) { id } }";
    ana.insist(read, json!({ "position": opened["accountOpen"]["position"] })).await;
    let (mut steady, mut cut) = (Follower::new(platform), Follower::new(platform));
    let mut dice = Dice::thrown();
    let mut socket = steady.open().await;
    steady.hear(&mut socket, Some(Instant::now() + Duration::from_secs(1))).await;
    // What is heard first is how things stand: from there on all is to be seen.
    let mut first = cut.open().await;
    cut.hear(&mut first, Some(Instant::now() + Duration::from_secs(1))).await;
    drop(first);
    assert!(cut.seen.iter().all(|(cursor, _)| cursor.is_some()), "a snapshot comes first");

    let demo = platform.command_on_log(&["demo", "--output", "json"]);
    let mut demo = tokio::spawn(async move { { demo }.output().await.unwrap() });
    let follow = tokio::spawn(async move {
        steady.hear(&mut socket, None).await;
        (steady, socket)
    });
    let mut cuts = 0;
    let played = loop {
        let mut socket = cut.open().await;
        cut.hear(&mut socket, Some(Instant::now() + Duration::from_millis(dice.below(300)))).await;
        // As a phone that leaves the network does.
        drop(socket);
        cuts += 1;
        if cuts >= CUTS && demo.is_finished() {
            break (&mut demo).await.unwrap();
        }
    };
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    let mut last = cut.open().await;
    cut.hear(&mut last, None).await;
    let (mut steady, mut socket) = follow.await.unwrap();
    steady.hear(&mut socket, None).await;

    println!("cut {cuts} times; {} events of the thread, {} of the account", cut.seen[0].1.len(), cut.seen[1].1.len());
    let log = platform.export().await;
    let of_thread = |record: &&Value| {
        record["meta"]["aggregate"].as_str().is_some_and(|aggregate| aggregate.starts_with("thread:"))
            && record["meta"]["tenant"] == SHOPS[0]
            && record["meta"]["aggregate_seq"].is_number()
    };
    let written: Vec<&str> = log
        .values()
        .flat_map(|records| records.iter().filter(of_thread))
        .map(|record| record["meta"]["event_id"].as_str().unwrap())
        .collect();
    assert!(written.len() >= 9, "{written:?}");
    assert_eq!(cut.seen[0].1, written, "the thread as it stands on the log");
    assert!(cut.seen[1].1.len() >= 3);
    for ((_, cut), (_, steady)) in cut.seen.iter().zip(&steady.seen) {
        assert_eq!(cut, steady, "the socket that was cut has seen what the other has");
    }
}
