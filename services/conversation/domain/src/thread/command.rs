//! What can be asked of a thread, with the facts it takes to answer.

use std::sync::Arc;

use feira_commands::conversation::ReceiptStatus;
use feira_events::FactPosition;
use feira_events::conversation::{Category, Content, Referral};

/// Something asked of the thread between a sender and a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The business's sender.
    pub sender: Arc<str>,
    /// The customer's business-scoped id.
    pub customer: Arc<str>,
    /// What is asked.
    pub what: What,
}

/// What can be asked of a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Take in what the customer wrote.
    Receive {
        /// The message.
        message: Arc<str>,
        /// What it says.
        content: Content,
        /// What brought the customer here.
        referral: Option<Referral>,
        /// When the customer sent it; when it is decided, if nothing is given.
        sent_at: Option<i64>,
        /// Whether the business has such a sender.
        sender_open: bool,
    },
    /// Send what the business writes.
    Send {
        /// The message.
        message: Arc<str>,
        /// What it says.
        content: Content,
        /// Whether the business has such a sender.
        sender_open: bool,
        /// The template that the content names, if there is one.
        template: Option<Template>,
        /// The products that the content shows, as far as the catalog lists them.
        products: Vec<Product>,
        /// What the customer last said of messages of the template's category.
        agreed: Option<bool>,
    },
    /// Take in what became of a message of the business.
    Receipt {
        /// Which.
        message: Arc<str>,
        /// What became of it.
        status: ReceiptStatus,
        /// When; when it is decided, if nothing is given.
        at: Option<i64>,
        /// Why it failed.
        code: Option<Arc<str>>,
    },
}

/// What is known of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What it is for.
    pub category: Category,
    /// How many variables it has.
    pub variables: i32,
    /// Whether it may be sent.
    pub approved: bool,
    /// Where that was said.
    pub position: FactPosition,
}

/// A product that the catalog lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Which.
    pub sku: Arc<str>,
    /// Where the catalog said so.
    pub position: FactPosition,
}
