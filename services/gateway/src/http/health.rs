//! Whether the process lives, and whether it can serve.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::gateway::Gateway;

/// The process answers.
pub(crate) async fn live() -> Response {
    Json(json!({ "status": "live" })).into_response()
}

/// The process can serve; if not, 503 and what it waits for.
pub(crate) async fn ready(State(gateway): State<Arc<Gateway>>) -> Response {
    match (gateway.ready)() {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(reason) => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "waiting", "reason": reason }))).into_response()
        }
    }
}
