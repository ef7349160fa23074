//! Who is said to own which lane of the carts, followed on the topic where owners announce themselves.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::Message;
use rdkafka::consumer::Consumer;
use rdkafka::{Offset, TopicPartitionList};
use serde::Deserialize;

use crate::topics::consumer;

/// An announcement, as far as it is looked at.
#[derive(Deserialize)]
struct Said {
    service: String,
    lane: u32,
    address: String,
    term: u64,
}

/// The latest announcements: address and term by lane.
pub struct Owners {
    latest: Arc<Mutex<HashMap<u32, (String, u64)>>>,
    stop: Arc<AtomicBool>,
    following: Option<JoinHandle<()>>,
}

impl Owners {
    /// Begins to follow; `lanes` is how many partitions the topic has.
    pub fn follow(brokers: &str, prefix: &str, lanes: u32) -> Self {
        let (latest, stop) = (Arc::<Mutex<HashMap<u32, (String, u64)>>>::default(), Arc::<AtomicBool>::default());
        let reading = consumer(brokers, "read_committed");
        let mut places = TopicPartitionList::new();
        for partition in 0..lanes {
            let topic = format!("{prefix}lanes.v1");
            places.add_partition_offset(&topic, partition as i32, Offset::Beginning).expect("a beginning is a place");
        }
        reading.assign(&places).expect("partitions are assigned");
        let (heard, ended) = (latest.clone(), stop.clone());
        let following = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let Some(Ok(message)) = reading.poll(Duration::from_millis(50)) else { continue };
                let Some(said) = message.payload().and_then(|value| serde_json::from_slice::<Said>(value).ok()) else {
                    continue;
                };
                if said.service == "cart" {
                    let mut latest = heard.lock().unwrap_or_else(PoisonError::into_inner);
                    latest.insert(said.lane, (said.address, said.term));
                }
            }
        });
        Self { latest, stop, following: Some(following) }
    }

    /// The owner's address and term.
    pub fn of(&self, lane: u32) -> Option<(String, u64)> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).get(&lane).cloned()
    }

    /// The lanes whose owner is at `address`.
    pub fn lanes_of(&self, address: &str) -> Vec<u32> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lanes: Vec<u32> =
            latest.iter().filter(|(_, (owner, _))| owner == address).map(|(lane, _)| *lane).collect();
        lanes.sort_unstable();
        lanes
    }
}

impl Drop for Owners {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(following) = self.following.take() {
            // It has nothing to tell when it ends.
            let _ = following.join();
        }
    }
}
