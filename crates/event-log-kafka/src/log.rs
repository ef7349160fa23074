//! The log as a whole: connecting, asking, and handing out readers and memberships.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use feira_event_log::{EventLog, Hint, LaneReader, LogError, Membership, OwnerHints, Resume};
use feira_ids::{LaneId, ServiceName};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;

use crate::config::KafkaConfig;
use crate::cursor::Cursor;
use crate::failure::{Told, no_answer, unavailable};
use crate::members::Group;
use crate::names::Names;
use crate::owners::{self, Owners};
use crate::reader::Reader;
use crate::{close, reach, topics, wait};

/// How long one question may take.
const ASK: Duration = Duration::from_secs(5);
/// The pause between two looks for a record that was acknowledged and cannot be read yet.
const GLANCE: Duration = Duration::from_millis(2);

/// The event log on a Kafka cluster.
pub struct KafkaLog {
    pub(crate) shared: Arc<Shared>,
    owners: Arc<Owners>,
    ends: Mutex<HashMap<LaneId, (u64, u64)>>,
}

/// What readers and members of one log have in common.
pub(crate) struct Shared {
    pub(crate) config: KafkaConfig,
    pub(crate) names: Names,
    cluster: String,
    asking: Mutex<Asking>,
    acknowledged: Mutex<HashMap<LaneId, Arc<AtomicU64>>>,
}

/// The client that asks.
struct Asking {
    // Always there until dropped.
    client: Option<Arc<BaseConsumer<Told>>>,
    /// Since when nothing that it asked was answered.
    unanswered: Option<Instant>,
}

impl Asking {
    fn new(client: BaseConsumer<Told>) -> Self {
        Self { client: Some(Arc::new(client)), unanswered: None }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        close::within(Duration::ZERO, "the asking client", self.client.take());
    }
}

impl Shared {
    /// The last sequence of `lane` that a writer of this process has acknowledged. The broker confirms a transaction a
    /// moment before its records can be read.
    pub(crate) fn acknowledged(&self, lane: &LaneId) -> Arc<AtomicU64> {
        let mut acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        acknowledged.entry(lane.clone()).or_default().clone()
    }

    /// The place after the last record of a lane, committed or not.
    pub(crate) fn high_watermark(&self, lane: &LaneId, patience: Duration) -> Result<u64, LogError> {
        let topic = self.names.events(&lane.service);
        let answer = self.ask(|asking| asking.fetch_watermarks(&topic, lane.index as i32, patience));
        let (_, high) = answer.map_err(|error| unavailable(format!("asking for the end of lane {lane}"), error))?;
        Ok(high.max(0) as u64)
    }

    /// Asks for an answer of any kind.
    pub(crate) fn answers(&self, patience: Duration) -> Result<(), LogError> {
        let what = || format!("asking Kafka at {} for an answer", self.config.brokers);
        let topic = self.names.lanes();
        let answer = self.ask(|asking| asking.fetch_metadata(Some(&topic), patience));
        answer.map(drop).map_err(|error| unavailable(what(), error))
    }

    /// Puts a question to the cluster. A client to which nothing was answered for long is exchanged: it may be the only
    /// one to whom that happens.
    fn ask<T>(&self, question: impl FnOnce(&BaseConsumer<Told>) -> KafkaResult<T>) -> KafkaResult<T> {
        let client = self.asking().client.clone().expect("it is taken out only when it is dropped");
        // Nothing else empties its queue of messages to us.
        while client.poll(Duration::ZERO).is_some() {}
        let answer = question(&client);
        drop(client);
        let mut asking = self.asking();
        if answer.is_ok() {
            asking.unanswered = None;
        } else if asking.unanswered.get_or_insert_with(Instant::now).elapsed() > reach::SILENCE {
            *asking = Asking::new(self.config.asking().create_with_context(Told)?);
        }
        answer
    }

    fn asking(&self) -> MutexGuard<'_, Asking> {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, lane: &LaneId) -> Result<(), LogError> {
        match self.config.lanes.get(lane.service.as_str()) {
            Some(lanes) if lane.index < *lanes => Ok(()),
            Some(_) | None => Err(LogError::NoSuchLane(lane.clone())),
        }
    }
}

