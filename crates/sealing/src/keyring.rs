//! The trait of whatever keeps keys, and sealing and opening with it.

use std::error::Error;

use async_trait::async_trait;
use feira_events::Sealed;
use feira_ids::EventId;

use crate::cipher;
use crate::{Key, KeyError};

/// Keys by subject.
///
/// A subject has one key for ever, whoever asks first; once destroyed it has none for ever.
#[async_trait]
pub trait Keyring: Send + Sync + 'static {
    /// The key of `subject`, made where there is none.
    ///
    /// # Errors
    /// [`KeyError::Erased`] once it was destroyed; otherwise as its variants say, never [`KeyError::Missing`].
    async fn key(&self, subject: &str) -> Result<Key, KeyError>;

    /// The key of `subject`, if there is one.
    ///
    /// # Errors
    /// [`KeyError::Erased`] once it was destroyed, [`KeyError::Missing`] when there never was one.
    async fn existing(&self, subject: &str) -> Result<Key, KeyError>;

    /// Destroys the key of `subject`, whether there is one or not. Another process may still open what that key sealed
    /// for [`KeyCache::AGE_MAX`](crate::KeyCache::AGE_MAX).
    ///
    /// # Errors
    /// When it could not be made sure; ask again.
    async fn destroy(&self, subject: &str) -> Result<(), KeyError>;

    /// Seals `content`, which stands in `field` of `event`, for `subject`. The same gives the same bytes.
    ///
    /// # Errors
    /// As [`Keyring::key`].
    async fn seal(
        &self,
        subject: &str,
        event: EventId,
        field: &str,
        content: &str,
    ) -> Result<Sealed<String>, KeyError> {
        let key = self.key(subject).await?;
        let nonce = cipher::nonce(event, field);
        let ciphertext = cipher::encrypt(&key, subject, &nonce, content.as_bytes())
            .expect("a text in memory is shorter than the cipher's limit of 64 GiB");
        Ok(Sealed::from_parts(subject.into(), nonce, ciphertext))
    }

    /// Opens what was sealed.
    ///
    /// # Errors
    /// As the variants of [`UnsealError`] say.
    async fn unseal(&self, sealed: &Sealed<String>) -> Result<String, UnsealError> {
        let nonce = sealed.nonce.as_slice().try_into().map_err(|_| UnsealError::Damaged)?;
        let key = self.existing(&sealed.subject).await?;
        let content = cipher::decrypt(&key, &sealed.subject, nonce, &sealed.ciphertext).ok_or(UnsealError::Damaged)?;
        String::from_utf8(content).map_err(|_| UnsealError::Damaged)
    }
}

/// Why something sealed did not open.
#[derive(Debug, thiserror::Error)]
pub enum UnsealError {
    /// Its key was destroyed: show that there was something and that it is erased.
    #[error("the content was erased")]
    Erased,
    /// The keyring has no key for the subject, though something is sealed for it: restore the keys of this log.
    #[error("the keyring has no key for what was sealed: restore the keys that belong to this log")]
    NoKey,
    /// It was changed, or sealed with another key or for another subject; or the key itself cannot be read.
    #[error("the sealed content does not open with its subject's key")]
    Damaged,
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

impl From<KeyError> for UnsealError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Erased => Self::Erased,
            KeyError::Missing => Self::NoKey,
            // Nothing was ever sealed for a subject that cannot be named.
            KeyError::Damaged { .. } | KeyError::BadSubject => Self::Damaged,
            KeyError::Unavailable { what, source } => Self::Unavailable { what, source },
        }
    }
}
