//! What a GraphQL request says, from a body or a query string.

use async_graphql::Variables;
use axum::extract::Query;
use axum::http::{HeaderMap, Uri, header};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Problem;
use axum::http::StatusCode;

/// The parameters of GraphQL over HTTP.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Params {
    pub query: String,
    #[serde(default)]
    pub operation_name: Option<String>,
    #[serde(default)]
    pub variables: Variables,
    /// Read so that what is no map is refused; none are known yet.
    #[serde(default, rename = "extensions")]
    pub _extensions: Option<Map<String, Value>>,
}

/// Reads a POST body.
pub(crate) fn from_body(body: &[u8]) -> Result<Params, Problem> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(Problem::bad_request("the body is empty: send a JSON object with query")),
        // A list would be a batch: many requests for the price and the limits of one.
        Some(b'[') => return Err(Problem::bad_request("one request at a time: lists are not taken")),
        Some(_) => {}
    }
    serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("the body is no GraphQL request: {error}")))
}

/// Reads what a message over WebSocket carries.
pub(crate) fn from_value(payload: Value) -> Result<Params, serde_json::Error> {
    serde_json::from_value(payload)
}

/// Reads a GET query string, where variables and extensions are JSON texts.
pub(crate) fn from_uri(uri: &Uri) -> Result<Params, Problem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct InUri {
        query: String,
        operation_name: Option<String>,
        variables: Option<String>,
        extensions: Option<String>,
    }
    let Query(InUri { query, operation_name, variables, extensions }) = Query::try_from_uri(uri).map_err(|_| {
        Problem::bad_request("the query string holds no GraphQL request: query is missing or not UTF-8")
    })?;
    let json = |name: &str, text: Option<String>| match text.as_deref() {
        None | Some("") => Ok(Value::Null),
        Some(text) => {
            serde_json::from_str(text).map_err(|error| Problem::bad_request(format!("{name} is no JSON: {error}")))
        }
    };
    let variables = serde_json::from_value(json("variables", variables)?)
        .map_err(|_| Problem::bad_request("variables is a JSON object"))?;
    let extensions = serde_json::from_value(json("extensions", extensions)?)
        .map_err(|_| Problem::bad_request("extensions is a JSON object"))?;
    // A form cannot write null: an empty name is none.
    let operation_name = operation_name.filter(|name| !name.is_empty());
    Ok(Params { query, operation_name, variables, _extensions: extensions })
}

/// Refuses a POST that is no JSON in UTF-8. A browser asks first before it sends one from another site.
pub(crate) fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let refused =
        || Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", "send application/json in UTF-8");
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
    let mut parts = value.split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.all(|part| match part.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        Some(_) | None => true,
    });
    if json && utf8 { Ok(()) } else { Err(refused()) }
}
