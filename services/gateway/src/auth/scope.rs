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

/// A caller on the platform's ledger: a person for themselves, a member for their business.
///
/// Accounts stand beside each other there, whosever they are. A holder reads and asks only of what its owner has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    scope: Scope,
    owner: Arc<str>,
    country: Option<Arc<str>>,
}

/// Who may read products.
const CATALOG_READERS: &[Role] = &[Role::Consumer, Role::Agent, Role::Admin, Role::Analyst, Role::Service];
/// Who may read carts, orders and payments. A consumer only their own.
const CART_READERS: &[Role] = &[Role::Consumer, Role::Agent, Role::Admin, Role::Service];
/// Who may read what people write to each other. A consumer only their own thread.
const THREAD_READERS: &[Role] = &[Role::Consumer, Role::Agent, Role::Admin];
/// Who may read what a business is called and says of itself.
const PROFILE_READERS: &[Role] = &[Role::Consumer, Role::Agent, Role::Admin, Role::Analyst, Role::Service];
/// Who may read the list of a business's orders.
const ORDER_READERS: &[Role] = &[Role::Agent, Role::Admin, Role::Service];
/// Who may read a business's invoices.
const INVOICE_READERS: &[Role] = &[Role::Admin, Role::Analyst, Role::Service];
/// Who may read an account: a person their own, and of a business who sees its figures.
const ACCOUNT_READERS: &[Role] = &[Role::Consumer, Role::Admin, Role::Analyst, Role::Service];

impl Caller {
    /// This caller within `business`; within their own when none is named.
    ///
    /// # Errors
    /// Forbidden for a business that is not the caller's; bad input when whoever belongs to none names none.
    pub fn scope(&self, business: Option<&str>, secret: &PlatformSecret) -> Result<Scope, ApiError> {
        let tenant = match (self.kind, &self.tenant, business) {
            (PrincipalKind::Member | PrincipalKind::Service, Some(own), None) => own.clone(),
            (PrincipalKind::Member | PrincipalKind::Service, Some(own), Some(named)) if own.as_str() == named => {
                own.clone()
            }
            (PrincipalKind::Person | PrincipalKind::Operator, _, Some(TenantId::PLATFORM)) => {
                return Err(ApiError::Forbidden);
            }
            (PrincipalKind::Person | PrincipalKind::Operator, _, Some(named)) => {
                TenantId::new(named).map_err(|error| ApiError::BadInput(error.to_string()))?
            }
            (PrincipalKind::Person | PrincipalKind::Operator, _, None) => {
                return Err(ApiError::BadInput("name the business: you belong to none".to_owned()));
            }
            (PrincipalKind::Member | PrincipalKind::Service, _, _) => return Err(ApiError::Forbidden),
        };
        let id = match (self.kind, &self.country) {
            (PrincipalKind::Person, Some(country)) => secret.business_scoped_id(&tenant, &self.sub, country).into(),
            (PrincipalKind::Person, None) => return Err(ApiError::Forbidden),
            (PrincipalKind::Member | PrincipalKind::Service | PrincipalKind::Operator, _) => self.sub.clone(),
        };
        let principal = Principal { kind: self.kind, id, tenant: Some(tenant.clone()), roles: self.roles.clone() };
        Ok(Scope { tenant, principal })
    }

    /// This caller on the platform's ledger.
    ///
    /// # Errors
    /// Forbidden for whoever holds no account.
    pub fn holder(&self) -> Result<Holder, ApiError> {
        let owner = match (self.kind, &self.tenant) {
            (PrincipalKind::Person, _) => format!("person/{}", self.sub),
            (PrincipalKind::Member | PrincipalKind::Service, Some(tenant)) => format!("biz/{tenant}"),
            (PrincipalKind::Member | PrincipalKind::Service | PrincipalKind::Operator, _) => {
                return Err(ApiError::Forbidden);
            }
        };
        let scope = self.on_platform()?;
        scope.require(ACCOUNT_READERS)?;
        Ok(Holder { scope, owner: owner.into(), country: self.country.clone() })
    }

    /// This caller as one who runs the platform, on its ledger.
    ///
    /// # Errors
    /// Forbidden for anyone else.
    pub fn operator(&self) -> Result<Scope, ApiError> {
        if self.kind == PrincipalKind::Operator { self.on_platform() } else { Err(ApiError::Forbidden) }
    }

