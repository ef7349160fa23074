//! What is read of conversations, and what they must know of the catalog.

mod businesses;
mod contacts;
mod listed;
mod threads;

pub use businesses::BusinessRows;
pub use contacts::ContactRows;
pub use listed::ListedRows;
pub use threads::ThreadRows;
