//! A cart as clients see it.
//!
//! What a cart holds is loaded once, when a field first asks for it: the lines of all carts that were found together in
//! one read, and the products of all those lines in one, however many lines ask for theirs.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use feira_commands::cart::View;
use feira_events::Sealed;
use feira_events::cart::Line;
use feira_events::catalog::Availability;
use feira_money::Amount;
use feira_rows::PRODUCTS_PROJECTION;
use feira_rows::cart::CartRow;
use feira_rows::catalog::ProductRow;

use super::money::Money;
use super::product::Product;
use super::scalars::{DateTime, PositionText};
use super::together::Share;
use super::{Field, catch_up, field, gateway, node};
use crate::auth::Scope;
use crate::error::ApiError;
use crate::notes::Note;

/// The most lines a cart has: what the cost of a query counts with.
const LINES_COST: usize = 100;

/// A customer's cart at a business.
#[derive(Clone)]
pub(crate) struct Cart(Arc<Contents>);

struct Contents {
    scope: Scope,
    customer: Arc<str>,
    version: u64,
    updated_at: Option<i64>,
    note: Option<Sealed<String>>,
    position: Option<PositionText>,
    lines: Share<Arc<str>, Vec<Line>>,
    undoable: Share<Arc<str>, Vec<i64>>,
    products: Share<Arc<str>, Vec<Option<Arc<ProductRow>>>>,
}

impl Cart {
    /// A cart that was read alone; the empty one while nothing has happened to it.
    pub(crate) fn of_row(
        scope: Scope,
        customer: Arc<str>,
        row: Option<CartRow>,
        position: Option<PositionText>,
    ) -> Self {
        let key = || customer.clone();
        let products = Share::alone(key());
        let (lines, undoable, (version, updated_at, note)) = match row {
            Some(row) => (Share::alone(key()), Share::alone(key()), (row.version, Some(row.updated_at), row.note)),
            None => (Share::known(key(), vec![]), Share::known(key(), vec![]), (0, None, None)),
        };
        Self(Arc::new(Contents { scope, customer, version, updated_at, note, position, lines, undoable, products }))
    }

    /// Carts that were read together.
    pub(crate) fn of_rows(scope: &Scope, rows: Vec<(Arc<str>, CartRow)>) -> Vec<Self> {
        let customers: Vec<Arc<str>> = rows.iter().map(|(customer, _)| customer.clone()).collect();
        let shares = Share::each(customers.clone()).zip(Share::each(customers.clone())).zip(Share::each(customers));
        let cart = |((customer, row), ((lines, undoable), products)): ((Arc<str>, CartRow), _)| {
            let CartRow { version, updated_at, note, .. } = row;
            let (scope, updated_at, position) = (scope.clone(), Some(updated_at), None);
            Self(Arc::new(Contents { scope, customer, version, updated_at, note, position, lines, undoable, products }))
        };
        rows.into_iter().zip(shares).map(cart).collect()
    }

    /// A cart as its owner answered.
    pub(crate) fn of_view(scope: Scope, view: View) -> Self {
        let key = || view.customer.clone();
        Self(Arc::new(Contents {
            scope,
            version: view.version,
            updated_at: None,
            note: view.note,
            position: None,
            lines: Share::known(key(), view.lines),
            undoable: Share::known(key(), view.undoable),
            products: Share::alone(key()),
            customer: view.customer,
        }))
    }

    pub(crate) async fn all_warnings(&self, ctx: &Context<'_>) -> Result<Vec<Warning>, ApiError> {
        let lines = self.0.lines(ctx).await?;
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let products = self.0.products(ctx).await?;
        Ok(lines.iter().zip(products).filter_map(|(line, product)| warning(line, product.as_deref())).collect())
    }
}

impl Contents {
    async fn lines(&self, ctx: &Context<'_>) -> Result<&[Line], ApiError> {
        let read = |customers| gateway(ctx).reads.cart_lines(&self.scope, customers);
        self.lines.get(read).await.map(Vec::as_slice)
    }

    async fn products(&self, ctx: &Context<'_>) -> Result<&[Option<Arc<ProductRow>>], ApiError> {
        let read = |_| async {
            let reads = &gateway(ctx).reads;
            let carts = self.lines.of_all(|customers| reads.cart_lines(&self.scope, customers)).await?;
            catch_up(ctx, self.position.as_ref(), PRODUCTS_PROJECTION).await?;
            let skus = carts.iter().flatten().map(|line| &*line.sku);
            let mut products = reads.products(&self.scope, skus).await?.into_iter();
            Ok(carts.iter().map(|lines| products.by_ref().take(lines.len()).collect()).collect())
        };
        self.products.get(read).await.map(Vec::as_slice)
    }
}

/// What a customer has put in at a business, until it is ordered.
#[Object]
impl Cart {
    /// The id that names it everywhere; its form is not to be relied on.
    pub(crate) async fn id(&self) -> ID {
        node::write("cart", self.0.scope.tenant().as_str(), &self.0.customer)
    }

    /// The business.
    async fn business(&self) -> &str {
        self.0.scope.tenant().as_str()
    }

    /// The customer, by the id under which this business knows them.
    async fn customer(&self) -> &str {
        &self.0.customer
    }

    /// How often it has changed; give it as expectedVersion to change it only if nobody else has.
    async fn version(&self) -> u64 {
        self.0.version
    }

