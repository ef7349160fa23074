//! Subscriptions over real sockets: cut at any moment, read too slowly, and beside another business's.
//!
//! A socket is dropped without a word, as a phone that leaves the network does. What is counted is what a client saw.

use std::ops::ControlFlow;
use std::time::Duration;

use feira_events::Meta;
use feira_events::conversation::{MessageRead, Side, ThreadEvent, ThreadOpened};
use feira_gateway::GatewayConfig;
use feira_projection_store::{Checkpoint, Mutation, Store};
use feira_rows::THREADS_PROJECTION;
use feira_rows::conversation::put_thread;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::support::{OTHER_SHOP, SHOP, World, world_with};

/// Nothing that a test waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often the client is cut off.
const CUTS: usize = 100;

struct Client(WebSocketStream<TcpStream>);

/// A socket of whoever has `token`, that holds little of what it does not read.
async fn ready(address: &str, token: &str) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    let stream = socket.connect(address.parse().unwrap()).await.unwrap();
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
    let mut client = Client(tokio_tungstenite::client_async(request, stream).await.unwrap().0);
    client.say(json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } })).await;
    assert_eq!(client.hear().await, ControlFlow::Continue(json!({ "type": "connection_ack" })));
    client
}

impl Client {
    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn follow(&mut self, shop: &str, customer: &str, after: Option<&str>) {
        let after = after.map_or(String::new(), |after| format!(", after: \"{after}\""));
        let query = format!(
            "subscription {{ thread(business: \"{shop}\", customer: \"{customer}\" {after}) {{ kind cursor event {{ id version }} }} }}"
        );
        self.say(json!({ "id": "1", "type": "subscribe", "payload": { "query": query } })).await;
    }

