//! A product as clients see it.

use std::sync::Arc;

use async_graphql::{Enum, ID, Object};
use feira_events::catalog;
use feira_ids::TenantId;
use feira_rows::catalog::ProductRow;

use super::money::Money;
use super::node;
use super::scalars::DateTime;

/// A product.
#[derive(Clone)]
pub(crate) struct Product {
    row: Arc<ProductRow>,
    listed: bool,
}

/// Whether a product can be had.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "catalog::Availability")]
pub(crate) enum Availability {
    /// It can be had now.
    InStock,
    /// Not now.
    OutOfStock,
    /// It can be ordered before it is there.
    Preorder,
    /// Never again.
    Discontinued,
    /// Something that this release does not know yet.
    Unknown,
}

/// New or used.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "catalog::Condition")]
pub(crate) enum Condition {
    /// New.
    New,
    /// Made good again.
    Refurbished,
    /// Used.
    Used,
    /// Something that this release does not know yet.
    Unknown,
}

impl Product {
    /// A product as read.
    pub(crate) fn of_row(row: Arc<ProductRow>) -> Self {
        Self { row, listed: true }
    }

    /// A product as its owner answered; none when it was never listed.
    pub(crate) fn of_view(tenant: &TenantId, view: feira_commands::catalog::View) -> Option<Self> {
        let (details, pricing) = (view.details?, view.pricing?);
        let tenant = tenant.as_str().into();
        let row =
            ProductRow { tenant, shelf: 0, sku: view.sku, version: view.version, updated_at: -1, details, pricing };
        Some(Self { row: Arc::new(row), listed: view.listed })
    }
}

/// Something a business sells.
#[Object]
impl Product {
    /// The id that names it everywhere; its form is not to be relied on.
    pub(crate) async fn id(&self) -> ID {
        node::write("product", &self.row.tenant, &self.row.sku)
    }

    /// The business that sells it.
    async fn business(&self) -> &str {
        &self.row.tenant
    }

    /// The business's own id of it.
    async fn sku(&self) -> &str {
        &self.row.sku
    }

    /// How often it has changed; give it as expectedVersion to change it only if nobody else has.
    async fn version(&self) -> u64 {
        self.row.version
    }

    /// Whether it is in the catalog; false after it was withdrawn.
    async fn listed(&self) -> bool {
        self.listed
    }

    /// When it last changed; none in the answer to a mutation.
    async fn updated_at(&self) -> Option<DateTime> {
        (self.row.updated_at >= 0).then_some(DateTime(self.row.updated_at))
    }

    /// Its name.
    async fn title(&self) -> &str {
        &self.row.details.title
    }

    /// More about it; may be empty.
    async fn description(&self) -> &str {
        &self.row.details.description
    }

    /// Whether it can be had.
    async fn availability(&self) -> Availability {
        self.row.details.availability.into()
    }

    /// New or used.
    async fn condition(&self) -> Condition {
        self.row.details.condition.into()
    }

    /// The regular price.
    async fn price(&self) -> Money {
        Money(self.row.pricing.price)
    }

    /// The price while it is on sale.
    async fn sale_price(&self) -> Option<Money> {
        self.row.pricing.sale_price.map(Money)
    }

    /// What a customer pays now: the sale price where there is one.
    async fn current_price(&self) -> Money {
        Money(self.row.pricing.current())
    }

    /// Its page.
    async fn link(&self) -> Option<&str> {
        self.row.details.link.as_deref()
    }

    /// Its pictures, the first one first.
    async fn image_links(&self) -> Vec<&str> {
        self.row.details.image_links.iter().map(|link| &**link).collect()
    }

    /// Who makes it.
    async fn brand(&self) -> Option<&str> {
        self.row.details.brand.as_deref()
    }

    /// Its place in the business's or a public category tree.
    async fn category(&self) -> Option<&str> {
        self.row.details.category.as_deref()
    }

    /// What variants of one product share.
    async fn item_group(&self) -> Option<&str> {
        self.row.details.item_group.as_deref()
    }
}