    /// When it last changed; none in the answer to a mutation, and while nothing is in it.
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime)
    }

    /// What is in it, in the order in which it was first put in.
    #[graphql(complexity = "LINES_COST * child_complexity + 1")]
    async fn lines(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<CartLine>> {
        let lines = self.0.lines(ctx).await.map_err(ApiError::into_graphql)?;
        Ok((0..lines.len()).map(|index| CartLine { cart: self.0.clone(), index }).collect())
    }

    /// The sum of the lines; none while the cart is empty.
    async fn subtotal(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Money>> {
        let subtotal = async { subtotal(self.0.lines(ctx).await?) };
        subtotal.await.map(|sum| sum.map(Money)).map_err(ApiError::into_graphql)
    }

    /// The customer's note.
    async fn note(&self, ctx: &Context<'_>) -> Field<CartNote> {
        let note = self.0.note.as_ref()?;
        let opened = gateway(ctx).notes.open(note).await;
        field(opened.map(|note| match note {
            Note::Open(text) => CartNote { text: Some(text), erased: false },
            Note::Erased => CartNote { text: None, erased: true },
        }))
    }

    /// The versions of the edits that can be taken back, the latest first.
    async fn undoable(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<i64>> {
        let read = |customers| gateway(ctx).reads.cart_undoable(&self.0.scope, customers);
        self.0.undoable.get(read).await.cloned().map_err(ApiError::into_graphql)
    }

    /// Where the catalog now says something else than when the product was put in.
    #[graphql(complexity = "10 * child_complexity + 10")]
    async fn warnings(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Warning>> {
        self.all_warnings(ctx).await.map_err(ApiError::into_graphql)
    }
}

/// One product in a cart.
pub(crate) struct CartLine {
    cart: Arc<Contents>,
    index: usize,
}

impl CartLine {
    async fn line(&self, ctx: &Context<'_>) -> async_graphql::Result<&Line> {
        let lines = self.cart.lines(ctx).await.map_err(ApiError::into_graphql)?;
        lines
            .get(self.index)
            .ok_or_else(|| ApiError::fault("a cart's lines changed while they were read").into_graphql())
    }

    async fn row(&self, ctx: &Context<'_>) -> Result<Option<&Arc<ProductRow>>, ApiError> {
        Ok(self.cart.products(ctx).await?.get(self.index).and_then(Option::as_ref))
    }
}

/// One product in a cart.
#[Object]
impl CartLine {
    /// The business's own id of the product.
    async fn sku(&self, ctx: &Context<'_>) -> async_graphql::Result<&str> {
        Ok(&self.line(ctx).await?.sku)
    }

    /// Its title when it was last added.
    async fn title(&self, ctx: &Context<'_>) -> async_graphql::Result<&str> {
        Ok(&self.line(ctx).await?.title)
    }

    /// How many units.
    async fn quantity(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        Ok(self.line(ctx).await?.quantity)
    }

    /// What one unit cost when it was last added.
    async fn unit_price(&self, ctx: &Context<'_>) -> async_graphql::Result<Money> {
        Ok(Money(self.line(ctx).await?.unit_price))
    }

    /// Unit price times quantity.
    async fn line_total(&self, ctx: &Context<'_>) -> async_graphql::Result<Money> {
        let total = line_total(self.line(ctx).await?);
        total.map(Money).map_err(ApiError::into_graphql)
    }

    /// What one unit costs now; none when it is sold no longer.
    async fn price_now(&self, ctx: &Context<'_>) -> Field<Money> {
        match self.row(ctx).await {
            Ok(row) => row.map(|row| Ok(Money(row.pricing.current()))),
            Err(error) => field(Err(error)),
        }
    }

    /// The product as it is now; none when it is sold no longer.
    async fn product(&self, ctx: &Context<'_>) -> Field<Product> {
        match self.row(ctx).await {
            Ok(row) => row.map(|row| Ok(Product::of_row(row.clone()))),
            Err(error) => field(Err(error)),
        }
    }
}

/// What a customer wrote to the business.
#[derive(SimpleObject)]
pub(crate) struct CartNote {
    /// The text; none when it was erased.
    text: Option<String>,
    /// Whether it was erased for good, at the customer's wish.
    erased: bool,
}

/// What a warning says.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WarningCode {
    /// It now costs something else.
    PriceChanged,
    /// It cannot be had now.
    OutOfStock,
    /// It is no longer in the catalog.
    NoLongerSold,
}

/// Something to know that stops nothing.
#[derive(SimpleObject, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    /// What it says.
    pub code: WarningCode,
    /// The SKU of the product it is about.
    pub target: String,
    /// In words.
    pub message: String,
}

fn warning(line: &Line, product: Option<&ProductRow>) -> Option<Warning> {
    let warning = |code, message: String| Some(Warning { code, target: line.sku.to_string(), message });
    let Some(product) = product else {
        return warning(WarningCode::NoLongerSold, format!("{} is no longer sold", line.title));
    };
    match product.details.availability {
        Availability::OutOfStock | Availability::Discontinued => {
            return warning(WarningCode::OutOfStock, format!("{} cannot be had now", line.title));
        }
        Availability::InStock | Availability::Preorder | Availability::Unknown => {}
    }
    let now = product.pricing.current();
    if now == line.unit_price {
        return None;
    }
    warning(WarningCode::PriceChanged, format!("{} costs {now} now, not {}", line.title, line.unit_price))
}

fn line_total(line: &Line) -> Result<Amount, ApiError> {
    line.unit_price
        .checked_mul(i64::from(line.quantity))
        .map_err(|error| ApiError::internal("a line's total does not fit", &error))
}

fn subtotal(lines: &[Line]) -> Result<Option<Amount>, ApiError> {
    let mut sum: Option<Amount> = None;
    for line in lines {
        let total = line_total(line)?;
        sum = Some(match sum {
            None => total,
            Some(sum) => {
                sum.checked_add(total).map_err(|error| ApiError::internal("a cart's subtotal does not fit", &error))?
            }
        });
    }
    Ok(sum)
}
