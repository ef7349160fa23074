//! Subscriptions: a snapshot, then what happens, as it happens.
//!
//! A subscription begins with a frame that shows how things stand. Events follow that are not in it, each once and in
//! order, then a frame that says that nothing more had happened when the subscription began; from there on events come
//! as they happen, and a heartbeat when none do. Every frame has a cursor. A subscription that begins with one goes on
//! after that frame and has no snapshot.

mod account;
mod cursor;
mod order;
mod thread;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_graphql::{Context, Enum, ID, Subscription};
use feira_ids::LaneId;
use feira_projection_store::ProjectionId;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::time::Instant;

use self::account::AccountFrame;
use self::cursor::Cursor;
use self::order::OrderFrame;
use self::thread::ThreadFrame;
use super::scalars::PositionText;
use super::{caller, catch_up, gateway};
use crate::auth::Caller;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::live::{Counted, Cut, Heard, Listener, Place, Subject, Told};

/// The frames of a subscription.
type Frames<F> = BoxStream<'static, async_graphql::Result<F>>;

/// What a frame is.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// How things stand; the first frame, unless the subscription began with a cursor.
    Snapshot,
    /// Something happened.
    Event,
    /// All that had happened when the subscription began was told.
    CaughtUp,
    /// Nothing happened for a while.
    Heartbeat,
}

pub(crate) struct Subscription;

/// What can be followed, over WebSocket (graphql-transport-ws) or as server-sent events. Frames: a snapshot, events,
/// caught up, more events and heartbeats. After a cut, subscribe with the last frame's cursor: nothing is missed and
/// nothing told twice.
#[Subscription]
impl Subscription {
    /// What is written in a thread, and what becomes of it.
    async fn thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The business; a member's own when none is given.")] business: Option<String>,
        #[graphql(desc = "Whose thread; a customer's own when none is given.")] customer: Option<String>,
        #[graphql(desc = "The business's sender; main when none is given.")] sender: Option<String>,
        #[graphql(desc = "Go on after the frame with this cursor.")] after: Option<String>,
        #[graphql(desc = "Let the snapshot have at least what had happened by then.")] position: Option<PositionText>,
    ) -> async_graphql::Result<Frames<ThreadFrame>> {
        thread::subscribe(ctx, business, customer, sender, after, position).await.map_err(ApiError::into_graphql)
    }

    /// What happens to an order.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The business; a member's own when none is given.")] business: Option<String>,
        #[graphql(desc = "The order.")] id: ID,
        #[graphql(desc = "Go on after the frame with this cursor.")] after: Option<String>,
        #[graphql(desc = "Let the snapshot have at least what had happened by then.")] position: Option<PositionText>,
    ) -> async_graphql::Result<Frames<OrderFrame>> {
        order::subscribe(ctx, business, id, after, position).await.map_err(ApiError::into_graphql)
    }

    /// What happens to the caller's own account: payments, requests for money.
    async fn account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Go on after the frame with this cursor.")] after: Option<String>,
        #[graphql(desc = "Let the snapshot have at least what had happened by then.")] position: Option<PositionText>,
    ) -> async_graphql::Result<Frames<AccountFrame>> {
        account::subscribe(ctx, after, position).await.map_err(ApiError::into_graphql)
    }
}

/// A subscription that may begin: where it goes on, and the place it takes.
struct Beginning {
    gateway: Arc<Gateway>,
    lane: LaneId,
    subject: Subject,
    place: Place,
    /// The last version of the aggregate that was told, or shown; 0 where versions do not count.
    version: u64,
    /// Whether it goes on after a frame, so that there is no snapshot.
    resumed: bool,
    ends: Instant,
    counted: Counted,
}

impl Beginning {
    /// Begins on `lane`: after a frame's cursor, or where `projection` is by now, whose rows are read next.
    async fn new(
        ctx: &Context<'_>,
        lane: LaneId,
        subject: Subject,
        projection: ProjectionId,
        after: Option<String>,
        position: Option<PositionText>,
    ) -> Result<Self, ApiError> {
        let gateway = gateway(ctx).clone();
        let caller = caller(ctx)?;
        let each_max = gateway.subscriptions.each_max();
        let counted = gateway.subscriptions.take(&counted_as(caller)).ok_or_else(|| {
            ApiError::Limit(format!("too many subscriptions: at most {each_max} for each caller; end one first"))
        })?;
        let from = match after {
            Some(after) => Some(cursor::read(&gateway.secret, &lane, &subject, &after)?),
            None => None,
        };
        let resumed = from.is_some();
        let Cursor { place, version } = match from {
            Some(cursor) => cursor,
            None => {
                catch_up(ctx, position.as_ref(), projection).await?;
                // Taken before the rows are read: what they do not have yet is told, what they have already is known by
                // its version.
                let at = gateway.reads.checkpoint(projection, &lane).await?;
                Cursor { place: Place { seq: at.lane_seq, hint: at.hint }, version: 0 }
            }
        };
        let ends = ends(caller);
        Ok(Self { gateway, lane, subject, place, version, resumed, ends, counted })
    }

