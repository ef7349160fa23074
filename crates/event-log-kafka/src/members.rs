//! Membership of those that serve a service's lanes: which lanes are assigned, and the proof that they still are.
//!
//! The group's consumer reads nothing; its partitions are paused as they come. It is polled by a thread that does
//! nothing else, so that no slow recovery costs the membership.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use feira_event_log::{Assignment, LogError, Membership, Resume, StoredRecord, TakeError, Taken};
use feira_ids::{LaneId, ServiceName};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use crate::failure::{is_expelled, no_answer, tell, unavailable};
use crate::log::Shared;
use crate::{close, reach, take};

/// How long the group may take to confirm a membership. A commit that met an outage is kept back by the client for much
/// longer than a new one needs.
const PROOF: Duration = Duration::from_secs(3);
/// How long leaving waits for the group to take notice.
const LEAVE: Duration = Duration::from_secs(5);
/// How often the polling thread looks whether to end.
const GLANCE: Duration = Duration::from_millis(50);
/// The pause before the group is joined anew after an error that its client does not survive.
const REJOIN: Duration = Duration::from_secs(1);
/// How long a lane that was revoked goes on without word of the next assignment. Whoever gets it fences this process
/// well before.
const REVOKED_SERVES: Duration = Duration::from_secs(10);

type GroupConsumer = BaseConsumer<Standing>;

/// A process among those that serve a service.
pub(crate) struct Group {
    shared: Arc<Shared>,
    service: ServiceName,
    state: Arc<State>,
    polling: Mutex<Option<JoinHandle<()>>>,
}

/// What the polling thread and those who ask have in common.
#[derive(Default)]
struct State {
    lanes: Mutex<Lanes>,
    changed: Condvar,
    consumer: Mutex<Option<Arc<GroupConsumer>>>,
    stop: AtomicBool,
}

/// The lanes as assigned.
#[derive(Default)]
struct Lanes {
    /// What was told to whoever serves the lanes.
    told: Assignment,
    /// What the group has assigned, revoked lanes taken out at once.
    held: BTreeSet<u32>,
    /// Rises with everything the group says, revocations included.
    changes: u64,
    /// When the lanes revoked since are no longer to be served.
    revoked_until: Option<Instant>,
}

impl State {
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn consumer(&self) -> MutexGuard<'_, Option<Arc<GroupConsumer>>> {
        self.consumer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those who serve that the lanes are now as held.
    fn tell(&self, lanes: &mut Lanes, lost: bool) {
        lanes.told = Assignment { generation: lanes.told.generation + 1, lanes: lanes.held.clone(), lost };
        lanes.revoked_until = None;
        self.changed.notify_all();
    }

    fn assigned(&self, partitions: BTreeSet<u32>, anew: bool) {
        let mut lanes = self.lanes();
        lanes.changes += 1;
        if anew {
            lanes.held.clear();
        }
        lanes.held.extend(partitions);
        self.tell(&mut lanes, false);
    }

    /// Lanes were revoked. They are served until the next assignment says otherwise: with the classic protocol every
    /// change of the group revokes all of them, and a dead member would stop everybody.
    fn revoked(&self, partitions: &BTreeSet<u32>, one_by_one: bool) {
        let mut lanes = self.lanes();
        lanes.changes += 1;
        lanes.held.retain(|lane| !partitions.contains(lane));
        if one_by_one {
            lanes.revoked_until = Some(Instant::now() + REVOKED_SERVES);
        }
    }

    fn lost(&self) {
        let mut lanes = self.lanes();
        lanes.changes += 1;
        lanes.held.clear();
        self.tell(&mut lanes, true);
    }

    fn end_revoked(&self) {
        let mut lanes = self.lanes();
        if lanes.revoked_until.is_some_and(|until| Instant::now() >= until) {
            self.tell(&mut lanes, false);
        }
    }
}

/// The context of the group's consumer: it passes on what the group says.
struct Standing {
    service: ServiceName,
    state: Arc<State>,
}

impl ClientContext for Standing {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tell(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(service = %self.service, error = %error, "Kafka group: {reason}");
    }
}

