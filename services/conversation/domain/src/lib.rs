//! Conversations: businesses, their senders, contacts and templates, and the threads in which they talk to customers.
//!
//! Nothing here waits or reads a clock. What people write comes in sealed and stays so.

pub mod business;
pub mod contact;
pub mod processes;
pub mod sender;
pub mod template;
#[cfg(test)]
mod testing;
mod text;
pub mod thread;
