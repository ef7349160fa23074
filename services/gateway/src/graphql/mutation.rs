//! What can be changed: each mutation is one command to one aggregate.

use std::sync::Arc;

use async_graphql::{Context, Object};
use feira_commands::{cart, catalog};
use feira_ids::AggregateId;

use super::inputs::{
    CartAddItemInput, CartRemoveItemInput, CartSetNoteInput, CartSetQuantityInput, CartUndoInput, ProductPutInput,
    ProductSetPriceInput, ProductWithdrawInput, pricing,
};
use super::payload::{CartPayload, ProductPayload, UserError};
use super::{Field, asked, field, gateway, scope};
use crate::auth::Scope;
use crate::error::ApiError;
use crate::notes::NOTE_CHARS_MAX;
use crate::send::{Addressed, Named};

pub(crate) struct Mutation;

/// What can be changed. Each answers once the change stands on the log.
#[Object(name = "BasicMutation")]
impl Mutation {
    /// Puts units of a product into a cart, on top of those that are there.
    async fn cart_add_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to put in.")] input: CartAddItemInput,
    ) -> Field<CartPayload> {
        let CartAddItemInput { business, customer, command_id, expected_version, sku, quantity } = input;
        let asked = cart::Input::AddItem { sku: sku.into(), quantity };
        field(change_cart(ctx, business, customer, command_id, expected_version, asked).await)
    }

    /// Sets how many units a line of a cart has.
    async fn cart_set_quantity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The line and its new quantity.")] input: CartSetQuantityInput,
    ) -> Field<CartPayload> {
        let CartSetQuantityInput { business, customer, command_id, expected_version, sku, quantity } = input;
        let asked = cart::Input::SetQuantity { sku: sku.into(), quantity };
        field(change_cart(ctx, business, customer, command_id, expected_version, asked).await)
    }

    /// Takes a line out of a cart.
    async fn cart_remove_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The line.")] input: CartRemoveItemInput,
    ) -> Field<CartPayload> {
        let CartRemoveItemInput { business, customer, command_id, expected_version, sku } = input;
        let asked = cart::Input::RemoveItem { sku: sku.into() };
        field(change_cart(ctx, business, customer, command_id, expected_version, asked).await)
    }

    /// Writes the customer's note on a cart, or takes it away.
    async fn cart_set_note(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The note.")] input: CartSetNoteInput,
    ) -> Field<CartPayload> {
        field(set_note(ctx, input).await)
    }

    /// Takes an edit of a cart back.
    async fn cart_undo(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which edit.")] input: CartUndoInput,
    ) -> Field<CartPayload> {
        let CartUndoInput { business, customer, command_id, expected_version, edit } = input;
        field(change_cart(ctx, business, customer, command_id, expected_version, cart::Input::Undo { edit }).await)
    }

    /// Makes a product as given, listing it where it is not; nothing happens when it already is so.
    async fn product_put(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] input: ProductPutInput,
    ) -> Field<ProductPayload> {
        let (business, sku) = (input.business.clone(), input.sku.clone());
        let (command_id, expected_version) = (input.command_id.clone(), input.expected_version);
        field(change_product(ctx, business, sku, command_id, expected_version, || input.read()).await)
    }

    /// Changes what a listed product costs.
    async fn product_set_price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product and its prices.")] input: ProductSetPriceInput,
    ) -> Field<ProductPayload> {
        let ProductSetPriceInput { business, command_id, expected_version, sku, price, sale_price } = input;
        let asked = || {
            let amounts = pricing(&price, sale_price.as_ref())?;
            Ok(catalog::Input::SetPrice { price: amounts.price, sale_price: amounts.sale_price })
        };
        field(change_product(ctx, business, sku, command_id, expected_version, asked).await)
    }

    /// Takes a product out of the catalog.
    async fn product_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product.")] input: ProductWithdrawInput,
    ) -> Field<ProductPayload> {
        let ProductWithdrawInput { business, command_id, expected_version, sku } = input;
        field(change_product(ctx, business, sku, command_id, expected_version, || Ok(catalog::Input::Withdraw)).await)
    }
}

async fn change_cart(
    ctx: &Context<'_>,
    business: Option<String>,
    customer: Option<String>,
    command_id: Option<String>,
    expected_version: Option<u64>,
    input: cart::Input,
) -> Result<CartPayload, ApiError> {
    let (scope, customer) = cart_of(ctx, business, customer, input.operation())?;
    let named = match name(ctx, &scope, command_id, input.operation(), &customer)? {
        Ok(named) => named,
        Err(error) => return Ok(CartPayload::refused(error)),
    };
    send_to_cart(ctx, scope, &customer, named, expected_version, &input).await
}

