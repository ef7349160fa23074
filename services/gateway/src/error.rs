//! What goes wrong for a caller, by what they can do about it. The inside of the platform is never shown.

use std::error::Error;

use async_graphql::ErrorExtensions;
use feira_runtime::Chain;

/// Why a field has no answer. What a caller can mend by other input is a user error of the payload instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No token came with the request.
    #[error("sign in: send a token as Authorization: Bearer")]
    Unauthenticated,
    /// The caller's business or roles do not open this.
    #[error("not allowed")]
    Forbidden,
    /// An argument cannot be used.
    #[error("{0}")]
    BadInput(String),
    /// What is read has not come as far as asked; what there is comes with it.
    #[error("not everything up to the position asked for can be read yet: this is what there is")]
    ProjectionLag,
    /// A command got no answer in time.
    #[error("outcome unknown: ask again with the same command id")]
    Timeout,
    /// Something needed does not answer now.
    #[error("not available now: ask again in a moment, with the same command id")]
    Unavailable,
    /// Too much waits already.
    #[error("too much waits already: ask again in a moment, with the same command id")]
    Throttled,
    /// The caller has as much of something as there may be.
    #[error("{0}")]
    Limit(String),
    /// A subscription was cut off because its events were read more slowly than they came.
    #[error("events came faster than they were read: subscribe again with the last cursor")]
    TooSlow,
    /// The process ends.
    #[error("the server is going down: subscribe again with the last cursor")]
    GoingAway,
    /// A fault of ours; the log has it under the id.
    #[error("something went wrong here; the operators find it as {id}")]
    Internal {
        /// What to look for in the log.
        id: String,
    },
}

impl ApiError {
    /// The stable name in `extensions.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadInput(_) => "BAD_USER_INPUT",
            Self::ProjectionLag => "PROJECTION_LAG",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => "UNAVAILABLE",
            Self::Throttled => "THROTTLED",
            Self::Limit(_) => "LIMIT_REACHED",
            Self::TooSlow => "TOO_SLOW",
            Self::GoingAway => "GOING_AWAY",
            Self::Internal { .. } => "INTERNAL_SERVER_ERROR",
        }
    }

    /// A fault of ours: logged here with all its causes, shown as an id.
    pub fn internal(what: &str, cause: &dyn Error) -> Self {
        let id = fault_id();
        tracing::error!(fault.id = %id, error = %Chain(cause), "{what}");
        Self::Internal { id }
    }

    /// As [`ApiError::internal`] when there is no error to name as the cause.
    pub fn fault(what: &str) -> Self {
        let id = fault_id();
        tracing::error!(fault.id = %id, "{what}");
        Self::Internal { id }
    }

    /// The error as GraphQL carries it.
    pub fn into_graphql(self) -> async_graphql::Error {
        let code = self.code();
        async_graphql::Error::new(self.to_string()).extend_with(|_, extensions| extensions.set("code", code))
    }
}

fn fault_id() -> String {
    let mut bytes = [0; 8];
    // Without randomness the fault is still to be reported; only its name is worse.
    let _ = getrandom::fill(&mut bytes);
    format!("{:016x}", u64::from_be_bytes(bytes))
}
