//! Bearer tokens: JWT signed with EdDSA, checked once and remembered until they expire.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use feira_ids::{PrincipalKind, Role, TenantId};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use lru::LruCache;
use serde::{Deserialize, Serialize};

use super::Caller;

/// No honest token is longer.
const TOKEN_BYTES_MAX: usize = 4096;
/// How many verified tokens are remembered.
const REMEMBERED_MAX: usize = 8192;

/// A public key that tokens are signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicKey {
    /// Its name in a token's header.
    pub kid: String,
    /// The Ed25519 public key in base64url, as `x` in a JWK.
    pub x: String,
}

/// Whose tokens are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifierConfig {
    /// Who signs them (`iss`).
    pub issuer: String,
    /// Whom they are for (`aud`).
    pub audience: String,
    /// The keys; several while one replaces another.
    pub keys: Vec<PublicKey>,
}

/// Why a token is refused. The caller learns no more than that it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The settings hold no usable key.
    #[error("key {0:?} is no Ed25519 public key in base64url")]
    BadKey(String),
    /// Not signed by a known key, for somebody else, or expired.
    #[error("the token is not valid or has expired")]
    Refused,
    /// Signed, but its claims make no caller.
    #[error("the token's claims make no caller: {0}")]
    Claims(&'static str),
}

/// The claims of a token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    pub roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cc: Option<String>,
    pub exp: u64,
    /// Written only: the library holds it, and `aud`, to what is expected, in every form that the standard has.
    #[serde(skip_deserializing)]
    pub iss: String,
    #[serde(skip_deserializing)]
    pub aud: String,
}

/// Checks tokens.
pub struct Verifier {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
    remembered: Mutex<LruCache<Box<str>, Arc<Caller>>>,
}

impl Verifier {
    /// A verifier for the tokens that `config` speaks of.
    ///
    /// # Errors
    /// [`TokenError::BadKey`].
    pub fn new(config: &VerifierConfig) -> Result<Self, TokenError> {
        let mut keys = HashMap::new();
        for key in &config.keys {
            let bytes = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &key.x);
            if !bytes.is_ok_and(|bytes| bytes.len() == 32) {
                return Err(TokenError::BadKey(key.kid.clone()));
            }
            let decoding = DecodingKey::from_ed_components(&key.x).map_err(|_| TokenError::BadKey(key.kid.clone()))?;
            keys.insert(key.kid.clone(), decoding);
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let remembered = LruCache::new(NonZeroUsize::new(REMEMBERED_MAX).expect("not zero"));
        Ok(Self { keys, validation, remembered: Mutex::new(remembered) })
    }

    /// The caller that `token` proves.
    ///
    /// # Errors
    /// [`TokenError::Refused`] or [`TokenError::Claims`].
    pub fn verify(&self, token: &str) -> Result<Arc<Caller>, TokenError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Refused);
        }
        let known = self.remembered.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned();
        if let Some(caller) = known {
            return if caller.expires_at_s > now { Ok(caller) } else { Err(TokenError::Refused) };
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Refused)?;
        let key = header.kid.as_deref().and_then(|kid| self.keys.get(kid)).ok_or(TokenError::Refused)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation).map_err(|_| TokenError::Refused)?;
        let caller = Arc::new(caller(claims.claims)?);
        // The library still takes a token in the second in which it ends.
        if caller.expires_at_s <= now {
            return Err(TokenError::Refused);
        }
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).put(token.into(), caller.clone());
        Ok(caller)
    }
}

/// Every role and its name in a token.
const ROLES: [(&str, Role); 6] = [
    ("consumer", Role::Consumer),
    ("agent", Role::Agent),
    ("admin", Role::Admin),
    ("analyst", Role::Analyst),
    ("operator", Role::Operator),
    ("service", Role::Service),
];

pub(super) fn role_name(role: Role) -> &'static str {
    ROLES.iter().find(|(_, known)| *known == role).map_or("", |(name, _)| name)
}

fn caller(claims: Claims) -> Result<Caller, TokenError> {
    let sub = claims.sub;
    if !(1..=128).contains(&sub.len()) || !sub.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(TokenError::Claims("sub is 1 to 128 printable characters"));
    }
    // A role of a later release opens nothing here.
    let roles: Vec<Role> =
        ROLES.iter().filter(|(name, _)| claims.roles.iter().any(|role| role == name)).map(|(_, role)| *role).collect();
    let tenant = match claims.tenant {
        Some(text) if text == TenantId::PLATFORM => return Err(TokenError::Claims("tenant is reserved")),
        Some(text) => Some(TenantId::new(text).map_err(|_| TokenError::Claims("tenant"))?),
        None => None,
    };
    let has = |role: Role| roles.contains(&role);
    let kind = match (&tenant, roles.len()) {
        (None, 1) if has(Role::Consumer) => PrincipalKind::Person,
        (None, 1) if has(Role::Operator) => PrincipalKind::Operator,
        (Some(_), 1) if has(Role::Service) => PrincipalKind::Service,
        (Some(_), 1..) if !has(Role::Consumer) && !has(Role::Operator) && !has(Role::Service) => PrincipalKind::Member,
        _ => return Err(TokenError::Claims("roles and tenant do not go together")),
    };
    let country = match (kind, claims.cc) {
        (PrincipalKind::Person, Some(cc)) if cc.len() == 2 && cc.bytes().all(|b| b.is_ascii_uppercase()) => {
            Some(cc.into())
        }
        (PrincipalKind::Person, _) => return Err(TokenError::Claims("cc is a person's country, two letters")),
        _ => None,
    };
    Ok(Caller { kind, sub: sub.into(), tenant, roles, country, expires_at_s: claims.exp })
}
