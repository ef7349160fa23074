//! Ids of commands and events, derived so that a repeat is recognised.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Hash16, TenantId};

/// A command, for ever: the same id is decided once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(pub Hash16);

/// What a command asks for, hashed: the same id with another fingerprint is a mistake of the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub Hash16);

/// An event: UUID version 5 of its command's id and its place among the command's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub Hash16);

/// Whether `key` can serve as a client's idempotency key: 1 to 255 printable ASCII characters.
pub fn client_key_is_valid(key: &str) -> bool {
    (1..=255).contains(&key.len()) && key.bytes().all(|b| (0x20..0x7f).contains(&b))
}

impl CommandId {
    /// The id of what `principal` of `tenant` asks under `client_key`. `asked` names the operation and the aggregate, as
    /// in `cart.add_item BR.1`: lanes remember ids each for itself, so the same id must never reach two of them.
    pub fn derive(tenant: &TenantId, principal: &str, asked: &str, client_key: &str) -> Self {
        Self(sha256_16(&[tenant.as_str().as_bytes(), principal.as_bytes(), asked.as_bytes(), client_key.as_bytes()]))
    }

    /// The id of this command's event number `index`, counted from 0.
    pub fn event(self, index: u32) -> EventId {
        let namespace = Uuid::from_bytes(self.0.0);
        EventId(Hash16(Uuid::new_v5(&namespace, index.to_string().as_bytes()).into_bytes()))
    }
}

impl Fingerprint {
    /// The fingerprint of `operation` with the client's `input` as encoded.
    pub fn of(operation: &str, input: &[u8]) -> Self {
        Self(sha256_16(&[operation.as_bytes(), input]))
    }
}

impl EventId {
    /// The id as a UUID.
    pub fn uuid(self) -> Uuid {
        Uuid::from_bytes(self.0.0)
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid().fmt(f)
    }
}

/// The first 16 bytes of SHA-256 over the parts, each preceded by its length so that no two lists collide.
fn sha256_16(parts: &[&[u8]]) -> Hash16 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Hash16(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> TenantId {
        TenantId::new("feira-livre").unwrap()
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(CommandId::derive(&shop(), "ab", "c", "d"), CommandId::derive(&shop(), "a", "bc", "d"));
    }

    #[test]
    fn each_event_of_a_command_has_an_id_of_its_own() {
        let command = CommandId::derive(&shop(), "person:ana", "cartAdd", "k1");
        assert_ne!(command.event(0), command.event(1));
        assert_eq!(command.event(0).uuid().get_version_num(), 5);
    }
}
