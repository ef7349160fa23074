//! A subscription over server-sent events, frame by frame.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode, header};
use futures::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::World;

/// Nothing that a test waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Frames {
    body: BodyDataStream,
    text: String,
    field: &'static str,
}

/// Subscribes over events; `field` is the subscription's.
pub async fn over_events(world: &World, token: Option<&str>, field: &'static str, query: &str) -> Frames {
    let mut request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/event-stream");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = Body::from(json!({ "query": query }).to_string());
    let response = world.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream; charset=utf-8");
    Frames { body: response.into_body().into_data_stream(), text: String::new(), field }
}

impl Frames {
    /// The next event's name and data; none at the end.
    pub async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if event.starts_with(':') {
                    continue;
                }
                let (name, data) = event.split_once('\n').unwrap();
                let data = data.strip_prefix("data:").unwrap().trim();
                let data = if data.is_empty() { Value::Null } else { serde_json::from_str(data).unwrap() };
                return Some((name.strip_prefix("event: ").unwrap().to_owned(), data));
            }
            let more = tokio::time::timeout(PATIENCE, self.body.next()).await.expect("a frame comes in time")?;
            self.text.push_str(std::str::from_utf8(&more.unwrap()).unwrap());
        }
    }

    /// The next result, whole.
    pub async fn result(&mut self) -> Value {
        let (name, data) = self.event().await.unwrap();
        assert_eq!(name, "next", "{data}");
        data
    }

    /// The next frame.
    pub async fn frame(&mut self) -> Value {
        let result = self.result().await;
        assert!(result["errors"].is_null(), "{result}");
        result["data"][self.field].clone()
    }

    /// The next frame that is no heartbeat.
    pub async fn news(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            if frame["kind"] != "HEARTBEAT" {
                return frame;
            }
        }
    }

    /// The code of the error that ends it.
    pub async fn refusal(&mut self) -> String {
        let result = self.result().await;
        let code = result["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{result}")).to_owned();
        assert_eq!(self.event().await, Some(("complete".to_owned(), Value::Null)));
        assert_eq!(self.event().await, None);
        code
    }
}
