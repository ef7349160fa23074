//! Billing: what a business used in a month, what that comes to, and its invoices.
//!
//! Nothing here waits or reads a clock. Usage is entered once, priced by a pure function from a rate card, and issued
//! in invoices that never change. Subscriptions, campaigns, credit notes and taxes are not here yet.

pub mod hash;
pub mod invoice;
pub mod month;
pub mod processes;
pub mod rate_card;
pub mod rating;
pub mod usage;
