//! Whether a process lives, and whether it can serve: for processes that are no gateway, and for gateways to ask.

use feira_runtime::Readiness;

#[cfg(feature = "deployed")]
pub use routes::routes;

/// What a service still waits for, in words; nothing when it is ready.
pub fn waits_for(service: &str, readiness: &Readiness) -> Result<(), String> {
    if readiness.is_ready() {
        return Ok(());
    }
    let unserved = readiness.lanes.iter().find(|lane| lane.assigned && lane.term.is_none());
    if let Some(lane) = unserved {
        let trouble = lane.trouble.as_deref().unwrap_or("being taken over");
        return Err(format!("lane {} is not served yet: {trouble}", lane.lane));
    }
    match readiness.projections.iter().find(|projection| !projection.caught_up) {
        Some(projection) => {
            Err(format!("projection {} of {} has not caught up", projection.projection, projection.lane))
        }
        None => Err(format!("{service} has not been given its lanes yet")),
    }
}

#[cfg(feature = "deployed")]
mod routes {
    use std::sync::Arc;

    use axum::http::StatusCode;
    use axum::response::{IntoResponse, Response};
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::json;

    /// The routes that say how a process is, which waits for what `ready` says.
    pub fn routes(ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>) -> Router {
        let answer = move || {
            let ready = ready.clone();
            async move { say(ready()) }
        };
        let live = || async { Json(json!({ "status": "live" })) };
        Router::new().route("/health/live", get(live)).route("/health/ready", get(answer))
    }

    fn say(ready: Result<(), String>) -> Response {
        match ready {
            Ok(()) => Json(json!({ "status": "ready" })).into_response(),
            Err(reason) => {
                let body = Json(json!({ "status": "waiting", "reason": reason }));
                (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
            }
        }
    }
}
