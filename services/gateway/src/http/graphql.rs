//! GraphQL over HTTP: from a request to an answer with the right form and status, or to a socket.
//!
//! Only queries run by GET, and a POST is `application/json`, which no page of another site sends without asking first;
//! together with tokens that no browser adds by itself, nobody's browser acts for somebody else.
//!
//! Source: GraphQL over HTTP, draft of the GraphQL Foundation.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{ErrorExtensionValues, Request, Response as Answer, ServerError, Value, Variables};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request as HttpRequest, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use feira_ids::client_key_is_valid;
use feira_runtime::Position;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;

use super::accept::{Media, negotiate, negotiate_or_json, takes_events};
use super::documents::{Document, DocumentError};
use super::params::{Params, check_content_type, from_body, from_uri};
use super::{Problem, caller_of, events, socket};
use crate::gateway::Gateway;
use crate::graphql::{Asked, Limits, read_position};
use crate::parts::Introspection;

/// The longest body.
pub(super) const BODY_BYTES_MAX: usize = 128 * 1024;
/// What a request may say in the header that carries a position.
const POSITION_HEADER: &str = "x-feira-position";
const KEY_HEADER: &str = "idempotency-key";

/// `/graphql`: a request, or a socket.
pub(crate) async fn graphql(State(gateway): State<Arc<Gateway>>, request: HttpRequest) -> Response {
    if is_upgrade(request.headers()) {
        let (mut head, _) = request.into_parts();
        return match WebSocketUpgrade::from_request_parts(&mut head, &()).await {
            Ok(upgrade) => socket::take(gateway, upgrade, head.headers),
            Err(rejection) => Problem::new(rejection.status(), "BAD_REQUEST", rejection.body_text()).into_response(),
        };
    }
    let events = takes_events(request.headers());
    let media = match negotiate_or_json(request.headers()) {
        Some(media) => media,
        None if events => Media::Json,
        None => {
            let message = "answers are application/graphql-response+json, application/json or text/event-stream";
            return Problem::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message).into_response();
        }
    };
    let answered = tokio::time::timeout(gateway.config.request_timeout(), answer(&gateway, request, media, events));
    match answered.await {
        Ok(Ok(response)) => response,
        Ok(Err(problem)) => problem.in_media(media).into_response(),
        Err(_) => {
            let message =
                "the request took too long; of a mutation the outcome is unknown: ask again with the same command id";
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "TIMEOUT", message).in_media(media).into_response()
        }
    }
}

/// Whether a request asks for a socket in its place.
fn is_upgrade(headers: &HeaderMap) -> bool {
    let value = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.split(',').any(|one| one.trim().eq_ignore_ascii_case("websocket")))
}

async fn answer(gateway: &Arc<Gateway>, request: HttpRequest, media: Media, events: bool) -> Result<Response, Problem> {
    let by_get = match *request.method() {
        Method::GET => true,
        Method::POST => false,
        _ => return Err(Problem::method_not_allowed("GET, POST", "GraphQL is asked by GET or POST")),
    };
    let (head, body) = request.into_parts();
    let asked = asked(gateway, &head.headers)?;
    let params = if by_get {
        from_uri(&head.uri)?
    } else {
        check_content_type(&head.headers)?;
        from_body(&read_body(body).await?)?
    };
    let prepared = match prepare(gateway, params, asked) {
        Ok(prepared) => prepared,
        Err(refused) => return Ok(not_run(media, &[refused.error])),
    };
    match prepared.kind {
        Some(OperationType::Mutation) if by_get => {
            return Err(Problem::method_not_allowed("POST", "by GET only queries run: use POST"));
        }
        Some(OperationType::Subscription) if events => return Ok(events::answer(gateway.clone(), prepared)),
        Some(OperationType::Subscription) => {
            let message =
                "a subscription needs a WebSocket (graphql-transport-ws), or an answer of the type text/event-stream";
            return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message));
        }
        Some(OperationType::Query | OperationType::Mutation) | None => {}
    }
    // Who takes nothing but events gets the one result as one.
    if events && negotiate(&head.headers).is_none() {
        return Ok(events::answer(gateway.clone(), prepared));
    }
    let Prepared { request, again, .. } = prepared;
    let answer = gateway.schema.execute(request).await;
    Ok(written(media, &finished(gateway, answer, again).await))
}

/// A request that may be run.
pub(super) struct Prepared {
    pub request: Request,
    pub again: Again,
    /// What its operation is; none when it picks none, which the library will say.
    pub kind: Option<OperationType>,
}

/// What a request was, to measure it with when it was too large.
pub(super) struct Again {
    document: Arc<Document>,
    operation_name: Option<String>,
    variables: Variables,
}

/// Why a request is not run.
pub(super) struct Refused {
    pub error: ServerError,
}

/// Reads a request's query, and refuses what is not to be run.
pub(super) fn prepare(gateway: &Arc<Gateway>, params: Params, asked: Asked) -> Result<Prepared, Box<Refused>> {
    let refused = |error, code| Box::new(Refused { error: coded(error, code) });
    let document = gateway.documents.read(&params.query).map_err(|error| match error {
        DocumentError::Limit(reason) => refused(ServerError::new(reason, None), "QUERY_TOO_LARGE"),
        DocumentError::Parse(error) => refused(*error, "GRAPHQL_PARSE_FAILED"),
    })?;
    if document.introspects && !may_introspect(gateway.config.introspection, &asked) {
        let error = ServerError::new("the schema is not shown to you: it is published as a file", None);
        return Err(refused(error, "FORBIDDEN"));
    }
    let kind = document.operation(params.operation_name.as_deref());
    let (operation_name, variables) = (params.operation_name.clone(), params.variables.clone());
    let request = graphql_request(gateway, params, &document, asked);
    Ok(Prepared { request, again: Again { document, operation_name, variables }, kind })
}

