//! What mutations are given.

use std::sync::Arc;

use async_graphql::InputObject;
use feira_events::catalog::{Details, Pricing};

use super::money::MoneyInput;
use super::payload::UserError;
use super::product::{Availability, Condition};

/// Units of a product to put into a cart.
#[derive(InputObject)]
pub(crate) struct CartAddItemInput {
    /// The business; a member's own when none is given.
    pub business: Option<String>,
    /// Whose cart; a customer's own when none is given.
    pub customer: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub command_id: Option<String>,
    /// Do it only if the cart has this version.
    pub expected_version: Option<u64>,
    /// The product.
    pub sku: String,
    /// How many, 1 to 99, on top of those that are there.
    pub quantity: i32,
}

/// How many units a line of a cart is to have.
#[derive(InputObject)]
pub(crate) struct CartSetQuantityInput {
    /// The business; a member's own when none is given.
    pub business: Option<String>,
    /// Whose cart; a customer's own when none is given.
    pub customer: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub command_id: Option<String>,
    /// Do it only if the cart has this version.
    pub expected_version: Option<u64>,
    /// The product.
    pub sku: String,
    /// How many, 0 to 99; 0 takes the line out.
    pub quantity: i32,
}

/// A line to take out of a cart.
#[derive(InputObject)]
pub(crate) struct CartRemoveItemInput {
    /// The business; a member's own when none is given.
    pub business: Option<String>,
    /// Whose cart; a customer's own when none is given.
    pub customer: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub command_id: Option<String>,
    /// Do it only if the cart has this version.
    pub expected_version: Option<u64>,
    /// The product.
    pub sku: String,
}

/// A note from the customer to the business.
#[derive(InputObject)]
pub(crate) struct CartSetNoteInput {
    /// The business; a member's own when none is given.
    pub business: Option<String>,
    /// Whose cart; a customer's own when none is given.
    pub customer: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub command_id: Option<String>,
    /// Do it only if the cart has this version.
    pub expected_version: Option<u64>,
    /// The note, up to 2,000 characters; none or an empty one takes it away.
    pub note: Option<String>,
}

/// An edit of a cart to take back.
#[derive(InputObject)]
pub(crate) struct CartUndoInput {
    /// The business; a member's own when none is given.
    pub business: Option<String>,
    /// Whose cart; a customer's own when none is given.
    pub customer: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub command_id: Option<String>,
    /// Do it only if the cart has this version.
    pub expected_version: Option<u64>,
    /// The version that the edit made; the latest edit not yet taken back when none is given.
    pub edit: Option<i64>,
}

/// A product as it is to be.
#[derive(InputObject)]
pub(crate) struct ProductPutInput {
    /// The business; a member's own when none is given.
    pub business: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub command_id: Option<String>,
    /// Do it only if the product has this version.
    pub expected_version: Option<u64>,
    /// The business's own id of it.
    pub sku: String,
    /// Its name, 1 to 512 characters.
    pub title: String,
    /// More about it.
    #[graphql(default)]
    pub description: String,
    /// Whether it can be had.
    #[graphql(default_with = "Availability::InStock")]
    pub availability: Availability,
    /// New or used.
    #[graphql(default_with = "Condition::New")]
    pub condition: Condition,
    /// The regular price.
    pub price: MoneyInput,
    /// The price while it is on sale, in the same currency.
    pub sale_price: Option<MoneyInput>,
    /// Its page.
    pub link: Option<String>,
    /// Its pictures, the first one first.
    #[graphql(default)]
    pub image_links: Vec<String>,
    /// Who makes it.
    pub brand: Option<String>,
    /// Its place in the business's or a public category tree.
    pub category: Option<String>,
    /// What variants of one product share.
    pub item_group: Option<String>,
}

/// What a product is to cost.
#[derive(InputObject)]
pub(crate) struct ProductSetPriceInput {
    /// The business; a member's own when none is given.
    pub business: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub command_id: Option<String>,
    /// Do it only if the product has this version.
    pub expected_version: Option<u64>,
    /// The business's own id of the product.
    pub sku: String,
    /// The regular price.
    pub price: MoneyInput,
    /// The price while it is on sale, in the same currency; none ends the sale.
    pub sale_price: Option<MoneyInput>,
}

/// A product to take out of the catalog.
#[derive(InputObject)]
pub(crate) struct ProductWithdrawInput {
    /// The business; a member's own when none is given.
    pub business: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub command_id: Option<String>,
    /// Do it only if the product has this version.
    pub expected_version: Option<u64>,
    /// The business's own id of the product.
    pub sku: String,
}

impl ProductPutInput {
    /// What the catalog is asked, or what is wrong with an amount.
    pub(crate) fn read(self) -> Result<feira_commands::catalog::Input, UserError> {
        if self.availability == Availability::Unknown {
            return Err(UserError::on("availability", "UNKNOWN_VALUE", "say whether it can be had"));
        }
        if self.condition == Condition::Unknown {
            return Err(UserError::on("condition", "UNKNOWN_VALUE", "say whether it is new or used"));
        }
        let pricing = pricing(&self.price, self.sale_price.as_ref())?;
        let shared = |text: Option<String>| text.map(Arc::<str>::from);
        let details = Details {
            title: self.title.into(),
            description: self.description.into(),
            availability: self.availability.into(),
            condition: self.condition.into(),
            link: shared(self.link),
            image_links: self.image_links.into_iter().map(Arc::from).collect(),
            brand: shared(self.brand),
            category: shared(self.category),
            item_group: shared(self.item_group),
        };
        Ok(feira_commands::catalog::Input::Put { details, pricing })
    }
}

/// The amounts of a regular and a sale price.
pub(crate) fn pricing(price: &MoneyInput, sale_price: Option<&MoneyInput>) -> Result<Pricing, UserError> {
    let price = price.read("price")?;
    let sale_price = sale_price.map(|sale| sale.read("salePrice")).transpose()?;
    Ok(Pricing { price, sale_price })
}
