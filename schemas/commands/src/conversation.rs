//! What businesses, senders, contacts, templates and threads can be asked, and what they answer.

mod policy;

pub use policy::{DEFAULT_POLICY, Policy, Verdict, default_policy, policy};

use std::sync::Arc;

use feira_events::conversation::{Category, Channel, Class, ClassReason, Content, Profile, Referral, Side, Windows};
use serde::{Deserialize, Serialize};

/// The key of a business's one aggregate: `business:main`.
pub const BUSINESS_KEY: &str = "main";

/// The sender of a business that has only one, and of whoever names none.
pub const MAIN_SENDER: &str = "main";

/// The most characters in the name of a business or a sender.
pub const NAME_CHARS_MAX: usize = 256;

/// The most characters in a text of a profile: about, description, address, e-mail, vertical and each web page.
pub const PROFILE_CHARS_MAX: usize = 512;

/// The most web pages in a profile.
pub const WEBSITES_MAX: usize = 2;

/// The longest step of a sandbox business's clock, in milliseconds: 400 days.
pub const CLOCK_STEP_MS_MAX: i64 = 400 * 24 * 60 * 60 * 1_000;

/// The furthest that a sandbox business's clock can be ahead, in milliseconds: 36,500 days.
pub const CLOCK_OFFSET_MS_MAX: i64 = 36_500 * 24 * 60 * 60 * 1_000;

/// The most characters in a message's text or a template's variables, before they are sealed.
/// Source: Meta, Cloud API, text messages.
pub const TEXT_CHARS_MAX: usize = 4_096;

/// The most characters in a template's text.
/// Source: Meta, Cloud API, message templates.
pub const TEMPLATE_CHARS_MAX: usize = 1_024;

/// The most characters in the header of a list of products, before it is sealed.
/// Source: Meta, Cloud API, interactive messages.
pub const HEADER_CHARS_MAX: usize = 60;

/// The most characters in the title of a section of products.
/// Source: Meta, Cloud API, interactive messages.
pub const SECTION_TITLE_CHARS_MAX: usize = 24;

/// The most sections in a list of products.
/// Source: Meta, Cloud API, multi-product messages.
pub const SECTIONS_MAX: usize = 10;

/// The most products in a list.
/// Source: Meta, Cloud API, multi-product messages.
pub const LIST_PRODUCTS_MAX: usize = 30;

/// The most characters in an id or a code that comes with a message.
pub const ID_CHARS_MAX: usize = 128;

/// The most characters in the source of an opt-in, and in the words that were shown.
pub const OPT_IN_CHARS_MAX: usize = 1_024;

/// How many of a thread's latest messages take receipts, and are known when they come again.
pub const MESSAGES_REMEMBERED: usize = 500;

/// How many messages of a thread stand together in one partition of rows.
pub const MESSAGES_IN_BUCKET: i64 = 2_000;

/// What can be asked of a business. The aggregate is `business:main`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum BusinessInput {
    /// Bring the business to the platform.
    Register {
        /// Its name, as customers see it.
        name: Arc<str>,
        /// What it says of itself.
        #[serde(default)]
        profile: Profile,
        /// Where it is: ISO 3166-1, two capital letters.
        country: Arc<str>,
        /// Whether it is there to try things out: only then can its clock be moved.
        #[serde(default)]
        sandbox: bool,
    },
    /// Change what it says of itself; all of it is given anew.
    SetProfile {
        /// Its name.
        name: Arc<str>,
        /// What it says of itself.
        #[serde(default)]
        profile: Profile,
    },
    /// Move the clock of a sandbox business forwards: by a span, or to a moment; one of the two is given.
    MoveClock {
        /// By how much, in milliseconds.
        #[serde(default)]
        by_ms: Option<i64>,
        /// To when, milliseconds since 1970.
        #[serde(default)]
        to: Option<i64>,
    },
}

/// A business as its owner sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessView {
    /// How many events it has.
    pub version: u64,
    /// Whether it came to the platform.
    pub registered: bool,
    /// Its name.
    pub name: Arc<str>,
    /// What it says of itself.
    pub profile: Profile,
    /// Where it is.
    pub country: Arc<str>,
    /// Whether it is there to try things out.
    pub sandbox: bool,
    /// How far its business time is ahead of the lanes' own, in milliseconds.
    pub clock_offset_ms: i64,
}

/// What can be asked of a sender. The aggregate is `sender:<id>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum SenderInput {
    /// Open it.
    Open {
        /// The name under which customers see it.
        display_name: Arc<str>,
        /// Where it talks.
        channel: Channel,
    },
}

