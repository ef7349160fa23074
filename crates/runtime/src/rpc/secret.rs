//! What processes of the platform share, and what they prove with it: who connects, and whose command it is.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Command;
use crate::clock::wall_ms;

/// The fewest bytes of a secret.
const SECRET_BYTES_MIN: usize = 32;
/// How long a pass is good for.
const PASS_MS: i64 = 5 * 60 * 1000;
/// How far the clocks of two machines may be apart.
const SKEW_MS: i64 = 60 * 1000;

/// The secret that the processes of one platform share.
#[derive(Clone)]
pub struct Secret(Arc<[u8]>);

/// A secret that can be guessed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret has at least {SECRET_BYTES_MIN} bytes; make one with `openssl rand -hex 32`")]
pub struct SecretError;

/// Why a pass is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassFault {
    /// It is no pass.
    #[error("the pass cannot be read")]
    Unreadable,
    /// It was made with another secret.
    #[error("the pass was made with another secret")]
    Forged,
    /// Its time is over, or has not come.
    #[error("the pass is not of this time; see to the machine's clock")]
    Expired,
}

impl Secret {
    /// Takes the bytes that the configuration has.
    ///
    /// # Errors
    /// [`SecretError`] when there are too few.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        let bytes = bytes.into();
        if bytes.len() < SECRET_BYTES_MIN { Err(SecretError) } else { Ok(Self(bytes.into())) }
    }

    /// A pass to connect with: `1.<good until>.<proof>`.
    pub(crate) fn pass(&self) -> String {
        self.pass_until(wall_ms() + PASS_MS)
    }

    pub(crate) fn pass_until(&self, until_ms: i64) -> String {
        let proof = self.mac(&[b"pass", until_ms.to_string().as_bytes()]).finalize().into_bytes();
        format!("1.{until_ms}.{}", const_hex::encode(proof))
    }

    /// Checks a pass.
    pub(crate) fn admit(&self, pass: &str, now_ms: i64) -> Result<(), PassFault> {
        let mut parts = pass.splitn(3, '.');
        let (Some("1"), Some(until), Some(proof)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(PassFault::Unreadable);
        };
        let until_ms: i64 = until.parse().map_err(|_| PassFault::Unreadable)?;
        let proof = unhex(proof).ok_or(PassFault::Unreadable)?;
        self.mac(&[b"pass", until.as_bytes()]).verify_slice(&proof).map_err(|_| PassFault::Forged)?;
        let good = (now_ms - SKEW_MS)..=(now_ms + PASS_MS + SKEW_MS);
        if good.contains(&until_ms) { Ok(()) } else { Err(PassFault::Expired) }
    }

    /// The proof that a process of the platform sends `command` for its principal.
    pub(crate) fn vouch(&self, command: &Command) -> [u8; 32] {
        self.voucher(command).finalize().into_bytes().into()
    }

    /// Whether `proof` is the one of `command`.
    pub(crate) fn vouched(&self, command: &Command, proof: &[u8; 32]) -> bool {
        self.voucher(command).verify_slice(proof).is_ok()
    }

    /// It covers all of the command: an expected version or a cause that was changed on the way would change what is
    /// decided, or what is said of it for ever.
    fn voucher(&self, command: &Command) -> Hmac<Sha256> {
        let whole = postcard::to_stdvec(command).expect("a command is texts, numbers and bytes");
        self.mac(&[b"command", &whole])
    }

    /// A MAC over parts, each behind its length so that no two lists are alike.
    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length is taken");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.as_bytes().chunks_exact(2).map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8)).collect()
}

#[cfg(test)]
mod tests {
    use feira_commands::cart::Input;

    use super::*;
    use crate::suite::command;

    fn secret(byte: u8) -> Secret {
        Secret::new([byte; 32]).unwrap()
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert_eq!(Secret::new([7; 31]).unwrap_err(), SecretError);
    }

    #[test]
    fn a_pass_is_good_for_its_time_and_its_secret() {
        let pass = secret(1).pass_until(1_000_000);
        assert_eq!(secret(1).admit(&pass, 1_000_000), Ok(()));
        assert_eq!(secret(1).admit(&pass, 1_000_000 + SKEW_MS + 1), Err(PassFault::Expired));
        assert_eq!(secret(1).admit(&pass, 1_000_000 - PASS_MS - SKEW_MS - 1), Err(PassFault::Expired));
        assert_eq!(secret(2).admit(&pass, 1_000_000), Err(PassFault::Forged));
        let later = pass.replace("1000000", "9000000");
        assert_eq!(secret(1).admit(&later, 9_000_000), Err(PassFault::Forged));
        for garbled in ["", "1", "1.2", "1.x.00", "2.1000000.00", "1.1000000.0", "1.1000000.zz"] {
            assert_eq!(secret(1).admit(garbled, 1_000_000), Err(PassFault::Unreadable), "{garbled:?}");
        }
    }

    #[test]
    fn a_command_is_vouched_for_with_all_that_decides_who_may() {
        let asked = command("BR.1", Input::Undo { edit: None }, "k1");
        let proof = secret(1).vouch(&asked);
        assert!(secret(1).vouched(&asked, &proof));
        assert!(!secret(2).vouched(&asked, &proof));
        let mut other = asked.clone();
        other.principal.roles.push(feira_ids::Role::Operator);
        assert!(!secret(1).vouched(&other, &proof));
        let mut other = asked.clone();
        other.aggregate = feira_ids::AggregateId::new("cart", "BR.2").unwrap();
        assert!(!secret(1).vouched(&other, &proof));
        let mut other = asked.clone();
        other.clock_offset_ms = 1;
        assert!(!secret(1).vouched(&other, &proof));
    }
}
