//! Threads, and pages of their messages.

use std::slice;
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Context, ID, Object, SimpleObject};
use feira_commands::conversation::{default_policy, thread_key};
use feira_events::conversation::Category;
use feira_rows::THREADS_PROJECTION;
use feira_rows::conversation::{MessageRow, ThreadRow};
use tokio::sync::OnceCell;

use super::Message;
use super::inputs::TemplateCategory;
use crate::auth::Scope;
use crate::error::ApiError;
use crate::graphql::market::count;
use crate::graphql::market::mirrors::MessageClass;
use crate::graphql::products::page_cost;
use crate::graphql::scalars::{DateTime, PositionText};
use crate::graphql::together::in_their_places;
use crate::graphql::{catch_up, gateway, node};
use crate::reads::Stretch;

/// A conversation of a customer with a business.
pub(crate) struct Thread {
    scope: Scope,
    row: ThreadRow,
    pages: Arc<Pages>,
    place: usize,
}

impl Thread {
    /// A customer's thread with a sender of the business; none while nobody has written.
    pub(crate) async fn find(
        ctx: &Context<'_>,
        scope: Scope,
        sender: &str,
        customer: &str,
        position: Option<&PositionText>,
    ) -> Result<Option<Self>, ApiError> {
        // Who may not read it does not wait for it either.
        scope.correspondent(Some(customer))?;
        catch_up(ctx, position, THREADS_PROJECTION).await?;
        let row = gateway(ctx).reads.thread(&scope, sender, customer).await?;
        Ok(row.map(|row| Self::of_row(scope, row)))
    }

    /// Many threads by their keys, in the order asked: none in place of what the caller may not see.
    pub(crate) async fn find_many(
        ctx: &Context<'_>,
        scope: &Scope,
        keys: &[Arc<str>],
    ) -> Result<Vec<Option<Self>>, ApiError> {
        let seen = |key: &Arc<str>| {
            let (sender, customer) = key.split_once('/')?;
            scope.correspondent(Some(customer)).ok().map(|customer| (sender.to_owned(), customer))
        };
        let seen: Vec<Option<(String, Arc<str>)>> = keys.iter().map(seen).collect();
        if seen.iter().all(Option::is_none) {
            return Ok(seen.iter().map(|_| None).collect());
        }
        catch_up(ctx, None, THREADS_PROJECTION).await?;
        let named = seen.iter().flatten().map(|(sender, customer)| (&**sender, &**customer));
        let mut rows = gateway(ctx).reads.threads_of(scope, named).await?.into_iter();
        let rows = seen.iter().map(|seen| seen.as_ref().and_then(|_| rows.next().flatten())).collect();
        Ok(in_their_places(rows, |rows| Self::of_rows(scope, rows)))
    }

    /// A thread that was read alone.
    pub(crate) fn of_row(scope: Scope, row: ThreadRow) -> Self {
        Self { pages: Pages::of(slice::from_ref(&row)), place: 0, scope, row }
    }

    /// Threads that were read together.
    pub(crate) fn of_rows(scope: &Scope, rows: Vec<ThreadRow>) -> Vec<Self> {
        let pages = Pages::of(&rows);
        let thread = |(place, row)| Self { scope: scope.clone(), row, pages: pages.clone(), place };
        rows.into_iter().enumerate().map(thread).collect()
    }
}

/// A conversation of a customer with a business.
#[Object]
impl Thread {
    /// The id that names it everywhere; its form is not to be relied on.
    pub(crate) async fn id(&self) -> ID {
        let key = thread_key(&self.row.sender, &self.row.customer);
        node::write("thread", self.scope.tenant().as_str(), &key)
    }

    /// The business.
    async fn business(&self) -> &str {
        self.scope.tenant().as_str()
    }

    /// The customer, by the id under which this business knows them.
    async fn customer(&self) -> &str {
        &self.row.customer
    }

    /// The business's sender.
    async fn sender(&self) -> &str {
        &self.row.sender
    }

    /// How many messages it has.
    async fn message_count(&self) -> i64 {
        self.row.messages
    }

    /// When it was last written in.
    async fn last_at(&self) -> DateTime {
        DateTime(self.row.last_at)
    }

    /// Until when the business may write freely; none when the customer has not written.
    async fn window_until(&self) -> Option<DateTime> {
        self.row.windows.window_until.map(DateTime)
    }

    /// What a message of this category would be now; none when it may not be sent.
    async fn class_now(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is for; an answer when none is given.")] category: Option<TemplateCategory>,
    ) -> async_graphql::Result<Option<MessageClass>> {
        let category = category.map_or(Category::Service, Category::from);
        let now = gateway(ctx).now_ms(self.scope.tenant()).await.map_err(ApiError::into_graphql)?;
        let verdict = default_policy().class(&self.row.windows, category, now);
        Ok(verdict.map(|verdict| verdict.class.into()))
    }

