//! Why a thread refuses.

use std::sync::Arc;

use feira_calendar::format_rfc3339;
use feira_commands::conversation::{
    ID_CHARS_MAX, LIST_PRODUCTS_MAX, MESSAGES_REMEMBERED, SECTION_TITLE_CHARS_MAX, SECTIONS_MAX,
};
use feira_decider::Reject;

use super::{Category, Side};

/// Why a thread refused a command. The caller's to mend; trying again will not help.
///
/// Where the platforms have a number for it, the message begins with it: clients of theirs look for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The customer's id is none.
    #[error("a customer is named by country and number, as BR.1234")]
    BadCustomer,
    /// The business has no such sender.
    #[error("the business has no such sender: open it first")]
    SenderUnknown,
    /// The message's id is none.
    #[error("a message's id is one line of 1 to {ID_CHARS_MAX} characters")]
    BadMessageId,
    /// An id or a code within the content is none.
    #[error("an id or a code is one line of 1 to {ID_CHARS_MAX} characters")]
    BadId,
    /// The referral's id is none.
    #[error("the id of a referral is one line of 1 to {ID_CHARS_MAX} characters")]
    BadReferral,
    /// The code of a receipt is none.
    #[error("the code of a receipt is one line of 1 to {ID_CHARS_MAX} characters")]
    BadCode,
    /// This side sends no such content.
    #[error("{}", not_theirs(*.from))]
    NotTheirs {
        /// Who wanted to send it.
        from: Side,
    },
    /// A text is longer than it may be.
    #[error("the text has more than {chars_max} characters")]
    TooLong {
        /// The most characters.
        chars_max: usize,
    },
    /// A text is not under the customer's key.
    #[error("the text is sealed for another than the customer of this thread")]
    SealedForAnother,
    /// A list of products has another form.
    #[error(
        "a list has 1 to {SECTIONS_MAX} sections, none of them empty, and at most {LIST_PRODUCTS_MAX} products; several \
         sections have titles of 1 to {SECTION_TITLE_CHARS_MAX} characters"
    )]
    BadSections,
    /// The customer did not write lately.
    #[error("{}", window_closed(*.closed_at))]
    WindowClosed {
        /// When the window closed, milliseconds since 1970; none when the customer never wrote.
        closed_at: Option<i64>,
    },
    /// The business has no such template.
    #[error("132001: there is no template {name} in {language}")]
    TemplateUnknown {
        /// Its name.
        name: Arc<str>,
        /// Its language.
        language: Arc<str>,
    },
    /// The template was not approved.
    #[error("132001: the template {name} in {language} is not approved yet")]
    TemplateNotApproved {
        /// Its name.
        name: Arc<str>,
        /// Its language.
        language: Arc<str>,
    },
    /// Another number of variables than the template has.
    #[error("132000: the template has {wanted} variables, and {given} were given")]
    TemplateVariables {
        /// How many it has.
        wanted: i32,
        /// How many were given.
        given: i32,
    },
    /// The customer wants no messages of the category.
    #[error("131050: the customer opted out of {} messages", category_text(*.category))]
    OptedOut {
        /// Which.
        category: Category,
    },
    /// The customer never agreed to offers.
    #[error("131050: the customer did not opt in to marketing messages")]
    NotOptedIn,
    /// The business lists no such product.
    #[error("the business lists no product {sku}")]
    ProductUnknown {
        /// Which.
        sku: Arc<str>,
    },
    /// There is no such message to speak of.
    #[error("no such message is among the latest {MESSAGES_REMEMBERED} of the thread")]
    MessageUnknown,
}

fn window_closed(closed_at: Option<i64>) -> String {
    let closed = match closed_at.map(format_rfc3339) {
        Some(Ok(time)) => format!("the service window closed at {time}"),
        Some(Err(_)) => "the service window is closed".to_owned(),
        None => "the customer has not written yet".to_owned(),
    };
    format!("131047: {closed}; send a template, or wait for the customer's next message")
}

fn not_theirs(from: Side) -> &'static str {
    match from {
        Side::Customer => "a customer sends a text, a product or a reaction",
        Side::Business | Side::Unknown => "there is no such kind of message",
    }
}

fn category_text(category: Category) -> &'static str {
    match category {
        Category::Service => "service",
        Category::Utility => "utility",
        Category::Marketing => "marketing",
        Category::Authentication => "authentication",
        Category::Unknown => "such",
    }
}

impl Reject for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::BadCustomer => "BAD_CUSTOMER",
            Self::SenderUnknown => "SENDER_UNKNOWN",
            Self::BadMessageId => "BAD_MESSAGE_ID",
            Self::BadId => "BAD_ID",
            Self::BadReferral => "BAD_REFERRAL",
            Self::BadCode => "BAD_CODE",
            Self::NotTheirs { .. } => "CONTENT_NOT_ALLOWED",
            Self::TooLong { .. } => "TEXT_TOO_LONG",
            Self::SealedForAnother => "SEALED_FOR_ANOTHER",
            Self::BadSections => "BAD_SECTIONS",
            Self::WindowClosed { .. } => "WINDOW_CLOSED",
            Self::TemplateUnknown { .. } => "TEMPLATE_UNKNOWN",
            Self::TemplateNotApproved { .. } => "TEMPLATE_NOT_APPROVED",
            Self::TemplateVariables { .. } => "TEMPLATE_VARIABLES",
            Self::OptedOut { .. } => "OPTED_OUT",
            Self::NotOptedIn => "NOT_OPTED_IN",
            Self::ProductUnknown { .. } => "PRODUCT_UNKNOWN",
            Self::MessageUnknown => "MESSAGE_UNKNOWN",
        }
    }

    fn field(&self) -> Option<&'static str> {
        match self {
            Self::BadMessageId | Self::MessageUnknown => Some("message"),
            Self::BadReferral => Some("referral"),
            Self::BadCode => Some("code"),
            Self::BadId
            | Self::NotTheirs { .. }
            | Self::TooLong { .. }
            | Self::SealedForAnother
            | Self::BadSections
            | Self::WindowClosed { .. }
            | Self::ProductUnknown { .. } => Some("content"),
            Self::TemplateUnknown { .. } | Self::TemplateNotApproved { .. } => Some("content.template"),
            Self::TemplateVariables { .. } => Some("content.template.variables"),
            Self::BadCustomer | Self::SenderUnknown | Self::OptedOut { .. } | Self::NotOptedIn => None,
        }
    }
}
