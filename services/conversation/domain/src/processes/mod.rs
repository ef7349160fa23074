//! What follows from events of conversations.

mod contacts;

pub use contacts::ContactsProcess;
