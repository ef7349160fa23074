//! The least program that does for its callers what a lane does: one thread, state in memory, and a log.
//!
//! It takes all that waits, knows commands that it has decided, reads inputs, decides, encodes, appends with one sync and
//! answers everyone with the aggregate as it is. It leaves out what a lane is beside that: who may, facts, routing, terms,
//! snapshots, repeats beyond memory, and faults.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;
use feira_codec::{EventSet, frame};
use feira_commands::cart::Input;
use feira_decider::{At, Decider};
use feira_event_log::{EventLog, NewRecord, Resume, Taken};
use feira_events::Meta;
use feira_ids::{CommandId, ServiceName};
use feira_runtime::suite::basket::{Basket, Baskets, State};
use feira_runtime::{Clock, Command, Hosted, SystemClock};
use tokio::sync::oneshot;

/// The most commands in one batch, as a lane has them.
const BATCH_MAX: usize = 512;

type Waiting = (Command, oneshot::Sender<Bytes>);

/// The way to the thread.
#[derive(Clone)]
pub struct Straight(Sender<Waiting>);

impl Straight {
    /// Takes the lane of `log` and starts; ends when nobody can ask any more.
    pub fn start(log: &dyn EventLog) -> Self {
        let membership = log.join(&ServiceName::new("cart"), "local").expect("a member");
        let taken = membership.take(0, Resume::START, &mut |_| Ok(()), &|| false).expect("the lane is free");
        let (sender, receiver) = channel();
        std::thread::spawn(move || Thread { taken, states: HashMap::new(), decided: HashMap::new() }.run(&receiver));
        Self(sender)
    }

    /// The aggregate after `command`, once its events stand.
    pub async fn ask(&self, command: Command) -> Bytes {
        let (reply, answer) = oneshot::channel();
        self.0.send((command, reply)).expect("the thread runs as long as it is asked");
        answer.await.expect("the thread answers")
    }
}

struct Thread {
    taken: Taken,
    states: HashMap<Arc<str>, (u64, State)>,
    /// The place of what each command left.
    decided: HashMap<CommandId, u64>,
}

impl Thread {
    fn run(&mut self, receiver: &Receiver<Waiting>) {
        while let Ok(first) = receiver.recv() {
            let waiting: Vec<Waiting> = std::iter::once(first).chain(receiver.try_iter().take(BATCH_MAX - 1)).collect();
            let mut records = Vec::with_capacity(waiting.len());
            for (command, _) in &waiting {
                self.decide(command, &mut records);
            }
            self.taken.writer.append(&records, None).expect("the batch is taken");
            self.taken.last_seq += records.len() as u64;
            for (command, reply) in waiting {
                let (version, state) = &self.states[command.aggregate.as_str()];
                let view = Baskets::default().view(&command.aggregate, *version, state);
                // Who asked may have gone.
                let _ = reply.send(serde_json::to_vec(&view).expect("a view is JSON").into());
            }
        }
    }

    fn decide(&mut self, command: &Command, records: &mut Vec<NewRecord>) {
        let lane_seq = self.taken.last_seq + records.len() as u64 + 1;
        if self.decided.insert(command.command_id, lane_seq).is_some() {
            return;
        }
        let input: Input = serde_json::from_slice(&command.input).expect("an input is JSON");
        let now_us = SystemClock.now_us();
        let (version, state) = self.states.entry(command.aggregate.as_str().into()).or_default();
        let events = Basket::decide(state, input, At(now_us / 1_000)).expect("what is asked is allowed");
        for (index, event) in events.iter().enumerate() {
            let body = event.encode_body().expect("an event fits its schema");
            *state = Basket::evolve(std::mem::take(state), event);
            *version += 1;
            let meta = Meta {
                event_id: command.command_id.event(index as u32),
                lane: 0,
                lane_seq: (lane_seq + index as u64) as i64,
                term: self.taken.term as i64,
                aggregate: command.aggregate.clone().into(),
                aggregate_seq: Some(*version as i64),
                hlc: now_us,
                at: now_us / 1_000,
                tenant: command.tenant.clone(),
                principal: command.principal.to_string().into(),
                command_id: command.command_id,
                fingerprint: command.fingerprint,
                index: index as i32,
                count: events.len() as i32,
                causation_id: command.causation_id,
                correlation_id: command.correlation_id,
                traceparent: command.traceparent.clone(),
            };
            let value = frame(&meta, &body).expect("an event is short");
            records.push(NewRecord { value, event_type: body.name, meta });
        }
    }
}
