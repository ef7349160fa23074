//! The tables of conversations, and what their service keeps of the catalog.

mod thread;
mod word;

pub use thread::{
    INBOX, InboxRow, MESSAGES, MessageRow, THREADS, ThreadRow, message_bucket, message_key, messages_key,
    put_delivered, put_failed, put_read, put_received, put_sent, put_thread, thread_row_key, touch_thread,
};

use std::sync::Arc;

use feira_events::conversation::{
    BusinessRegistered, Category, Channel, Profile, ProfileSet, SenderOpened, TemplateApproved, TemplateCreated,
};
use feira_events::{FactPosition, Meta};
use feira_ids::{AggregateId, TenantId, slot};
use feira_projection_store::{Column, ColumnType, Mutation, Order, Row, Table, Value};

use crate::column::{Cells, Writes};
use crate::{RowError, tenant_cell, version};
use word::{said, word};

/// Partitions of a tenant's contacts.
const CONTACT_SHELVES: u32 = 16;

/// Businesses.
pub static BUSINESSES: Table = Table {
    name: "businesses_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
        Column { name: "name", kind: ColumnType::Text },
        Column { name: "about", kind: ColumnType::Text },
        Column { name: "description", kind: ColumnType::Text },
        Column { name: "address", kind: ColumnType::Text },
        Column { name: "email", kind: ColumnType::Text },
        Column { name: "vertical", kind: ColumnType::Text },
        Column { name: "websites", kind: ColumnType::TextList },
        Column { name: "country", kind: ColumnType::Text },
        Column { name: "sandbox", kind: ColumnType::Boolean },
        Column { name: "lane", kind: ColumnType::Int },
        Column { name: "lane_seq", kind: ColumnType::BigInt },
    ],
    partition: 1,
    clustering: &[],
    doc: "A business that is registered, and what it says of itself.",
};

/// Senders by business.
pub static SENDERS: Table = Table {
    name: "senders_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "sender", kind: ColumnType::Text },
        Column { name: "opened_at", kind: ColumnType::Timestamp },
        Column { name: "display_name", kind: ColumnType::Text },
        Column { name: "channel", kind: ColumnType::Text },
    ],
    partition: 1,
    clustering: &[Order::Ascending],
    doc: "An account on a channel from which a business talks.",
};

/// Contacts by business.
pub static CONTACTS: Table = Table {
    name: "contacts_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "shelf", kind: ColumnType::Int },
        Column { name: "customer", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
        Column { name: "country", kind: ColumnType::Text },
        Column { name: "utility", kind: ColumnType::Boolean },
        Column { name: "marketing", kind: ColumnType::Boolean },
        Column { name: "authentication", kind: ColumnType::Boolean },
    ],
    partition: 2,
    clustering: &[Order::Ascending],
    doc: "A customer whom a business knows, and what was last said of each category: agreed, or no more.",
};

/// Templates by business.
pub static TEMPLATES: Table = Table {
    name: "templates_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "name", kind: ColumnType::Text },
        Column { name: "language", kind: ColumnType::Text },
        Column { name: "version", kind: ColumnType::BigInt },
        Column { name: "updated_at", kind: ColumnType::Timestamp },
        Column { name: "category", kind: ColumnType::Text },
        Column { name: "body", kind: ColumnType::Text },
        Column { name: "variables", kind: ColumnType::Int },
        Column { name: "approved", kind: ColumnType::Boolean },
        Column { name: "lane", kind: ColumnType::Int },
        Column { name: "lane_seq", kind: ColumnType::BigInt },
    ],
    partition: 1,
    clustering: &[Order::Ascending, Order::Ascending],
    doc: "A template, and the place in the lane that last changed it.",
};

/// What conversations must know of each product that is listed.
pub static LISTED: Table = Table {
    name: "listed_products_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "sku", kind: ColumnType::Text },
        Column { name: "lane", kind: ColumnType::Int },
        Column { name: "lane_seq", kind: ColumnType::BigInt },
    ],
    partition: 2,
    clustering: &[],
    doc: "A product that the catalog lists, and the place in its lane where it came to do so.",
};

/// A business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusinessRow {
    /// The business.
    pub tenant: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// When what it says of itself last changed, milliseconds since 1970.
    pub updated_at: i64,
    /// Its name.
    pub name: Arc<str>,
    /// What it says of itself.
    pub profile: Profile,
    /// Where it is.
    pub country: Arc<str>,
    /// Whether it is there to try things out.
    pub sandbox: bool,
}

