//! GraphQL over WebSocket: the protocol `graphql-transport-ws`.
//!
//! A socket says who it is within a time, in the first message or in the request that opened it; then it may have many
//! operations at once, each under an id of its own. Whatever is sent waits for the socket a bounded time: one that
//! does not take it is closed. Nothing is kept for a socket but what is on the way to it.
//!
//! Source: GraphQL over WebSocket Protocol, enisdenjo/graphql-ws.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response as Answer, ServerError};
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use feira_runtime::Position;
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::graphql::{BODY_BYTES_MAX, Prepared, body, coded, prepare};
use super::params::{Params, from_value};
use crate::auth::Caller;
use crate::gateway::Gateway;
use crate::graphql::{Asked, counted_as, ends};
use crate::live::Counted;

/// The name of the protocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// How many messages wait for a socket.
const OUTGOING_MAX: usize = 32;
/// How many operations a socket may have at once.
const OPERATIONS_MAX: usize = 128;
/// The longest id of an operation.
const ID_BYTES_MAX: usize = 128;
/// How many heartbeats a socket may be silent.
const SILENT_HEARTBEATS: u32 = 4;

/// What is sent to a socket.
enum Out {
    Message(Value),
    Ping,
    Close(u16, &'static str),
}

/// Why a socket ends: a close code, and the reason.
struct Closed(u16, &'static str);

/// Takes a socket.
pub(super) fn take(gateway: Arc<Gateway>, upgrade: WebSocketUpgrade, headers: HeaderMap) -> Response {
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(BODY_BYTES_MAX)
        .max_frame_size(BODY_BYTES_MAX)
        .on_upgrade(move |socket| converse(gateway, socket, headers))
}

async fn converse(gateway: Arc<Gateway>, socket: WebSocket, headers: HeaderMap) {
    let accepted = socket.protocol().is_some();
    let (sink, incoming) = socket.split();
    let (outgoing, waiting) = mpsc::channel(OUTGOING_MAX);
    let writing = tokio::spawn(write(sink, waiting, gateway.config.socket_patience()));
    let mut talk = Talk {
        gateway,
        headers,
        outgoing: outgoing.clone(),
        caller: None,
        begun: false,
        ends: None,
        operations: Arc::default(),
        counted: None,
    };
    let Closed(code, reason) =
        if accepted { talk.listen(incoming).await } else { Closed(4406, "Subprotocol not acceptable") };
    for (_, operation) in talk.operations.lock().unwrap_or_else(PoisonError::into_inner).drain() {
        operation.abort();
    }
    let _ = outgoing.send(Out::Close(code, reason)).await;
    drop((outgoing, talk));
    if writing.await.is_err() {
        tracing::error!("writing to a socket failed in the program");
    }
}

/// Sends what waits, until it is closed or the socket takes too long.
async fn write(mut sink: SplitSink<WebSocket, Message>, mut waiting: mpsc::Receiver<Out>, patience: Duration) {
    while let Some(out) = waiting.recv().await {
        let (message, last) = match out {
            Out::Message(message) => (Message::Text(message.to_string().into()), false),
            Out::Ping => (Message::Ping(bytes::Bytes::new()), false),
            Out::Close(code, reason) => (Message::Close(Some(CloseFrame { code, reason: reason.into() })), true),
        };
        match tokio::time::timeout(patience, sink.send(message)).await {
            Ok(Ok(())) if !last => {}
            Ok(_) => break,
            Err(_) => {
                tracing::info!("a socket was cut off that did not take what it was sent");
                return;
            }
        }
    }
    let _ = tokio::time::timeout(patience, sink.close()).await;
}

/// The operations of a socket that are under way.
type Operations = Arc<Mutex<HashMap<Arc<str>, AbortHandle>>>;

/// A conversation with one socket.
struct Talk {
    gateway: Arc<Gateway>,
    headers: HeaderMap,
    outgoing: mpsc::Sender<Out>,
    /// Who it is, once that is acknowledged.
    caller: Option<Arc<Caller>>,
    /// Whether it has said who it is.
    begun: bool,
    ends: Option<Instant>,
    operations: Operations,
    counted: Option<Counted>,
}

/// A message of the protocol.
#[derive(Deserialize)]
struct Incoming {
    r#type: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    payload: Option<Value>,
}

impl Talk {
    /// Takes messages until there is a reason to end.
    async fn listen(&mut self, mut incoming: SplitStream<WebSocket>) -> Closed {
        let deadline = Instant::now() + self.gateway.config.socket_patience();
        let heartbeat = self.gateway.config.heartbeat();
        let mut ping = tokio::time::interval_at(Instant::now() + heartbeat, heartbeat);
        let (mut heard, stopping) = (Instant::now(), self.gateway.live.stopping().clone());
        loop {
            let until = self.ends.unwrap_or(deadline);
            let message = tokio::select! {
                message = incoming.next() => message,
                () = stopping.cancelled() => return Closed(1001, "Going away"),
                () = tokio::time::sleep_until(until) => {
                    return match self.caller {
                        Some(_) => Closed(4401, "Unauthorized: the token has expired"),
                        None => Closed(4408, "Connection initialisation timeout"),
                    };
                }
                _ = ping.tick() => {
                    if heard.elapsed() > heartbeat * SILENT_HEARTBEATS {
                        return Closed(1001, "Nothing was heard");
                    }
                    // A socket that takes nothing has its operations to tell it so.
                    let _ = self.outgoing.try_send(Out::Ping);
                    continue;
                }
                () = self.outgoing.closed() => return Closed(1001, "Too slow"),
            };
            heard = Instant::now();
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Binary(_))) => return Closed(4400, "Messages are text"),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Closed(1000, ""),
            };
            if let ControlFlow::Break(closed) = self.take(&text).await {
                return closed;
            }
        }
    }

    async fn take(&mut self, text: &str) -> ControlFlow<Closed> {
        let Ok(Incoming { r#type, id, payload }) = serde_json::from_str(text) else {
            return ControlFlow::Break(Closed(4400, "Invalid message"));
        };
        match (&*r#type, id) {
            ("connection_init", None) => self.begin(payload).await,
            ("ping", None) => {
                let payload =
                    payload.map_or_else(Map::new, |payload| Map::from_iter([("payload".to_owned(), payload)]));
                let pong = Map::from_iter([("type".to_owned(), json!("pong"))]).into_iter().chain(payload).collect();
                self.say(Value::Object(pong)).await
            }
            ("pong", None) => ControlFlow::Continue(()),
            ("subscribe", Some(id)) if (1..=ID_BYTES_MAX).contains(&id.len()) => {
                self.operate(id.into(), payload.unwrap_or(Value::Null)).await
            }
            ("complete", Some(id)) => {
                let operation = self.operations().remove(&*id);
                if let Some(operation) = operation {
                    operation.abort();
                }
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(Closed(4400, "Invalid message")),
        }
    }

    /// Hears who it is.
    async fn begin(&mut self, payload: Option<Value>) -> ControlFlow<Closed> {
        if self.begun {
            return ControlFlow::Break(Closed(4429, "Too many initialisation requests"));
        }
        self.begun = true;
        let Some(caller) = self.caller_of(payload.as_ref()) else {
            return ControlFlow::Break(Closed(4403, "Forbidden: send a valid token as Authorization: Bearer"));
        };
        let Some(counted) = self.gateway.sockets.take(&counted_as(&caller)) else {
            return ControlFlow::Break(Closed(4429, "Too many sockets: close one first"));
        };
        self.ends = Some(ends(&caller));
        (self.caller, self.counted) = (Some(caller), Some(counted));
        self.say(json!({ "type": "connection_ack" })).await
    }

    /// The caller that a token proves: one in the payload, or in the request that opened the socket.
    fn caller_of(&self, payload: Option<&Value>) -> Option<Arc<Caller>> {
        let said = payload.and_then(Value::as_object).and_then(|payload| {
            payload
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))
                .and_then(|(_, value)| value.as_str())
        });
        match said {
            Some(said) => {
                let (scheme, token) = said.split_once(' ')?;
                if !scheme.eq_ignore_ascii_case("bearer") {
                    return None;
                }
                self.gateway.verifier.verify(token.trim()).ok()
            }
            None => super::caller_of(&self.headers, &self.gateway.verifier).ok().flatten(),
        }
    }

    /// Runs an operation, and tells what comes of it.
    async fn operate(&mut self, id: Arc<str>, payload: Value) -> ControlFlow<Closed> {
        let Some(caller) = self.caller.clone() else {
            return ControlFlow::Break(Closed(4401, "Unauthorized"));
        };
        let (known, count) = {
            let operations = self.operations();
            (operations.contains_key(&id), operations.len())
        };
        if known {
            return ControlFlow::Break(Closed(4409, "Subscriber already exists"));
        }
        if count >= OPERATIONS_MAX {
            let message = format!("a socket has at most {OPERATIONS_MAX} operations at once");
            let error = coded(ServerError::new(message, None), "LIMIT_REACHED");
            return self.say(json!({ "type": "error", "id": &*id, "payload": [error] })).await;
        }
        let Ok(params) = from_value(payload) else {
            return ControlFlow::Break(Closed(4400, "Invalid message"));
        };
        let running = run(self.gateway.clone(), caller, params, id.clone(), self.outgoing.clone());
        let (operations, of) = (self.operations.clone(), id.clone());
        let mut held = self.operations();
        // The lock is held until the handle stands: what ends at once finds it.
        let task = tokio::spawn(async move {
            let last = running.await;
            // Before the end is told: the id may be used again at once.
            operations.lock().unwrap_or_else(PoisonError::into_inner).remove(&of);
            if let Some((outgoing, message)) = last {
                let _ = outgoing.send(Out::Message(message)).await;
            }
        });
        held.insert(id, task.abort_handle());
        ControlFlow::Continue(())
    }

    async fn say(&self, message: Value) -> ControlFlow<Closed> {
        match self.outgoing.send(Out::Message(message)).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(Closed(1001, "Too slow")),
        }
    }

    fn operations(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, AbortHandle>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs an operation to its end. Answers the message that ends it; none when the socket is gone.
async fn run(
    gateway: Arc<Gateway>,
    caller: Arc<Caller>,
    params: Params,
    id: Arc<str>,
    outgoing: mpsc::Sender<Out>,
) -> Option<(mpsc::Sender<Out>, Value)> {
    let asked = Asked { caller: Some(caller), position: Position::default(), client_key: None, traceparent: None };
    let failed = |errors: &[ServerError]| json!({ "type": "error", "id": &*id, "payload": errors });
    let Prepared { request, again, kind } = match prepare(&gateway, params, asked) {
        Ok(prepared) => prepared,
        Err(refused) => return Some((outgoing, failed(&[refused.error]))),
    };
    let mut answers = gateway.schema.execute_stream(request);
    let mut again = Some(again);
    let patience = (kind != Some(OperationType::Subscription)).then(|| gateway.config.request_timeout());
    loop {
        let next = match patience {
            Some(patience) => match tokio::time::timeout(patience, answers.next()).await {
                Ok(next) => next,
                Err(_) => {
                    let message = "the request took too long; of a mutation the outcome is unknown: ask again with the same command id";
                    return Some((outgoing, failed(&[coded(ServerError::new(message, None), "TIMEOUT")])));
                }
            },
            None => answers.next().await,
        };
        let Some(answer) = next else { break };
        let answer = finished(&gateway, answer, again.take()).await;
        match body(&answer) {
            Ok(said) => {
                let message = json!({ "type": "next", "id": &*id, "payload": said });
                outgoing.send(Out::Message(message)).await.ok()?;
            }
            // It was never run.
            Err(errors) => return Some((outgoing, failed(errors))),
        }
    }
    Some((outgoing, json!({ "type": "complete", "id": &*id })))
}

/// An answer with its codes; the first one of a query that was too large with the figures.
async fn finished(gateway: &Gateway, answer: Answer, again: Option<super::graphql::Again>) -> Answer {
    match again {
        Some(again) => super::graphql::finished(gateway, answer, again).await,
        None => super::graphql::with_codes(answer),
    }
}