async fn set_note(ctx: &Context<'_>, input: CartSetNoteInput) -> Result<CartPayload, ApiError> {
    const OPERATION: &str = "cart.set_note";
    let CartSetNoteInput { business, customer, command_id, expected_version, note } = input;
    let (scope, customer) = cart_of(ctx, business, customer, OPERATION)?;
    let note = note.filter(|note| !note.is_empty());
    if note.as_ref().is_some_and(|note| note.chars().count() > NOTE_CHARS_MAX) {
        let message = format!("a note has at most {NOTE_CHARS_MAX} characters");
        return Ok(CartPayload::refused(UserError::on("note", "NOTE_TOO_LONG", message)));
    }
    let named = match name(ctx, &scope, command_id, OPERATION, &customer)? {
        Ok(named) => named,
        Err(error) => return Ok(CartPayload::refused(error)),
    };
    let note = match note {
        Some(note) => match gateway(ctx).notes.seal(&scope, &customer, named.command_id, &note).await? {
            Some(sealed) => Some(sealed),
            None => {
                let message = "what this customer wrote was erased for good: nothing can be kept for them any more";
                return Ok(CartPayload::refused(UserError::on("note", "CUSTOMER_ERASED", message)));
            }
        },
        None => None,
    };
    send_to_cart(ctx, scope, &customer, named, expected_version, &cart::Input::SetNote { note }).await
}

/// The scope and the customer whose cart is to change.
fn cart_of(
    ctx: &Context<'_>,
    business: Option<String>,
    customer: Option<String>,
    operation: &str,
) -> Result<(Scope, Arc<str>), ApiError> {
    let scope = scope(ctx, business.as_deref())?;
    scope.may(operation)?;
    let customer = scope.customer(customer.as_deref())?;
    Ok((scope, customer))
}

async fn send_to_cart(
    ctx: &Context<'_>,
    scope: Scope,
    customer: &str,
    named: Named,
    expected_version: Option<u64>,
    input: &cart::Input,
) -> Result<CartPayload, ApiError> {
    let aggregate = match AggregateId::new("cart", customer) {
        Ok(aggregate) => aggregate,
        Err(error) => {
            return Ok(CartPayload::refused(UserError::on("customer", "INVALID_CUSTOMER", error.to_string())));
        }
    };
    let addressed = Addressed { scope: &scope, aggregate, operation: input.operation(), expected_version };
    let outcome = gateway(ctx).send(addressed, named, input, asked(ctx)).await?;
    CartPayload::of(scope, outcome)
}

async fn change_product(
    ctx: &Context<'_>,
    business: Option<String>,
    sku: String,
    command_id: Option<String>,
    expected_version: Option<u64>,
    input: impl FnOnce() -> Result<catalog::Input, UserError>,
) -> Result<ProductPayload, ApiError> {
    let scope = scope(ctx, business.as_deref())?;
    // Who may not keep the catalog learns nothing of what is wrong with the input.
    scope.may("catalog.put")?;
    let read = || {
        let aggregate = AggregateId::new("product", &sku)
            .map_err(|error| UserError::on("sku", "INVALID_SKU", error.to_string()))?;
        Ok((aggregate, input()?))
    };
    let (aggregate, input) = match read() {
        Ok(read) => read,
        Err(error) => return Ok(ProductPayload::refused(error)),
    };
    scope.may(input.operation())?;
    let named = match name(ctx, &scope, command_id, input.operation(), &sku)? {
        Ok(named) => named,
        Err(error) => return Ok(ProductPayload::refused(error)),
    };
    let addressed = Addressed { scope: &scope, aggregate, operation: input.operation(), expected_version };
    let outcome = gateway(ctx).send(addressed, named, &input, asked(ctx)).await?;
    ProductPayload::of(&scope, outcome)
}

/// The command's id, from the input, the header, or made here.
pub(super) fn name(
    ctx: &Context<'_>,
    scope: &Scope,
    command_id: Option<String>,
    operation: &str,
    aggregate_key: &str,
) -> Result<Result<Named, UserError>, ApiError> {
    let key = command_id.map(Arc::<str>::from).or_else(|| asked(ctx).client_key.clone());
    Named::new(scope, operation, aggregate_key, key.as_deref())
}
