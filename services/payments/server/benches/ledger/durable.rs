//! Transfers in durable batches: through the rules onto the embedded log, and without either into a file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use feira_bench::{Latencies, Round};
use feira_codec::{EventSet, frame};
use feira_decider::Memory;
use feira_event_log::suite::record;
use feira_event_log::{EventLog, NewRecord, Resume};
use feira_event_log_embedded::{EmbeddedLog, Options};
use feira_events::Meta;
use feira_events::payments::{Event, Transfer};
use feira_ids::{LaneId, ServiceName, TenantId};
use feira_payments_domain::shard::Entity;

use crate::straight::Straight;
use crate::{BATCH, NOW, pay};

/// The most bytes that the event of one transfer takes.
const EVENT_BYTES_MAX: u64 = 1_024;

/// Decides, folds, encodes and appends.
pub fn on_the_log(mut shard: Memory<Entity>, transfers: Vec<Transfer>) -> Round {
    let folder = folder();
    let service = ServiceName::new("payments");
    let log = EmbeddedLog::open(&folder.path().join("log"), &[(service.clone(), 1)], Options::default())
        .expect("the log can be made");
    let membership = log.join(&service, "local").expect("a member");
    let mut taken = membership.take(0, Resume::START, &mut |_| Ok(()), &|| false).expect("the lane is free");
    let mut envelopes = Envelopes::new(taken.term);
    let round = batches(transfers, |batch| {
        let mut records: Vec<NewRecord> = Vec::with_capacity(batch.len());
        for event in batch.into_iter().flat_map(|transfer| pay(&mut shard, transfer)) {
            records.push(envelopes.around(&event));
        }
        taken.writer.append(&records, None).expect("the batch is taken");
        taken.last_seq += records.len() as u64;
    });
    assert_eq!(log.last_seq(&LaneId::new(&service, 0)).expect("the lane is there"), round.count);
    round
}

/// Decides, encodes and writes with one sync for each batch.
pub fn in_a_file(mut straight: Straight, transfers: Vec<Transfer>) -> Round {
    let folder = folder();
    let length = transfers.len() as u64 * EVENT_BYTES_MAX;
    let file = File::create(folder.path().join("bare")).expect("the file can be made");
    for offset in (0..length).step_by(1 << 20) {
        file.write_all_at(&vec![0; 1 << 20], offset).expect("the file can be written");
    }
    file.sync_all().expect("the file can be synced");
    let (mut envelopes, mut end) = (Envelopes::new(1), 0);
    let round = batches(transfers, |batch| {
        let mut bytes = Vec::with_capacity(batch.len() * EVENT_BYTES_MAX as usize);
        for transfer in batch {
            bytes.extend_from_slice(&envelopes.around(&straight.pay(transfer)).value);
        }
        file.write_all_at(&bytes, end).expect("the file can be written");
        file.sync_data().expect("the file can be synced");
        end += bytes.len() as u64;
    });
    assert!(end <= length, "the file was made long enough");
    round
}

/// Beside the project's own build, so that both are measured on a disk and not in memory.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made")
}

fn batches(mut transfers: Vec<Transfer>, mut append: impl FnMut(Vec<Transfer>)) -> Round {
    let (count, mut took, mut latencies) = (transfers.len() as u64, Duration::ZERO, Latencies::default());
    while !transfers.is_empty() {
        let batch = transfers.drain(..BATCH.min(transfers.len())).collect();
        let began = Instant::now();
        append(batch);
        took += began.elapsed();
        latencies.record(began.elapsed());
    }
    Round { count, took, latencies: Some(latencies) }
}

/// Puts events into envelopes, as a lane does.
struct Envelopes(Meta);

impl Envelopes {
    fn new(term: u64) -> Self {
        let mut meta = record(0, 0, term, vec![]).meta;
        meta.aggregate = "shard:0".into();
        meta.aggregate_seq = Some(0);
        meta.tenant = TenantId::new(TenantId::PLATFORM).expect("the reserved tenant");
        meta.principal = "person:p0".into();
        meta.at = NOW.0;
        Self(meta)
    }

    fn around(&mut self, event: &Event) -> NewRecord {
        let meta = &mut self.0;
        meta.lane_seq += 1;
        meta.aggregate_seq = Some(meta.lane_seq);
        meta.hlc += 2;
        meta.command_id.0.0[..8].copy_from_slice(&meta.lane_seq.to_be_bytes());
        meta.event_id = meta.command_id.event(0);
        let body = event.encode_body().expect("an event fits its schema");
        NewRecord { value: frame(meta, &body).expect("an event is short"), event_type: body.name, meta: meta.clone() }
    }
}
