//! Product feeds: a stream of rows in, a stream of what became of them out.
//!
//! Nothing is held but the rows on their way to their owners and twelve bytes for each id seen, so that a feed may be
//! as long as it likes. Each row is one command, named by the run and the row's line: a run that broke off is sent
//! again and ends in the same state. Good rows go in whatever is wrong with others.

mod columns;
mod json_lines;
mod product;
mod report;
mod rows;
mod run;
mod separated;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde::Deserialize;
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use self::rows::{Format, RowReader};
use self::run::{Incoming, Run};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::http::{Problem, caller_of};

/// How many lines of the answer wait for a client that reads slowly before its feed is read no further.
const LINES_AHEAD: usize = 256;

/// What the address says of an import.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportQuery {
    /// Names the run: the same one when a run that broke off is sent again.
    run: Uuid,
    /// The feed's form; the content type says it where this does not.
    format: Option<Format>,
}

/// `POST /v1/imports/products`.
pub(crate) async fn products(
    State(gateway): State<Arc<Gateway>>,
    query: Result<Query<ImportQuery>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    if *request.method() != Method::POST {
        return Err(Problem::method_not_allowed("POST", "a feed is sent by POST"));
    }
    let caller = caller_of(request.headers(), &gateway.verifier)?;
    let caller = caller.ok_or_else(|| Problem::unauthenticated("send the token of an admin of the business"))?;
    let scope = caller.scope(None, &gateway.secret).and_then(|scope| scope.may("catalog.put").map(|()| scope));
    let scope = scope.map_err(|_| Problem::forbidden("feeds are for admins of a business"))?;
    let Query(query) = query.map_err(|error| {
        Problem::bad_request(format!("run is a UUID, format is tsv, csv or jsonl: {}", error.body_text()))
    })?;
    let format = format(&query, request.headers())?;
    let bytes = request.into_body().into_data_stream().boxed();
    let mut incoming = Incoming::new(bytes, gateway.config.import_silence_max());
    let reader = first_rows(format, &mut incoming).await?;
    let (lines, receiver) = tokio::sync::mpsc::channel(LINES_AHEAD);
    let run = Run::new(gateway.clone(), scope, query.run, lines);
    tokio::spawn(run.drive(reader, incoming));
    let body = ReceiverStream::new(receiver).map(Ok::<_, std::convert::Infallible>);
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(body)).into_response())
}

fn format(query: &ImportQuery, headers: &HeaderMap) -> Result<Format, Problem> {
    let unsupported =
        |message: &str| Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message);
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(unsupported("send the feed as it is, not compressed"));
    }
    if let Some(format) = query.format {
        return Ok(format);
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    match content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase().as_str() {
        "text/tab-separated-values" => Ok(Format::Tsv),
        "text/csv" => Ok(Format::Csv),
        "application/jsonl" | "application/x-ndjson" | "application/json-lines" => Ok(Format::Jsonl),
        _ => Err(unsupported("say format=tsv, csv or jsonl, or send the content type of one of them")),
    }
}

/// The reader for the feed, its header read and found to name what is needed.
async fn first_rows(format: Format, incoming: &mut Incoming) -> Result<RowReader, Problem> {
    let broken = |error: ApiError| Problem::bad_request(error.to_string());
    let mut reader = RowReader::new(format);
    while !reader.has_header() {
        let more = incoming.read_into(&mut reader).await.map_err(broken)?;
        reader.take_header().map_err(|reason| Problem::new(StatusCode::BAD_REQUEST, "BAD_HEADER", reason))?;
        if !more && !reader.has_header() {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "BAD_HEADER", "the feed is empty"));
        }
    }
    Ok(reader)
}
