//! What can be read.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use feira_commands::conversation::BUSINESS_KEY;
use feira_ids::{AggregateId, PrincipalKind, Role};
use feira_rows::{CARTS_PROJECTION, PRODUCTS_PROJECTION};
use futures::future::try_join_all;

use super::cart::Cart;
use super::market::{Business, Invoice, Order, Thread};
use super::node::{self, GlobalId, Node};
use super::product::Product;
use super::products::{self, PageArguments, ProductConnection, page_cost};
use super::scalars::{DateTime, PositionText};
use super::together::in_their_places;
use super::{Field, asked, caller, catch_up, field, gateway, scope};
use crate::auth::{Caller, Scope};
use crate::error::ApiError;

/// The most ids that are looked up at once.
const NODES_MAX: usize = 100;
/// The kinds of which many are asked for by their ids: they are loaded together.
const ALIKE: [&str; 4] = ["product", "cart", "order", "thread"];

pub(crate) struct Query;

/// What can be read.
#[Object(name = "BasicQuery")]
impl Query {
    /// Who is asking; none without a token.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Viewer> {
        asked(ctx).caller.as_deref().map(Viewer::of)
    }

    /// What an id names; none when it names nothing that the caller may see.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The id, as it was given.")] id: ID) -> Field<Node> {
        let mut found = match nodes_of(ctx, &[id]).await {
            Ok(found) => found,
            Err(error) => return field(Err(error)),
        };
        found.pop().flatten().map(Ok)
    }

    /// What several ids name, in their order; none in place of what names nothing that the caller may see.
    #[graphql(complexity = "ids.len() * child_complexity + 1")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids, as they were given; at most 100.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        if ids.len() > NODES_MAX {
            return Err(ApiError::BadInput(format!("at most {NODES_MAX} ids at once")).into_graphql());
        }
        nodes_of(ctx, &ids).await.map_err(ApiError::into_graphql)
    }

    /// One product of a business; none when it has no such product.
    async fn product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The business; a member's own when none is given.")] business: Option<String>,
        #[graphql(desc = "The business's own id of the product.")] sku: String,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> Field<Product> {
        let found = async {
            let scope = scope(ctx, business.as_deref())?;
            scope.reads_catalog()?;
            catch_up(ctx, position.as_ref(), PRODUCTS_PROJECTION).await?;
            gateway(ctx).reads.product(&scope, &sku).await
        };
        found.await.map(|row| row.map(Product::of_row)).map_err(ApiError::into_graphql).transpose()
    }

    /// The products of a business, page by page: the first ones after a place, or the last ones before one.
    #[graphql(complexity = "page_cost(first, last) * child_complexity + 1")]
    #[allow(clippy::too_many_arguments)]
    async fn products(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The business; a member's own when none is given.")] business: Option<String>,
        #[graphql(desc = "How many from the front, 1 to 100; 20 when neither first nor last is given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "Only those after this place.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this place.")] before: Option<String>,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> Field<ProductConnection> {
        let page = async {
            let scope = scope(ctx, business.as_deref())?;
            products::page(ctx, scope, PageArguments { first, after, last, before, position }).await
        };
        field(page.await)
    }

    /// A customer's cart at a business; an empty one while nothing has been put in.
    async fn cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The business; a member's own when none is given.")] business: Option<String>,
        #[graphql(desc = "Whose cart; a customer's own when none is given.")] customer: Option<String>,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> Field<Cart> {
        let found = async {
            let scope = scope(ctx, business.as_deref())?;
            let customer = scope.customer(customer.as_deref())?;
            catch_up(ctx, position.as_ref(), CARTS_PROJECTION).await?;
            let row = gateway(ctx).reads.cart(&scope, &customer).await?;
            Ok(Cart::of_row(scope, customer, row, position))
        };
        field(found.await)
    }
}

/// What the ids name. What the caller may not see is not told apart from what is not there.
async fn nodes_of(ctx: &Context<'_>, ids: &[ID]) -> Result<Vec<Option<Node>>, ApiError> {
    caller(ctx)?;
    let named: Vec<Option<(Scope, GlobalId)>> = ids
        .iter()
        .map(|id| {
            let named = node::read(id)?;
            Some((scope(ctx, Some(named.tenant.as_str())).ok()?, named))
        })
        .collect();
    let mut found: Vec<Option<Node>> = (0..ids.len()).map(|_| None).collect();
    // What is of one kind and one business is loaded together.
    let (mut alike, mut others) = (Alike::default(), Vec::new());
    for (index, named) in named.into_iter().enumerate() {
        let Some((scope, GlobalId { aggregate, .. })) = named else { continue };
        match ALIKE.into_iter().find(|kind| *kind == aggregate.kind_name()) {
            Some(kind) => alike.push(kind, scope, index, aggregate.key().into()),
            None => others.push((index, scope, aggregate)),
        }
    }
    for ((kind, scope), wanted) in alike.0 {
        let (places, keys): (Vec<usize>, Vec<Arc<str>>) = wanted.into_iter().unzip();
        let nodes = match kind {
            "product" => products_of(ctx, &scope, &keys).await,
            "cart" => carts_of(ctx, &scope, &keys).await,
            "order" => Order::find_many(ctx, &scope, &keys).await.map(nodes),
            _ => Thread::find_many(ctx, &scope, &keys).await.map(nodes),
        };
        for (index, node) in places.into_iter().zip(unless_hidden(nodes)?.into_iter().flatten()) {
            found[index] = node;
        }
    }
    let others = others
        .into_iter()
        .map(async |(index, scope, aggregate)| Ok::<_, ApiError>((index, node_of(ctx, scope, &aggregate).await?)));
    for (index, node) in try_join_all(others).await? {
        found[index] = node;
    }
    Ok(found)
}