/// A sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SenderRow {
    /// The sender.
    pub sender: Arc<str>,
    /// When it was opened, milliseconds since 1970.
    pub opened_at: i64,
    /// The name under which customers see it.
    pub display_name: Arc<str>,
    /// Where it talks.
    pub channel: Channel,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// When it last changed, milliseconds since 1970.
    pub updated_at: i64,
    /// The customer's country.
    pub country: Arc<str>,
    /// What was last said of utility messages.
    pub utility: Option<bool>,
    /// What was last said of marketing messages.
    pub marketing: Option<bool>,
    /// What was last said of authentication messages.
    pub authentication: Option<bool>,
}

/// A template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateRow {
    /// Its name.
    pub name: Arc<str>,
    /// The language of its text.
    pub language: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// When it last changed, milliseconds since 1970.
    pub updated_at: i64,
    /// What it is for.
    pub category: Category,
    /// Its text.
    pub body: Arc<str>,
    /// How many variables it has.
    pub variables: i32,
    /// Whether it may be sent.
    pub approved: bool,
    /// Where that was said.
    pub position: FactPosition,
}

/// The primary key of a business.
pub fn business_key(tenant: &TenantId) -> Vec<Value> {
    vec![tenant_cell(tenant)]
}

/// The primary key of a sender; without the last, the partition of a business's senders.
pub fn sender_key(tenant: &TenantId, sender: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), sender.into()]
}

/// The shelf of a contact: its slot modulo the number of shelves. What can be no key has shelf 0, where it is not found.
fn contact_shelf(tenant: &TenantId, customer: &str) -> i32 {
    AggregateId::new("contact", customer).map_or(0, |contact| (slot(tenant, &contact) % CONTACT_SHELVES) as i32)
}

/// The primary key of a contact.
pub fn contact_key(tenant: &TenantId, customer: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), Value::Int(contact_shelf(tenant, customer)), customer.into()]
}

/// The primary key of a template.
pub fn template_key(tenant: &TenantId, name: &str, language: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), name.into(), language.into()]
}

/// The partition of a business's threads, the latest first; and of its senders and templates.
pub fn tenant_key(tenant: &TenantId) -> Vec<Value> {
    vec![tenant_cell(tenant)]
}

/// The primary key of a product that is listed.
pub fn listed_key(tenant: &TenantId, sku: &str) -> Vec<Value> {
    vec![tenant_cell(tenant), sku.into()]
}

/// Writes a business that is registered.
pub fn put_business(meta: &Meta, registered: &BusinessRegistered) -> Mutation {
    let writes = business_writes(meta, &registered.name, &registered.profile);
    writes.shared("country", Some(&registered.country)).boolean("sandbox", registered.sandbox).upsert()
}

/// Writes what a business says of itself now.
pub fn put_profile(meta: &Meta, set: &ProfileSet) -> Mutation {
    business_writes(meta, &set.name, &set.profile).upsert()
}

/// Writes that a business has a new version; what else it says stays.
pub fn touch_business(meta: &Meta) -> Mutation {
    Writes::new(&BUSINESSES, business_key(&meta.tenant), meta.hlc).bigint("version", version(meta)).upsert()
}

fn business_writes(meta: &Meta, name: &Arc<str>, profile: &Profile) -> Writes {
    Writes::new(&BUSINESSES, business_key(&meta.tenant), meta.hlc)
        .bigint("version", version(meta))
        .timestamp("updated_at", meta.at)
        .shared("name", Some(name))
        .shared("about", profile.about.as_ref())
        .shared("description", profile.description.as_ref())
        .shared("address", profile.address.as_ref())
        .shared("email", profile.email.as_ref())
        .shared("vertical", profile.vertical.as_ref())
        .texts("websites", &profile.websites)
        .int("lane", meta.lane)
        .bigint("lane_seq", meta.lane_seq)
}

/// Writes a sender that is open.
pub fn put_sender(meta: &Meta, opened: &SenderOpened) -> Mutation {
    Writes::new(&SENDERS, sender_key(&meta.tenant, &opened.sender), meta.hlc)
        .timestamp("opened_at", meta.at)
        .shared("display_name", Some(&opened.display_name))
        .text("channel", &word(&opened.channel))
        .upsert()
}

/// Writes a contact that was met.
pub fn put_contact(meta: &Meta, customer: &str, country: &Arc<str>) -> Mutation {
    contact_writes(meta, customer).shared("country", Some(country)).upsert()
}

/// Writes what a contact last said of a category.
pub fn put_agreed(meta: &Meta, customer: &str, category: Category, agreed: bool) -> Mutation {
    let writes = contact_writes(meta, customer);
    match category {
        Category::Utility => writes.boolean("utility", agreed),
        Category::Marketing => writes.boolean("marketing", agreed),
        Category::Authentication => writes.boolean("authentication", agreed),
        // There is nothing to say of answers, and no column for what a later release knows.
        Category::Service | Category::Unknown => writes,
    }
    .upsert()
}

