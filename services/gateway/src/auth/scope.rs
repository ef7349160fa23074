//! What a caller may reach: one business, and in it what their roles open. Every read and every command passes here.
//!
//! A [`Scope`] is made in one place, from a verified caller and the business addressed; reads and commands take nothing
//! else, so that no resolver can name another tenant.

use std::sync::Arc;

use feira_ids::{AggregateId, Principal, PrincipalKind, Role, TenantId};

use super::PlatformSecret;
use crate::error::ApiError;

/// Who calls, as a token proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What the caller is.
    pub kind: PrincipalKind,
    /// The caller's own id. A person's is never shown to a business.
    pub sub: Arc<str>,
    /// The business the caller acts for; a person and an operator have none.
    pub tenant: Option<TenantId>,
    /// What the caller may do.
    pub roles: Vec<Role>,
    /// A person's country.
    pub country: Option<Arc<str>>,
    /// When the token ends, seconds since 1970.
    pub expires_at_s: u64,
}

/// A caller within one business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    tenant: TenantId,
    principal: Principal,
}

/// Who may read products.
const CATALOG_READERS: &[Role] = &[Role::Consumer, Role::Agent, Role::Admin, Role::Analyst, Role::Service];
/// Who may read carts. A consumer only their own.
const CART_READERS: &[Role] = &[Role::Consumer, Role::Agent, Role::Admin, Role::Service];

impl Caller {
    /// This caller within `business`; within their own when none is named.
    ///
    /// # Errors
    /// Forbidden for a business that is not the caller's; bad input when a person names none.
    pub fn scope(&self, business: Option<&str>, secret: &PlatformSecret) -> Result<Scope, ApiError> {
        let tenant = match (self.kind, &self.tenant, business) {
            (PrincipalKind::Member | PrincipalKind::Service, Some(own), None) => own.clone(),
            (PrincipalKind::Member | PrincipalKind::Service, Some(own), Some(named)) if own.as_str() == named => {
                own.clone()
            }
            (PrincipalKind::Person, _, Some(TenantId::PLATFORM)) => return Err(ApiError::Forbidden),
            (PrincipalKind::Person, _, Some(named)) => {
                TenantId::new(named).map_err(|error| ApiError::BadInput(error.to_string()))?
            }
            (PrincipalKind::Person, _, None) => {
                return Err(ApiError::BadInput("name the business: a person belongs to none".to_owned()));
            }
            (PrincipalKind::Member | PrincipalKind::Service | PrincipalKind::Operator, _, _) => {
                return Err(ApiError::Forbidden);
            }
        };
        let id = match (self.kind, &self.country) {
            (PrincipalKind::Person, Some(country)) => secret.business_scoped_id(&tenant, &self.sub, country).into(),
            (PrincipalKind::Person, None) => return Err(ApiError::Forbidden),
            (PrincipalKind::Member | PrincipalKind::Service | PrincipalKind::Operator, _) => self.sub.clone(),
        };
        let principal = Principal { kind: self.kind, id, tenant: Some(tenant.clone()), roles: self.roles.clone() };
        Ok(Scope { tenant, principal })
    }

    /// Whether the caller has `role`.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

impl Scope {
    /// The business.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// The caller as this business knows them.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whose cart is meant: a consumer's own; for others the customer named.
    ///
    /// # Errors
    /// Forbidden for somebody else's cart or without a role that reads carts; bad input when none is named.
    pub fn customer(&self, named: Option<&str>) -> Result<Arc<str>, ApiError> {
        self.require(CART_READERS)?;
        match (self.principal.kind, named) {
            (PrincipalKind::Person, None) => Ok(self.principal.id.clone()),
            (PrincipalKind::Person, Some(named)) if *named == *self.principal.id => Ok(self.principal.id.clone()),
            (PrincipalKind::Person, Some(_)) => Err(ApiError::Forbidden),
            (_, Some(named)) if AggregateId::new("cart", named).is_ok() => Ok(named.into()),
            (_, Some(_)) => Err(ApiError::BadInput("name the customer by the id that the business knows".to_owned())),
            (_, None) => Err(ApiError::BadInput("name the customer whose cart is meant".to_owned())),
        }
    }

    /// Refuses who may not read products.
    ///
    /// # Errors
    /// Forbidden.
    pub fn reads_catalog(&self) -> Result<(), ApiError> {
        self.require(CATALOG_READERS)
    }

    /// Refuses who may not ask for `operation` of `feira_commands::OPERATIONS`. The owner of the lane checks it again.
    ///
    /// # Errors
    /// Forbidden.
    pub fn may(&self, operation: &str) -> Result<(), ApiError> {
        self.require(feira_commands::operation(operation).map_or(&[], |operation| operation.roles))
    }

    fn require(&self, roles: &[Role]) -> Result<(), ApiError> {
        if roles.iter().any(|role| self.principal.has(*role)) { Ok(()) } else { Err(ApiError::Forbidden) }
    }
}