async fn products_of(ctx: &Context<'_>, scope: &Scope, skus: &[Arc<str>]) -> Result<Vec<Option<Node>>, ApiError> {
    scope.reads_catalog()?;
    catch_up(ctx, None, PRODUCTS_PROJECTION).await?;
    let rows = gateway(ctx).reads.products(scope, skus.iter().map(|sku| &**sku)).await?;
    Ok(nodes(rows.into_iter().map(|row| row.map(Product::of_row)).collect()))
}

async fn carts_of(ctx: &Context<'_>, scope: &Scope, customers: &[Arc<str>]) -> Result<Vec<Option<Node>>, ApiError> {
    // Of a customer, only their own.
    let seen: Vec<Option<Arc<str>>> = customers.iter().map(|customer| scope.customer(Some(customer)).ok()).collect();
    if seen.iter().all(Option::is_none) {
        return Ok(vec![]);
    }
    catch_up(ctx, None, CARTS_PROJECTION).await?;
    let mut rows =
        gateway(ctx).reads.carts(scope, seen.iter().flatten().map(|customer| &**customer)).await?.into_iter();
    let rows = seen.into_iter().map(|customer| customer.and_then(|customer| Some((customer, rows.next().flatten()?))));
    Ok(nodes(in_their_places(rows.collect(), |rows| Cart::of_rows(scope, rows))))
}

fn nodes<T: Into<Node>>(found: Vec<Option<T>>) -> Vec<Option<Node>> {
    found.into_iter().map(|found| found.map(T::into)).collect()
}

/// None in place of what the caller may not see.
fn unless_hidden<T>(found: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match found {
        Err(ApiError::Forbidden | ApiError::BadInput(_)) => Ok(None),
        found => found.map(Some),
    }
}

/// What one id names, of the kinds of which nobody asks for many by their ids.
async fn node_of(ctx: &Context<'_>, scope: Scope, aggregate: &AggregateId) -> Result<Option<Node>, ApiError> {
    let key = aggregate.key();
    let found = match aggregate.kind_name() {
        "business" if key == BUSINESS_KEY => Business::find(ctx, &scope, None).await.map(|found| found.map(Node::from)),
        "invoice" => Invoice::find(ctx, scope, key, None).await.map(|found| found.map(Node::from)),
        _ => Ok(None),
    };
    Ok(unless_hidden(found)?.flatten())
}

/// Keys, each with its place in the answer.
type Placed = Vec<(usize, Arc<str>)>;

/// Keys by their kind, and by whose scope they are in.
#[derive(Default)]
struct Alike(Vec<((&'static str, Scope), Placed)>);

impl Alike {
    fn push(&mut self, kind: &'static str, scope: Scope, index: usize, key: Arc<str>) {
        let of = (kind, scope);
        match self.0.iter_mut().find(|(known, _)| *known == of) {
            Some((_, keys)) => keys.push((index, key)),
            None => self.0.push((of, vec![(index, key)])),
        }
    }
}

/// What a caller is.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "PrincipalKind")]
pub(crate) enum ViewerKind {
    /// A person who shops.
    Person,
    /// Someone, or some system, that acts for one business.
    Member,
    /// Someone who runs the platform.
    Operator,
    /// A part of the platform.
    Service,
}

/// What a caller may do.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Role", name = "Role")]
pub(crate) enum ViewerRole {
    /// Shops: their own carts and orders.
    Consumer,
    /// Answers customers for a business.
    Agent,
    /// Sets a business up: its catalog, its people.
    Admin,
    /// Reads a business's figures.
    Analyst,
    /// Runs the platform.
    Operator,
    /// A part of the platform.
    Service,
}

/// Who is asking, as the token says.
#[derive(SimpleObject)]
pub(crate) struct Viewer {
    /// What the caller is.
    kind: ViewerKind,
    /// The caller's own id.
    subject: String,
    /// The business acted for; a person and an operator have none.
    business: Option<String>,
    /// What the caller may do.
    roles: Vec<ViewerRole>,
    /// When the token ends.
    expires_at: DateTime,
}

impl Viewer {
    fn of(caller: &Caller) -> Self {
        Self {
            kind: caller.kind.into(),
            subject: caller.sub.to_string(),
            business: caller.tenant.as_ref().map(ToString::to_string),
            roles: caller.roles.iter().map(|role| (*role).into()).collect(),
            expires_at: DateTime(i64::try_from(caller.expires_at_s).unwrap_or(i64::MAX).saturating_mul(1000)),
        }
    }
}