fn contact_writes(meta: &Meta, customer: &str) -> Writes {
    Writes::new(&CONTACTS, contact_key(&meta.tenant, customer), meta.hlc)
        .bigint("version", version(meta))
        .timestamp("updated_at", meta.at)
}

/// Writes a template.
pub fn put_template(meta: &Meta, created: &TemplateCreated) -> Mutation {
    template_writes(meta, &created.name, &created.language)
        .text("category", &word(&created.category))
        .shared("body", Some(&created.body))
        .int("variables", created.variables)
        .boolean("approved", false)
        .upsert()
}

/// Writes that a template may be sent.
pub fn approve_template(meta: &Meta, approved: &TemplateApproved) -> Mutation {
    template_writes(meta, &approved.name, &approved.language).boolean("approved", true).upsert()
}

fn template_writes(meta: &Meta, name: &str, language: &str) -> Writes {
    Writes::new(&TEMPLATES, template_key(&meta.tenant, name, language), meta.hlc)
        .bigint("version", version(meta))
        .timestamp("updated_at", meta.at)
        .int("lane", meta.lane)
        .bigint("lane_seq", meta.lane_seq)
}

/// Writes that the catalog lists a product.
pub fn put_listed(meta: &Meta, sku: &str) -> Mutation {
    Writes::new(&LISTED, listed_key(&meta.tenant, sku), meta.hlc)
        .of_aggregate(meta)
        .int("lane", meta.lane)
        .bigint("lane_seq", meta.lane_seq)
        .upsert()
}

/// Takes a product away that the catalog lists no more.
pub fn remove_listed(meta: &Meta, sku: &str) -> Mutation {
    Mutation::Delete { table: &LISTED, key: listed_key(&meta.tenant, sku), timestamp: meta.hlc }
}

impl BusinessRow {
    /// Reads a row of [`BUSINESSES`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&BUSINESSES, row);
        let tenant = cells.text()?;
        let (version, updated_at, name) = (cells.count()?, cells.timestamp()?, cells.text()?);
        let profile = Profile {
            about: cells.optional_text()?,
            description: cells.optional_text()?,
            address: cells.optional_text()?,
            email: cells.optional_text()?,
            vertical: cells.optional_text()?,
            websites: cells.text_list()?,
        };
        Ok(Self { tenant, version, updated_at, name, profile, country: cells.text()?, sandbox: cells.boolean()? })
    }
}

impl SenderRow {
    /// Reads a row of [`SENDERS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&SENDERS, row);
        let (_tenant, sender, opened_at) = (cells.text()?, cells.text()?, cells.timestamp()?);
        Ok(Self { sender, opened_at, display_name: cells.text()?, channel: said(&mut cells)? })
    }
}

impl ContactRow {
    /// Reads a row of [`CONTACTS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&CONTACTS, row);
        let (_tenant, _shelf, customer) = (cells.text()?, cells.int()?, cells.text()?);
        Ok(Self {
            customer,
            version: cells.count()?,
            updated_at: cells.timestamp()?,
            country: cells.text()?,
            utility: cells.optional_boolean()?,
            marketing: cells.optional_boolean()?,
            authentication: cells.optional_boolean()?,
        })
    }

    /// What was last said of messages of `category`.
    pub fn agreed(&self, category: Category) -> Option<bool> {
        match category {
            Category::Utility => self.utility,
            Category::Marketing => self.marketing,
            Category::Authentication => self.authentication,
            Category::Service | Category::Unknown => None,
        }
    }
}

impl TemplateRow {
    /// Reads a row of [`TEMPLATES`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&TEMPLATES, row);
        let (_tenant, name, language) = (cells.text()?, cells.text()?, cells.text()?);
        Ok(Self {
            name,
            language,
            version: cells.count()?,
            updated_at: cells.timestamp()?,
            category: said(&mut cells)?,
            body: cells.text()?,
            variables: cells.int()?,
            approved: cells.boolean()?,
            position: FactPosition { lane: cells.int()?, lane_seq: cells.bigint()? },
        })
    }
}

/// Reads where a product that is listed came to be so, from a row of [`LISTED`].
///
/// # Errors
/// [`RowError`] when a cell has no meaning.
pub fn listed_from_row(row: Row) -> Result<FactPosition, RowError> {
    let mut cells = Cells::new(&LISTED, row);
    let (_tenant, _sku) = (cells.text()?, cells.text()?);
    Ok(FactPosition { lane: cells.int()?, lane_seq: cells.bigint()? })
}
