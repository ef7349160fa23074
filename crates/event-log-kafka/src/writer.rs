//! Appending to a lane: one Kafka transaction for each batch, and no second try with a producer that is in doubt.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use feira_event_log::{AppendError, Hint, LaneWriter, LogError, NewRecord};
use feira_ids::LaneId;
use rdkafka::Message;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;

use crate::failure::{is_fence, tell, unavailable};
use crate::log::Shared;
use crate::owners::Announcement;
use crate::{close, envelope};

/// The longest value of one record, in bytes.
pub const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long a batch may take from its first record to its commit, less than the broker gives a transaction.
const BATCH: Duration = Duration::from_secs(7);
/// The pause between two looks at what has not been delivered yet. The library's own waiting has a grain of 100 ms.
const GLANCE: Duration = Duration::from_micros(150);
/// How long a doubtful transaction's abort may take; the next owner aborts it otherwise.
const ABORT: Duration = Duration::from_secs(1);

/// What has become of the records of a batch.
#[derive(Default)]
pub(crate) struct Deliveries {
    first: AtomicI64,
    failed: Mutex<Option<RDKafkaErrorCode>>,
}

impl Deliveries {
    fn forget(&self) {
        self.first.store(0, Ordering::Relaxed);
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn failure(&self) -> Option<RDKafkaErrorCode> {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tell(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(error = %error, "Kafka producer: {reason}");
    }
}

impl ProducerContext for Deliveries {
    /// The record's number in its batch, and beyond the batch the announcement.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        match result {
            Ok(message) if number == 0 => self.first.store(message.offset(), Ordering::Relaxed),
            Ok(_) => {}
            Err((error, _)) => {
                let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
                // The first failure is the cause; those behind it are its consequences.
                self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(code);
            }
        }
    }
}

/// The transactional client of a lane.
pub(crate) struct Appender {
    // Always there until dropped.
    producer: Option<BaseProducer<Deliveries>>,
}

impl Appender {
    pub(crate) fn open(shared: &Shared, lane: &LaneId) -> Result<Self, LogError> {
        let producer = shared
            .config
            .appending(&shared.names, lane)
            .create_with_context(Deliveries::default())
            .map_err(|error| unavailable(format!("a client that appends to lane {lane}"), error))?;
        Ok(Self { producer: Some(producer) })
    }

    pub(crate) fn producer(&self) -> &BaseProducer<Deliveries> {
        self.producer.as_ref().expect("it is taken out only when the appender is dropped")
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        close::within(Duration::ZERO, "an appending client", self.producer.take());
    }
}

/// The writer of a lane in its term.
pub(crate) struct Writer {
    appender: Appender,
    lane: LaneId,
    events: String,
    lanes: String,
    term: u64,
    last_seq: u64,
    acknowledged: Arc<AtomicU64>,
    idle_max: Duration,
    used: Instant,
    spent: Option<Spent>,
}

/// Why a writer does nothing more.
#[derive(Clone, Copy)]
enum Spent {
    /// A successor has the lane.
    Fenced,
    /// What its producer did last is not known, and a second try could come after the fact.
    InDoubt,
}

impl Writer {
    pub(crate) fn new(shared: &Shared, lane: &LaneId, appender: Appender, term: u64, last_seq: u64) -> Self {
        Self {
            appender,
            lane: lane.clone(),
            events: shared.names.events(&lane.service),
            lanes: shared.names.lanes(),
            term,
            last_seq,
            acknowledged: shared.acknowledged(lane),
            idle_max: Duration::from_millis(shared.config.writer_idle_max_ms),
            used: Instant::now(),
            spent: None,
        }
    }

    fn usable(&self) -> Result<(), AppendError> {
        match self.spent {
            Some(Spent::Fenced) => Err(AppendError::Fenced),
            Some(Spent::InDoubt) => Err(AppendError::Unknown("this writer failed before; take the lane anew".into())),
            None => Ok(()),
        }
    }

    /// Commits what may be empty but for the announcement, and remembers what became of it.
    fn commit(&mut self, batch: &[NewRecord], announce: Option<&str>) -> Result<Hint, AppendError> {
        if self.used.elapsed() > self.idle_max {
            self.spent = Some(Spent::InDoubt);
            return Err(AppendError::Unknown("this writer was idle for long; take the lane anew".into()));
        }
        let outcome = self.transaction(batch, announce);
        self.used = Instant::now();
        match &outcome {
            Ok(_) => {
                self.last_seq += batch.len() as u64;
                self.acknowledged.fetch_max(self.last_seq, Ordering::Release);
            }
            Err(AppendError::Fenced) => self.spent = Some(Spent::Fenced),
            Err(AppendError::Unknown(_) | AppendError::Refused { .. } | AppendError::Invalid { .. }) => {
                self.spent = Some(Spent::InDoubt);
            }
        }
        outcome
    }