    /// The cursor of the first frame.
    fn cursor(&self) -> String {
        let cursor = Cursor { place: self.place, version: self.version };
        cursor::write(&self.gateway.secret, &self.lane, &self.subject, &cursor)
    }

    /// The frames: the snapshot, if there is one, and whatever `make` makes of what is heard.
    async fn frames<F: Send + 'static>(
        self,
        snapshot: Option<F>,
        make: impl Fn(FrameKind, String, Option<&Told>) -> Result<F, ApiError> + Send + Sync + 'static,
    ) -> Result<Frames<F>, ApiError> {
        let listener = self.gateway.live.listen(&self.lane, self.subject.clone(), self.place).await?;
        let Self { gateway, lane, subject, version, ends, counted, .. } = self;
        let following = Following { gateway, lane, subject, version, ends, listener, make, _counted: counted };
        let first = futures::stream::iter(snapshot.map(Ok));
        let rest = futures::stream::unfold(Some(following), |following| async move {
            let mut following = following?;
            match following.next().await {
                Ok(frame) => Some((Ok(frame), Some(following))),
                // The reason is the last thing that is said.
                Err(error) => Some((Err(error.into_graphql()), None)),
            }
        });
        Ok(first.chain(rest).boxed())
    }
}

/// A subscription under way.
struct Following<M> {
    gateway: Arc<Gateway>,
    lane: LaneId,
    subject: Subject,
    version: u64,
    ends: Instant,
    listener: Listener,
    make: M,
    _counted: Counted,
}

impl<M> Following<M> {
    async fn next<F>(&mut self) -> Result<F, ApiError>
    where
        M: Fn(FrameKind, String, Option<&Told>) -> Result<F, ApiError>,
    {
        loop {
            let heard = tokio::time::timeout_at(self.ends, self.listener.next());
            let heard = heard.await.map_err(|_| ApiError::Unauthenticated)?.map_err(|cut| match cut {
                Cut::TooSlow => ApiError::TooSlow,
                Cut::Stopping => ApiError::GoingAway,
                Cut::LogLost => ApiError::Unavailable,
            })?;
            let (kind, place) = match &heard {
                Heard::Told(told) if !self.is_new(told) => continue,
                Heard::Told(told) => (FrameKind::Event, told.place),
                Heard::CaughtUp(place) => (FrameKind::CaughtUp, *place),
                Heard::Idle(place) => (FrameKind::Heartbeat, *place),
            };
            let told = match &heard {
                Heard::Told(told) => Some(&**told),
                Heard::CaughtUp(_) | Heard::Idle(_) => None,
            };
            let cursor = Cursor { place, version: self.version };
            let cursor = cursor::write(&self.gateway.secret, &self.lane, &self.subject, &cursor);
            return (self.make)(kind, cursor, told);
        }
    }

    /// Whether an event is not in the snapshot, nor told before. Takes it as told.
    fn is_new(&mut self, told: &Told) -> bool {
        // An account's events are of the whole shard: their versions say nothing of it.
        if matches!(self.subject, Subject::Account(_)) {
            return true;
        }
        let version = told.event.meta.aggregate_seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0);
        let new = version > self.version;
        self.version = self.version.max(version);
        new
    }
}

/// By what a caller's subscriptions and sockets are counted.
pub(crate) fn counted_as(caller: &Caller) -> Arc<str> {
    let business = caller.tenant.as_ref().map_or("", |tenant| tenant.as_str());
    format!("{:?}:{business}:{}", caller.kind, caller.sub).into()
}

/// When a caller's token ends.
pub(crate) fn ends(caller: &Caller) -> Instant {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    // Beyond a year it makes no difference.
    let left = caller.expires_at_s.saturating_sub(now).min(365 * 24 * 60 * 60);
    Instant::now() + Duration::from_secs(left)
}

/// The name of an event without its package.
fn short_name(told: &Told) -> &str {
    told.event.name.rsplit('.').next().unwrap_or_default()
}

/// What an event that cannot be read is to a subscriber.
fn unreadable(error: &feira_codec::CodecError) -> ApiError {
    ApiError::internal("an event cannot be read for a subscription", error)
}
