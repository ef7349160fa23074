//! A thread as long as is wanted, written straight to the log as its owner would have left it.

use std::sync::Arc;

use feira_codec::{EventSet, frame};
use feira_commands::conversation::DEFAULT_POLICY;
use feira_event_log::{EventLog, NewRecord, Resume};
use feira_events::Meta;
use feira_events::conversation::{Category, Class, ClassReason, MessageSent, ThreadEvent, Windows};
use feira_ids::ServiceName;

use crate::market::{CUSTOMER, text};

/// How many messages are appended at once.
const BATCH: u64 = 4_096;

/// Appends messages of the business until the thread has `messages`. `last` is the envelope of its last event, the
/// `seq`th message, after which everything goes on.
pub fn append(log: &dyn EventLog, last: &Meta, windows: Windows, mut seq: u64, messages: u64) {
    let membership = log.join(&ServiceName::new("conversation"), "local").expect("a member");
    let mut taken = membership.take(0, Resume::START, &mut |_| Ok(()), &|| false).expect("the lane is free");
    let mut meta = Meta { principal: "member:bia".into(), term: taken.term as i64, ..last.clone() };
    meta.lane_seq = taken.last_seq as i64;
    while seq < messages {
        let batch: Vec<NewRecord> = (seq + 1..=messages.min(seq + BATCH))
            .map(|seq| {
                let previous_at = Some(meta.at);
                meta.lane_seq += 1;
                meta.aggregate_seq = meta.aggregate_seq.map(|before| before + 1);
                meta.hlc += 2;
                // Ids lie all over, as hashes do.
                let id = seq.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
                meta.command_id.0.0[..8].copy_from_slice(&id);
                meta.event_id.0.0[..8].copy_from_slice(&id);
                meta.fingerprint.0.0[..8].copy_from_slice(&id);
                let body = message(seq, meta.at, windows, previous_at).encode_body().expect("it fits its schema");
                let value = frame(&meta, &body).expect("it is short");
                NewRecord { value, event_type: body.name, meta: meta.clone() }
            })
            .collect();
        taken.writer.append(&batch, None).expect("the batch is taken");
        seq += batch.len() as u64;
    }
}

fn message(seq: u64, sent_at: i64, windows: Windows, previous_at: Option<i64>) -> ThreadEvent {
    ThreadEvent::MessageSent(MessageSent {
        message: Arc::from(format!("history-{seq}")),
        seq: seq as i64,
        sender: "main".into(),
        customer: CUSTOMER.into(),
        country: "BR".into(),
        content: text(),
        category: Category::Service,
        class: Class::Free,
        reason: ClassReason::InWindow,
        policy: DEFAULT_POLICY.into(),
        sent_at,
        windows,
        previous_at,
        facts: vec![],
    })
}