    fn transaction(&self, batch: &[NewRecord], announce: Option<&str>) -> Result<Hint, AppendError> {
        let producer = self.appender.producer();
        let deadline = Instant::now() + BATCH;
        let deliveries = producer.context();
        deliveries.forget();
        producer.begin_transaction().map_err(|error| self.judge(error))?;
        for (number, record) in batch.iter().enumerate() {
            let key = record.key();
            let message = BaseRecord::with_opaque_to(&self.events, number)
                .partition(self.partition())
                .key(key.as_str())
                .payload(record.value.as_ref())
                .timestamp(record.meta.hlc / 1_000)
                .headers(envelope::headers(&self.lane, record, &key));
            self.send(message, deadline)?;
        }
        if let Some(address) = announce {
            let said = Announcement {
                service: self.lane.service.to_string(),
                lane: self.lane.index,
                address: address.to_owned(),
                term: self.term,
            };
            let value = serde_json::to_string(&said).expect("an announcement is texts and numbers");
            let key = self.lane.to_string();
            let message = BaseRecord::with_opaque_to(&self.lanes, batch.len())
                .partition(self.partition())
                .key(key.as_str())
                .payload(value.as_str());
            self.send(message, deadline)?;
        }
        self.await_deliveries(deadline)?;
        let left = deadline.saturating_duration_since(Instant::now());
        producer.commit_transaction(left).map_err(|error| self.judge(error))?;
        Ok(Hint(u64::try_from(deliveries.first.load(Ordering::Relaxed)).unwrap_or(0)))
    }

    fn send<P: rdkafka::message::ToBytes + ?Sized>(
        &self,
        message: BaseRecord<'_, str, P, usize>,
        deadline: Instant,
    ) -> Result<(), AppendError> {
        let producer = self.appender.producer();
        let mut next = message;
        loop {
            match producer.send(next) {
                Ok(()) => return Ok(()),
                // The batch is larger than what the client holds ready: some of it must leave first.
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), message))
                    if Instant::now() < deadline =>
                {
                    producer.poll(Duration::from_millis(1));
                    next = message;
                }
                Err((error, _)) => return Err(self.judge(error)),
            }
        }
    }

    /// Waits until the broker has every record. Committing before would wait in the library, which takes 100 ms.
    fn await_deliveries(&self, deadline: Instant) -> Result<(), AppendError> {
        let producer = self.appender.producer();
        while producer.in_flight_count() > 0 {
            producer.poll(Duration::ZERO);
            if let Some(code) = producer.context().failure() {
                return Err(self.judge(KafkaError::MessageProduction(code)));
            }
            if Instant::now() >= deadline {
                return Err(AppendError::Unknown(Box::new(KafkaError::MessageProduction(
                    RDKafkaErrorCode::OperationTimedOut,
                ))));
            }
            thread::sleep(GLANCE);
        }
        match producer.context().failure() {
            Some(code) => Err(self.judge(KafkaError::MessageProduction(code))),
            None => Ok(()),
        }
    }

    /// What an error means for the batch. Anything that is not surely a fence is in doubt.
    fn judge(&self, error: KafkaError) -> AppendError {
        let producer = self.appender.producer();
        let fatal = producer.client().fatal_error().map(|(code, _)| code);
        let told = error.rdkafka_error_code();
        if [fatal, told].into_iter().flatten().any(is_fence) {
            return AppendError::Fenced;
        }
        let abortable = match &error {
            KafkaError::Transaction(error) => error.txn_requires_abort(),
            KafkaError::MessageProduction(_) => fatal.is_none(),
            _ => false,
        };
        if abortable {
            // Only so that readers need not wait for the next owner. It may fail, and it settles nothing: a lane whose
            // producer met an error is rebuilt from the log.
            if let Err(error) = producer.abort_transaction(ABORT) {
                tracing::debug!(lane = %self.lane, error = %error, "the batch is left for the next owner to abort");
                if error.rdkafka_error_code().is_some_and(is_fence) {
                    return AppendError::Fenced;
                }
            }
        }
        AppendError::Unknown(Box::new(error))
    }

    fn partition(&self) -> i32 {
        // There are at most 1024 lanes.
        self.lane.index as i32
    }
}

impl LaneWriter for Writer {
    fn append(&mut self, batch: &[NewRecord], announce: Option<&str>) -> Result<Hint, AppendError> {
        self.usable()?;
        envelope::check_batch(&self.lane, self.last_seq, self.term, batch)?;
        self.commit(batch, announce)
    }

    /// By a transaction that announces the owner again and holds nothing else: an empty one commits even when fenced.
    fn confirm(&mut self, address: &str) -> Result<(), AppendError> {
        self.usable()?;
        self.commit(&[], Some(address)).map(|_| ())
    }
}
