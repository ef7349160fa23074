//! Talking, ordering, paying, billing: what a purchase in chat is made of.

mod billing;
mod conversation;
mod mirrors;
mod orders;
mod payments;

pub(super) use billing::{BillingMutation, BillingQuery, Invoice};
pub(super) use conversation::{Business, ConversationMutation, ConversationQuery, Message, Thread};
pub(super) use mirrors::PaymentState;
pub(super) use orders::{Order, OrderMutation, OrderQuery, OrderState, order_id};
pub(super) use payments::{Account, MoneyRequest, PaymentMutation, PaymentQuery, Transfer};

use async_graphql::{Context, ID};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use feira_ids::AggregateId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::mutation::name;
use super::payload::{Rest, UserError, parts};
use super::{asked, gateway};
use crate::auth::Scope;
use crate::error::ApiError;
use crate::send::{Addressed, Named};

/// A payload: what was changed, and what every mutation answers beside it.
macro_rules! payload {
    ($(#[doc = $doc:literal])* $name:ident, $(#[doc = $field_doc:literal])* $field:ident: $type:ty) => {
        $(#[doc = $doc])*
        #[derive(async_graphql::SimpleObject)]
        pub(crate) struct $name {
            $(#[doc = $field_doc])*
            $field: Option<$type>,
            /// The version after it; none when it was refused.
            version: Option<u64>,
            /// What the caller can mend; empty when it was done.
            user_errors: Vec<crate::graphql::payload::UserError>,
            /// Give it to a query to see the effect; none when nothing was decided.
            position: Option<crate::graphql::scalars::PositionText>,
            /// Whether the same command had been decided before, and this is what came of it.
            repeated: bool,
        }

        impl $name {
            pub(super) fn refused(error: crate::graphql::payload::UserError) -> Self {
                Self::of(None, error.into())
            }

            pub(super) fn of($field: Option<$type>, rest: crate::graphql::payload::Rest) -> Self {
                let crate::graphql::payload::Rest { user_errors, version, position, repeated } = rest;
                Self { $field, version, user_errors, position, repeated }
            }
        }
    };
}
pub(super) use payload;

/// A command of GraphQL: whose, to what, under which id.
struct Command<'a> {
    scope: &'a Scope,
    aggregate: AggregateId,
    operation: &'static str,
    named: Named,
}

impl<'a> Command<'a> {
    /// To ask `operation` of the aggregate `key` of `kind`, as far as the caller may. A key that cannot be is the
    /// caller's to mend, in the input's field `field`.
    fn new(
        ctx: &Context<'_>,
        scope: &'a Scope,
        (kind, key, field): (&str, &str, &str),
        operation: &'static str,
        command_id: Option<String>,
    ) -> Result<Result<Self, UserError>, ApiError> {
        scope.may(operation)?;
        let aggregate = match AggregateId::new(kind, key) {
            Ok(aggregate) => aggregate,
            Err(error) => return Ok(Err(UserError::on(field, "INVALID_ID", error.to_string()))),
        };
        let named = name(ctx, scope, command_id, operation, key)?;
        Ok(named.map(|named| Self { scope, aggregate, operation, named }))
    }

    /// Asks it, and reads what its owner answers.
    async fn ask<V: DeserializeOwned>(
        self,
        ctx: &Context<'_>,
        input: &impl Serialize,
    ) -> Result<(Option<V>, Rest), ApiError> {
        let Self { scope, aggregate, operation, named } = self;
        let addressed = Addressed { scope, aggregate, operation, expected_version: None };
        parts(gateway(ctx).send(addressed, named, input, asked(ctx)).await?)
    }
}

/// Goes on with the command that can be asked, or answers what the caller can mend.
macro_rules! or_refuse {
    ($command:expr, $payload:ident) => {
        match $command? {
            Ok(command) => command,
            Err(error) => return Ok($payload::refused(error)),
        }
    };
}
use or_refuse;

/// The most entries that are given at once.
const PAGE_MAX: i32 = 100;
const PAGE_DEFAULT: i32 = 20;

/// How many entries are asked for.
fn count(asked: Option<i32>) -> Result<usize, ApiError> {
    match asked.unwrap_or(PAGE_DEFAULT) {
        count @ 1..=PAGE_MAX => Ok(count as usize),
        _ => Err(ApiError::BadInput(format!("a page has 1 to {PAGE_MAX} entries"))),
    }
}

/// An id of something that is of the platform's own: `kind` and what tells it apart.
fn platform_id(kind: &str, key: &str) -> ID {
    URL_SAFE_NO_PAD.encode(format!("{kind}:{key}")).into()
}

/// What tells apart what a platform id names; none when it names nothing of `kind`.
fn read_platform_id(kind: &str, id: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    text.strip_prefix(kind)?.strip_prefix(':').map(str::to_owned)
}
