//! The GraphQL schema: what can be asked, what is answered, and how an answer is put together.

mod cart;
mod cost;
mod cursor;
mod inputs;
mod live;
mod market;
mod money;
mod mutation;
mod node;
mod payload;
mod product;
mod products;
mod query;
mod scalars;
mod together;

pub(crate) use cost::Limits;
pub(crate) use live::{counted_as, ends};
pub(crate) use payload::UserError;
pub(crate) use scalars::read_position;

use std::sync::Arc;

use async_graphql::{Context, MergedObject, Schema, SchemaBuilder};
use feira_projection_store::ProjectionId;
use feira_runtime::Position;

use crate::auth::{Caller, Scope};
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::parts::{GatewayConfig, Introspection};

pub(crate) type GatewaySchema = Schema<Queries, Mutations, live::Subscription>;

/// What can be read.
#[derive(MergedObject)]
#[graphql(name = "Query")]
pub(crate) struct Queries(
    query::Query,
    market::ConversationQuery,
    market::OrderQuery,
    market::PaymentQuery,
    market::BillingQuery,
);

/// What can be changed. Each answers once the change stands on the log.
#[derive(MergedObject)]
#[graphql(name = "Mutation")]
pub(crate) struct Mutations(
    mutation::Mutation,
    market::ConversationMutation,
    market::OrderMutation,
    market::PaymentMutation,
    market::BillingMutation,
);

fn queries() -> Queries {
    Queries(query::Query, market::ConversationQuery, market::OrderQuery, market::PaymentQuery, market::BillingQuery)
}

fn mutations() -> Mutations {
    Mutations(
        mutation::Mutation,
        market::ConversationMutation,
        market::OrderMutation,
        market::PaymentMutation,
        market::BillingMutation,
    )
}

/// What came with the request beside the query.
pub(crate) struct Asked {
    pub caller: Option<Arc<Caller>>,
    pub position: Position,
    pub client_key: Option<Arc<str>>,
    pub traceparent: Option<Arc<str>>,
}

fn builder() -> SchemaBuilder<Queries, Mutations, live::Subscription> {
    Schema::build(queries(), mutations(), live::Subscription).register_output_type::<node::Node>()
}

/// The schema within its limits.
pub(crate) fn schema(config: &GatewayConfig) -> GatewaySchema {
    limited(config).limit_depth(config.depth_max).limit_complexity(config.complexity_max).finish()
}

/// The schema without its limits on depth and cost.
fn limited(config: &GatewayConfig) -> SchemaBuilder<Queries, Mutations, live::Subscription> {
    let builder = builder().limit_directives(20).limit_recursive_depth(32);
    // Suggestions tell who may not see the schema what is in it.
    match config.introspection {
        Introspection::Open => builder,
        Introspection::SignedIn | Introspection::Off => builder.disable_suggestions(),
    }
}

/// The schema in GraphQL's own words, as clients generate code from it.
pub fn sdl() -> String {
    builder().finish().sdl()
}

/// A result that fails its own field and leaves the others standing.
type Field<T> = Option<async_graphql::Result<T>>;

fn field<T>(result: Result<T, ApiError>) -> Field<T> {
    Some(result.map_err(ApiError::into_graphql))
}

fn gateway<'a>(ctx: &Context<'a>) -> &'a Arc<Gateway> {
    ctx.data_unchecked::<Arc<Gateway>>()
}

fn asked<'a>(ctx: &Context<'a>) -> &'a Asked {
    ctx.data_unchecked::<Asked>()
}

/// The caller, who must have a token.
fn caller<'a>(ctx: &Context<'a>) -> Result<&'a Arc<Caller>, ApiError> {
    asked(ctx).caller.as_ref().ok_or(ApiError::Unauthenticated)
}

/// The caller within the business addressed: where every field that holds data begins.
fn scope(ctx: &Context<'_>, business: Option<&str>) -> Result<Scope, ApiError> {
    caller(ctx)?.scope(business, &gateway(ctx).secret)
}

/// Waits until `projection` has come to the position asked for, and says beside the data if it has not in time.
async fn catch_up(
    ctx: &Context<'_>,
    argument: Option<&scalars::PositionText>,
    projection: ProjectionId,
) -> Result<(), ApiError> {
    let mut position = asked(ctx).position.clone();
    if let Some(argument) = argument {
        position.merge(&argument.read()?);
    }
    if !position.is_empty() && !gateway(ctx).reads.caught_up(&position, projection).await? {
        let lag = ApiError::ProjectionLag.into_graphql().into_server_error(ctx.item.pos);
        ctx.add_error(ctx.set_error_path(lag));
    }
    Ok(())
}