impl ConsumerContext for Standing {
    fn pre_rebalance(&self, consumer: &GroupConsumer, rebalance: &Rebalance<'_>) {
        let service = &self.service;
        match rebalance {
            Rebalance::Revoke(list) if consumer.assignment_lost() => {
                tracing::warn!(service = %service, lanes = ?numbers(list), "the membership of {service} is lost");
                self.state.lost();
            }
            Rebalance::Revoke(list) => {
                let partitions = numbers(list);
                tracing::info!(service = %service, lanes = ?partitions, "lanes of {service} are assigned anew");
                let one_by_one = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
                self.state.revoked(&partitions, one_by_one);
            }
            Rebalance::Assign(_) => {}
            Rebalance::Error(error) => {
                tracing::warn!(service = %service, error = %error, "the group of {service} could not assign");
                self.state.lost();
            }
        }
    }

    fn post_rebalance(&self, consumer: &GroupConsumer, rebalance: &Rebalance<'_>) {
        let Rebalance::Assign(list) = rebalance else { return };
        if let Err(error) = consumer.pause(list) {
            // It costs only the reading of what is thrown away.
            tracing::debug!(error = %error, "partitions were not paused");
        }
        let partitions = numbers(list);
        tracing::info!(service = %self.service, lanes = ?partitions, "assigned lanes of {}", self.service);
        let anew = !matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        self.state.assigned(partitions, anew);
    }
}

fn numbers(list: &TopicPartitionList) -> BTreeSet<u32> {
    list.elements().iter().filter_map(|element| u32::try_from(element.partition()).ok()).collect()
}

impl Group {
    /// Joins the group of `service`.
    pub(crate) fn join(shared: Arc<Shared>, service: &ServiceName) -> Result<Self, LogError> {
        let state = Arc::new(State::default());
        let consumer = subscribed(&shared, service, &state)?;
        *state.consumer() = Some(consumer);
        let polling = {
            let (shared, service, state) = (shared.clone(), service.clone(), state.clone());
            thread::Builder::new().name(format!("members-{service}")).spawn(move || poll(&shared, &service, &state))
        };
        let polling = polling.map_err(|error| LogError::Unavailable {
            what: format!("a thread for the group of {service}"),
            source: Some(Box::new(error)),
        })?;
        Ok(Self { shared, service: service.clone(), state, polling: Mutex::new(Some(polling)) })
    }

    /// Proves that `lane` is assigned to this process: the group accepts a commit for it from this member, and nothing
    /// has changed while it was asked. A process that was stopped and wakes up is refused here.
    fn prove(&self, lane: &LaneId) -> Result<(), TakeError> {
        let before = {
            let lanes = self.state.lanes();
            if !lanes.held.contains(&lane.index) {
                return Err(TakeError::NotAssigned);
            }
            lanes.changes
        };
        let Some(consumer) = self.state.consumer().clone() else { return Err(TakeError::NotAssigned) };
        self.commit(&consumer, lane)?;
        let lanes = self.state.lanes();
        let still = lanes.changes == before && lanes.held.contains(&lane.index) && !consumer.assignment_lost();
        if still { Ok(()) } else { Err(TakeError::NotAssigned) }
    }

    fn commit(&self, consumer: &Arc<GroupConsumer>, lane: &LaneId) -> Result<(), TakeError> {
        let what = || format!("proving that lane {lane} is assigned here");
        let mut offsets = TopicPartitionList::with_capacity(1);
        offsets
            .add_partition_offset(&self.shared.names.events(&lane.service), lane.index as i32, Offset::Offset(0))
            .map_err(|error| unavailable(what(), error))?;
        // The call waits for as long as the group has no coordinator; we do not.
        let (answer, answered) = mpsc::channel();
        let asking = {
            let consumer = consumer.clone();
            move || {
                let outcome = consumer.commit(&offsets, CommitMode::Sync);
                let each = offsets.elements().iter().try_for_each(|element| element.error());
                drop(consumer);
                // Nobody listens any more when this fails.
                let _ = answer.send(outcome.and(each));
            }
        };
        let spawned = thread::Builder::new().name("kafka-proof".into()).spawn(asking);
        spawned.map_err(|error| LogError::Unavailable { what: what(), source: Some(Box::new(error)) })?;
        match answered.recv_timeout(PROOF) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) if error.rdkafka_error_code().is_some_and(is_expelled) => {
                tracing::warn!(lane = %lane, error = %error, "lane {lane} is no longer assigned here");
                Err(TakeError::NotAssigned)
            }
            Ok(Err(error)) => Err(unavailable(what(), error).into()),
            Err(_) => Err(no_answer(what()).into()),
        }
    }
}

