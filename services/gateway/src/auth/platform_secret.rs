//! The secret behind business-scoped ids and cursors.
//!
//! It is kept as long as the data: with another secret every person would become a stranger to every business.

use std::fmt;
use std::path::Path;

use feira_ids::TenantId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::key_file;

/// Thirty-two bytes from which the platform's keyed hashes come.
#[derive(Clone)]
pub struct PlatformSecret {
    people: [u8; 32],
    cursors: [u8; 32],
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file cannot be read or made.
    #[error("the platform's secret could not be read or made in {folder}")]
    File {
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Not 64 hexadecimal digits.
    #[error("the platform's secret is 64 hexadecimal digits")]
    Malformed,
}

impl PlatformSecret {
    /// The secret in `folder`, made there where there is none.
    ///
    /// # Errors
    /// [`SecretError::File`] when the file cannot be read, written, or holds something else.
    pub fn load_or_create(folder: &Path) -> Result<Self, SecretError> {
        let made = key_file::load_or_create_secret(folder, "platform-secret");
        let bytes = made.map_err(|source| SecretError::File { folder: folder.display().to_string(), source })?;
        Ok(Self::from_bytes(&bytes))
    }

    /// The secret written as 64 hexadecimal digits, as settings carry it.
    ///
    /// # Errors
    /// [`SecretError::Malformed`].
    pub fn from_hex(text: &str) -> Result<Self, SecretError> {
        key_file::from_hex(text.trim()).map(|bytes| Self::from_bytes(&bytes)).ok_or(SecretError::Malformed)
    }

    /// The secret made of `bytes`.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self { people: keyed(bytes, &[b"people"]), cursors: keyed(bytes, &[b"cursors"]) }
    }

    /// The id under which `tenant` knows the person `sub` of `country`: the country and twenty digits.
    pub fn business_scoped_id(&self, tenant: &TenantId, sub: &str, country: &str) -> String {
        let hash = keyed(&self.people, &[tenant.as_str().as_bytes(), sub.as_bytes()]);
        let mut head = [0; 16];
        head.copy_from_slice(&hash[..16]);
        format!("{country}.{:020}", u128::from_be_bytes(head) % 100_000_000_000_000_000_000)
    }

    /// The seal on a cursor: whoever changes `parts` cannot make it again.
    pub(crate) fn cursor_seal(&self, parts: &[&[u8]]) -> [u8; 12] {
        let mut seal = [0; 12];
        seal.copy_from_slice(&keyed(&self.cursors, parts)[..12]);
        seal
    }
}

impl fmt::Debug for PlatformSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlatformSecret")
    }
}

/// HMAC-SHA256 over the parts, each preceded by its length so that no two lists collide.
fn keyed(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_businesses_know_one_person_by_two_ids() {
        let secret = PlatformSecret::from_bytes(&[7; 32]);
        let shops = ["feira-livre", "mumbai-bazaar"].map(|shop| TenantId::new(shop).unwrap());
        let ids = shops.clone().map(|shop| secret.business_scoped_id(&shop, "ana", "BR"));
        assert_ne!(ids[0], ids[1]);
        assert_eq!(ids[0], secret.business_scoped_id(&shops[0], "ana", "BR"));
        assert!(ids.iter().all(|id| id.starts_with("BR.") && id.len() == 23 && !id.contains("ana")));
    }

    #[test]
    fn the_secret_of_a_folder_stays() {
        let folder = tempfile::tempdir().unwrap();
        let shop = TenantId::new("feira-livre").unwrap();
        let first = PlatformSecret::load_or_create(folder.path()).unwrap();
        let again = PlatformSecret::load_or_create(folder.path()).unwrap();
        assert_eq!(first.business_scoped_id(&shop, "ana", "BR"), again.business_scoped_id(&shop, "ana", "BR"));
        std::fs::write(folder.path().join("platform-secret"), "not a secret").unwrap();
        assert!(matches!(PlatformSecret::load_or_create(folder.path()), Err(SecretError::File { .. })));
    }
}
