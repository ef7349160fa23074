//! A signing key for development, kept in the data folder, and the tokens made with it.
//!
//! Whoever can read the folder can sign as anybody: such a key is refused when listening elsewhere than on this machine.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use feira_ids::{Role, TenantId};
use jsonwebtoken::{Algorithm, EncodingKey, Header};

use super::verifier::Claims;
use super::{PublicKey, VerifierConfig, key_file};

/// Who signs development tokens.
const ISSUER: &str = "feira-development";
/// Whom tokens are for.
const AUDIENCE: &str = "feira";
/// The name of the key in a token's header.
const KEY_ID: &str = "development";

/// What precedes the seed in a PKCS #8 file of an Ed25519 key. Source: RFC 8410, section 7.
const PKCS8_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A signing key for development.
pub struct DevKey {
    signing: EncodingKey,
    public: [u8; 32],
}

/// What a token says.
#[derive(Clone, Debug)]
pub struct Issue<'a> {
    /// Who: a person's or member's own id.
    pub sub: &'a str,
    /// The business acted for; none for a person and an operator.
    pub tenant: Option<&'a TenantId>,
    /// What may be done.
    pub roles: &'a [Role],
    /// A person's country, two letters.
    pub country: Option<&'a str>,
    /// How long it is good.
    pub valid_for: Duration,
}

/// Why a development key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DevKeyError {
    /// The file cannot be read or made.
    #[error("the development key could not be read or made in {folder}")]
    File {
        /// The folder.
        folder: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The gateway would be reachable from other machines.
    #[error("a development key is for 127.0.0.1 only, not for {0}: give the gateway the public keys of your issuer")]
    NotLoopback(SocketAddr),
    /// The token could not be signed.
    #[error("the token could not be signed")]
    Sign(#[source] jsonwebtoken::errors::Error),
}

impl DevKey {
    /// The key in `folder`, made there where there is none.
    ///
    /// # Errors
    /// [`DevKeyError::File`] when the file cannot be read, written, or holds something else.
    pub fn load_or_create(folder: &Path) -> Result<Self, DevKeyError> {
        let made = key_file::load_or_create_secret(folder, "development-key");
        let seed = made.map_err(|source| DevKeyError::File { folder: folder.display().to_string(), source })?;
        Ok(Self::from_seed(&seed))
    }

    /// The key that `seed` makes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let public = SigningKey::from_bytes(seed).verifying_key().to_bytes();
        let der = [PKCS8_HEAD.as_slice(), seed].concat();
        Self { signing: EncodingKey::from_ed_der(&der), public }
    }

    /// Signs a token.
    ///
    /// # Errors
    /// [`DevKeyError::Sign`].
    pub fn issue(&self, issue: &Issue<'_>) -> Result<String, DevKeyError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let claims = Claims {
            sub: issue.sub.to_owned(),
            tenant: issue.tenant.map(ToString::to_string),
            roles: issue.roles.iter().map(|role| super::verifier::role_name(*role).to_owned()).collect(),
            cc: issue.country.map(ToOwned::to_owned),
            exp: (now + issue.valid_for).as_secs(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
        };
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &self.signing).map_err(DevKeyError::Sign)
    }

    /// What a verifier must know to accept this key's tokens on `listen`.
    ///
    /// # Errors
    /// [`DevKeyError::NotLoopback`] when `listen` can be reached from other machines.
    pub fn verifier_config(&self, listen: SocketAddr) -> Result<VerifierConfig, DevKeyError> {
        if !listen.ip().is_loopback() {
            return Err(DevKeyError::NotLoopback(listen));
        }
        let key = PublicKey { kid: KEY_ID.to_owned(), x: URL_SAFE_NO_PAD.encode(self.public) };
        Ok(VerifierConfig { issuer: ISSUER.to_owned(), audience: AUDIENCE.to_owned(), keys: vec![key] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_development_key_is_refused_elsewhere_than_on_this_machine() {
        let key = DevKey::from_seed(&[1; 32]);
        assert!(key.verifier_config("127.0.0.1:8080".parse().unwrap()).is_ok());
        assert!(key.verifier_config("[::1]:8080".parse().unwrap()).is_ok());
        for listen in ["0.0.0.0:8080", "192.168.0.9:8080", "[::]:8080"] {
            assert!(matches!(key.verifier_config(listen.parse().unwrap()), Err(DevKeyError::NotLoopback(_))));
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        DevKey::load_or_create(folder.path()).unwrap();
        let mode = std::fs::metadata(folder.path().join("development-key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
