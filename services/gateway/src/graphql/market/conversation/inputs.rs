//! What is given to change conversations.

use async_graphql::{Enum, ID, InputObject};
use feira_events::conversation::Category;

use crate::graphql::scalars::Decimal;

/// A business to register.
#[derive(InputObject)]
pub(crate) struct BusinessRegisterInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Its public name.
    pub(super) name: String,
    /// What it says of itself.
    pub(super) about: Option<String>,
    /// Its country, two letters of ISO 3166.
    pub(super) country: String,
    /// Whether it only tries things out: its clock can be moved and demo money be used.
    #[graphql(default)]
    pub(super) sandbox: bool,
}

/// A new public profile.
#[derive(InputObject)]
pub(crate) struct BusinessSetProfileInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Its public name.
    pub(super) name: String,
    /// What it says of itself.
    pub(super) about: Option<String>,
}

/// How far a sandbox's clock is to be moved.
#[derive(InputObject)]
pub(crate) struct ClockMoveInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Forward by so many milliseconds.
    pub(super) by_ms: Decimal,
}

/// A channel account to open.
#[derive(InputObject)]
pub(crate) struct SenderOpenInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Its id; main when none is given.
    pub(super) sender: Option<String>,
    /// The name that customers see.
    pub(super) display_name: String,
}

/// What a template is for.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TemplateCategory {
    /// Promotes.
    Marketing,
    /// Follows up on what the customer did.
    Utility,
    /// Proves who someone is.
    Authentication,
}

/// A text to send outside the service window.
#[derive(InputObject)]
pub(crate) struct TemplateCreateInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Its name: lower-case letters, digits and underscores.
    pub(super) name: String,
    /// Its language, as pt or pt_BR.
    pub(super) language: String,
    /// What it is for.
    pub(super) category: TemplateCategory,
    /// The text; {{1}}, {{2}} … stand for what each message fills in.
    pub(super) body: String,
}

/// That a customer agrees to hear from a business, or no longer does.
#[derive(InputObject)]
pub(crate) struct ContactAgreeInput {
    /// The business; a member's own when none is given.
    pub(super) business: Option<String>,
    /// The customer; one's own when none is given.
    pub(super) customer: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// To what.
    pub(super) category: TemplateCategory,
    /// Whether they agree.
    pub(super) agree: bool,
    /// Where they said so.
    pub(super) source: String,
    /// The words they were shown.
    #[graphql(default)]
    pub(super) shown: String,
}

/// What a customer writes.
#[derive(InputObject)]
pub(crate) struct MessageWriteInput {
    /// To which business.
    pub(super) business: Option<String>,
    /// To which of its senders; main when none is given.
    pub(super) sender: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// The words, up to 4,096 characters.
    pub(super) text: String,
}

/// A product to show.
#[derive(InputObject)]
pub(crate) struct ProductContentInput {
    /// Which.
    pub(super) sku: String,
}

/// Products under one title.
#[derive(InputObject)]
pub(crate) struct SectionInput {
    /// The title, up to 24 characters.
    pub(super) title: String,
    /// Which.
    pub(super) skus: Vec<String>,
}

/// Several products to show.
#[derive(InputObject)]
pub(crate) struct ProductListContentInput {
    /// The words above them.
    pub(super) header: Option<String>,
    /// The products, at most 10 sections and 30 products.
    pub(super) sections: Vec<SectionInput>,
}

/// A template to send.
#[derive(InputObject)]
pub(crate) struct TemplateContentInput {
    /// Its name.
    pub(super) name: String,
    /// Its language.
    pub(super) language: String,
    /// What its variables are filled with, in their order.
    #[graphql(default)]
    pub(super) variables: Vec<String>,
}

/// What a business writes: exactly one of text, product, productList and template.
#[derive(InputObject)]
pub(crate) struct MessageSendInput {
    /// To whom, by the id under which the business knows them.
    pub(super) customer: String,
    /// From which sender; main when none is given.
    pub(super) sender: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Words, up to 4,096 characters.
    pub(super) text: Option<String>,
    /// A product.
    pub(super) product: Option<ProductContentInput>,
    /// Several products.
    pub(super) product_list: Option<ProductListContentInput>,
    /// A template.
    pub(super) template: Option<TemplateContentInput>,
}

/// What became of a message.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receipt {
    /// It came.
    Delivered,
    /// It was seen.
    Read,
}

/// That a message came to its customer.
#[derive(InputObject)]
pub(crate) struct MessageReceiptInput {
    /// Of which business.
    pub(super) business: Option<String>,
    /// Of which of its senders; main when none is given.
    pub(super) sender: Option<String>,
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    pub(super) command_id: Option<String>,
    /// Which message.
    pub(super) message: ID,
    /// What became of it.
    pub(super) status: Receipt,
}

impl From<TemplateCategory> for Category {
    fn from(category: TemplateCategory) -> Self {
        match category {
            TemplateCategory::Marketing => Self::Marketing,
            TemplateCategory::Utility => Self::Utility,
            TemplateCategory::Authentication => Self::Authentication,
        }
    }
}
