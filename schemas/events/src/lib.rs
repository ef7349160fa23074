//! What can be read on the logs: the envelope that every event carries, and the body of each event by service.
//!
//! These types are a public contract. Fields are added with a default, never renamed, removed or given another
//! meaning; a new meaning is a new event. The Avro schemas beside this crate say the same to every other language.

pub mod billing;
pub mod cart;
pub mod catalog;
pub mod conversation;
pub mod lane;
mod meta;
pub mod order;
pub mod payments;
mod sealed;
pub mod stock;

pub use meta::{FactPosition, Meta};
pub use sealed::Sealed;
