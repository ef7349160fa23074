//! The gateway: GraphQL, imports and the operator's window, in front of lanes and projections.
//!
//! It verifies who calls, translates to commands and reads, and answers in the client's form. No rule of a domain lives
//! here, and it keeps nothing: any number of gateways stand side by side.

mod auth;
mod error;
mod gateway;
mod graphql;
mod http;
mod imports;
mod live;
mod notes;
mod operator;
mod parts;
mod reads;
mod send;

use std::sync::Arc;

use axum::Router;
use axum::routing::any;

use crate::gateway::Gateway;

pub use auth::{
    Caller, DevKey, DevKeyError, Holder, Issue, PlatformSecret, PublicKey, Scope, SecretError, TokenError, Verifier,
    VerifierConfig, load_or_create_secret,
};
pub use error::ApiError;
pub use graphql::sdl;
pub use operator::{LogLine, LogLines, LogQuery, LogReader};
pub use parts::{GatewayConfig, GatewayParts, Introspection};

/// The routes of a gateway made of `parts`.
pub fn router(parts: GatewayParts) -> Router {
    let gateway = Arc::new(Gateway::new(parts));
    Router::new()
        .route("/graphql", any(http::graphql))
        .route("/v1/imports/products", any(imports::products))
        .route("/v1/operator/log", any(operator::log))
        .route("/v1/operator/verify", any(operator::verify))
        .route("/health/live", any(http::live))
        .route("/health/ready", any(http::ready))
        .fallback(http::not_found)
        .with_state(gateway)
}
