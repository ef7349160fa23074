//! The list of a business's products, page by page in both directions.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use feira_rows::catalog::ProductRow;

use super::product::Product;
use super::scalars::PositionText;
use super::{catch_up, cursor, gateway};
use crate::auth::Scope;
use crate::error::ApiError;
use crate::reads::{Place, Window};

/// How many are given when nobody says.
const PAGE_DEFAULT: i32 = 20;
/// The most that are given at once.
const PAGE_MAX: i32 = 100;

/// The size of a page for the cost of a query, whatever is written.
pub(super) fn page_cost(first: Option<i32>, last: Option<i32>) -> usize {
    first.or(last).unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX) as usize
}

/// A page of products.
#[derive(SimpleObject)]
pub(crate) struct ProductConnection {
    /// The products with their places.
    edges: Vec<ProductEdge>,
    /// Where the page stands in the list.
    page_info: PageInfo,
}

/// A product and its place in the list.
pub(crate) struct ProductEdge {
    scope: Arc<Scope>,
    row: Arc<ProductRow>,
}

/// A product and its place in the list.
#[Object]
impl ProductEdge {
    /// The place, to go on from.
    async fn cursor(&self, ctx: &Context<'_>) -> String {
        cursor::write(&gateway(ctx).secret, self.scope.tenant(), &place(&self.row))
    }

    /// The product.
    async fn node(&self) -> Product {
        Product::of_row(self.row.clone())
    }
}

/// Where a page stands in its list.
pub(crate) struct PageInfo {
    scope: Arc<Scope>,
    window: Window,
    first: Option<Place>,
    last: Option<Place>,
    more: bool,
}

/// Where a page stands in its list.
#[Object]
impl PageInfo {
    /// Whether more follow.
    async fn has_next_page(&self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        if !self.window.backward {
            return Ok(self.more);
        }
        let Some(anchor) = self.window.before.as_ref() else { return Ok(false) };
        let after = self.last.clone().unwrap_or_else(|| anchor.clone());
        let window = Window { after: Some(after), count: 1, ..Window::default() };
        self.any(ctx, window, anchor).await.map_err(ApiError::into_graphql)
    }

    /// Whether there are some before.
    async fn has_previous_page(&self, ctx: &Context<'_>) -> async_graphql::Result<bool> {
        if self.window.backward {
            return Ok(self.more);
        }
        let Some(anchor) = self.window.after.as_ref() else { return Ok(false) };
        let before = self.first.clone().unwrap_or_else(|| anchor.clone());
        let window = Window { before: Some(before), backward: true, count: 1, ..Window::default() };
        self.any(ctx, window, anchor).await.map_err(ApiError::into_graphql)
    }

    /// The place of the first one; none when the page is empty.
    async fn start_cursor(&self, ctx: &Context<'_>) -> Option<String> {
        let place = self.first.as_ref()?;
        Some(cursor::write(&gateway(ctx).secret, self.scope.tenant(), place))
    }

    /// The place of the last one; none when the page is empty.
    async fn end_cursor(&self, ctx: &Context<'_>) -> Option<String> {
        let place = self.last.as_ref()?;
        Some(cursor::write(&gateway(ctx).secret, self.scope.tenant(), place))
    }
}

impl PageInfo {
    /// Whether `window` holds any product, or there still is the one at `anchor`, which an empty page stands at.
    async fn any(&self, ctx: &Context<'_>, window: Window, anchor: &Place) -> Result<bool, ApiError> {
        let reads = &gateway(ctx).reads;
        if !reads.product_list(&self.scope, &window).await?.0.is_empty() {
            return Ok(true);
        }
        Ok(self.first.is_none() && reads.product(&self.scope, &anchor.sku).await?.is_some())
    }
}

/// What a client says of the page it wants.
pub(super) struct PageArguments {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
    pub position: Option<PositionText>,
}

/// The page of products that `arguments` ask for.
pub(super) async fn page(
    ctx: &Context<'_>,
    scope: Scope,
    arguments: PageArguments,
) -> Result<ProductConnection, ApiError> {
    scope.reads_catalog()?;
    let PageArguments { first, after, last, before, position } = arguments;
    let backward = match (first, last) {
        (Some(_), Some(_)) => return Err(ApiError::BadInput("give first or last, not both".to_owned())),
        (_, last) => last.is_some(),
    };
    let count = first.or(last).unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_MAX).contains(&count) {
        return Err(ApiError::BadInput(format!("first and last are 1 to {PAGE_MAX}")));
    }
    let secret = &gateway(ctx).secret;
    let place_at = |text: Option<String>| text.map(|text| cursor::read(secret, scope.tenant(), &text)).transpose();
    let window = Window { after: place_at(after)?, before: place_at(before)?, backward, count: count as usize };
    catch_up(ctx, position.as_ref(), feira_rows::PRODUCTS_PROJECTION).await?;
    let (rows, more) = gateway(ctx).reads.product_list(&scope, &window).await?;
    let scope = Arc::new(scope);
    let edges: Vec<ProductEdge> =
        rows.into_iter().map(|row| ProductEdge { scope: scope.clone(), row: Arc::new(row) }).collect();
    let (first, last) = (edges.first().map(|edge| place(&edge.row)), edges.last().map(|edge| place(&edge.row)));
    Ok(ProductConnection { page_info: PageInfo { scope, window, first, last, more }, edges })
}

fn place(row: &ProductRow) -> Place {
    Place { shelf: row.shelf, sku: row.sku.clone() }
}
