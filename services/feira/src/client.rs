//! Asking a running gateway, and reading its answer line by line.

use std::io;

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use reqwest::Response;
use serde_json::Value;
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::io::StreamReader;

use crate::failure::Failure;

/// No line of an answer is longer.
const LINE_BYTES_MAX: usize = 4 << 20;

/// An answer, line by line.
pub type Lines = BoxStream<'static, Result<Value, Failure>>;

/// The lines of an answer; what is no success becomes a failure in the gateway's own words.
pub async fn lines(url: &str, answer: Result<Response, reqwest::Error>) -> Result<Lines, Failure> {
    let response = answer.map_err(|error| Failure::because(format!("cannot reach the gateway at {url}"), error))?;
    if !response.status().is_success() {
        return Err(refused(response).await);
    }
    let bytes = StreamReader::new(response.bytes_stream().map_err(io::Error::other));
    let lines = FramedRead::new(bytes, LinesCodec::new_with_max_length(LINE_BYTES_MAX));
    let read = lines.map(|line| {
        let line = line.map_err(|error| Failure::because("the gateway's answer broke off", error))?;
        serde_json::from_str(&line).map_err(|error| Failure::because("the gateway's answer is not understood", error))
    });
    Ok(read.boxed())
}

async fn refused(response: Response) -> Failure {
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    match body.pointer("/errors/0/message").and_then(Value::as_str) {
        Some(message) => Failure::new(format!("the gateway refused ({}): {message}", status.as_u16())),
        None => Failure::new(format!("the gateway refused with status {status}")),
    }
}