    /// The next message; a break when the socket is gone.
    async fn hear(&mut self) -> ControlFlow<(), Value> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.expect("something is heard in time") {
                Some(Ok(Message::Text(text))) => return ControlFlow::Continue(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return ControlFlow::Break(()),
                Some(Ok(other)) => panic!("{other:?}"),
            }
        }
    }

    async fn frame(&mut self) -> Value {
        match self.hear().await {
            ControlFlow::Continue(said) if said["payload"]["errors"].is_null() => {
                said["payload"]["data"]["thread"].clone()
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn customer(world: &World, person: &str) -> String {
    let query = format!("{{ cart(business: \"{SHOP}\") {{ customer }} }}");
    world.data(&world.person(person), &query).await["cart"]["customer"].as_str().unwrap().to_owned()
}

/// Lets something happen in a customer's thread.
fn tell(world: &World, shop: &str, customer: &str) -> Meta {
    let read = MessageRead { message: "m-1".into(), seq: 1, read_at: 1 };
    world.happenings.tell(shop, &format!("thread:main/{customer}"), &ThreadEvent::MessageRead(read))
}

/// Numbers that are told by their seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What a client has seen.
#[derive(Default)]
struct Seen {
    versions: Vec<u64>,
    cursor: Option<String>,
}

impl Seen {
    fn take(&mut self, frame: &Value) {
        if frame["kind"] == "EVENT" {
            self.versions.push(frame["event"]["version"].as_u64().unwrap());
        }
        self.cursor = Some(frame["cursor"].as_str().unwrap().to_owned());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_cut_a_hundred_times_while_things_happen_is_told_each_once_and_in_order() {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    println!("seed {seed}");
    let world = world_with(GatewayConfig { heartbeat_ms: 40, ..GatewayConfig::default() }).await;
    let (address, token) = (world.listen().await, world.agent(SHOP));
    let (ana, bia) = (customer(&world, "ana").await, customer(&world, "bia").await);
    let (mut dice, mut seen, mut happened) = (Dice(seed), Seen::default(), 0);
    for _ in 0..CUTS {
        let mut client = ready(&address, &token).await;
        client.follow(SHOP, &ana, seen.cursor.as_deref()).await;
        let mut left = dice.below(12);
        while left > 0 {
            // Things happen before, between and after what is read.
            for _ in 0..dice.below(4) {
                tell(&world, SHOP, &ana);
                tell(&world, SHOP, &bia);
                happened += 1;
            }
            seen.take(&client.frame().await);
            left -= 1;
        }
        // Some have asked and heard nothing yet.
        drop(client);
        for _ in 0..dice.below(3) {
            tell(&world, SHOP, &ana);
            happened += 1;
        }
    }
    let mut client = ready(&address, &token).await;
    client.follow(SHOP, &ana, seen.cursor.as_deref()).await;
    loop {
        let frame = client.frame().await;
        seen.take(&frame);
        if frame["kind"] == "CAUGHT_UP" {
            break;
        }
    }
    assert!(happened > CUTS as u64, "too little happened: {happened}");
    assert_eq!(seen.versions, (1..=happened).collect::<Vec<_>>(), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_does_not_read_is_let_go_and_goes_on_from_its_cursor() {
    const HAPPEN: u64 = 40_000;
    let config = GatewayConfig { heartbeat_ms: 60_000, socket_patience_ms: 300, ..GatewayConfig::default() };
    let world = world_with(config).await;
    let (address, token) = (world.listen().await, world.agent(SHOP));
    let ana = customer(&world, "ana").await;
    let mut seen = Seen::default();
    let mut client = ready(&address, &token).await;
    client.follow(SHOP, &ana, None).await;
    for kind in ["SNAPSHOT", "CAUGHT_UP"] {
        let frame = client.frame().await;
        assert_eq!(frame["kind"], kind);
        seen.take(&frame);
    }
    for _ in 0..HAPPEN {
        tell(&world, SHOP, &ana);
    }
    tokio::time::timeout(PATIENCE, async {
        while let ControlFlow::Continue(said) = client.hear().await {
            match said["payload"]["errors"][0]["extensions"]["code"].as_str() {
                Some(code) => {
                    assert_eq!(code, "TOO_SLOW");
                    break;
                }
                None => seen.take(&said["payload"]["data"]["thread"]),
            }
        }
    })
    .await
    .expect("who does not read is let go");
    assert!((seen.versions.len() as u64) < HAPPEN, "all of it was held for who did not read");
    let mut again = ready(&address, &token).await;
    again.follow(SHOP, &ana, seen.cursor.as_deref()).await;
    while (seen.versions.len() as u64) < HAPPEN {
        match again.hear().await {
            ControlFlow::Continue(said) if said["payload"]["errors"].is_null() => {
                let frame = &said["payload"]["data"]["thread"];
                seen.take(frame);
            }
            // It was let go again: it goes on again.
            _ => {
                again = ready(&address, &token).await;
                again.follow(SHOP, &ana, seen.cursor.as_deref()).await;
            }
        }
    }
    assert!(seen.versions.iter().copied().eq(1..=HAPPEN), "something was missed, or told twice");
}

#[tokio::test]
async fn what_happens_at_another_business_under_the_same_name_is_not_told() {
    let world = world_with(GatewayConfig { heartbeat_ms: 60_000, ..GatewayConfig::default() }).await;
    let address = world.listen().await;
    // A name that both have, and that is on one lane for both: only the business tells them apart.
    let name = (0..)
        .map(|number| format!("BR.{number}"))
        .find(|name| {
            let aggregate = format!("thread:main/{name}");
            world.happenings.lane(SHOP, &aggregate) == world.happenings.lane(OTHER_SHOP, &aggregate)
        })
        .unwrap();
    let mut theirs = ready(&address, &world.agent(OTHER_SHOP)).await;
    theirs.follow(OTHER_SHOP, &name, None).await;
    let mut ours = ready(&address, &world.agent(SHOP)).await;
    ours.follow(SHOP, &name, None).await;
    let mut cursor = Value::Null;
    for client in [&mut theirs, &mut ours] {
        assert_eq!(client.frame().await["kind"], "SNAPSHOT");
        let frame = client.frame().await;
        assert_eq!(frame["kind"], "CAUGHT_UP");
        cursor = frame["cursor"].clone();
    }
    tell(&world, SHOP, &name);
    let event = ours.frame().await["event"]["id"].clone();
    // What comes later on the same lane is heard without it.
    tell(&world, OTHER_SHOP, &name);
    assert_ne!(theirs.frame().await["event"]["id"], event);
    // Nor does our place in the same lane open it to them.
    let mut thief = ready(&address, &world.agent(OTHER_SHOP)).await;
    thief.follow(OTHER_SHOP, &name, cursor.as_str()).await;
    let ControlFlow::Continue(refused) = thief.hear().await else { panic!("the socket is gone") };
    assert_eq!(refused["payload"]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_joins_a_reader_that_is_behind_hears_only_what_comes_after() {
    const BEFORE: u64 = 20_000;
    let world = world_with(GatewayConfig { heartbeat_ms: 60_000, ..GatewayConfig::default() }).await;
    let (address, token) = (world.listen().await, world.agent(SHOP));
    let ana = customer(&world, "ana").await;
    let happened: Vec<_> = (0..BEFORE).map(|_| tell(&world, SHOP, &ana)).collect();
    // The first one reads the lane from its beginning; the rows are at its end before that is done.
    let mut first = ready(&address, &token).await;
    first.follow(SHOP, &ana, None).await;
    assert_eq!(first.frame().await["kind"], "SNAPSHOT");
    checkpoint(&world, &ana, happened.last().unwrap().lane_seq as u64, vec![]).await;
    let mut second = ready(&address, &token).await;
    second.follow(SHOP, &ana, None).await;
    assert_eq!(second.frame().await["kind"], "SNAPSHOT");
    assert_eq!(second.frame().await["kind"], "CAUGHT_UP", "what the snapshot has was told again");
    tell(&world, SHOP, &ana);
    assert_eq!(second.frame().await["event"]["version"], BEFORE + 1);
}

#[tokio::test]
async fn what_the_snapshot_already_has_is_not_told_after_it() {
    let world = world_with(GatewayConfig { heartbeat_ms: 60_000, ..GatewayConfig::default() }).await;
    let (address, token) = (world.listen().await, world.agent(SHOP));
    let ana = customer(&world, "ana").await;
    let happened: Vec<_> = (0..6).map(|_| tell(&world, SHOP, &ana)).collect();
    // The rows went on between the moment at which their place was taken and the moment at which they were read.
    let opened =
        ThreadOpened { sender: "main".into(), customer: ana.as_str().into(), country: "BR".into(), by: Side::Customer };
    checkpoint(&world, &ana, 2, vec![put_thread(&happened[3], &opened)]).await;
    let mut client = ready(&address, &token).await;
    client.follow(SHOP, &ana, None).await;
    assert_eq!(client.frame().await["kind"], "SNAPSHOT");
    for version in [5, 6] {
        assert_eq!(client.frame().await["event"]["version"], version);
    }
    assert_eq!(client.frame().await["kind"], "CAUGHT_UP");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_who_goes_on_from_far_back_gets_all_of_it_without_being_cut_off() {
    const BEFORE: u64 = 5_000;
    let world = world_with(GatewayConfig { heartbeat_ms: 60_000, ..GatewayConfig::default() }).await;
    let (address, token) = (world.listen().await, world.agent(SHOP));
    let ana = customer(&world, "ana").await;
    for _ in 0..BEFORE {
        tell(&world, SHOP, &ana);
    }
    let mut client = ready(&address, &token).await;
    client.follow(SHOP, &ana, None).await;
    assert_eq!(client.frame().await["kind"], "SNAPSHOT");
    for version in 1..=BEFORE {
        assert_eq!(client.frame().await["event"]["version"], version);
    }
    assert_eq!(client.frame().await["kind"], "CAUGHT_UP");
}

/// Lets the rows of threads be at `lane_seq` of the lane of a customer's thread.
async fn checkpoint(world: &World, customer: &str, lane_seq: u64, writes: Vec<Mutation>) {
    let lane = world.happenings.lane(SHOP, &format!("thread:main/{customer}")).to_string();
    world.store.apply(writes, THREADS_PROJECTION, &lane, Checkpoint { lane_seq, hint: 0 }).await.unwrap();
}
