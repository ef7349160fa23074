//! What happens to businesses, their senders, contacts and templates, and to the threads between them and customers.
//!
//! What people write is sealed; what billing and analytics need (kind, category, class, country, times) stands open.

use std::sync::Arc;

use feira_money::Amount;
use serde::{Deserialize, Serialize};

use crate::{FactPosition, Sealed};

/// A business came to the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessRegistered {
    /// Its name, as customers see it.
    pub name: Arc<str>,
    /// What it says of itself.
    pub profile: Profile,
    /// Where it is: ISO 3166-1, two capital letters.
    pub country: Arc<str>,
    /// Whether it is there to try things out: only then can its clock be moved.
    pub sandbox: bool,
}

/// What a business says of itself changed; all of it is given anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileSet {
    /// Its name now.
    pub name: Arc<str>,
    /// What it says of itself now.
    pub profile: Profile,
}

/// The clock of a sandbox business was moved forwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockMoved {
    /// How far its business time is ahead of the lanes' own now, in milliseconds.
    pub offset_ms: i64,
    /// How far this step moved it, in milliseconds.
    pub by_ms: i64,
}

/// What a business says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// A line under its name.
    #[serde(default)]
    pub about: Option<Arc<str>>,
    /// More about it.
    #[serde(default)]
    pub description: Option<Arc<str>>,
    /// Where it can be found.
    #[serde(default)]
    pub address: Option<Arc<str>>,
    /// Its e-mail address.
    #[serde(default)]
    pub email: Option<Arc<str>>,
    /// Its line of business.
    #[serde(default)]
    pub vertical: Option<Arc<str>>,
    /// Its web pages.
    #[serde(default)]
    pub websites: Vec<Arc<str>>,
}

/// Any event of a business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusinessEvent {
    /// See [`BusinessRegistered`].
    BusinessRegistered(BusinessRegistered),
    /// See [`ProfileSet`].
    ProfileSet(ProfileSet),
    /// See [`ClockMoved`].
    ClockMoved(ClockMoved),
}

/// A business opened a sender: an account on a channel from which it talks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderOpened {
    /// The sender.
    pub sender: Arc<str>,
    /// The name under which customers see it.
    pub display_name: Arc<str>,
    /// Where it talks.
    pub channel: Channel,
}

/// Where a sender talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Channel {
    /// The platform's own chat.
    Chat,
    /// WhatsApp.
    Whatsapp,
    /// Short messages.
    Sms,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// Any event of a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SenderEvent {
    /// See [`SenderOpened`].
    SenderOpened(SenderOpened),
}

/// A business came to know a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactMet {
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// The customer's country: ISO 3166-1, two capital letters.
    pub country: Arc<str>,
}

/// A contact agreed to get messages of a category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptedIn {
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// Of what.
    pub category: Category,
    /// Where it was said: a page, a till, a conversation.
    pub source: Arc<str>,
    /// The words that were agreed to.
    pub shown: Arc<str>,
}

/// A contact wants no more messages of a category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptedOut {
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// Of what.
    pub category: Category,
    /// Where it was said.
    pub source: Arc<str>,
}

/// Any event of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContactEvent {
    /// See [`ContactMet`].
    ContactMet(ContactMet),
    /// See [`OptedIn`].
    OptedIn(OptedIn),
    /// See [`OptedOut`].
    OptedOut(OptedOut),
}

/// A business wrote a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateCreated {
    /// Its name.
    pub name: Arc<str>,
    /// The language of its text: `pt_BR`.
    pub language: Arc<str>,
    /// What it is for.
    pub category: Category,
    /// Its text, with `{{1}}`, `{{2}}` … where variables go.
    pub body: Arc<str>,
    /// How many variables it has.
    pub variables: i32,
}

/// A template may be sent from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateApproved {
    /// Its name.
    pub name: Arc<str>,
    /// The language of its text.
    pub language: Arc<str>,
    /// Whether it was approved at once because the business is a sandbox.
    pub sandbox: bool,
}

/// Any event of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateEvent {
    /// See [`TemplateCreated`].
    TemplateCreated(TemplateCreated),
    /// See [`TemplateApproved`].
    TemplateApproved(TemplateApproved),
}

