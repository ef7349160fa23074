//! Answers that are no data: a status and, in GraphQL's form, what went wrong.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::accept::Media;

/// Why a request got no data.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub media: Media,
    pub header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), media: Media::Json, header: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    pub(crate) fn method_not_allowed(allow: &'static str, message: &str) -> Self {
        let problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
        Self { header: Some((header::ALLOW, HeaderValue::from_static(allow))), ..problem }
    }

    pub(crate) fn unauthenticated(message: &str) -> Self {
        let problem = Self::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message);
        Self { header: Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))), ..problem }
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    pub(crate) fn in_media(self, media: Media) -> Self {
        Self { media, ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "errors": [{ "message": self.message, "extensions": { "code": self.code } }]
        });
        let mut response = (self.status, self.media.header(), body.to_string()).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Nothing is at the path asked for.
pub(crate) async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "NOT_FOUND", "nothing is here: GraphQL is at /graphql")
}
