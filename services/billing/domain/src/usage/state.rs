//! What a month's usage remembers: how much it is, and what was heard of each lane.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hash::Fingerprint;

/// How many of a lane's latest places are remembered one by one. So many items may overtake another on their way.
pub const WINDOW: usize = 64;

/// A month's usage as its events add up. The items themselves stand on the log and in rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// How many items.
    pub count: i64,
    /// Their fingerprint.
    pub fingerprint: Fingerprint,
    /// What was heard, by source lane.
    pub heard: BTreeMap<Arc<str>, Heard>,
}

/// What was heard of one lane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Everything up to here is taken to be heard.
    pub floor: i64,
    /// The places heard above it.
    pub recent: BTreeSet<i64>,
}

impl Heard {
    /// Whether the item at `seq` was heard.
    pub fn has(&self, seq: i64) -> bool {
        seq <= self.floor || self.recent.contains(&seq)
    }

    pub(super) fn hear(&mut self, seq: i64) {
        if !self.has(seq) {
            self.recent.insert(seq);
        }
        if self.recent.len() > WINDOW {
            self.floor = self.recent.pop_first().unwrap_or(self.floor);
        }
    }
}