/// A consumer that is subscribed to the service's lanes.
fn subscribed(shared: &Shared, service: &ServiceName, state: &Arc<State>) -> Result<Arc<GroupConsumer>, LogError> {
    let failed = |error| unavailable(format!("joining the group of {service}"), error);
    let standing = Standing { service: service.clone(), state: state.clone() };
    let consumer: GroupConsumer =
        shared.config.member(&shared.names, service).create_with_context(standing).map_err(failed)?;
    consumer.subscribe(&[&shared.names.events(service)]).map_err(failed)?;
    Ok(Arc::new(consumer))
}

/// Keeps the membership until told to stop.
fn poll(shared: &Shared, service: &ServiceName, state: &Arc<State>) {
    let mut looked = Instant::now();
    while !state.stop.load(Ordering::Relaxed) {
        let Some(consumer) = state.consumer().clone() else { return };
        match consumer.poll(GLANCE) {
            // The partitions are paused: what comes was on its way.
            None | Some(Ok(_)) => {}
            Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                tracing::error!(
                    service = %service, code = ?code,
                    "the group of {service} refused this process for good; joining anew. Brokers before 4.3 need \
                     protocol = \"classic\"; with an instance, no other process may have the same"
                );
                rejoin(shared, service, state, consumer);
            }
            Some(Err(error)) => {
                tracing::debug!(service = %service, error = %error, "the group of {service} does not answer now");
                thread::sleep(GLANCE);
            }
        }
        // Its poll says nothing either way.
        if looked.elapsed() >= reach::SILENCE {
            looked = Instant::now();
            let consumer = state.consumer().clone();
            if let Some(consumer) = consumer.filter(|consumer| reach::is_cut_off(consumer.client(), shared)) {
                tracing::warn!(service = %service, "a member of {service} has lost the cluster; joining anew");
                rejoin(shared, service, state, consumer);
            }
        }
        state.end_revoked();
    }
}

/// Lets go of what the member had, and joins the group anew.
fn rejoin(shared: &Shared, service: &ServiceName, state: &Arc<State>, consumer: Arc<GroupConsumer>) {
    state.lost();
    state.consumer().take();
    close::within(LEAVE, "a member's client", consumer);
    while !state.stop.load(Ordering::Relaxed) {
        thread::sleep(REJOIN);
        match subscribed(shared, service, state) {
            Ok(consumer) => {
                *state.consumer() = Some(consumer);
                return;
            }
            Err(error) => tracing::warn!(service = %service, "could not join anew: {error}"),
        }
    }
}

impl Membership for Group {
    fn assignment(&self, seen: u64, wait: Duration) -> Assignment {
        let lanes = self.state.lanes();
        let (lanes, _) = self
            .state
            .changed
            .wait_timeout_while(lanes, wait, |lanes| lanes.told.generation <= seen)
            .unwrap_or_else(PoisonError::into_inner);
        lanes.told.clone()
    }

    fn take(
        &self,
        lane: u32,
        resume: Resume,
        on_record: &mut dyn FnMut(StoredRecord) -> Result<(), Box<dyn Error + Send + Sync>>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Taken, TakeError> {
        let lane = LaneId::new(&self.service, lane);
        take::take(&self.shared, &lane, resume, on_record, stop, &|| self.prove(&lane))
    }

    fn leave(&self) {
        self.state.stop.store(true, Ordering::Relaxed);
        let polling = self.polling.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(polling) = polling else { return };
        if polling.join().is_err() {
            tracing::warn!(service = %self.service, "the thread of the group had ended");
        }
        let consumer = self.state.consumer().take();
        close::within(LEAVE, "a member's client", consumer);
        self.state.lost();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::testing;

    #[test]
    fn a_member_that_has_lost_the_cluster_joins_anew() {
        let log = testing::log();
        let group = Group::join(log.shared.clone(), &ServiceName::new("cart")).expect("a member");
        let take = || group.take(0, Resume::START, &mut |_| Ok(()), &|| false).ok();
        testing::comes(take);
        let standing = Standing { service: group.service.clone(), state: group.state.clone() };
        let lost = testing::lost(&log.shared.config).member(&log.shared.names, &group.service);
        let lost = Arc::new(lost.create_with_context(standing).expect("a client"));
        let member = group.state.consumer().replace(lost);
        close::within(LEAVE, "a member's client", member);
        testing::comes(take);
    }
}
