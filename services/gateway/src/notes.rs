//! What people write, sealed before it leaves the gateway and opened only for who may read it.

use std::sync::Arc;

use feira_events::Sealed;
use feira_ids::CommandId;
use feira_runtime::Chain;
use feira_sealing::{KeyError, Keyring, UnsealError};

use crate::auth::Scope;
use crate::error::ApiError;

/// The longest note.
pub(crate) const NOTE_CHARS_MAX: usize = 2_000;

/// A text as it can be read.
pub(crate) enum Note {
    Open(String),
    Erased,
}

pub(crate) struct Notes(Arc<dyn Keyring>);

impl Notes {
    pub(crate) fn new(keyring: Arc<dyn Keyring>) -> Self {
        Self(keyring)
    }

    /// Seals the note that a command writes, as [`Notes::seal_as`].
    pub(crate) async fn seal(
        &self,
        scope: &Scope,
        customer: &str,
        command: CommandId,
        text: &str,
    ) -> Result<Option<Sealed<String>>, ApiError> {
        self.seal_as(scope, customer, command, "note", text).await
    }

    /// Seals what a command says in `field` for a customer; none once the customer's key was destroyed. The same command
    /// with the same text gives the same bytes, so that a repeat is known as one, and with another text as a mistake.
    pub(crate) async fn seal_as(
        &self,
        scope: &Scope,
        customer: &str,
        command: CommandId,
        field: &str,
        text: &str,
    ) -> Result<Option<Sealed<String>>, ApiError> {
        let subject = format!("{}/{customer}", scope.tenant());
        match self.0.seal(&subject, command.event(0), field, text).await {
            Ok(sealed) => Ok(Some(sealed)),
            Err(KeyError::Erased) => Ok(None),
            Err(KeyError::BadSubject) => Err(ApiError::BadInput("no customer has such an id".to_owned())),
            Err(error @ KeyError::Unavailable { .. }) => {
                tracing::warn!(error = %Chain(&error), "the keyring did not answer");
                Err(ApiError::Unavailable)
            }
            Err(error @ (KeyError::Missing | KeyError::Damaged { .. })) => {
                Err(ApiError::internal("a text could not be sealed", &error))
            }
        }
    }

    /// Opens what was sealed.
    pub(crate) async fn open(&self, note: &Sealed<String>) -> Result<Note, ApiError> {
        match self.0.unseal(note).await {
            Ok(text) => Ok(Note::Open(text)),
            Err(UnsealError::Erased) => Ok(Note::Erased),
            Err(error @ UnsealError::Unavailable { .. }) => {
                tracing::warn!(error = %Chain(&error), "the keyring did not answer");
                Err(ApiError::Unavailable)
            }
            Err(error @ (UnsealError::NoKey | UnsealError::Damaged)) => {
                Err(ApiError::internal("a text could not be opened", &error))
            }
        }
    }
}