    /// The caller among what is the platform's own, under their own id: no business is there to know them by another.
    fn on_platform(&self) -> Result<Scope, ApiError> {
        let tenant = TenantId::new(TenantId::PLATFORM)
            .map_err(|error| ApiError::internal("the platform's own tenant cannot be named", &error))?;
        let (id, own) = (self.sub.clone(), self.tenant.clone());
        Ok(Scope { tenant, principal: Principal { kind: self.kind, id, tenant: own, roles: self.roles.clone() } })
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
        self.customer_named(named)
    }

    /// Whose thread is meant, as [`Scope::customer`] for carts.
    ///
    /// # Errors
    /// Forbidden for somebody else's thread or without a role that reads threads; bad input when none is named.
    pub fn correspondent(&self, named: Option<&str>) -> Result<Arc<str>, ApiError> {
        self.require(THREAD_READERS)?;
        self.customer_named(named)
    }

    /// Whose consent is meant: a consumer's own; for others that of the customer named.
    ///
    /// # Errors
    /// Forbidden for somebody else's; bad input when none is named.
    pub fn customer_named(&self, named: Option<&str>) -> Result<Arc<str>, ApiError> {
        match (self.principal.kind, named) {
            (PrincipalKind::Person, None) => Ok(self.principal.id.clone()),
            (PrincipalKind::Person, Some(named)) if *named == *self.principal.id => Ok(self.principal.id.clone()),
            (PrincipalKind::Person, Some(_)) => Err(ApiError::Forbidden),
            (_, Some(named)) if AggregateId::new("cart", named).is_ok() => Ok(named.into()),
            (_, Some(_)) => Err(ApiError::BadInput("name the customer by the id that the business knows".to_owned())),
            (_, None) => Err(ApiError::BadInput("name the customer who is meant".to_owned())),
        }
    }

    /// The caller's own id among the business's customers; none for who is no customer.
    pub fn own(&self) -> Option<&str> {
        self.is_person().then_some(&*self.principal.id)
    }

    /// Whether what is `customer`'s may be shown: a customer sees only their own.
    pub fn owns(&self, customer: &str) -> bool {
        self.own().is_none_or(|own| own == customer)
    }

    /// The gateway itself among what is the platform's own, once it has seen that it may.
    ///
    /// # Errors
    /// Never but for a fault of the program.
    pub fn of_gateway() -> Result<Self, ApiError> {
        let tenant = TenantId::new(TenantId::PLATFORM)
            .map_err(|error| ApiError::internal("the platform's own tenant cannot be named", &error))?;
        let (kind, id) = (PrincipalKind::Service, "gateway".into());
        let principal = Principal { kind, id, tenant: Some(tenant.clone()), roles: vec![Role::Service] };
        Ok(Self { tenant, principal })
    }

    /// Whether the caller is a person, who sees only what is their own.
    pub fn is_person(&self) -> bool {
        self.principal.kind == PrincipalKind::Person
    }

    /// Refuses who may not read products.
    ///
    /// # Errors
    /// Forbidden.
    pub fn reads_catalog(&self) -> Result<(), ApiError> {
        self.require(CATALOG_READERS)
    }

    /// Refuses who may not read what the business says of itself.
    ///
    /// # Errors
    /// Forbidden.
    pub fn reads_profile(&self) -> Result<(), ApiError> {
        self.require(PROFILE_READERS)
    }

    /// Refuses who may not read all of the business's threads.
    ///
    /// # Errors
    /// Forbidden.
    pub fn reads_inbox(&self) -> Result<(), ApiError> {
        if self.is_person() { Err(ApiError::Forbidden) } else { self.require(THREAD_READERS) }
    }

    /// Refuses who may not read all of the business's orders.
    ///
    /// # Errors
    /// Forbidden.
    pub fn reads_orders(&self) -> Result<(), ApiError> {
        self.require(ORDER_READERS)
    }

    /// Refuses who may not read the business's invoices.
    ///
    /// # Errors
    /// Forbidden.
    pub fn reads_invoices(&self) -> Result<(), ApiError> {
        self.require(INVOICE_READERS)
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

impl Holder {
    /// The caller on the platform's ledger.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whose accounts are meant, as the ledger names owners: `person/ana`, `biz/feira-livre`.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The person's country; none of a business.
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// Whether the caller is a person.
    pub fn is_person(&self) -> bool {
        self.scope.is_person()
    }
}
