//! What is said of a query that is too deep or costs too much: the figure, and the limit.
//!
//! The library refuses such a query without the figure. It is then measured once more, by a schema that runs nothing.

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::{ErrorExtensionValues, Request, Response, ServerError, ValidationResult};
use async_trait::async_trait;

use super::GatewaySchema;
use crate::parts::GatewayConfig;

/// How the library begins what it says of a query that is too large.
const TOO_COMPLEX: &str = "Query is too complex";
const TOO_DEEP: &str = "Query is nested too deep";

/// The limits on depth and cost.
pub(crate) struct Limits {
    measuring: GatewaySchema,
}

impl Limits {
    pub(crate) fn new(config: &GatewayConfig) -> Self {
        let measure = Measure { complexity_max: config.complexity_max, depth_max: config.depth_max };
        Self { measuring: super::limited(config).extension(measure).finish() }
    }

    /// Whether an answer says that its query was too large.
    pub(crate) fn refused(answer: &Response) -> bool {
        let too_large =
            |error: &ServerError| [TOO_COMPLEX, TOO_DEEP].iter().any(|said| error.message.starts_with(said));
        answer.errors.iter().any(too_large)
    }

    /// The same refusal of `request`, with the figures.
    pub(crate) async fn say(&self, request: Request, refused: Response) -> Response {
        let measured = self.measuring.execute(request).await;
        if measured.errors.is_empty() { refused } else { measured }
    }
}

/// Stops every request once it is measured.
struct Measure {
    complexity_max: usize,
    depth_max: usize,
}

impl ExtensionFactory for Measure {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self { ..*self })
    }
}

#[async_trait]
impl Extension for Measure {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let measured = next.run(ctx).await?;
        let said = if measured.depth > self.depth_max {
            let message = format!(
                "the query nests fields {} deep, and {} is allowed: ask for less at once",
                measured.depth, self.depth_max
            );
            refusal(message, "QUERY_TOO_DEEP", ("depth", measured.depth), self.depth_max)
        } else {
            let message = format!(
                "the query costs {}, and {} is allowed: ask for shorter lists or fewer fields",
                measured.complexity, self.complexity_max
            );
            refusal(message, "QUERY_TOO_COSTLY", ("cost", measured.complexity), self.complexity_max)
        };
        Err(vec![said])
    }
}

fn refusal(message: String, code: &str, (name, found): (&str, usize), limit: usize) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    extensions.set(name, found as u64);
    extensions.set("limit", limit as u64);
    ServerError { extensions: Some(extensions), ..ServerError::new(message, None) }
}
