//! GraphQL over WebSocket: what a client of the protocol sees, and how a socket ends.

use std::time::Duration;

use feira_gateway::{GatewayConfig, Issue};
use feira_ids::{Role, TenantId};
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use crate::support::{SHOP, world, world_with};

/// Nothing that a test waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

struct Client(WebSocketStream<TcpStream>);

/// How a socket was closed.
type Closed = (u16, String);

async fn open(address: &str, protocol: Option<&str>, bearer: Option<&str>) -> Client {
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    if let Some(protocol) = protocol {
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_str(protocol).unwrap());
    }
    if let Some(bearer) = bearer {
        request.headers_mut().insert("authorization", HeaderValue::from_str(&format!("Bearer {bearer}")).unwrap());
    }
    let stream = TcpStream::connect(address).await.unwrap();
    Client(tokio_tungstenite::client_async(request, stream).await.unwrap().0)
}

/// A socket that has said who it is.
async fn ready(address: &str, token: &str) -> Client {
    let mut client = open(address, Some("graphql-transport-ws"), None).await;
    client.say(json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } })).await;
    assert_eq!(client.hear().await, Ok(json!({ "type": "connection_ack" })));
    client
}

impl Client {
    async fn say(&mut self, message: Value) {
        self.say_text(&message.to_string()).await;
    }

    async fn say_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({ "id": id, "type": "subscribe", "payload": { "query": query } })).await;
    }

    /// The next message of the protocol, or how the socket was closed.
    async fn hear(&mut self) -> Result<Value, Closed> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("something is heard in time");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err((frame.code.into(), frame.reason.to_string())),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn code(&mut self) -> u16 {
        loop {
            if let Err((code, _)) = self.hear().await {
                return code;
            }
        }
    }
}

fn thread() -> String {
    format!("subscription {{ thread(business: \"{SHOP}\") {{ kind }} }}")
}

#[tokio::test]
async fn operations_run_side_by_side_each_under_its_id() {
    let world = world().await;
    let address = world.listen().await;
    let mut client = ready(&address, &world.person("ana")).await;
    client.subscribe("follow", &thread()).await;
    let next = |id: &str, data: Value| Ok(json!({ "type": "next", "id": id, "payload": { "data": data } }));
    assert_eq!(client.hear().await, next("follow", json!({ "thread": { "kind": "SNAPSHOT" } })));
    assert_eq!(client.hear().await, next("follow", json!({ "thread": { "kind": "CAUGHT_UP" } })));
    client.subscribe("ask", "{ viewer { subject } }").await;
    assert_eq!(client.hear().await, next("ask", json!({ "viewer": { "subject": "ana" } })));
    assert_eq!(client.hear().await, Ok(json!({ "type": "complete", "id": "ask" })));
    // An id may be used again once it is complete.
    client.subscribe("ask", "{ nothing }").await;
    let refused = client.hear().await.unwrap();
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("ask")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    client.say(json!({ "type": "complete", "id": "follow" })).await;
    client.subscribe("follow", "{ __typename }").await;
    assert_eq!(client.hear().await, next("follow", json!({ "__typename": "Query" })));
    client.say(json!({ "type": "ping", "payload": { "at": 1 } })).await;
    let heard = [client.hear().await, client.hear().await];
    assert!(heard.contains(&Ok(json!({ "type": "pong", "payload": { "at": 1 } }))), "{heard:?}");
}

#[tokio::test]
async fn who_it_is_may_stand_in_the_request_that_opens_it() {
    let world = world().await;
    let address = world.listen().await;
    let mut client = open(&address, Some("graphql-transport-ws"), Some(&world.person("ana"))).await;
    client.say(json!({ "type": "connection_init" })).await;
    assert_eq!(client.hear().await, Ok(json!({ "type": "connection_ack" })));
    client.subscribe("1", "{ viewer { subject } }").await;
    assert_eq!(client.hear().await.unwrap()["payload"]["data"]["viewer"]["subject"], "ana");
}

#[tokio::test]
async fn a_socket_that_does_not_keep_to_the_protocol_is_closed_as_it_says() {
    let world = world_with(GatewayConfig { sockets_per_caller_max: 2, ..GatewayConfig::default() }).await;
    let address = world.listen().await;
    let ana = world.person("ana");
    let fresh = || open(&address, Some("graphql-transport-ws"), None);
    assert_eq!(open(&address, None, Some(&ana)).await.code().await, 4406);
    for text in ["", "{", "[]", "{}", r#"{"type":"nothing"}"#, r#"{"type":"subscribe","payload":{"query":"{a}"}}"#] {
        let mut client = fresh().await;
        client.say_text(text).await;
        assert_eq!(client.code().await, 4400, "{text}");
    }
    let mut client = fresh().await;
    client.0.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(client.code().await, 4400);
    let mut client = fresh().await;
    client.subscribe("1", "{ __typename }").await;
    assert_eq!(client.code().await, 4401, "before it is acknowledged");
    for payload in [json!({}), json!({ "Authorization": "Bearer nonsense" }), json!({ "Authorization": ana })] {
        let mut client = fresh().await;
        client.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(client.code().await, 4403);
    }
    let mut client = ready(&address, &ana).await;
    client.subscribe("1", &thread()).await;
    client.subscribe("1", &thread()).await;
    assert_eq!(client.code().await, 4409);
    let mut client = ready(&address, &ana).await;
    client.say(json!({ "type": "connection_init" })).await;
    assert_eq!(client.code().await, 4429);
    drop(client);
}

#[tokio::test]
async fn each_caller_has_only_so_many_sockets() {
    let world = world_with(GatewayConfig { sockets_per_caller_max: 2, ..GatewayConfig::default() }).await;
    let address = world.listen().await;
    let ana = world.person("ana");
    let _open = [ready(&address, &ana).await, ready(&address, &ana).await];
    let mut third = open(&address, Some("graphql-transport-ws"), Some(&ana)).await;
    third.say(json!({ "type": "connection_init" })).await;
    assert_eq!(third.code().await, 4429);
    ready(&address, &world.person("bia")).await;
}

#[tokio::test]
async fn a_socket_says_who_it_is_in_time_and_ends_with_its_token_and_the_process() {
    let world = world_with(GatewayConfig { socket_patience_ms: 300, ..GatewayConfig::default() }).await;
    let address = world.listen().await;
    assert_eq!(open(&address, Some("graphql-transport-ws"), None).await.code().await, 4408);
    let tenant = TenantId::new(SHOP).unwrap();
    let valid_for = Duration::from_secs(2);
    let issue = Issue { sub: "rui", tenant: Some(&tenant), roles: &[Role::Agent], country: None, valid_for };
    let mut short = ready(&address, &world.key.issue(&issue).unwrap()).await;
    let mut long = ready(&address, &world.person("ana")).await;
    assert_eq!(short.code().await, 4401);
    world.stop.cancel();
    assert_eq!(long.code().await, 1001);
}

#[tokio::test]
async fn a_query_over_a_socket_has_the_same_limits() {
    let world = world().await;
    let address = world.listen().await;
    let mut client = ready(&address, &world.admin(SHOP)).await;
    let aliases: String = (0..201).map(|i| format!(" a{i}: __typename")).collect();
    client.subscribe("1", &format!("{{ {aliases} }}")).await;
    let refused = client.hear().await.unwrap();
    assert_eq!(
        (&refused["type"], &refused["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("QUERY_TOO_LARGE"))
    );
    client.subscribe("2", "{ products(first: 101) { edges { cursor } } }").await;
    assert_eq!(client.hear().await.unwrap()["payload"]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}
