//! What stock remembers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The stock of a product as its events add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// How many units there are, reserved ones included; none when nobody counts them.
    pub on_hand: Option<i64>,
    /// What is put aside, by order.
    pub reserved: BTreeMap<Arc<str>, Reservation>,
}

/// Units put aside for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// How many.
    pub quantity: i32,
    /// Until when, milliseconds since 1970.
    pub until: i64,
}

impl State {
    /// How many units are put aside.
    pub fn reserved(&self) -> i64 {
        self.reserved.values().map(|reservation| i64::from(reservation.quantity)).sum()
    }

    /// How many can still be put aside; none when nobody counts them.
    pub fn available(&self) -> Option<i64> {
        // A business may find fewer than it has promised: then nothing more is to be had, but nothing is owed here.
        self.on_hand.map(|on_hand| (on_hand - self.reserved()).max(0))
    }
}
