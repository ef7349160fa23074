//! GraphQL as server-sent events: one operation in one answer that goes on, where WebSockets are blocked.
//!
//! Each `next` has a result, `complete` ends it. Source: GraphQL over Server-Sent Events Protocol, distinct connections
//! mode, enisdenjo/graphql-sse.

use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::Response as Answer;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde_json::{Value, json};

use super::graphql::{Again, Prepared, body, finished, with_codes};
use crate::gateway::Gateway;

/// The operation's results, as they come.
pub(super) fn answer(gateway: Arc<Gateway>, prepared: Prepared) -> Response {
    let Prepared { request, again, .. } = prepared;
    let answers = gateway.schema.execute_stream(request);
    let results =
        futures::stream::unfold((gateway, answers, Some(again)), |(gateway, mut answers, again)| async move {
            let answer = answers.next().await?;
            let answer = finish(&gateway, answer, again).await;
            Some((event("next", &result(&answer)), (gateway, answers, None)))
        });
    // Something is sent at once, so that whoever waits for the answer's head has it.
    let open = futures::stream::iter([Bytes::from_static(b":\n\n")]);
    let end = futures::stream::iter([Bytes::from_static(b"event: complete\ndata:\n\n")]);
    let events = open.chain(results).chain(end).map(Ok::<_, Infallible>);
    let mut response = Body::from_stream(events).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that collect answers are asked not to.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

async fn finish(gateway: &Gateway, answer: Answer, again: Option<Again>) -> Answer {
    match again {
        Some(again) => finished(gateway, answer, again).await,
        None => with_codes(answer),
    }
}

fn result(answer: &Answer) -> Value {
    match body(answer) {
        Ok(said) => said,
        Err(errors) => json!({ "errors": errors }),
    }
}

fn event(name: &str, data: &Value) -> Bytes {
    // JSON has no line breaks but in texts, where they are escaped.
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}