    /// Its messages in their order: the first ones after a place, or the last ones before one.
    #[graphql(complexity = "page_cost(first, last) * child_complexity + 1")]
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this place.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100; 20 when neither first nor last is given.")] last: Option<
            i32,
        >,
        #[graphql(desc = "Only those before this place.")] before: Option<String>,
    ) -> async_graphql::Result<MessageConnection> {
        let page = async {
            if first.is_some() && last.is_some() {
                return Err(ApiError::BadInput("give either first or last".to_owned()));
            }
            let window = Window {
                backward: first.is_none(),
                count: count(first.or(last))?,
                after: after.map(|after| place(&after)).transpose()?,
                before: before.map(|before| place(&before)).transpose()?,
            };
            let rows = self.pages.read(ctx, &self.scope, window, self.place).await?;
            let (low, high) = (rows.first().map(|row| row.seq), rows.last().map(|row| row.seq));
            let page_info = MessagePageInfo {
                has_previous_page: low.is_some_and(|low| low > 1),
                has_next_page: high.is_some_and(|high| high < self.row.messages),
                start_cursor: low.map(|low| low.to_string()),
                end_cursor: high.map(|high| high.to_string()),
            };
            let edge = |row: MessageRow| MessageEdge {
                cursor: row.seq.to_string(),
                node: Message::of_row(self.scope.clone(), row),
            };
            Ok(MessageConnection { edges: rows.into_iter().map(edge).collect(), page_info })
        };
        page.await.map_err(ApiError::into_graphql)
    }
}

/// Which messages of a thread are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Window {
    backward: bool,
    count: usize,
    after: Option<i64>,
    before: Option<i64>,
}

/// A page of each of the threads that were found together.
type Page = Arc<OnceCell<Vec<Vec<MessageRow>>>>;

/// The messages of threads that were found together: the same window of all of them is one load.
struct Pages {
    /// The sender, the customer, and how many messages there are.
    threads: Vec<(Arc<str>, Arc<str>, i64)>,
    read: Mutex<Vec<(Window, Page)>>,
}

impl Pages {
    fn of(rows: &[ThreadRow]) -> Arc<Self> {
        let thread = |row: &ThreadRow| (row.sender.clone(), row.customer.clone(), row.messages);
        Arc::new(Self { threads: rows.iter().map(thread).collect(), read: Mutex::default() })
    }

    fn page(&self, window: Window) -> Page {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, page)) = read.iter().find(|(known, _)| *known == window) {
            return page.clone();
        }
        let page = Page::default();
        read.push((window, page.clone()));
        page
    }

    async fn read(
        &self,
        ctx: &Context<'_>,
        scope: &Scope,
        window: Window,
        place: usize,
    ) -> Result<Vec<MessageRow>, ApiError> {
        let page = self.page(window);
        let read = || async {
            let stretch = |(sender, customer, messages): &(Arc<str>, Arc<str>, i64)| Stretch {
                sender: sender.clone(),
                customer: customer.clone(),
                from: window.after.map_or(1, |after| after + 1).max(1),
                until: window.before.unwrap_or(messages + 1).min(messages + 1),
            };
            let stretches: Vec<Stretch> = self.threads.iter().map(stretch).collect();
            gateway(ctx).reads.messages(scope, &stretches, window.backward, window.count).await
        };
        let rows = page.get_or_try_init(read).await?;
        rows.get(place).cloned().ok_or_else(|| ApiError::fault("not every thread was read"))
    }
}

fn place(cursor: &str) -> Result<i64, ApiError> {
    let place = cursor.parse::<i64>().ok().filter(|place| (0..i64::MAX - 1).contains(place));
    place.ok_or_else(|| ApiError::BadInput("the cursor is none that was given".to_owned()))
}

/// A page of messages.
#[derive(SimpleObject)]
pub(crate) struct MessageConnection {
    /// The messages with their places.
    edges: Vec<MessageEdge>,
    /// Where the page stands in the thread.
    page_info: MessagePageInfo,
}

/// A message and its place in the thread.
#[derive(SimpleObject)]
pub(crate) struct MessageEdge {
    /// The place, to go on from.
    cursor: String,
    /// The message.
    node: Message,
}

/// Where a page stands in its thread.
#[derive(SimpleObject)]
pub(crate) struct MessagePageInfo {
    /// Whether there are earlier messages.
    has_previous_page: bool,
    /// Whether there are later messages.
    has_next_page: bool,
    /// The place of the first message of the page.
    start_cursor: Option<String>,
    /// The place of the last message of the page.
    end_cursor: Option<String>,
}
