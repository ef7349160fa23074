//! Threads and their messages, as rows.

use feira_codec::Opened;
use feira_commands::conversation::thread_sides;
use feira_events::conversation::ThreadEvent;
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Mutation, ProjectionId, Table};
use feira_rows::THREADS_PROJECTION;
use feira_rows::conversation::{
    INBOX, MESSAGES, THREADS, put_delivered, put_failed, put_read, put_received, put_sent, put_thread, touch_thread,
};
use feira_runtime::{Projection, ProjectionError, event_of};

use crate::SERVICE;

/// Writes the tables of threads and messages.
#[derive(Debug)]
pub struct ThreadRows;

impl Projection for ThreadRows {
    fn id(&self) -> ProjectionId {
        THREADS_PROJECTION
    }

    fn sources(&self) -> Vec<ServiceName> {
        vec![ServiceName::new(SERVICE)]
    }

    fn tables(&self) -> Vec<&'static Table> {
        vec![&THREADS, &INBOX, &MESSAGES]
    }

    fn apply(&self, _lane: &LaneId, record: &Opened) -> Result<Vec<Mutation>, ProjectionError> {
        let meta = &record.meta;
        let Some(event) = event_of::<ThreadEvent>(record)? else {
            return Ok(vec![]);
        };
        let thread = meta.aggregate_key();
        let (sender, customer) = thread_sides(thread).unwrap_or(("", ""));
        let touched = || touch_thread(meta, sender, customer);
        Ok(match &event {
            ThreadEvent::ThreadOpened(opened) => vec![put_thread(meta, opened)],
            ThreadEvent::MessageReceived(received) => put_received(meta, received),
            ThreadEvent::MessageSent(sent) => put_sent(meta, sent),
            ThreadEvent::MessageDelivered(delivered) => vec![touched(), put_delivered(meta, thread, delivered)],
            ThreadEvent::MessageRead(read) => vec![touched(), put_read(meta, thread, read)],
            ThreadEvent::MessageFailed(failed) => vec![touched(), put_failed(meta, thread, failed)],
        })
    }
}
