//! What the catalog says of a product, as far as this service has heard.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use feira_cart_domain::cart::Offer;
use feira_commands::cart::LINES_MAX;
use feira_ids::{AggregateId, LaneId, TenantId};
use feira_projection_store::{Range, Row, Store, StoreError};
use feira_rows::cart::{CART_LINES, OFFERS, OfferRow, cart_key, lines_from_rows, offer_key};
use feira_rows::{OFFERS_PROJECTION, RowError};
use feira_runtime::GatherError;

/// Where the catalog's log ends.
#[async_trait]
pub trait CatalogHead: Send + Sync + 'static {
    /// The lane that `product` of `tenant` belongs to, and the sequence of that lane's last record.
    ///
    /// # Errors
    /// When the log does not answer.
    async fn head(&self, tenant: &TenantId, product: &AggregateId) -> Result<(LaneId, u64), GatherError>;
}

/// Offers, as this service's own projection holds them.
pub struct Offers {
    store: Arc<dyn Store>,
    catalog: Arc<dyn CatalogHead>,
    catch_up: Duration,
}

impl Offers {
    /// Reads offers from `store`; waits `catch_up` for the latest of them when a product is not known.
    pub fn new(store: Arc<dyn Store>, catalog: Arc<dyn CatalogHead>, catch_up: Duration) -> Self {
        Self { store, catalog, catch_up }
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
        let (lane, head) = self.catalog.head(tenant, &product).await?;
        let reached = self.store.reached(OFFERS_PROJECTION, &lane.to_string(), head, self.catch_up).await;
        if !reached.map_err(unread)? {
            let source = format!("{OFFERS_PROJECTION} has not come to {lane}:{head}").into();
            return Err(GatherError { what: "the catalog's latest events are not here yet".to_owned(), source });
        }
        self.read(tenant, sku).await
    }

    /// What the catalog says of the products in a customer's cart, as far as both have come into rows.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn of_cart(
        &self,
        tenant: &TenantId,
        customer: &str,
    ) -> Result<BTreeMap<Arc<str>, Option<Offer>>, GatherError> {
        let range = Range { limit: LINES_MAX, ..Range::default() };
        let page = self.store.scan(&CART_LINES, &cart_key(tenant, customer), range).await.map_err(unread)?;
        let unreadable =
            |source: RowError| GatherError { what: "a cart's lines cannot be read".to_owned(), source: source.into() };
        let lines = lines_from_rows(page.rows).map_err(unreadable)?;
        let keys: Vec<_> = lines.iter().map(|line| offer_key(tenant, &line.sku)).collect();
        let rows = self.store.get_many(&OFFERS, &keys).await.map_err(unread)?;
        let offers = lines.into_iter().zip(rows).map(|(line, row)| Ok((line.sku, row.map(offer).transpose()?)));
        offers.collect()
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
