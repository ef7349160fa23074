//! The caller that a request's token proves.

use std::sync::Arc;

use axum::http::{HeaderMap, header};

use super::Problem;
use crate::auth::{Caller, Verifier};

/// The caller; none when no token came.
pub(crate) fn caller_of(headers: &HeaderMap, verifier: &Verifier) -> Result<Option<Arc<Caller>>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let refused =
        || Problem::unauthenticated("the token is not valid or has expired: send a fresh one as Authorization: Bearer");
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(refused());
    }
    match verifier.verify(token.trim()) {
        Ok(caller) => Ok(Some(caller)),
        Err(reason) => {
            tracing::debug!(%reason, "refused a token");
            Err(refused())
        }
    }
}
