//! What the catalog says of a product, as far as this service has heard.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use feira_cart_domain::cart::Offer;
use feira_commands::cart::LINES_MAX;
use feira_ids::{AggregateId, TenantId};
use feira_projection_store::{Range, Row, Store, StoreError};
use feira_rows::cart::{CART_LINES, OFFERS, OfferRow, cart_key, lines_from_rows, offer_key};
use feira_rows::{CARTS_PROJECTION, OFFERS_PROJECTION, RowError};
use feira_runtime::{GatherError, Heads, Latest};

/// Offers, as this service's own projection holds them.
pub struct Offers {
    store: Arc<dyn Store>,
    latest: Latest,
}

impl Offers {
    /// Reads offers from `store`; waits `catch_up` for the latest of them when a product is not known, and for the
    /// latest of a cart that is checked out.
    pub fn new(store: Arc<dyn Store>, heads: Arc<dyn Heads>, catch_up: Duration) -> Self {
        Self { latest: Latest::new(store.clone(), heads, catch_up), store }
    }

    /// What the catalog says of `sku`; none when it lists no such product.
    ///
    /// A business lists a product and a customer adds it in the next moment. So a product is called unknown only once
    /// everything that stood on the catalog's lane has been taken in; one that is known costs one read.
    ///
    /// # Errors
    /// When the store or the log does not answer, or the projection stays behind.
    pub async fn find(&self, tenant: &TenantId, sku: &str) -> Result<Option<Offer>, GatherError> {
        if let Some(offer) = self.read(tenant, sku).await? {
            return Ok(Some(offer));
        }
        let Ok(product) = AggregateId::new("product", sku) else {
            return Ok(None);
        };
        self.latest.taken_in(OFFERS_PROJECTION, tenant, &product).await?;
        self.read(tenant, sku).await
    }

    /// What the catalog says of the products in `cart`; none of those that it lists no longer.
    ///
    /// Who puts a product in and checks out in the next moment is told its price too: rows are read once everything
    /// that stood on the cart's lane has been taken in.
    ///
    /// # Errors
    /// When the store or the log does not answer, or a projection stays behind.
    pub async fn of_cart(
        &self,
        tenant: &TenantId,
        cart: &AggregateId,
    ) -> Result<BTreeMap<Arc<str>, Option<Offer>>, GatherError> {
        self.latest.taken_in(CARTS_PROJECTION, tenant, cart).await?;
        let range = Range { limit: LINES_MAX, ..Range::default() };
        let page = self.store.scan(&CART_LINES, &cart_key(tenant, cart.key()), range).await.map_err(unread)?;
        let unreadable =
            |source: RowError| GatherError { what: "a cart's lines cannot be read".to_owned(), source: source.into() };
        let lines = lines_from_rows(page.rows).map_err(unreadable)?;
        let keys: Vec<_> = lines.iter().map(|line| offer_key(tenant, &line.sku)).collect();
        let rows = self.store.get_many(&OFFERS, &keys).await.map_err(unread)?;
        let mut offers = BTreeMap::new();
        for (line, row) in lines.into_iter().zip(rows) {
            // What was put in was listed once: before it is called gone, the catalog's latest is looked at.
            let known = match row {
                Some(row) => Some(offer(row)?),
                None => self.find(tenant, &line.sku).await?,
            };
            offers.insert(line.sku, known);
        }
        Ok(offers)
    }

    async fn read(&self, tenant: &TenantId, sku: &str) -> Result<Option<Offer>, GatherError> {
        let row = self.store.get(&OFFERS, &offer_key(tenant, sku)).await.map_err(unread)?;
        row.map(offer).transpose()
    }
}

fn offer(row: Row) -> Result<Offer, GatherError> {
    let row = OfferRow::from_row(row)
        .map_err(|source| GatherError { what: "an offer cannot be read".to_owned(), source: source.into() })?;
    let OfferRow { title, availability, price, position } = row;
    Ok(Offer { title, price, availability, position })
}

fn unread(source: StoreError) -> GatherError {
    GatherError { what: "offers cannot be read".to_owned(), source: source.into() }
}
