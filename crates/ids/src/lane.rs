//! Lanes: one partition of one service's events, and which aggregate falls into which.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::{AggregateId, TenantId};

/// How many slots keys are hashed into. Lanes divide the slots, so their number is a power of two up to this one.
pub const SLOTS: u32 = 1024;

/// A service's name, as in topics and routes: `catalog`, `cart`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceName(Arc<str>);

impl ServiceName {
    /// Names a service; the name is written into topics, so it is lower-case ASCII letters only.
    ///
    /// # Panics
    /// When the name has another form: services are named in the program, not by users.
    pub fn new(name: &str) -> Self {
        assert!(
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase()),
            "a service is named by lower-case letters, not {name:?}"
        );
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One lane: a service and the number of its partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LaneId {
    /// The service that owns the events.
    pub service: ServiceName,
    /// The partition, from 0.
    pub index: u32,
}

impl LaneId {
    /// Lane `index` of `service`.
    pub fn new(service: &ServiceName, index: u32) -> Self {
        Self { service: service.clone(), index }
    }
}

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.index)
    }
}

/// The slot of an aggregate: xxh3 of tenant, a zero byte, and the aggregate's id as text, modulo [`SLOTS`].
pub fn slot(tenant: &TenantId, aggregate: &AggregateId) -> u32 {
    let mut hash = Xxh3::new();
    hash.update(tenant.as_str().as_bytes());
    hash.update(&[0]);
    hash.update(aggregate.as_str().as_bytes());
    (hash.digest() % u64::from(SLOTS)) as u32
}

/// The lane, of `lanes` there are, that serves an aggregate.
///
/// The id of a ledger shard carries its lane: `shard:3` is served by lane 3 for ever, also when lanes are added. One that
/// there is no lane for goes where its hash says, where it is refused.
pub fn lane_of(tenant: &TenantId, aggregate: &AggregateId, lanes: u32) -> u32 {
    let carried = (aggregate.kind_name() == "shard").then(|| aggregate.key().parse().ok()).flatten();
    carried.filter(|lane| *lane < lanes).unwrap_or_else(|| slot(tenant, aggregate) % lanes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_never_move() {
        // These values place stored events: they may be added to, never changed.
        let shop = TenantId::new("feira-livre").unwrap();
        let slots =
            ["cart:BR.1", "cart:BR.2", "product:CAFE-250"].map(|id| slot(&shop, &AggregateId::parse(id).unwrap()));
        assert_eq!(slots, [148, 777, 291]);
    }

    #[test]
    fn a_shard_is_served_by_the_lane_it_names() {
        let platform = TenantId::new(TenantId::PLATFORM).unwrap();
        let shard = |key: &str| AggregateId::new("shard", key).unwrap();
        for lanes in [4, 8] {
            assert_eq!(["0", "3"].map(|key| lane_of(&platform, &shard(key), lanes)), [0, 3]);
            for none in ["99", "-1", "x"] {
                assert_eq!(lane_of(&platform, &shard(none), lanes), slot(&platform, &shard(none)) % lanes);
            }
        }
    }

    #[test]
    fn doubling_the_lanes_splits_each_in_two() {
        let shop = TenantId::new("feira-livre").unwrap();
        for i in 0..500 {
            let cart = AggregateId::new("cart", &format!("BR.{i}")).unwrap();
            let (four, eight) = (lane_of(&shop, &cart, 4), lane_of(&shop, &cart, 8));
            assert!(eight == four || eight == four + 4);
        }
    }
}
