//! Reading rows: always within a scope, so that nothing of another business can be asked for.

mod market;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use feira_events::cart::Line;
use feira_ids::{AccountId, AggregateId, LaneId, ServiceName};
use feira_projection_store::{Checkpoint, ProjectionId, Range, Row, Store, StoreError, Table, Value};
use feira_rows::cart::{CART_EDITS, CART_LINES, CARTS, CartRow, EditRow, cart_key, lines_from_rows, undoable};
use feira_rows::catalog::{PRODUCTS, ProductRow, SHELVES, product_key, shelf_key};
use feira_rows::{
    BUSINESSES_PROJECTION, CARTS_PROJECTION, INTENTS_PROJECTION, INVOICES_PROJECTION, LEDGER_PROJECTION,
    ORDERS_PROJECTION, PRODUCTS_PROJECTION, RowError, STOCK_PROJECTION, THREADS_PROJECTION, USAGE_PROJECTION,
};
use feira_runtime::{Chain, Position, Reads, Waited};
use lru::LruCache;

use crate::auth::Scope;
use crate::error::ApiError;

pub(crate) use market::{Stretch, owned_account, owner};

/// More rows than a cart may have lines or remembered edits.
const CART_ROWS_MAX: usize = 1_000;
/// How many owners' accounts are remembered.
const ACCOUNTS_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// The rows, as callers may read them.
pub(crate) struct ScopedReads {
    store: Arc<dyn Store>,
    waits: Reads,
    /// By owner. An account stays its owner's for ever.
    accounts: Mutex<LruCache<Box<str>, AccountId>>,
}

/// Where a product stands in its business's list: by shelf, then by SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub shelf: i32,
    pub sku: Arc<str>,
}

/// Which products of the list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    pub after: Option<Place>,
    pub before: Option<Place>,
    /// The last ones instead of the first.
    pub backward: bool,
    pub count: usize,
}

