//! What services can be asked and what they answer: inputs, views, and who may ask what.
//!
//! Services and the gateway meet here and nowhere else. Inputs and views travel as JSON, so that an older reader passes
//! over what a newer writer added; fields are added with a default, never renamed or removed. The fingerprint of a
//! command covers its input as encoded here: field order is part of it.

pub mod billing;
pub mod cart;
pub mod catalog;
pub mod conversation;
mod operation;
pub mod order;
pub mod payments;
pub mod stock;

pub use operation::{OPERATIONS, Operation, Reach, operation};
