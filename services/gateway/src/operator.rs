//! The operator's window on the log, through the process that has it open.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use feira_ids::Role;
use futures::StreamExt;
use futures::stream::BoxStream;
use serde::Deserialize;

use crate::gateway::Gateway;
use crate::http::{Problem, caller_of};

/// Which records an operator asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogQuery {
    /// Only of this service.
    pub service: Option<String>,
    /// Only of this lane.
    pub lane: Option<u32>,
    /// Only from this place in each lane on.
    pub from: Option<u64>,
    /// Only up to this place in each lane.
    pub to: Option<u64>,
    /// Only how many there are, by service and lane.
    #[serde(default)]
    pub count: bool,
    /// Only where each lane ends.
    #[serde(default)]
    pub ends: bool,
    /// Go on with what comes, until the caller leaves. Without `from`, begin at the end of each lane.
    #[serde(default)]
    pub follow: bool,
}

/// One line of the answer, as JSON.
pub type LogLine = serde_json::Value;

/// The lines of the answer. An error is its last one, in words for the operator.
pub type LogLines = BoxStream<'static, Result<LogLine, String>>;

/// Reads the log that the process has open. Sealed content stays sealed.
#[async_trait]
pub trait LogReader: Send + Sync + 'static {
    /// The lines for `query`: a record each, or a count for each lane. Read as they are taken, never all at once.
    ///
    /// # Errors
    /// In words for the operator, when the query names what there is not or the log cannot be read.
    async fn read(&self, query: LogQuery) -> Result<LogLines, String>;

    /// Verifies log and rows; lines of progress, and then the report.
    ///
    /// # Errors
    /// In words for the operator, when this process has not all that is verified at hand.
    async fn verify(&self) -> Result<LogLines, String> {
        Err("this process cannot verify: it has no rows at hand".to_owned())
    }
}

/// `GET /v1/operator/log`: the log as JSON lines, for operators.
pub(crate) async fn log(
    State(gateway): State<Arc<Gateway>>,
    method: Method,
    headers: HeaderMap,
    query: Result<Query<LogQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let log = window(&gateway, &method, &headers)?;
    let Query(query) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
    Ok(in_lines(log.read(query).await.map_err(Problem::bad_request)?))
}

/// `GET /v1/operator/verify`: what a verification finds as JSON lines, for operators.
pub(crate) async fn verify(
    State(gateway): State<Arc<Gateway>>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let log = window(&gateway, &method, &headers)?;
    Ok(in_lines(log.verify().await.map_err(Problem::bad_request)?))
}

/// The log that the process has open, for operators only.
fn window<'g>(gateway: &'g Gateway, method: &Method, headers: &HeaderMap) -> Result<&'g dyn LogReader, Problem> {
    if method != Method::GET {
        return Err(Problem::method_not_allowed("GET", "the log is only read: use GET"));
    }
    let caller = caller_of(headers, &gateway.verifier)?;
    let caller = caller.ok_or_else(|| Problem::unauthenticated("the log is for operators: send a token"))?;
    if !caller.has(Role::Operator) {
        return Err(Problem::forbidden("the log is for operators"));
    }
    gateway.log.as_deref().ok_or_else(|| {
        let message = "this process has no log at hand: ask one that owns lanes";
        Problem::new(axum::http::StatusCode::NOT_FOUND, "NOT_FOUND", message)
    })
}

fn in_lines(lines: LogLines) -> Response {
    let body = lines.map(|line| {
        let line = line.unwrap_or_else(|error| serde_json::json!({ "failed": { "reason": error } }));
        Ok::<_, std::convert::Infallible>(Bytes::from(format!("{line}\n")))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(body)).into_response()
}
