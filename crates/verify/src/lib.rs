//! Proves from the log alone that it is whole, that its money adds up, and that the rows are what a replay gives.
//!
//! A position is pinned first, the last sequence of every lane, and everything is judged up to there while the platform
//! goes on. Nothing here shares code with what wrote the log but the decoder and the projections: sums are folded anew
//! from the events' own postings, usage is matched message by message, and every projection is replayed into a store in
//! memory and compared with the live one, row by row.
//!
//! A replay takes several passes when the log is long, each over a share of the rows that fits into memory
//! ([`Options::events_a_pass`]); what a pass keeps of the rest is 100 bytes or so for each event.

mod fault;
mod lanes;
mod ledger;
mod pin;
mod replay;
mod report;
mod run;
mod stock;
mod usage;

#[cfg(test)]
mod testing;

pub use fault::{Check, Fault, Place};
pub use report::{Counted, Report};
pub use run::{Options, Parts, Progress, VerifyError, verify};
