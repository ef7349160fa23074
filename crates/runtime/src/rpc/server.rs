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

#[cfg(test)]
mod tests {
    use feira_commands::cart::Input;
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;
    use crate::suite::command;

    fn secret(byte: u8) -> Secret {
        Secret::new([byte; 32]).unwrap()
    }

    fn ask(number: u64, vouched_with: &Secret) -> Bytes {
        let command = command("BR.1", Input::Undo { edit: None }, "k1");
        let proof = vouched_with.vouch(&command);
        encode(&Ask { number, budget_ms: 1_000, command, proof }).unwrap()
    }

    /// What a server without lanes says to `bytes`, up to the end of its stream.
    async fn said(pass: &Secret, bytes: Bytes) -> (StatusCode, Vec<Reply>) {
        let server = Arc::new(Server { intakes: BTreeMap::new(), secret: secret(1) });
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, format!("Feira {}", pass.pass()).parse().unwrap());
        let response = open(State(server), headers, Body::from(bytes)).await;
        let status = response.status();
        let mut frames = Frames::default();
        frames.feed(&response.into_body().collect().await.unwrap().to_bytes());
        let mut replies = Vec::new();
        while status == StatusCode::OK
            && let Some(reply) = frames.next().unwrap()
        {
            replies.push(reply);
        }
        (status, replies)
    }

    #[tokio::test]
    async fn a_command_is_answered_under_its_number() {
        let (status, replies) = said(&secret(1), ask(7, &secret(1))).await;
        let answer = Answer::Moved { owner: None, term: 0 };
        assert_eq!((status, replies), (StatusCode::OK, vec![Reply::Answer { number: 7, answer }]));
    }

    #[tokio::test]
    async fn without_a_pass_nothing_is_read() {
        let (status, _) = said(&secret(2), ask(7, &secret(1))).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }

    #[tokio::test]
    async fn a_command_that_nobody_vouches_for_closes_the_stream() {
        let both = [ask(7, &secret(2)), ask(8, &secret(1))].concat();
        let (_, replies) = said(&secret(1), both.into()).await;
        assert!(matches!(&replies[..], [Reply::Closing { .. }]), "{replies:?}");
    }

    #[tokio::test]
    async fn a_frame_that_is_too_long_closes_the_stream() {
        let (_, replies) = said(&secret(1), Bytes::from_static(&[0xff; 4])).await;
        assert!(matches!(&replies[..], [Reply::Closing { .. }]), "{replies:?}");
    }

    proptest! {
        #[test]
        fn garbage_is_answered_with_why_or_not_at_all(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut framed = (bytes.len() as u32).to_be_bytes().to_vec();
            framed.extend_from_slice(&bytes);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (_, replies) = runtime.block_on(said(&secret(1), framed.into()));
            prop_assert!(replies.iter().all(|reply| matches!(reply, Reply::Closing { .. })), "{replies:?}");
        }
    }
}
