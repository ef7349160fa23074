//! What follows from carts and orders, and from what is done for them elsewhere.

mod order;

pub use order::{OrderProcess, OrderSource};