impl ScopedReads {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let projections = [
            (PRODUCTS_PROJECTION, vec![ServiceName::new("catalog")]),
            (CARTS_PROJECTION, vec![ServiceName::new("cart")]),
            (STOCK_PROJECTION, vec![ServiceName::new("catalog")]),
            (ORDERS_PROJECTION, vec![ServiceName::new("cart")]),
            (BUSINESSES_PROJECTION, vec![ServiceName::new("conversation")]),
            (THREADS_PROJECTION, vec![ServiceName::new("conversation")]),
            (LEDGER_PROJECTION, vec![ServiceName::new("payments")]),
            (INTENTS_PROJECTION, vec![ServiceName::new("payments")]),
            (USAGE_PROJECTION, vec![ServiceName::new("billing")]),
            (INVOICES_PROJECTION, vec![ServiceName::new("billing")]),
        ];
        let waits = Reads::new(store.clone(), projections);
        Self { waits, store, accounts: Mutex::new(LruCache::new(ACCOUNTS_MAX)) }
    }

    /// Waits, for a bounded time, until `projection` has come to `position`; answers whether it has.
    pub(crate) async fn caught_up(&self, position: &Position, projection: ProjectionId) -> Result<bool, ApiError> {
        match self.waits.wait_for(position, projection).await.map_err(store_error)? {
            Waited::Reached => Ok(true),
            Waited::Lagging { lane, at, wanted } => {
                tracing::info!(lane = %lane, at, wanted, "projection {projection} lags behind the position asked for");
                Ok(false)
            }
        }
    }

    /// How far `projection` has come on a lane.
    pub(crate) async fn checkpoint(&self, projection: ProjectionId, lane: &LaneId) -> Result<Checkpoint, ApiError> {
        self.store.checkpoint(projection, &lane.to_string()).await.map_err(store_error)
    }

    /// One product.
    pub(crate) async fn product(&self, scope: &Scope, sku: &str) -> Result<Option<Arc<ProductRow>>, ApiError> {
        scope.reads_catalog()?;
        // What can be no id of a product names none; a store may not take it as a key.
        if AggregateId::new("product", sku).is_err() {
            return Ok(None);
        }
        let row = self.store.get(&PRODUCTS, &product_key(scope.tenant(), sku)).await.map_err(store_error)?;
        row.map(|row| ProductRow::from_row(row).map(Arc::new)).transpose().map_err(row_error)
    }

    /// Many products in one load, in the order asked.
    pub(crate) async fn products<'a>(
        &self,
        scope: &Scope,
        skus: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Option<Arc<ProductRow>>>, ApiError> {
        scope.reads_catalog()?;
        let keys: Vec<_> = skus.map(|sku| product_key(scope.tenant(), sku)).collect();
        let rows = self.store.get_many(&PRODUCTS, &keys).await.map_err(store_error)?;
        rows.into_iter()
            .map(|row| row.map(|row| ProductRow::from_row(row).map(Arc::new)).transpose().map_err(row_error))
            .collect()
    }

    /// The products in `window`, in the list's order, and whether there are more in the direction read.
    pub(crate) async fn product_list(
        &self,
        scope: &Scope,
        window: &Window,
    ) -> Result<(Vec<ProductRow>, bool), ApiError> {
        scope.reads_catalog()?;
        // Two places the wrong way round hold nothing between them.
        if let (Some(after), Some(before)) = (&window.after, &window.before)
            && (after.shelf, &after.sku) >= (before.shelf, &before.sku)
        {
            return Ok((Vec::new(), false));
        }
        let first = window.after.as_ref().map_or(0, |place| place.shelf);
        let last = window.before.as_ref().map_or(SHELVES as i32 - 1, |place| place.shelf);
        let mut shelves: Vec<i32> = (first..=last).collect();
        if window.backward {
            shelves.reverse();
        }
        let mut rows = Vec::with_capacity(window.count + 1);
        // One shelf nearly always fills the page. Where it does not, twice as many are asked at once each time: few
        // waits for a small catalog, little read in vain from a large one.
        let (mut next, mut at_once) = (0, 1);
        while rows.len() <= window.count && next < shelves.len() {
            let group = &shelves[next..(next + at_once).min(shelves.len())];
            let limit = window.count + 1 - rows.len();
            let scans: Vec<_> = group.iter().map(|shelf| Self::shelf(scope, window, *shelf, limit)).collect();
            let pages = self.store.scan_many(&PRODUCTS, &scans).await.map_err(store_error)?;
            rows.extend(pages.into_iter().flat_map(|page| page.rows));
            next += group.len();
            at_once *= 2;
        }
        let more = rows.len() > window.count;
        rows.truncate(window.count);
        let mut products =
            rows.into_iter().map(ProductRow::from_row).collect::<Result<Vec<_>, _>>().map_err(row_error)?;
        if window.backward {
            products.reverse();
        }
        Ok((products, more))
    }

    fn shelf(scope: &Scope, window: &Window, shelf: i32, limit: usize) -> (Vec<Value>, Range) {
        let on_shelf = |place: &Option<Place>| {
            place.as_ref().filter(|place| place.shelf == shelf).map(|place| vec![Value::Text(place.sku.clone())])
        };
        let range =
            Range { after: on_shelf(&window.after), before: on_shelf(&window.before), reverse: window.backward, limit };
        (shelf_key(scope.tenant(), shelf), range)
    }

    /// A customer's cart without its lines; none while nothing has happened to it.
    pub(crate) async fn cart(&self, scope: &Scope, customer: &str) -> Result<Option<CartRow>, ApiError> {
        let customer = scope.customer(Some(customer))?;
        let row = self.store.get(&CARTS, &cart_key(scope.tenant(), &customer)).await.map_err(store_error)?;
        row.map(CartRow::from_row).transpose().map_err(row_error)
    }

    /// Many carts in one load, in the order asked.
    pub(crate) async fn carts<'a>(
        &self,
        scope: &Scope,
        customers: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Option<CartRow>>, ApiError> {
        let keys = customers.map(|customer| Ok(cart_key(scope.tenant(), &scope.customer(Some(customer))?)));
        let keys = keys.collect::<Result<Vec<_>, ApiError>>()?;
        let rows = self.store.get_many(&CARTS, &keys).await.map_err(store_error)?;
        rows.into_iter().map(|row| row.map(CartRow::from_row).transpose().map_err(row_error)).collect()
    }

    /// The lines of customers' carts, each cart's in the order in which they are shown.
    pub(crate) async fn cart_lines(&self, scope: &Scope, customers: &[Arc<str>]) -> Result<Vec<Vec<Line>>, ApiError> {
        let carts = self.of_carts(scope, &CART_LINES, customers).await?;
        carts.into_iter().map(|rows| lines_from_rows(rows).map_err(row_error)).collect()
    }

    /// The versions of the edits of customers' carts that can be taken back, each cart's latest first.
    pub(crate) async fn cart_undoable(&self, scope: &Scope, customers: &[Arc<str>]) -> Result<Vec<Vec<i64>>, ApiError> {
        let carts = self.of_carts(scope, &CART_EDITS, customers).await?;
        carts
            .into_iter()
            .map(|rows| {
                let edits = rows.into_iter().map(EditRow::from_row).collect::<Result<Vec<_>, _>>();
                Ok(undoable(&edits.map_err(row_error)?))
            })
            .collect()
    }

    async fn of_carts(
        &self,
        scope: &Scope,
        table: &'static Table,
        customers: &[Arc<str>],
    ) -> Result<Vec<Vec<Row>>, ApiError> {
        let key = |customer: &Arc<str>| Ok(cart_key(scope.tenant(), &scope.customer(Some(customer))?));
        let keys = customers.iter().map(key).collect::<Result<Vec<_>, ApiError>>()?;
        self.partitions(table, keys, CART_ROWS_MAX).await
    }

    /// The first `most` rows of each of many partitions, in the order asked; one load.
    async fn partitions(
        &self,
        table: &'static Table,
        keys: Vec<Vec<Value>>,
        most: usize,
    ) -> Result<Vec<Vec<Row>>, ApiError> {
        let whole = |key| (key, Range { limit: most, ..Range::default() });
        let scans: Vec<_> = keys.into_iter().map(whole).collect();
        let pages = self.store.scan_many(table, &scans).await.map_err(store_error)?;
        Ok(pages.into_iter().map(|page| page.rows).collect())
    }
}

/// What a store that does not answer as it should is to a caller.
pub(crate) fn store_error(error: StoreError) -> ApiError {
    match error {
        StoreError::Unavailable { .. } => {
            tracing::warn!(error = %Chain(&error), "the store did not answer a read");
            ApiError::Unavailable
        }
        StoreError::Damaged { .. } | StoreError::Invalid { .. } => ApiError::internal("a read failed", &error),
    }
}

fn row_error(error: RowError) -> ApiError {
    ApiError::internal("a row cannot be read", &error)
}
