//! Personal content under its subject's key: sealed before it is written anywhere, erased by destroying the key.
//!
//! The same content of the same event always gives the same bytes, so that a rebuild makes what was there. Keys have
//! a store of their own and appear in no event, row, snapshot or log line.

mod cache;
mod cipher;
mod file;
mod key;
mod keyring;
pub mod suite;

pub use cache::KeyCache;
pub use cipher::{decrypt, encrypt, nonce};
pub use file::FileKeyring;
pub use key::{Key, KeyError, SUBJECT_BYTES_MAX, check_subject};
pub use keyring::{Keyring, UnsealError};