impl KafkaLog {
    /// Connects to the cluster and makes the topics that are missing. A cluster that is not there is waited for, up to
    /// `patience`, and the log says what it waits for.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when the cluster did not answer in time, or the configuration cannot be used;
    /// [`LogError::Damaged`] when a topic is not as configured.
    pub fn connect(config: KafkaConfig, patience: Duration) -> Result<Arc<Self>, LogError> {
        if let Some(fault) = config.fault() {
            return Err(KafkaConfig::unusable(fault));
        }
        let names = Names::new(&config.prefix);
        let asking: BaseConsumer<Told> = config
            .asking()
            .create_with_context(Told)
            .map_err(|error| unavailable("the configuration of Kafka", error))?;
        let what = format!("Kafka at {}", config.brokers);
        let cluster = wait::until(&what, patience, || {
            asking
                .fetch_metadata(Some(&names.lanes()), Duration::from_secs(2))
                .map_err(|error| unavailable(&what, error))?;
            let cluster = asking
                .client()
                .fetch_cluster_id(ASK)
                .ok_or_else(|| no_answer(format!("the name of the cluster at {}", config.brokers)))?;
            topics::ensure(&config, &names)?;
            Ok(cluster)
        })?;
        let announcements = topics::partitions(asking.client(), &names.lanes())?.unwrap_or(1);
        tracing::info!(cluster = %cluster, prefix = %config.prefix, "connected to {what}");
        let asking = Mutex::new(Asking::new(asking));
        let shared = Arc::new(Shared { config, names, cluster, asking, acknowledged: Mutex::default() });
        let owners = Arc::new(Owners::default());
        owners::follow(&shared, announcements, &owners)?;
        Ok(Arc::new(Self { shared, owners, ends: Mutex::default() }))
    }

    /// Asks the cluster for an answer of any kind, over a connection that is kept: it can be asked often.
    ///
    /// # Errors
    /// [`LogError::Unavailable`] when none came within `patience`.
    pub fn answers(&self, patience: Duration) -> Result<(), LogError> {
        self.shared.answers(patience)
    }
}

impl EventLog for KafkaLog {
    fn log_id(&self) -> String {
        format!("kafka:{}:{}", self.shared.cluster, self.shared.config.prefix)
    }

    fn lanes(&self, service: &ServiceName) -> Result<u32, LogError> {
        let lanes = self.shared.config.lanes.get(service.as_str());
        lanes.copied().ok_or_else(|| LogError::NoSuchLane(LaneId::new(service, 0)))
    }

    fn join(&self, service: &ServiceName, address: &str) -> Result<Arc<dyn Membership>, LogError> {
        self.lanes(service)?;
        tracing::info!(service = %service, address, "joining those that serve {service}");
        Ok(Arc::new(Group::join(self.shared.clone(), service)?))
    }

    fn reader(&self, lane: &LaneId, resume: Resume) -> Result<Box<dyn LaneReader>, LogError> {
        self.shared.check(lane)?;
        Ok(Box::new(Reader::open(self.shared.clone(), lane, resume)?))
    }

    fn last_seq(&self, lane: &LaneId) -> Result<u64, LogError> {
        self.shared.check(lane)?;
        let cursor = Cursor::open(&self.shared, lane, Hint(0))?;
        let acknowledged = self.shared.acknowledged(lane);
        let deadline = Instant::now() + ASK;
        loop {
            let seq = self.visible_seq(lane, &cursor)?;
            // What this process has acknowledged can be read in a moment; to say less would look like a loss.
            if seq >= acknowledged.load(Ordering::Acquire) {
                return Ok(seq);
            }
            if Instant::now() >= deadline {
                return Err(no_answer(format!("the end of lane {lane}: what was acknowledged cannot be read yet")));
            }
            thread::sleep(GLANCE);
        }
    }

    fn owners(&self) -> Arc<dyn OwnerHints> {
        self.owners.clone()
    }
}

impl KafkaLog {
    /// The last sequence that can be read at this moment.
    fn visible_seq(&self, lane: &LaneId, cursor: &Cursor) -> Result<u64, LogError> {
        let (low, end) = cursor.committed_range(ASK)?;
        let known = || self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, seq)) = known().get(lane).filter(|(at, _)| *at == end) {
            return Ok(*seq);
        }
        let seq = cursor.last_before(low, end)?.map_or(0, |record| record.lane_seq);
        known().insert(lane.clone(), (end, seq));
        Ok(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reach::testing;

    #[test]
    fn a_client_that_asks_and_has_lost_the_cluster_is_exchanged() {
        let log = testing::log();
        let lost = testing::lost(&log.shared.config).asking().create_with_context(Told).expect("a client");
        *log.shared.asking() = Asking::new(lost);
        testing::comes(|| log.answers(Duration::from_secs(1)).ok());
    }
}