/// A sender as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SenderView {
    /// The sender.
    pub sender: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// The name under which customers see it; empty before it is opened.
    pub display_name: Arc<str>,
    /// Where it talks; none before it is opened.
    pub channel: Option<Channel>,
}

/// What can be asked of a contact. The aggregate is `contact:<customer>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum ContactInput {
    /// Come to know the customer.
    Meet,
    /// Write down that the customer agreed to messages of a category.
    OptIn {
        /// Of what: utility, marketing or authentication.
        category: Category,
        /// Where it was said: a page, a till, a conversation.
        source: Arc<str>,
        /// The words that were agreed to.
        shown: Arc<str>,
    },
    /// Write down that the customer wants no more messages of a category.
    OptOut {
        /// Of what: utility, marketing or authentication.
        category: Category,
        /// Where it was said.
        source: Arc<str>,
    },
}

/// A contact as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactView {
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// The customer's country.
    pub country: Arc<str>,
    /// What was agreed to and stands.
    pub opted_in: Vec<Category>,
    /// What was refused and stands.
    pub opted_out: Vec<Category>,
}

/// What can be asked of a template. The aggregate is `template:<name>.<language>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum TemplateInput {
    /// Write it. Of a sandbox business it is approved at once.
    Create {
        /// What it is for: utility, marketing or authentication.
        category: Category,
        /// Its text, with `{{1}}`, `{{2}}` … where variables go.
        body: Arc<str>,
    },
    /// Let it be sent.
    Approve,
}

/// A template as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateView {
    /// Its name.
    pub name: Arc<str>,
    /// The language of its text.
    pub language: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// What it is for; none before it is written.
    pub category: Option<Category>,
    /// Its text; empty before it is written.
    pub body: Arc<str>,
    /// How many variables it has.
    pub variables: i32,
    /// Whether it may be sent.
    pub approved: bool,
}

/// What can be asked of a thread. The aggregate is `thread:<sender>/<customer>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum ThreadInput {
    /// Take in what the customer wrote.
    Receive {
        /// The message's id, given by whoever sends; one that is known already changes nothing.
        message: Arc<str>,
        /// What it says: a text, a product or a reaction. Sealed before it comes here.
        content: Content,
        /// What brought the customer here.
        #[serde(default)]
        referral: Option<Referral>,
        /// When the customer sent it, milliseconds since 1970; never taken later than when it is decided, which it also
        /// is when nothing is given.
        #[serde(default)]
        sent_at: Option<i64>,
    },
    /// Send what the business writes.
    Send {
        /// The message's id, given by whoever sends; one that is known already changes nothing.
        message: Arc<str>,
        /// What it says. Sealed before it comes here.
        content: Content,
    },
    /// Take in what became of a message of the business. What comes late or again changes nothing.
    Receipt {
        /// Which.
        message: Arc<str>,
        /// What became of it.
        status: ReceiptStatus,
        /// When, milliseconds since 1970; never taken earlier than the message or later than when it is decided, which
        /// it also is when nothing is given.
        #[serde(default)]
        at: Option<i64>,
        /// Why it failed, as the channel's code.
        #[serde(default)]
        code: Option<Arc<str>>,
    },
}

/// What can become of a message of a business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReceiptStatus {
    /// It came to the customer.
    Delivered,
    /// The customer has seen it.
    Read,
    /// It could not be delivered.
    Failed,
}

/// How a message stands. A later one never gives way to an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MessageStatus {
    /// Accepted, or taken in.
    Sent,
    /// Not delivered, as far as is known: a delivery that is told after all stands above it.
    Failed,
    /// It came to the customer.
    Delivered,
    /// The customer has seen it.
    Read,
}

/// A thread as its owner sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadView {
    /// The business's sender.
    pub sender: Arc<str>,
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// The customer's country; empty before the thread is opened.
    pub country: Arc<str>,
    /// How many events it has.
    pub version: u64,
    /// How many messages it has.
    pub messages: i64,
    /// Until when the business may write, and how.
    pub windows: Windows,
    /// The policy by which a message would be classed now; what a send would be is [`Policy::class`] of these windows.
    pub policy: Arc<str>,
    /// The message that was asked about; none when it is no longer among those remembered.
    pub message: Option<MessageView>,
}

/// A message as the owner of its thread remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// The message.
    pub message: Arc<str>,
    /// Its place among the thread's messages.
    pub seq: i64,
    /// Who wrote it.
    pub from: Side,
    /// How it stands.
    pub status: MessageStatus,
    /// When it was sent, milliseconds since 1970.
    pub sent_at: i64,
    /// What it is, when the business wrote it.
    pub stamps: Option<Stamps>,
}