/// A thread began: the one of this sender and this customer, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadOpened {
    /// The business's sender.
    pub sender: Arc<str>,
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// The customer's country: ISO 3166-1, two capital letters.
    pub country: Arc<str>,
    /// Who wrote first.
    pub by: Side,
}

/// The customer wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageReceived {
    /// The message.
    pub message: Arc<str>,
    /// Its place among the thread's messages: 1, 2, 3 … without a gap.
    pub seq: i64,
    /// The business's sender.
    pub sender: Arc<str>,
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// What it says.
    pub content: Content,
    /// What brought the customer here, when the message says so.
    pub referral: Option<Referral>,
    /// When the customer sent it, milliseconds since 1970; may lie before messages with lower numbers.
    pub sent_at: i64,
    /// When it was taken in, milliseconds since 1970.
    pub received_at: i64,
    /// Until when the business may write, and how, from now on.
    pub windows: Windows,
    /// When the thread's message before this one was taken in or sent; none for the first.
    pub previous_at: Option<i64>,
}

/// The business wrote. What it costs is decided here, once, and booked when it is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSent {
    /// The message.
    pub message: Arc<str>,
    /// Its place among the thread's messages: 1, 2, 3 … without a gap.
    pub seq: i64,
    /// The business's sender.
    pub sender: Arc<str>,
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// The customer's country: ISO 3166-1, two capital letters.
    pub country: Arc<str>,
    /// What it says.
    pub content: Content,
    /// What it is for.
    pub category: Category,
    /// Whether its delivery is charged.
    pub class: Class,
    /// Why.
    pub reason: ClassReason,
    /// The policy that says so.
    pub policy: Arc<str>,
    /// When it was accepted, milliseconds since 1970: the time at which windows are judged.
    pub sent_at: i64,
    /// Until when the business may write, and how, from now on.
    pub windows: Windows,
    /// When the thread's message before this one was taken in or sent; none for the first.
    pub previous_at: Option<i64>,
    /// Where what it shows was read: the template on this service's lanes, or the products on the catalog's, in the
    /// order of the content.
    pub facts: Vec<FactPosition>,
}

/// A message of the business came to the customer. Written once for a message: this is when its charge is booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageDelivered {
    /// The message.
    pub message: Arc<str>,
    /// Its place among the thread's messages.
    pub seq: i64,
    /// The business's sender.
    pub sender: Arc<str>,
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// The customer's country: ISO 3166-1, two capital letters.
    pub country: Arc<str>,
    /// What it is for.
    pub category: Category,
    /// Whether it is charged, as decided when it was sent.
    pub class: Class,
    /// Why, as decided when it was sent.
    pub reason: ClassReason,
    /// The policy that said so.
    pub policy: Arc<str>,
    /// When it was accepted, milliseconds since 1970.
    pub sent_at: i64,
    /// When it came to the customer, milliseconds since 1970: the date of its price.
    pub delivered_at: i64,
}

/// The customer has seen a message of the business. Its delivery was written before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRead {
    /// The message.
    pub message: Arc<str>,
    /// Its place among the thread's messages.
    pub seq: i64,
    /// When, milliseconds since 1970.
    pub read_at: i64,
}

/// A message of the business could not be delivered. Should it arrive after all, its delivery follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageFailed {
    /// The message.
    pub message: Arc<str>,
    /// Its place among the thread's messages.
    pub seq: i64,
    /// When, milliseconds since 1970.
    pub failed_at: i64,
    /// Why, as the channel's code.
    pub code: Option<Arc<str>>,
}

/// Any event of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThreadEvent {
    /// See [`ThreadOpened`].
    ThreadOpened(ThreadOpened),
    /// See [`MessageReceived`].
    MessageReceived(MessageReceived),
    /// See [`MessageSent`].
    MessageSent(MessageSent),
    /// See [`MessageDelivered`].
    MessageDelivered(MessageDelivered),
    /// See [`MessageRead`].
    MessageRead(MessageRead),
    /// See [`MessageFailed`].
    MessageFailed(MessageFailed),
}

/// Until when a business may write to a customer, and how. Each moment is milliseconds since 1970 and lies outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// The end of the service window; none when the customer never wrote.
    #[serde(default)]
    pub window_until: Option<i64>,
    /// Until when an answer opens the free entry point, this moment included; none when no ad brought the customer, or
    /// it was answered.
    #[serde(default)]
    pub entry_pending_until: Option<i64>,
    /// The end of the free entry point; none when there never was one.
    #[serde(default)]
    pub entry_until: Option<i64>,
}

