//! Who is said to own which lane, followed in the background from the topic where owners announce themselves.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, Weak};
use std::thread;
use std::time::Duration;

use feira_event_log::{LogError, Owner, OwnerHints};
use feira_ids::{LaneId, ServiceName};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};

use crate::failure::{Told, unavailable};

/// An announcement as written: the value of a record whose key is `service/lane`.
#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// The service.
    pub(crate) service: String,
    /// The lane's number.
    pub(crate) lane: u32,
    /// Where its owner takes commands.
    pub(crate) address: String,
    /// The owner's term.
    pub(crate) term: u64,
}

/// The latest announcements.
#[derive(Default)]
pub(crate) struct Owners {
    latest: RwLock<HashMap<LaneId, Owner>>,
}

impl Owners {
    /// Takes in an announcement; one of an older term than is known says nothing new.
    fn hear(&self, announcement: Announcement) {
        let Announcement { service, lane, address, term } = announcement;
        if service.is_empty() || !service.bytes().all(|b| b.is_ascii_lowercase()) {
            return;
        }
        let lane = LaneId::new(&ServiceName::new(&service), lane);
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        if latest.get(&lane).is_none_or(|known| known.term <= term) {
            latest.insert(lane, Owner { address, term });
        }
    }
}

impl OwnerHints for Owners {
    fn owner(&self, lane: &LaneId) -> Option<Owner> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).get(lane).cloned()
    }
}

/// Follows `topic` into `owners` for as long as anybody has them.
pub(crate) fn follow(
    reading: &ClientConfig,
    topic: &str,
    partitions: u32,
    owners: Weak<Owners>,
) -> Result<(), LogError> {
    let failed = |error| unavailable(format!("a client that follows {topic}"), error);
    let mut reading = reading.clone();
    reading.set("queued.max.messages.kbytes", "256").set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer<Told> = reading.create_with_context(Told).map_err(failed)?;
    let mut places = TopicPartitionList::with_capacity(partitions as usize);
    for partition in 0..partitions {
        places.add_partition_offset(topic, partition as i32, Offset::Beginning).map_err(failed)?;
    }
    consumer.assign(&places).map_err(failed)?;
    let following = move || {
        while let Some(owners) = owners.upgrade() {
            match consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => {
                    // What cannot be read is no hint; the owner itself says whether it is.
                    if let Some(said) = message.payload().and_then(|value| serde_json::from_slice(value).ok()) {
                        owners.hear(said);
                    }
                }
                // The library tries again by itself; until then the hints are as old as the outage.
                Some(Err(error)) => {
                    tracing::debug!(error = %error, "owners are not heard now");
                    thread::sleep(Duration::from_millis(50));
                }
                None => {}
            }
        }
    };
    thread::Builder::new().name("kafka-owners".into()).spawn(following).map(drop).map_err(|error| {
        LogError::Unavailable { what: "a thread that follows lanes' owners".into(), source: Some(Box::new(error)) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(term: u64, address: &str) -> Announcement {
        Announcement { service: "cart".into(), lane: 1, address: address.into(), term }
    }

    #[test]
    fn the_latest_term_is_believed_in_whatever_order_it_is_heard() {
        let owners = Owners::default();
        let lane = LaneId::new(&ServiceName::new("cart"), 1);
        owners.hear(said(2, "b"));
        owners.hear(said(1, "a"));
        assert_eq!(owners.owner(&lane), Some(Owner { address: "b".into(), term: 2 }));
        owners.hear(said(3, "c"));
        assert_eq!(owners.owner(&lane), Some(Owner { address: "c".into(), term: 3 }));
    }

    #[test]
    fn an_announcement_of_nonsense_is_passed_over() {
        Owners::default().hear(Announcement { service: "No Service".into(), lane: 0, address: "x".into(), term: 9 });
    }
}
