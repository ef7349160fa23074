//! What conversations must know before they decide, as far as this service has heard.

use std::sync::Arc;
use std::time::Duration;

use feira_commands::conversation::{BUSINESS_KEY, LIST_PRODUCTS_MAX};
use feira_conversation_domain::thread::{Product, Template};
use feira_events::conversation::{Category, Content};
use feira_ids::{AggregateId, TenantId};
use feira_projection_store::{ProjectionId, Row, Store, StoreError, Table, Value};
use feira_rows::conversation::{
    BUSINESSES, BusinessRow, CONTACTS, ContactRow, LISTED, SENDERS, TEMPLATES, TemplateRow, business_key, contact_key,
    listed_from_row, listed_key, sender_key, template_key,
};
use feira_rows::{BUSINESSES_PROJECTION, CONTACTS_PROJECTION, LISTED_PROJECTION, RowError};
use feira_runtime::{GatherError, Heads, Latest};

/// What this service's own projections hold.
///
/// A business writes a template and sends it in the next moment. So something is called unknown only once everything
/// that stood on its lane has been taken in; what is known costs one read.
#[derive(Clone)]
pub struct Facts {
    store: Arc<dyn Store>,
    latest: Latest,
}

impl Facts {
    /// Reads `store`; waits `catch_up` for the latest events when something is not known.
    pub fn new(store: Arc<dyn Store>, heads: Arc<dyn Heads>, catch_up: Duration) -> Self {
        Self { latest: Latest::new(store.clone(), heads, catch_up), store }
    }

    /// Whether the business of `tenant` is a sandbox; none when it is not registered.
    ///
    /// # Errors
    /// When the store or the log does not answer, or the projection stays behind.
    pub async fn sandbox(&self, tenant: &TenantId) -> Result<Option<bool>, GatherError> {
        let key = business_key(tenant);
        let find = Find { tenant, kind: "business", key: BUSINESS_KEY, projection: BUSINESSES_PROJECTION };
        let row = self.find(find, &BUSINESSES, &key, |row| Some(BusinessRow::from_row(row)).transpose()).await?;
        Ok(row.map(|business| business.sandbox))
    }

    /// Whether the business has opened `sender`.
    ///
    /// # Errors
    /// As [`Facts::sandbox`].
    pub async fn sender_open(&self, tenant: &TenantId, sender: &str) -> Result<bool, GatherError> {
        let key = sender_key(tenant, sender);
        let find = Find { tenant, kind: "sender", key: sender, projection: CONTACTS_PROJECTION };
        Ok(self.find(find, &SENDERS, &key, |_| Ok(Some(()))).await?.is_some())
    }

    /// The template that `content` names; none when it names none, or there is no such template.
    ///
    /// # Errors
    /// As [`Facts::sandbox`].
    pub async fn template(&self, tenant: &TenantId, content: &Content) -> Result<Option<Template>, GatherError> {
        let Content::Template { name, language, .. } = content else {
            return Ok(None);
        };
        let key = template_key(tenant, name, language);
        let aggregate = feira_commands::conversation::template_key(name, language);
        let find = Find { tenant, kind: "template", key: &aggregate, projection: CONTACTS_PROJECTION };
        // One that is known and not approved may have been approved a moment ago.
        let known =
            self.find(find, &TEMPLATES, &key, |row| TemplateRow::from_row(row).map(|row| row.approved.then_some(row)));
        let known = match known.await? {
            Some(approved) => Some(approved),
            None => self.read(&TEMPLATES, &key, |row| TemplateRow::from_row(row).map(Some)).await?,
        };
        Ok(known.map(|row| Template {
            category: row.category,
            variables: row.variables,
            approved: row.approved,
            position: row.position,
        }))
    }

    /// What `customer` last said of messages of `category`.
    ///
    /// # Errors
    /// As [`Facts::sandbox`].
    pub async fn agreed(
        &self,
        tenant: &TenantId,
        customer: &str,
        category: Category,
    ) -> Result<Option<bool>, GatherError> {
        let key = contact_key(tenant, customer);
        let read = |row: Row| ContactRow::from_row(row).map(|contact| contact.agreed(category));
        match category {
            // Without an opt-in there are no offers: it may have been given a moment ago.
            Category::Marketing => {
                let find = Find { tenant, kind: "contact", key: customer, projection: CONTACTS_PROJECTION };
                let agreed = self.find(find, &CONTACTS, &key, |row| read(row).map(|said| said.filter(|said| *said)));
                match agreed.await? {
                    Some(agreed) => Ok(Some(agreed)),
                    None => self.read(&CONTACTS, &key, read).await,
                }
            }
            Category::Service | Category::Utility | Category::Authentication | Category::Unknown => {
                self.read(&CONTACTS, &key, read).await
            }
        }
    }

    /// The products that `content` shows and the catalog lists.
    ///
    /// # Errors
    /// As [`Facts::sandbox`].
    pub async fn products(&self, tenant: &TenantId, content: &Content) -> Result<Vec<Product>, GatherError> {
        let mut products: Vec<Product> = vec![];
        // A list with more is refused, whatever they are.
        for sku in content.skus().into_iter().take(LIST_PRODUCTS_MAX) {
            if products.iter().any(|product| product.sku == *sku) {
                continue;
            }
            let key = listed_key(tenant, sku);
            let find = Find { tenant, kind: "product", key: sku, projection: LISTED_PROJECTION };
            let position = self.find(find, &LISTED, &key, |row| listed_from_row(row).map(Some)).await?;
            products.extend(position.map(|position| Product { sku: sku.clone(), position }));
        }
        Ok(products)
    }

    /// What `read` finds in the row of `key`; once more after everything on its lane was taken in, when it is nothing.
    async fn find<T>(
        &self,
        find: Find<'_>,
        table: &'static Table,
        key: &[Value],
        read: impl Fn(Row) -> Result<Option<T>, RowError>,
    ) -> Result<Option<T>, GatherError> {
        if let Some(found) = self.read(table, key, &read).await? {
            return Ok(Some(found));
        }
        let Ok(aggregate) = AggregateId::new(find.kind, find.key) else {
            return Ok(None);
        };
        self.latest.taken_in(find.projection, find.tenant, &aggregate).await?;
        self.read(table, key, &read).await
    }

    async fn read<T>(
        &self,
        table: &'static Table,
        key: &[Value],
        read: impl Fn(Row) -> Result<Option<T>, RowError>,
    ) -> Result<Option<T>, GatherError> {
        let Some(row) = self.store.get(table, key).await.map_err(unread)? else {
            return Ok(None);
        };
        read(row).map_err(|source| GatherError { what: "a row cannot be read".to_owned(), source: source.into() })
    }
}

/// What is looked for, and whose events say so.
struct Find<'a> {
    tenant: &'a TenantId,
    kind: &'static str,
    key: &'a str,
    projection: ProjectionId,
}

fn unread(source: StoreError) -> GatherError {
    GatherError { what: "what conversations must know cannot be read".to_owned(), source: source.into() }
}