/// Who of the two sides of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Side {
    /// The business.
    Business,
    /// The customer.
    Customer,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// What a message of a business is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Category {
    /// An answer in a conversation, written freely.
    Service,
    /// What follows from something that the customer did: an order, a payment.
    Utility,
    /// An offer.
    Marketing,
    /// A code that proves who someone is.
    Authentication,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// Whether the delivery of a message is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Class {
    /// Not charged.
    Free,
    /// Charged.
    Charged,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// Why a message has its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClassReason {
    /// The service window was open.
    InWindow,
    /// The free entry point was open.
    Entry,
    /// It is a template outside of what is free.
    Template,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// What brought a customer to a business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referral {
    /// What kind of thing.
    pub source: ReferralSource,
    /// The business's own id of it.
    pub id: Option<Arc<str>>,
}

/// What kind of thing brings customers to a business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReferralSource {
    /// An advertisement: it opens the free entry point.
    Ad,
    /// A link or a code.
    Link,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ContentRecord", into = "ContentRecord")]
pub enum Content {
    /// Words.
    Text {
        /// The words.
        body: Sealed<String>,
    },
    /// A sign put to an earlier message, or taken away.
    Reaction {
        /// That message.
        message: Arc<str>,
        /// The sign; none takes it away.
        emoji: Option<Sealed<String>>,
    },
    /// A product of the catalog.
    Product {
        /// Which.
        sku: Arc<str>,
        /// Words beside it.
        body: Option<Sealed<String>>,
    },
    /// Several products of the catalog.
    ProductList {
        /// The words above them.
        header: Option<Sealed<String>>,
        /// The products, in sections.
        sections: Vec<Section>,
    },
    /// A template with its variables filled in.
    Template {
        /// Its name.
        name: Arc<str>,
        /// Its language.
        language: Arc<str>,
        /// The texts of its variables, a JSON list; none when it has none.
        variables: Option<Sealed<String>>,
        /// How many texts that list has.
        variables_count: i32,
    },
    /// An order to be paid.
    OrderDetails {
        /// Which.
        order: Arc<str>,
        /// What it comes to.
        total: Amount,
    },
    /// How an order stands.
    OrderStatus {
        /// Which.
        order: Arc<str>,
        /// How it stands, as the order's own events call it: `PAID`.
        status: Arc<str>,
        /// Why, as a stable code.
        reason: Option<Arc<str>>,
    },
    /// Money asked for.
    MoneyRequest {
        /// The request, as payments know it.
        request: Arc<str>,
        /// How much.
        amount: Amount,
    },
    /// Written by a later release.
    Unknown,
}

impl Content {
    /// What kind of content it is.
    pub fn kind(&self) -> ContentKind {
        match self {
            Self::Text { .. } => ContentKind::Text,
            Self::Reaction { .. } => ContentKind::Reaction,
            Self::Product { .. } => ContentKind::Product,
            Self::ProductList { .. } => ContentKind::ProductList,
            Self::Template { .. } => ContentKind::Template,
            Self::OrderDetails { .. } => ContentKind::OrderDetails,
            Self::OrderStatus { .. } => ContentKind::OrderStatus,
            Self::MoneyRequest { .. } => ContentKind::MoneyRequest,
            Self::Unknown => ContentKind::Unknown,
        }
    }

    /// The products that it shows, in order.
    pub fn skus(&self) -> Vec<&Arc<str>> {
        match self {
            Self::Product { sku, .. } => vec![sku],
            Self::ProductList { sections, .. } => sections.iter().flat_map(|section| &section.skus).collect(),
            Self::Text { .. }
            | Self::Reaction { .. }
            | Self::Template { .. }
            | Self::OrderDetails { .. }
            | Self::OrderStatus { .. }
            | Self::MoneyRequest { .. }
            | Self::Unknown => vec![],
        }
    }
}

/// Products shown under one title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The title; may be empty when there is one section only.
    pub title: Arc<str>,
    /// The products.
    pub skus: Vec<Arc<str>>,
}

