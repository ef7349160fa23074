//! What an order remembers.

use std::collections::BTreeSet;
use std::sync::Arc;

use feira_money::Amount;
use serde::{Deserialize, Serialize};

use super::{OrderStatus, PaymentStatus, Terms};

/// An order as its events add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What is bought by whom; none before it was placed.
    pub terms: Option<Terms>,
    /// Where it stands.
    pub status: OrderStatus,
    /// How its payment stands.
    pub payment: PaymentStatus,
    /// The products whose units are put aside.
    pub held: BTreeSet<Arc<str>>,
    /// The products whose units were taken from stock.
    pub taken: BTreeSet<Arc<str>>,
    /// What was paid.
    pub paid: Option<Amount>,
    /// What was given back.
    pub refunded: Option<Amount>,
    /// Why it is off.
    pub off: Option<Off>,
}

/// Why an order is off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Off {
    /// As a stable code.
    pub code: Arc<str>,
    /// In words.
    pub message: Arc<str>,
}

impl State {
    /// Whether units may still be put aside for it and it may still be paid.
    pub fn is_open(&self) -> bool {
        self.status == OrderStatus::Placed && self.paid.is_none()
    }
}
