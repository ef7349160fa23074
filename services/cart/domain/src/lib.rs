//! Carts: what a customer means to buy from one business.
//!
//! Nothing here waits or reads a clock. Discounts, checkout and orders are not here yet.

pub mod cart;
