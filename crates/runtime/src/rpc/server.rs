//! The owner's end of the stream.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::{Semaphore, mpsc};

use super::frame::{Ask, FrameFault, Frames, Outgoing, Reply, chunks, encode};
use super::{PATH, Secret};
use crate::chain::Chain;
use crate::clock::wall_ms;
use crate::{Accepted, Answer, Intake};

/// How many commands of one stream are at work at once.
const IN_FLIGHT_MAX: usize = 4096;

struct Server {
    intakes: BTreeMap<String, Intake>,
    secret: Secret,
}

/// Takes commands for `intakes` from processes that know `secret`. To be merged into what the process serves over
/// HTTP; layers that bound a request's time or length must not lie over it.
pub fn server(intakes: impl IntoIterator<Item = Intake>, secret: Secret) -> Router {
    let intakes = intakes.into_iter().map(|intake| (intake.service().to_string(), intake)).collect();
    Router::new().route(PATH, post(open)).with_state(Arc::new(Server { intakes, secret }))
}

async fn open(State(server): State<Arc<Server>>, headers: HeaderMap, body: Body) -> Response {
    let pass = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let pass = pass.and_then(|value| value.strip_prefix("Feira ")).unwrap_or_default();
    if let Err(fault) = server.secret.admit(pass, wall_ms()) {
        tracing::warn!(error = %fault, "a process that wanted to send commands was turned away");
        return (StatusCode::UNAUTHORIZED, fault.to_string()).into_response();
    }
    let (sender, receiver) = mpsc::channel(IN_FLIGHT_MAX);
    tokio::spawn(server.read(body, sender));
    Body::from_stream(chunks(receiver).map(Ok::<Bytes, Infallible>)).into_response()
}

impl Server {
    /// Reads commands until the stream ends or something in it is wrong.
    async fn read(self: Arc<Self>, body: Body, sender: mpsc::Sender<Outgoing>) {
        let room = Arc::new(Semaphore::new(IN_FLIGHT_MAX));
        let mut frames = Frames::default();
        let mut stream = body.into_data_stream();
        while let Some(Ok(chunk)) = stream.next().await {
            frames.feed(&chunk);
            loop {
                match frames.next::<Ask>() {
                    Ok(None) => break,
                    Ok(Some(ask)) if self.secret.vouched(&ask.command, &ask.proof) => {
                        self.clone().take(ask, &room, &sender).await;
                    }
                    Ok(Some(_)) => return close(&sender, "a command that nobody vouches for".to_owned()).await,
                    Err(fault) => {
                        let reason = Chain(&fault).to_string();
                        return close(&sender, reason).await;
                    }
                }
            }
        }
    }

    async fn take(self: Arc<Self>, ask: Ask, room: &Arc<Semaphore>, sender: &mpsc::Sender<Outgoing>) {
        let Ask { number, budget_ms, mut command, .. } = ask;
        let Ok(room) = room.clone().try_acquire_owned() else {
            return send(sender, number, Answer::Overloaded).await;
        };
        command.deadline_ms = wall_ms() + i64::from(budget_ms);
        let sender = sender.clone();
        tokio::spawn(async move {
            let service = feira_ids::kind(command.aggregate.kind_name()).map_or("", |kind| kind.service);
            let answer = match self.intakes.get(service) {
                Some(intake) => intake.ask(command).await,
                None => Answer::Moved { owner: None, term: 0 },
            };
            send(&sender, number, answer).await;
            drop(room);
        });
    }
}

async fn send(sender: &mpsc::Sender<Outgoing>, number: u64, answer: Answer) {
    let frame = match encode(&Reply::Answer { number, answer: answer.clone() }) {
        Ok(frame) => frame,
        Err(fault) => {
            tracing::error!(error = %Chain(&fault), "an answer does not go into a frame; it goes without its view");
            let Ok(frame) = encode(&Reply::Answer { number, answer: without_view(answer) }) else { return };
            frame
        }
    };
    // An asker that has gone asks again.
    let _ = sender.send(Outgoing { frame, last: false }).await;
}

fn without_view(answer: Answer) -> Answer {
    match answer {
        Answer::Accepted(accepted) => Answer::Accepted(Accepted { view: Bytes::from_static(b"null"), ..accepted }),
        other => other,
    }
}

async fn close(sender: &mpsc::Sender<Outgoing>, reason: String) {
    tracing::warn!(error = reason, "a stream of commands was closed");
    let closing: Result<Bytes, FrameFault> = encode(&Reply::Closing { reason });
    if let Ok(frame) = closing {
        let _ = sender.send(Outgoing { frame, last: true }).await;
    }
}
