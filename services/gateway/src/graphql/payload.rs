//! What every mutation answers.

use async_graphql::{Context, Object, SimpleObject};
use feira_commands::{cart, catalog};
use feira_runtime::Accepted;

use super::cart::{Cart, Warning};
use super::product::Product;
use super::scalars::PositionText;
use crate::auth::Scope;
use crate::error::ApiError;
use crate::send::Outcome;

/// Something the caller can mend.
#[derive(SimpleObject, Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserError {
    /// What happened, as a stable name.
    pub code: String,
    /// The field of the input that is to be mended; none when it is none of them.
    pub field: Option<String>,
    /// In words.
    pub message: String,
}

impl UserError {
    pub(crate) fn new(code: &str, field: Option<String>, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), field, message: message.into() }
    }

    /// About one field of the input.
    pub(crate) fn on(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Some(field.to_owned()), message)
    }
}

/// What a mutation of a cart answers.
pub(crate) struct CartPayload {
    cart: Option<Cart>,
    rest: Rest,
}

/// What a mutation of a product answers.
pub(crate) struct ProductPayload {
    product: Option<Product>,
    rest: Rest,
}

/// What every mutation answers beside what it changed.
#[derive(Default)]
pub(crate) struct Rest {
    pub user_errors: Vec<UserError>,
    /// What the command itself made it, and a repeat is told again. What is shown beside it may be newer: others were
    /// decided in the same moment, or since.
    pub version: Option<u64>,
    pub position: Option<PositionText>,
    pub repeated: bool,
}

impl From<UserError> for Rest {
    fn from(error: UserError) -> Self {
        Self { user_errors: vec![error], ..Self::default() }
    }
}

impl CartPayload {
    pub(crate) fn refused(error: UserError) -> Self {
        Self { cart: None, rest: error.into() }
    }

    pub(crate) fn of(scope: Scope, outcome: Outcome) -> Result<Self, ApiError> {
        let (view, rest) = parts::<cart::View>(outcome)?;
        Ok(Self { cart: view.map(|view| Cart::of_view(scope, view)), rest })
    }
}

impl ProductPayload {
    pub(crate) fn refused(error: UserError) -> Self {
        Self { product: None, rest: error.into() }
    }

    pub(crate) fn of(scope: &Scope, outcome: Outcome) -> Result<Self, ApiError> {
        let (view, rest) = parts::<catalog::View>(outcome)?;
        Ok(Self { product: view.and_then(|view| Product::of_view(scope.tenant(), view)), rest })
    }
}

/// An owner's view, and the rest of an answer.
pub(crate) fn parts<View: serde::de::DeserializeOwned>(outcome: Outcome) -> Result<(Option<View>, Rest), ApiError> {
    match outcome {
        Outcome::Accepted(accepted) => {
            let view = serde_json::from_slice(&accepted.view)
                .map_err(|error| ApiError::internal("an owner's view cannot be read", &error))?;
            let position = Some(PositionText::from(&accepted.position));
            let Accepted { version, repeated, .. } = accepted;
            Ok((Some(view), Rest { user_errors: Vec::new(), version: Some(version), position, repeated }))
        }
        Outcome::Refused { error, position } => {
            let position = position.as_ref().map(PositionText::from);
            Ok((None, Rest { position, ..Rest::from(error) }))
        }
    }
}

/// What a mutation of a cart answers.
#[Object]
impl CartPayload {
    /// The cart after it; none when it was refused.
    async fn cart(&self) -> Option<&Cart> {
        self.cart.as_ref()
    }

    /// The cart's version after it; none when it was refused.
    async fn version(&self) -> Option<u64> {
        self.rest.version
    }

    /// What the caller can mend; empty when it was done.
    async fn user_errors(&self) -> &[UserError] {
        &self.rest.user_errors
    }

    /// Where the catalog now says something else than when a product was put in.
    #[graphql(complexity = "10 * child_complexity + 10")]
    async fn warnings(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Warning>> {
        match &self.cart {
            Some(cart) => cart.all_warnings(ctx).await.map_err(ApiError::into_graphql),
            None => Ok(Vec::new()),
        }
    }

    /// Give it to a query to see the effect; none when nothing was decided.
    async fn position(&self) -> Option<&PositionText> {
        self.rest.position.as_ref()
    }

    /// Whether the same command had been decided before, and this is what came of it.
    async fn repeated(&self) -> bool {
        self.rest.repeated
    }
}

/// What a mutation of a product answers.
#[Object]
impl ProductPayload {
    /// The product after it; none when it was refused.
    async fn product(&self) -> Option<&Product> {
        self.product.as_ref()
    }

    /// The product's version after it; none when it was refused.
    async fn version(&self) -> Option<u64> {
        self.rest.version
    }

    /// What the caller can mend; empty when it was done.
    async fn user_errors(&self) -> &[UserError] {
        &self.rest.user_errors
    }

    /// Something to know that stops nothing.
    async fn warnings(&self) -> Vec<Warning> {
        Vec::new()
    }

    /// Give it to a query to see the effect; none when nothing was decided.
    async fn position(&self) -> Option<&PositionText> {
        self.rest.position.as_ref()
    }

    /// Whether the same command had been decided before, and this is what came of it.
    async fn repeated(&self) -> bool {
        self.rest.repeated
    }
}
