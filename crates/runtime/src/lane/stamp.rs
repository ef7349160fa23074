//! Sequence, term and the two times of each record of a batch.

use std::sync::Arc;

use feira_codec::{CodecError, EncodedBody, frame};
use feira_event_log::NewRecord;
use feira_events::Meta;
use feira_ids::TenantId;
use hashbrown::HashMap;

use super::snapshots::Standing;
use crate::{Clock, Command};

/// Counts on from where the lane stands.
pub(crate) struct Stamp {
    lane: i32,
    term: i64,
    lane_seq: i64,
    hlc: i64,
    /// The business time of the command at hand.
    at: i64,
    /// The last one in this batch of each tenant whose clock is ahead.
    times: HashMap<TenantId, i64>,
}

impl Stamp {
    /// Goes on from `standing` in `term`.
    pub fn after(standing: &Standing, lane: u32, term: u64) -> Self {
        Self {
            lane: i32::try_from(lane).unwrap_or(i32::MAX),
            term: i64::try_from(term).unwrap_or(i64::MAX),
            lane_seq: i64::try_from(standing.lane_seq).unwrap_or(i64::MAX),
            hlc: standing.hlc,
            at: 0,
            times: HashMap::new(),
        }
    }

    /// The business time of `command`: now by its tenant's clock, and never before the tenant's last one on this lane,
    /// though the command was sent before that clock was moved ahead, or the owner's clock was turned back.
    ///
    /// What the lane's own time was last is in the hybrid clock, which is never behind it, so one tenant's moved clock
    /// leaves the times of the others as they are.
    pub fn decide_at(&mut self, clock: &dyn Clock, command: &Command, standing: &Standing) -> i64 {
        let own = self.own_time(clock);
        let now = own.saturating_add(command.clock_offset_ms);
        let last = self.times.get(&command.tenant).or_else(|| standing.ahead.get(&command.tenant));
        self.at = last.map_or(now, |last| now.max(*last));
        if self.at > own {
            self.times.insert(command.tenant.clone(), self.at);
        }
        self.at
    }

    fn own_time(&self, clock: &dyn Clock) -> i64 {
        (self.hlc / 1000).max(clock.now_us() / 1000)
    }

    /// The place of the next record.
    pub fn next_seq(&self) -> u64 {
        self.lane_seq as u64 + 1
    }

    /// The records of one command. Places are taken only if all of them can be made.
    ///
    /// Each record's `hlc` leaves room for a write just before it.
    pub fn records(
        &mut self,
        command: &Command,
        principal: &Arc<str>,
        bodies: &[EncodedBody],
        versions: Option<u64>,
        clock: &dyn Clock,
    ) -> Result<Vec<NewRecord>, CodecError> {
        let (mut lane_seq, mut hlc) = (self.lane_seq, self.hlc);
        let mut records = Vec::with_capacity(bodies.len());
        for (index, body) in bodies.iter().enumerate() {
            lane_seq += 1;
            hlc = clock.now_us().max(hlc + 2);
            let meta = Meta {
                event_id: command.command_id.event(index as u32),
                lane: self.lane,
                lane_seq,
                term: self.term,
                aggregate: command.aggregate.clone().into(),
                aggregate_seq: versions.map(|before| before as i64 + 1 + index as i64),
                hlc,
                at: self.at,
                tenant: command.tenant.clone(),
                principal: principal.clone(),
                command_id: command.command_id,
                fingerprint: command.fingerprint,
                index: index as i32,
                count: bodies.len() as i32,
                causation_id: command.causation_id,
                correlation_id: command.correlation_id,
                traceparent: command.traceparent.clone(),
            };
            records.push(NewRecord { value: frame(&meta, body)?, event_type: body.name, meta });
        }
        (self.lane_seq, self.hlc) = (lane_seq, hlc);
        Ok(records)
    }

    /// The record that concerns the lane alone.
    pub fn lane_record(
        &mut self,
        meta: impl FnOnce(Meta) -> Meta,
        body: &EncodedBody,
        clock: &dyn Clock,
    ) -> Result<NewRecord, CodecError> {
        self.at = self.own_time(clock);
        self.lane_seq += 1;
        self.hlc = clock.now_us().max(self.hlc + 2);
        let meta = meta(Meta {
            event_id: Default::default(),
            lane: self.lane,
            lane_seq: self.lane_seq,
            term: self.term,
            aggregate: "".into(),
            aggregate_seq: None,
            hlc: self.hlc,
            at: self.at,
            tenant: super::platform(),
            principal: "service:runtime".into(),
            command_id: Default::default(),
            fingerprint: Default::default(),
            index: 0,
            count: 1,
            causation_id: Default::default(),
            correlation_id: Default::default(),
            traceparent: None,
        });
        Ok(NewRecord { value: frame(&meta, body)?, event_type: body.name, meta })
    }
}