/// What a message of a business is to billing, as decided when it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamps {
    /// What it is for.
    pub category: Category,
    /// Whether its delivery is charged.
    pub class: Class,
    /// Why.
    pub reason: ClassReason,
    /// The policy that says so.
    pub policy: Arc<str>,
}

impl BusinessInput {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Register { .. } => "conversation.register_business",
            Self::SetProfile { .. } => "conversation.set_profile",
            Self::MoveClock { .. } => "conversation.move_clock",
        }
    }
}

impl SenderInput {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Open { .. } => "conversation.open_sender",
        }
    }
}

impl ContactInput {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Meet => "conversation.meet_contact",
            Self::OptIn { .. } => "conversation.opt_in",
            Self::OptOut { .. } => "conversation.opt_out",
        }
    }
}

impl TemplateInput {
    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Create { .. } => "conversation.create_template",
            Self::Approve => "conversation.approve_template",
        }
    }
}

impl ThreadInput {
    /// The message that it is about.
    pub fn message(&self) -> &str {
        match self {
            Self::Receive { message, .. } | Self::Send { message, .. } | Self::Receipt { message, .. } => message,
        }
    }

    /// The operation's name in `OPERATIONS`.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Receive { .. } => "conversation.receive",
            Self::Send { .. } => "conversation.send",
            Self::Receipt { .. } => "conversation.receipt",
        }
    }
}

/// The key of the thread between a sender and a customer.
pub fn thread_key(sender: &str, customer: &str) -> String {
    format!("{sender}/{customer}")
}

/// The sender and the customer whose thread has `key`. A customer's id has no slash.
pub fn thread_sides(key: &str) -> Option<(&str, &str)> {
    key.rsplit_once('/').filter(|(sender, customer)| !sender.is_empty() && !customer.is_empty())
}

/// The key of the template `name` in `language`.
pub fn template_key(name: &str, language: &str) -> String {
    format!("{name}.{language}")
}

/// The name and the language of the template with `key`. Neither has a point.
pub fn template_parts(key: &str) -> Option<(&str, &str)> {
    key.split_once('.').filter(|(name, language)| !name.is_empty() && !language.is_empty() && !language.contains('.'))
}

/// The country in a business-scoped id: `BR` of `BR.123`. None of what is no such id.
pub fn country_of(customer: &str) -> Option<&str> {
    let (country, digits) = customer.split_once('.')?;
    let fits = is_country(country) && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then_some(country)
}

/// Whether `text` has the form of a country: two capital letters.
pub fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_apart_as_they_were_put_together() {
        assert_eq!(thread_sides(&thread_key("main", "BR.123")), Some(("main", "BR.123")));
        assert_eq!(template_parts(&template_key("order_paid", "pt_BR")), Some(("order_paid", "pt_BR")));
        for key in ["", "main", "/BR.1", "main/"] {
            assert_eq!(thread_sides(key), None, "{key}");
        }
        for key in ["", "order_paid", ".pt", "order_paid.", "a.b.c"] {
            assert_eq!(template_parts(key), None, "{key}");
        }
    }

    #[test]
    fn a_customers_country_heads_the_id() {
        assert_eq!(country_of("BR.123"), Some("BR"));
        for customer in ["", "BR", "BR.", "br.1", "BRA.1", "BR.1x", "B.1", ".1"] {
            assert_eq!(country_of(customer), None, "{customer}");
        }
    }

    #[test]
    fn an_input_reads_without_what_may_be_left_out() {
        let text = r#"{"ask":"receive","message":"m-1","content":{"kind":"PRODUCT","sku":"CAFE"}}"#;
        let input: ThreadInput = serde_json::from_str(text).unwrap();
        let content = Content::Product { sku: "CAFE".into(), body: None };
        assert_eq!(input, ThreadInput::Receive { message: "m-1".into(), content, referral: None, sent_at: None });
        let text = r#"{"ask":"send","message":"m-1","content":{"kind":"TEXT"}}"#;
        assert_eq!(serde_json::from_str::<ThreadInput>(text).unwrap_err().to_string(), "a text has a body");
        let clock: BusinessInput = serde_json::from_str(r#"{"ask":"move_clock","by_ms":5}"#).unwrap();
        assert_eq!(clock, BusinessInput::MoveClock { by_ms: Some(5), to: None });
    }
}
