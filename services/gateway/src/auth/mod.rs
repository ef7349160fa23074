//! Who calls: tokens, the keys they are signed with, and what a caller may reach.

mod dev_key;
mod key_file;
mod platform_secret;
mod scope;
mod verifier;

pub use dev_key::{DevKey, DevKeyError, Issue};
pub use key_file::load_or_create_secret;
pub use platform_secret::{PlatformSecret, SecretError};
pub use scope::{Caller, Holder, Scope};
pub use verifier::{PublicKey, TokenError, Verifier, VerifierConfig};