/// The kinds of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContentKind {
    /// Words.
    Text,
    /// A sign put to an earlier message.
    Reaction,
    /// A product.
    Product,
    /// Several products.
    ProductList,
    /// A template.
    Template,
    /// An order to be paid.
    OrderDetails,
    /// How an order stands.
    OrderStatus,
    /// Money asked for.
    MoneyRequest,
    /// Written by a later release.
    #[serde(other)]
    Unknown,
}

/// [`Content`] as it is written: the kind says which of the other fields are there.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Content")]
struct ContentRecord {
    kind: ContentKind,
    #[serde(default)]
    body: Option<Sealed<String>>,
    #[serde(default)]
    message: Option<Arc<str>>,
    #[serde(default)]
    sku: Option<Arc<str>>,
    #[serde(default)]
    sections: Vec<Section>,
    #[serde(default)]
    template: Option<TemplateRecord>,
    #[serde(default)]
    order: Option<Arc<str>>,
    #[serde(default)]
    amount: Option<Amount>,
    #[serde(default)]
    status: Option<Arc<str>>,
    #[serde(default)]
    reason: Option<Arc<str>>,
    #[serde(default)]
    request: Option<Arc<str>>,
}

/// The template of a [`ContentRecord`].
#[derive(Serialize, Deserialize)]
#[serde(rename = "TemplateUse")]
struct TemplateRecord {
    name: Arc<str>,
    language: Arc<str>,
    #[serde(default)]
    variables: Option<Sealed<String>>,
    #[serde(default)]
    variables_count: i32,
}

impl ContentRecord {
    fn of(kind: ContentKind) -> Self {
        Self {
            kind,
            body: None,
            message: None,
            sku: None,
            sections: vec![],
            template: None,
            order: None,
            amount: None,
            status: None,
            reason: None,
            request: None,
        }
    }
}

impl From<Content> for ContentRecord {
    fn from(content: Content) -> Self {
        let record = Self::of(content.kind());
        match content {
            Content::Text { body } => Self { body: Some(body), ..record },
            Content::Reaction { message, emoji } => Self { message: Some(message), body: emoji, ..record },
            Content::Product { sku, body } => Self { sku: Some(sku), body, ..record },
            Content::ProductList { header, sections } => Self { body: header, sections, ..record },
            Content::Template { name, language, variables, variables_count } => {
                let template = TemplateRecord { name, language, variables, variables_count };
                Self { template: Some(template), ..record }
            }
            Content::OrderDetails { order, total } => Self { order: Some(order), amount: Some(total), ..record },
            Content::OrderStatus { order, status, reason } => {
                Self { order: Some(order), status: Some(status), reason, ..record }
            }
            Content::MoneyRequest { request, amount } => {
                Self { request: Some(request), amount: Some(amount), ..record }
            }
            Content::Unknown => record,
        }
    }
}

impl TryFrom<ContentRecord> for Content {
    type Error = &'static str;

    fn try_from(record: ContentRecord) -> Result<Self, &'static str> {
        let ContentRecord { kind, body, message, sku, sections, template, order, amount, status, reason, request } =
            record;
        Ok(match kind {
            ContentKind::Text => Self::Text { body: body.ok_or("a text has a body")? },
            ContentKind::Reaction => Self::Reaction {
                message: message.ok_or("a reaction names the message that it is put to")?,
                emoji: body,
            },
            ContentKind::Product => Self::Product { sku: sku.ok_or("a product has an sku")?, body },
            ContentKind::ProductList => Self::ProductList { header: body, sections },
            ContentKind::Template => {
                let template = template.ok_or("a template says which and in what language")?;
                let TemplateRecord { name, language, variables, variables_count } = template;
                Self::Template { name, language, variables, variables_count }
            }
            ContentKind::OrderDetails => Self::OrderDetails {
                order: order.ok_or("an order's details name the order")?,
                total: amount.ok_or("an order's details have an amount")?,
            },
            ContentKind::OrderStatus => Self::OrderStatus {
                order: order.ok_or("an order's status names the order")?,
                status: status.ok_or("an order's status says how it stands")?,
                reason,
            },
            ContentKind::MoneyRequest => Self::MoneyRequest {
                request: request.ok_or("a request for money names the request")?,
                amount: amount.ok_or("a request for money has an amount")?,
            },
            ContentKind::Unknown => Self::Unknown,
        })
    }
}