/// An answer with a code on every error, and with the figures when the query was too large.
pub(super) async fn finished(gateway: &Gateway, answer: Answer, again: Again) -> Answer {
    if !Limits::refused(&answer) {
        return with_codes(answer);
    }
    let Again { document, operation_name, variables } = again;
    let mut request = Request::new("").variables(variables);
    request.operation_name = operation_name;
    request.set_parsed_query(document.parsed.clone());
    with_codes(gateway.limits.say(request, answer).await)
}

/// An answer with a code on every error.
pub(super) fn with_codes(mut answer: Answer) -> Answer {
    for error in &mut answer.errors {
        let code = if error.path.is_empty() { "GRAPHQL_VALIDATION_FAILED" } else { "BAD_USER_INPUT" };
        give_code(error, code);
    }
    answer
}

fn asked(gateway: &Gateway, headers: &HeaderMap) -> Result<Asked, Problem> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("\u{fffd}"));
    let position = match text(POSITION_HEADER) {
        Some(text) => {
            read_position(text).map_err(|error| Problem::bad_request(format!("X-Feira-Position: {error}")))?
        }
        None => Position::default(),
    };
    let client_key = match text(KEY_HEADER) {
        Some(key) if client_key_is_valid(key) => Some(Arc::from(key)),
        Some(_) => return Err(Problem::bad_request("Idempotency-Key is 1 to 255 printable ASCII characters")),
        None => None,
    };
    let traceparent = text("traceparent").filter(|text| is_traceparent(text)).map(Arc::from);
    Ok(Asked { caller: caller_of(headers, &gateway.verifier)?, position, client_key, traceparent })
}

/// Whether a text is a trace context of the form in use. Source: W3C Trace Context, version 00.
fn is_traceparent(text: &str) -> bool {
    text.len() == 55
        && text.bytes().enumerate().all(|(at, byte)| match at {
            2 | 35 | 52 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

async fn read_body(body: axum::body::Body) -> Result<Bytes, Problem> {
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            let message = format!("a request has at most {BODY_BYTES_MAX} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message))
        }
        Err(_) => Err(Problem::bad_request("the body broke off")),
    }
}

fn may_introspect(introspection: Introspection, asked: &Asked) -> bool {
    match introspection {
        Introspection::Open => true,
        Introspection::SignedIn => asked.caller.is_some(),
        Introspection::Off => false,
    }
}

fn graphql_request(gateway: &Arc<Gateway>, params: Params, document: &Document, asked: Asked) -> Request {
    let Params { query, operation_name, variables, _extensions: _ } = params;
    let mut request = Request::new(query).variables(variables).data(gateway.clone()).data(asked);
    request.operation_name = operation_name;
    request.set_parsed_query(document.parsed.clone());
    request
}

/// The body of an answer. A request that was never run has no `data`.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "<[ServerError]>::is_empty")]
    errors: &'a [ServerError],
}

/// An error with `code`.
pub(super) fn coded(mut error: ServerError, code: &str) -> ServerError {
    give_code(&mut error, code);
    error
}

/// What an answer says, or the errors of a request that was not run.
pub(super) fn body(answer: &Answer) -> Result<serde_json::Value, &[ServerError]> {
    if was_not_run(answer) {
        return Err(&answer.errors);
    }
    let body = Body { data: Some(&answer.data), errors: &answer.errors };
    Ok(serde_json::to_value(&body).unwrap_or_else(|error| {
        let fault = crate::ApiError::internal("an answer has no JSON", &error);
        serde_json::json!({ "data": null, "errors": [{ "message": fault.to_string() }] })
    }))
}

/// What went wrong in a field has its path; what kept the request from being run has none.
fn was_not_run(answer: &Answer) -> bool {
    answer.data == Value::Null && answer.errors.iter().any(|error| error.path.is_empty())
}

fn not_run(media: Media, errors: &[ServerError]) -> Response {
    // In the older form every answer to a well-formed request is 200.
    let status = match media {
        Media::Response => StatusCode::BAD_REQUEST,
        Media::Json => StatusCode::OK,
    };
    encoded(status, media, &Body { data: None, errors })
}

fn written(media: Media, answer: &Answer) -> Response {
    if was_not_run(answer) {
        return not_run(media, &answer.errors);
    }
    encoded(StatusCode::OK, media, &Body { data: Some(&answer.data), errors: &answer.errors })
}

/// Puts `code` where there is none yet: what resolvers say already has its own.
fn give_code(error: &mut ServerError, code: &str) {
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    if extensions.get("code").is_none() {
        extensions.set("code", code);
    }
}

fn encoded(status: StatusCode, media: Media, body: &Body<'_>) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = (status, media.header(), bytes).into_response();
            // Answers are somebody's: nothing between here and them keeps one.
            response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => {
            let fault = crate::ApiError::internal("an answer has no JSON", &error);
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", fault.to_string())
                .in_media(media)
                .into_response()
        }
    }
}
