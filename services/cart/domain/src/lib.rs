//! Carts and orders: what a customer means to buy from one business, and what becomes of it.
//!
//! Nothing here waits or reads a clock. Discounts are not here yet.

pub mod cart;
pub mod order;
pub mod processes;
