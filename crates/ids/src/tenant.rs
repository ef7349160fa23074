//! Who: the business a thing belongs to, and the caller.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One business. Lower-case letters, digits and hyphens, 1 to 63 of them, beginning with a letter or a digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>", into = "Arc<str>")]
pub struct TenantId(Arc<str>);

/// A text that cannot name a tenant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a tenant id is 1 to 63 lower-case letters, digits or hyphens, and does not begin with a hyphen")]
pub struct TenantIdError;

impl TenantId {
    /// The reserved tenant of what belongs to no business.
    pub const PLATFORM: &str = "platform";

    /// Checks `text`.
    ///
    /// # Errors
    /// [`TenantIdError`] when it has another form.
    pub fn new(text: impl Into<Arc<str>>) -> Result<Self, TenantIdError> {
        let text = text.into();
        let fits = (1..=63).contains(&text.len())
            && !text.starts_with('-')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(Self(text)) } else { Err(TenantIdError) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<Arc<str>> for TenantId {
    type Error = TenantIdError;

    fn try_from(text: Arc<str>) -> Result<Self, TenantIdError> {
        Self::new(text)
    }
}

impl From<TenantId> for Arc<str> {
    fn from(tenant: TenantId) -> Self {
        tenant.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A person who shops: named by the platform, of no tenant.
    Person,
    /// Someone, or some system, that acts for one business.
    Member,
    /// Someone who runs the platform.
    Operator,
    /// A part of the platform: a process manager, a timer.
    Service,
}

/// What a caller may do; which operations each role opens is one table (`docs/roles.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Shops: their own carts and orders.
    Consumer,
    /// Answers customers for a business.
    Agent,
    /// Sets a business up: its catalog, its people.
    Admin,
    /// Reads a business's figures.
    Analyst,
    /// Runs the platform.
    Operator,
    /// A part of the platform.
    Service,
}

/// The caller of a command or query, as its token or credential proves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Principal {
    /// What the caller is.
    pub kind: PrincipalKind,
    /// The caller's own id, unique within its kind.
    pub id: Arc<str>,
    /// The business the caller acts for; a person has none.
    pub tenant: Option<TenantId>,
    /// What the caller may do.
    pub roles: Vec<Role>,
}

impl Principal {
    /// Whether the caller has `role`.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

impl fmt::Display for Principal {
    /// `kind:id`, as written into events.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            PrincipalKind::Person => "person",
            PrincipalKind::Member => "member",
            PrincipalKind::Operator => "operator",
            PrincipalKind::Service => "service",
        };
        write!(f, "{kind}:{}", self.id)
    }
}
