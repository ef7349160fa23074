//! A subject's key, and why there may be none.

use std::error::Error;
use std::fmt;

use zeroize::Zeroize;

/// The longest name of a subject, in bytes.
pub const SUBJECT_BYTES_MAX: usize = 512;

/// 256 bits that seal what belongs to one subject.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// Why a keyring gave no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It was destroyed, and with it all that it sealed.
    #[error("the key was destroyed")]
    Erased,
    /// There never was one, as far as this keyring knows: restore the keys that belong to this log.
    #[error("the keyring has no key for this subject: restore the keys that belong to this log")]
    Missing,
    /// The name of the subject cannot be used.
    #[error("a subject is named with 1 to {SUBJECT_BYTES_MAX} bytes")]
    BadSubject,
    /// The key is there and cannot be read: restore it.
    #[error("a stored key cannot be read, restore it: {reason}")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// The keyring does not answer now; it may later.
    #[error("the keyring is not available: {what}")]
    Unavailable {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl Key {
    /// A new one, from the system's randomness.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`] when the system gives none.
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| KeyError::Unavailable {
            what: "ask the system for randomness".into(),
            source: Some(error.to_string().into()),
        })?;
        Ok(Self(bytes))
    }

    /// The key that was stored as `bytes`; nothing when they are not 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for whoever stores them.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    /// Says that it is a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Whether `subject` can have a key.
///
/// # Errors
/// [`KeyError::BadSubject`] when it is empty or too long.
pub fn check_subject(subject: &str) -> Result<(), KeyError> {
    if (1..=SUBJECT_BYTES_MAX).contains(&subject.len()) { Ok(()) } else { Err(KeyError::BadSubject) }
}
