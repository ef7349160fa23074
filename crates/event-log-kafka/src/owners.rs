//! Who is said to own which lane, followed in the background from the topic where owners announce themselves.

use std::collections::HashMap;
use std::mem::replace;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use feira_event_log::{LogError, Owner, OwnerHints};
use feira_ids::{LaneId, ServiceName};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};

use crate::failure::{Told, unavailable};
use crate::log::Shared;
use crate::{close, reach};

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

/// Follows the topic of announcements, which has so many `partitions`, into `owners` for as long as anybody has them.
pub(crate) fn follow(shared: &Arc<Shared>, partitions: u32, owners: &Arc<Owners>) -> Result<(), LogError> {
    follow_with(announced(shared, partitions)?, shared, partitions, owners)
}

fn follow_with(
    mut consumer: BaseConsumer<Told>,
    shared: &Arc<Shared>,
    partitions: u32,
    owners: &Arc<Owners>,
) -> Result<(), LogError> {
    let (shared, owners) = (shared.clone(), Arc::downgrade(owners));
    let following = move || {
        let mut heard = Instant::now();
        while let Some(owners) = owners.upgrade() {
            match consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => {
                    heard = Instant::now();
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
            if heard.elapsed() < reach::SILENCE {
                continue;
            }
            heard = Instant::now();
            if reach::is_cut_off(consumer.client(), &shared) {
                tracing::warn!("the client that follows lanes' owners has lost the cluster; made anew");
                match announced(&shared, partitions) {
                    Ok(anew) => close::within(Duration::ZERO, "a following client", replace(&mut consumer, anew)),
                    Err(error) => tracing::warn!("owners are not heard: {error}"),
                }
            }
        }
    };
    thread::Builder::new().name("kafka-owners".into()).spawn(following).map(drop).map_err(|error| {
        LogError::Unavailable { what: "a thread that follows lanes' owners".into(), source: Some(Box::new(error)) }
    })
}

/// A client that reads all that was announced.
fn announced(shared: &Shared, partitions: u32) -> Result<BaseConsumer<Told>, LogError> {
    let topic = shared.names.lanes();
    let failed = |error| unavailable(format!("a client that follows {topic}"), error);
    let mut reading = shared.config.reading(&shared.names);
    reading.set("queued.max.messages.kbytes", "256").set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer<Told> = reading.create_with_context(Told).map_err(failed)?;
    let mut places = TopicPartitionList::with_capacity(partitions as usize);
    for partition in 0..partitions {
        places.add_partition_offset(&topic, partition as i32, Offset::Beginning).map_err(failed)?;
    }
    consumer.assign(&places).map_err(failed)?;
    Ok(consumer)
}

#[cfg(test)]
mod tests {
    use feira_event_log::{EventLog, Resume};

    use super::*;
    use crate::reach::testing;

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

    #[test]
    fn a_follower_that_has_lost_the_cluster_begins_anew() {
        let log = testing::log();
        let cart = ServiceName::new("cart");
        let membership = log.join(&cart, "here").expect("a member");
        let mut taken = testing::comes(|| membership.take(0, Resume::START, &mut |_| Ok(()), &|| false).ok());
        taken.writer.confirm("here:1").expect("it is announced");
        let lost = testing::lost(&log.shared.config).reading(&log.shared.names).create_with_context(Told);
        let owners = Arc::new(Owners::default());
        follow_with(lost.expect("a client"), &log.shared, 1, &owners).expect("it is followed");
        let owner = testing::comes(|| owners.owner(&LaneId::new(&cart, 0)));
        assert_eq!(owner, Owner { address: "here:1".into(), term: taken.term });
    }
}
