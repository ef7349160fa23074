//! Personal content under its subject's key: who lacks the key sees that something is there, not what.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A `T` sealed with AES-256-GCM-SIV under the key of `subject`. Destroying that key erases it everywhere at once.
#[derive(Serialize, Deserialize)]
#[serde(bound = "", rename = "Sealed")]
pub struct Sealed<T> {
    /// Whose key, as the key store names it: `tenant/contact`.
    pub subject: Arc<str>,
    /// The 12 bytes of nonce: the first of SHA-256 over the event's id and the field's name.
    #[serde(with = "octets")]
    pub nonce: Vec<u8>,
    /// Ciphertext and tag.
    #[serde(with = "octets")]
    pub ciphertext: Vec<u8>,
    #[serde(skip)]
    content: PhantomData<fn() -> T>,
}

impl<T> Sealed<T> {
    /// Puts together what the cipher made. Only the sealing crate has a reason to call this.
    pub fn from_parts(subject: Arc<str>, nonce: [u8; 12], ciphertext: Vec<u8>) -> Self {
        Self { subject, nonce: nonce.to_vec(), ciphertext, content: PhantomData }
    }
}

impl<T> Clone for Sealed<T> {
    fn clone(&self) -> Self {
        let Self { subject, nonce, ciphertext, content: _ } = self;
        Self { subject: subject.clone(), nonce: nonce.clone(), ciphertext: ciphertext.clone(), content: PhantomData }
    }
}

impl<T> PartialEq for Sealed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.subject == other.subject && self.nonce == other.nonce && self.ciphertext == other.ciphertext
    }
}

impl<T> Eq for Sealed<T> {}

impl<T> fmt::Debug for Sealed<T> {
    /// Says how much is sealed and for whom, never what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes for {})", self.ciphertext.len(), self.subject)
    }
}

/// Bytes that are hex digits in texts meant for people and bytes elsewhere.
mod octets {
    use std::fmt;

    use serde::de::{Error, SeqAccess, Visitor};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&const_hex::encode(bytes))
        } else {
            serializer.serialize_bytes(bytes)
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Octets;

        impl<'de> Visitor<'de> for Octets {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes, or an even number of hexadecimal digits")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u8>, E> {
                let digit = |b: &u8| char::from(*b).to_digit(16).ok_or_else(|| E::custom("not a hexadecimal digit"));
                let pairs = text.as_bytes().chunks(2);
                pairs
                    .map(|pair| match pair {
                        [high, low] => Ok((digit(high)? * 16 + digit(low)?) as u8),
                        _ => Err(E::custom("an odd number of hexadecimal digits")),
                    })
                    .collect()
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = seq.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes)
            }
        }

        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Octets)
        } else {
            deserializer.deserialize_bytes(Octets)
        }
    }
}
