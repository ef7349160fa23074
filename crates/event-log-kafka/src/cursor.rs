//! One lane's committed records as the cluster gives them: what readers, takeovers and questions for the end rest on.

use std::time::{Duration, Instant};

use bytes::Bytes;
use feira_event_log::{Hint, LogError, StoredRecord};
use feira_ids::LaneId;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::failure::{Told, no_answer, unavailable};
use crate::log::Shared;
use crate::{close, envelope, reach};

/// How long a question for the end of a lane may take.
const ASK: Duration = Duration::from_secs(5);
/// How long to wait for a record before looking where one stands: marks of transactions move a place without a record.
const GLANCE: Duration = Duration::from_millis(5);

/// A place in a lane from which committed records are read.
pub(crate) struct Cursor {
    // Always there until dropped.
    consumer: Option<BaseConsumer<Told>>,
    lane: LaneId,
    topic: String,
}

/// What came of waiting for the next record.
pub(crate) enum Step {
    /// A record.
    Record(StoredRecord),
    /// None within the wait.
    Nothing,
    /// The cluster cannot be reached now; the client goes on trying by itself.
    Away(KafkaError),
}

impl Cursor {
    /// A cursor on `lane` at the place `from`.
    pub(crate) fn open(shared: &Shared, lane: &LaneId, from: Hint) -> Result<Self, LogError> {
        let consumer: BaseConsumer<Told> = shared
            .config
            .reading(&shared.names)
            .create_with_context(Told)
            .map_err(|error| unavailable(format!("a client that reads lane {lane}"), error))?;
        let cursor = Self { consumer: Some(consumer), lane: lane.clone(), topic: shared.names.events(&lane.service) };
        cursor.go(from.0)?;
        Ok(cursor)
    }

    /// Goes to another place.
    pub(crate) fn go(&self, to: u64) -> Result<(), LogError> {
        let failed = |error| unavailable(format!("going to place {to} of lane {}", self.lane), error);
        let mut place = TopicPartitionList::with_capacity(1);
        let offset = Offset::Offset(i64::try_from(to).unwrap_or(i64::MAX));
        place.add_partition_offset(&self.topic, self.partition(), offset).map_err(failed)?;
        self.consumer().assign(&place).map_err(failed)
    }

    /// Lets the client fetch nothing any more.
    #[cfg(test)]
    pub(crate) fn stop_fetching(&self) {
        let places = self.consumer().assignment().expect("a cursor is somewhere");
        self.consumer().pause(&places).expect("a client can be told to");
    }

    /// Exchanges the client for one that never reaches the cluster.
    #[cfg(test)]
    pub(crate) fn lose_the_cluster(&mut self, shared: &Shared) {
        let lost = reach::testing::lost(&shared.config).reading(&shared.names).create_with_context(Told);
        self.consumer = Some(lost.expect("a client"));
        self.go(1).expect("a client can be told to");
    }

    /// The next committed record, waited for up to `wait`.
    pub(crate) fn step(&self, wait: Duration) -> Result<Step, LogError> {
        match self.consumer().poll(wait) {
            None => Ok(Step::Nothing),
            Some(Ok(message)) => self.record(&message).map(Step::Record),
            Some(Err(error)) => self.failed(error),
        }
    }

    /// Where the cursor stands: past everything that was read, marks of transactions included. None before it has moved.
    pub(crate) fn position(&self) -> Option<u64> {
        let positions = self.consumer().position().ok()?;
        match positions.elements().first()?.offset() {
            Offset::Offset(offset) => u64::try_from(offset).ok(),
            Offset::Beginning | Offset::End | Offset::Stored | Offset::Invalid | Offset::OffsetTail(_) => None,
        }
    }

    /// The first place and the one after the last committed record or mark: beyond it a transaction may be open.
    pub(crate) fn committed_range(&self, patience: Duration) -> Result<(u64, u64), LogError> {
        let (low, end) = self
            .consumer()
            .fetch_watermarks(&self.topic, self.partition(), patience)
            .map_err(|error| unavailable(format!("asking for the end of lane {}", self.lane), error))?;
        Ok((low.max(0) as u64, end.max(0) as u64))
    }

    /// Whether its client has lost the cluster for good.
    pub(crate) fn is_cut_off(&self, shared: &Shared) -> bool {
        reach::is_cut_off(self.consumer().client(), shared)
    }

    /// The last committed record before `end`, sought backwards from there.
    pub(crate) fn last_before(&self, low: u64, end: u64) -> Result<Option<StoredRecord>, LogError> {
        let mut span = 16;
        if end <= low {
            return Ok(None);
        }
        loop {
            let start = end.saturating_sub(span).max(low);
            self.go(start)?;
            let mut last = None;
            self.each_until(end, |record| {
                last = Some(record);
                Ok(())
            })?;
            if last.is_some() || start == low {
                return Ok(last);
            }
            // Nothing but marks and what was aborted; look further back, and soon far back.
            span *= 16;
        }
    }

    /// Gives every committed record from here to before `end`.
    fn each_until(&self, end: u64, mut take: impl FnMut(StoredRecord) -> Result<(), LogError>) -> Result<(), LogError> {
        let mut moved = Instant::now();
        loop {
            match self.step(GLANCE)? {
                Step::Record(record) => {
                    moved = Instant::now();
                    let place = record.hint.0;
                    if place < end {
                        take(record)?;
                    }
                    if place + 1 >= end {
                        return Ok(());
                    }
                }
                Step::Nothing | Step::Away(_) => {}
            }
            if self.position().is_some_and(|position| position >= end) {
                return Ok(());
            }
            if moved.elapsed() > ASK {
                return Err(no_answer(format!("reading the end of lane {}", self.lane)));
            }
        }
    }

    fn record(&self, message: &BorrowedMessage<'_>) -> Result<StoredRecord, LogError> {
        let place = message.headers().and_then(envelope::place);
        let (Some((lane_seq, term)), Some(value)) = (place, message.payload()) else {
            return Err(LogError::Damaged {
                place: format!("lane {}, offset {}", self.lane, message.offset()),
                reason: "a record without our envelope; something else writes to this topic, which only lanes' owners \
                         may"
                .into(),
            });
        };
        let hint = Hint(message.offset().max(0) as u64);
        Ok(StoredRecord { lane_seq, term, value: Bytes::copy_from_slice(value), hint })
    }

    fn failed(&self, error: KafkaError) -> Result<Step, LogError> {
        let code = match &error {
            KafkaError::MessageConsumption(code) => *code,
            KafkaError::PartitionEOF(_) => return Ok(Step::Nothing),
            _ => return Err(unavailable(format!("reading lane {}", self.lane), error)),
        };
        match code {
            RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset => Err(LogError::Damaged {
                place: format!("lane {}", self.lane),
                reason: "the topic does not reach to where it was read before: it was cut short, or made anew".into(),
            }),
            RDKafkaErrorCode::BadMessage | RDKafkaErrorCode::InvalidMessage => Err(LogError::Damaged {
                place: format!("lane {}, offset {}", self.lane, self.position().unwrap_or_default()),
                reason: "a batch whose checksum is wrong; restore the partition from a replica".into(),
            }),
            // Topics that are missing are also what a broker tells that has just started and does not know them yet.
            _ => Ok(Step::Away(error)),
        }
    }

    fn partition(&self) -> i32 {
        // There are at most 1024 lanes.
        self.lane.index as i32
    }

    fn consumer(&self) -> &BaseConsumer<Told> {
        self.consumer.as_ref().expect("it is taken out only when the cursor is dropped")
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        close::within(Duration::ZERO, "a reading client", self.consumer.take());
    }
}
