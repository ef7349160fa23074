//! A message of a thread as clients see it.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use feira_commands::conversation::{MessageStatus as Status, MessageView};
use feira_events::conversation::{Category, Class, Content, Side};
use feira_rows::conversation::MessageRow;

use crate::auth::Scope;
use crate::error::ApiError;
use crate::graphql::market::mirrors::{ConversationSide, MessageCategory, MessageClass, MessageKind, MessageStatus};
use crate::graphql::scalars::DateTime;
use crate::graphql::{gateway, node};
use crate::notes::Note;

/// A message of a thread.
pub(crate) struct Message {
    scope: Scope,
    id: Arc<str>,
    seq: Option<i64>,
    from: Option<Side>,
    status: Option<Status>,
    sent_at: Option<i64>,
    class: Option<Class>,
    category: Option<Category>,
    content: Option<Content>,
}

impl Message {
    pub(super) fn of_view(scope: Scope, view: MessageView) -> Self {
        Self {
            scope,
            id: view.message,
            seq: Some(view.seq),
            from: Some(view.from),
            status: Some(view.status),
            sent_at: Some(view.sent_at),
            class: view.stamps.as_ref().map(|stamps| stamps.class),
            category: view.stamps.map(|stamps| stamps.category),
            content: None,
        }
    }

    pub(crate) fn of_row(scope: Scope, row: MessageRow) -> Self {
        Self {
            scope,
            status: Some(row.status()),
            id: row.message,
            seq: Some(row.seq),
            from: Some(row.from),
            sent_at: Some(row.sent_at),
            class: row.stamps.as_ref().map(|stamps| stamps.class),
            category: row.stamps.map(|stamps| stamps.category),
            content: Some(row.content),
        }
    }
}

/// A message of a thread.
#[Object]
impl Message {
    /// Its id among the thread's messages.
    async fn id(&self) -> ID {
        self.id.to_string().into()
    }

    /// Its place in the thread: 1, 2, 3 …
    async fn seq(&self) -> Option<i64> {
        self.seq
    }

    /// Which side wrote it.
    async fn from(&self) -> Option<ConversationSide> {
        self.from.map(Into::into)
    }

    /// What kind of content it has; none in the answer to a mutation.
    async fn kind(&self) -> Option<MessageKind> {
        self.content.as_ref().map(|content| content.kind().into())
    }

    /// How it stands.
    async fn status(&self) -> Option<MessageStatus> {
        self.status.map(Into::into)
    }

    /// When it was sent.
    async fn sent_at(&self) -> Option<DateTime> {
        self.sent_at.map(DateTime)
    }

    /// Whether its delivery is charged, when the business wrote it.
    async fn class(&self) -> Option<MessageClass> {
        self.class.map(Into::into)
    }

    /// What it is for, when the business wrote it.
    async fn category(&self) -> Option<MessageCategory> {
        self.category.map(Into::into)
    }

    /// Its words, opened; none when it has none, or what the customer wrote was erased.
    async fn text(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let sealed = match &self.content {
            Some(Content::Text { body }) => body,
            Some(Content::Product { body: Some(body), .. }) => body,
            Some(Content::ProductList { header: Some(header), .. }) => header,
            _ => return Ok(None),
        };
        // A message is only ever read within the scope of who may read its thread.
        self.scope.correspondent(self.scope.own().or(Some("any"))).map_err(ApiError::into_graphql)?;
        match gateway(ctx).notes.open(sealed).await.map_err(ApiError::into_graphql)? {
            Note::Open(text) => Ok(Some(text)),
            Note::Erased => Ok(None),
        }
    }

    /// The products that it shows.
    async fn skus(&self) -> Vec<String> {
        match &self.content {
            Some(Content::Product { sku, .. }) => vec![sku.to_string()],
            Some(Content::ProductList { sections, .. }) => {
                sections.iter().flat_map(|section| section.skus.iter().map(ToString::to_string)).collect()
            }
            _ => vec![],
        }
    }

    /// The order that it speaks of.
    async fn order(&self) -> Option<ID> {
        match &self.content {
            Some(Content::OrderDetails { order, .. } | Content::OrderStatus { order, .. }) => {
                Some(node::write("order", self.scope.tenant().as_str(), order))
            }
            _ => None,
        }
    }
}
