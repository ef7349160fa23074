//! Conversations: businesses, their senders and templates, threads and messages.

mod inputs;
mod message;
mod thread;

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject};
use feira_commands::conversation::{
    BUSINESS_KEY, BusinessInput, BusinessView, ContactInput, ContactView, MAIN_SENDER, ReceiptStatus, SenderInput,
    SenderView, TEXT_CHARS_MAX, TemplateInput, TemplateView, ThreadInput, ThreadView, template_key, thread_key,
};
use feira_events::conversation::{Channel, Content, Profile, Section};
use feira_ids::CommandId;
use feira_rows::{BUSINESSES_PROJECTION, THREADS_PROJECTION};
use feira_runtime::Clocks;

use self::inputs::{
    BusinessRegisterInput, BusinessSetProfileInput, ClockMoveInput, ContactAgreeInput, MessageReceiptInput,
    MessageSendInput, MessageWriteInput, Receipt, SectionInput, SenderOpenInput, TemplateCreateInput,
};
pub(crate) use self::message::Message;
pub(crate) use self::thread::Thread;
use super::mirrors::MessageCategory;
use super::{Command, count, or_refuse, payload};
use crate::auth::Scope;
use crate::error::ApiError;
use crate::graphql::payload::{Rest, UserError};
use crate::graphql::products::page_cost;
use crate::graphql::scalars::PositionText;
use crate::graphql::{Field, catch_up, field, gateway, node, scope};

/// A business as customers see it.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Business {
    #[graphql(skip)]
    scope: Scope,
    /// Its public name.
    name: String,
    /// Its country.
    country: String,
    /// Whether it only tries things out.
    sandbox: bool,
}

impl Business {
    /// The business that `scope` is within; none while it is not registered.
    pub(crate) async fn find(
        ctx: &Context<'_>,
        scope: &Scope,
        position: Option<&PositionText>,
    ) -> Result<Option<Self>, ApiError> {
        catch_up(ctx, position, BUSINESSES_PROJECTION).await?;
        let row = gateway(ctx).reads.business(scope).await?;
        Ok(row.map(|row| Self::new(scope, &row.name, &row.country, row.sandbox)))
    }

    fn new(scope: &Scope, name: &str, country: &str, sandbox: bool) -> Self {
        Self { scope: scope.clone(), name: name.to_owned(), country: country.to_owned(), sandbox }
    }
}

#[ComplexObject]
impl Business {
    /// The id that names it everywhere; its form is not to be relied on.
    pub(crate) async fn id(&self) -> ID {
        node::write("business", self.scope.tenant().as_str(), BUSINESS_KEY)
    }
}

payload! {
    /// What a change of a business answers.
    BusinessPayload,
    /// The business after it; none when it was refused.
    business: Business
}

payload! {
    /// What a change of a sender answers.
    SenderPayload,
    /// The sender's id; none when it was refused.
    sender: String
}

payload! {
    /// What a change of a template answers.
    TemplatePayload,
    /// Whether it can be sent; none when it was refused.
    approved: bool
}

payload! {
    /// What a change of what a customer agreed to answers.
    ContactPayload,
    /// What the customer agrees to hear; none when it was refused.
    agreed: Vec<MessageCategory>
}

payload! {
    /// What a message answers.
    MessagePayload,
    /// The message; none when it was refused.
    message: Message
}

pub(crate) struct ConversationQuery;

/// What can be read of conversations.
#[Object]
impl ConversationQuery {
    /// A business; none while it is not registered.
    async fn business(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; a member's own when none is given.")] business: Option<String>,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> Field<Business> {
        let found = async {
            let scope = scope(ctx, business.as_deref())?;
            Business::find(ctx, &scope, position.as_ref()).await
        };
        found.await.map_err(ApiError::into_graphql).transpose()
    }

    /// A customer's thread with a business; none while nobody has written.
    async fn thread(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The business; a member's own when none is given.")] business: Option<String>,
        #[graphql(desc = "Whose; one's own when none is given.")] customer: Option<String>,
        #[graphql(desc = "Which of the business's senders; main when none is given.")] sender: Option<String>,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> Field<Thread> {
        let found = async {
            let scope = scope(ctx, business.as_deref())?;
            let customer = scope.correspondent(customer.as_deref())?;
            Thread::find(ctx, scope, sender.as_deref().unwrap_or(MAIN_SENDER), &customer, position.as_ref()).await
        };
        found.await.map_err(ApiError::into_graphql).transpose()
    }

    /// The business's threads that were written in last.
    #[graphql(complexity = "page_cost(first, None) * child_complexity + 1")]
    async fn threads(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when none is given.")] first: Option<i32>,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> async_graphql::Result<Vec<Thread>> {
        let found = async {
            let scope = scope(ctx, None)?;
            let count = count(first)?;
            catch_up(ctx, position.as_ref(), THREADS_PROJECTION).await?;
            let rows = gateway(ctx).reads.threads(&scope, count).await?;
            Ok(Thread::of_rows(&scope, rows))
        };
        found.await.map_err(ApiError::into_graphql)
    }
}

pub(crate) struct ConversationMutation;

/// What can be changed of conversations.
#[Object]
impl ConversationMutation {
    /// Registers the caller's business.
    async fn business_register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The business.")] input: BusinessRegisterInput,
    ) -> Field<BusinessPayload> {
        let BusinessRegisterInput { command_id, name, about, country, sandbox } = input;
        let profile = profile(about);
        let asked = BusinessInput::Register { name: name.into(), profile, country: country.into(), sandbox };
        field(change_business(ctx, command_id, asked).await)
    }

    /// Changes the public profile of the caller's business.
    async fn business_set_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The profile.")] input: BusinessSetProfileInput,
    ) -> Field<BusinessPayload> {
        let BusinessSetProfileInput { command_id, name, about } = input;
        let asked = BusinessInput::SetProfile { name: name.into(), profile: profile(about) };
        field(change_business(ctx, command_id, asked).await)
    }

    /// Moves the clock of the caller's sandbox forward. What is asked after the answer is decided by the new time.
    async fn clock_move(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How far.")] input: ClockMoveInput,
    ) -> Field<BusinessPayload> {
        let Ok(by_ms) = input.by_ms.0.parse::<i64>() else {
            let error = UserError::on("byMs", "INVALID_NUMBER", "a whole number of milliseconds in a text");
            return field(Ok(BusinessPayload::refused(error)));
        };
        let moved = change_business(ctx, input.command_id, BusinessInput::MoveClock { by_ms: Some(by_ms), to: None });
        field(moved.await)
    }

    /// Opens a channel account of the caller's business.
    async fn sender_open(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sender.")] input: SenderOpenInput,
    ) -> Field<SenderPayload> {
        field(open_sender(ctx, input).await)
    }

    /// Writes a template. In a sandbox it is approved at once.
    async fn template_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The template.")] input: TemplateCreateInput,
    ) -> Field<TemplatePayload> {
        field(create_template(ctx, input).await)
    }

    /// Writes down that a customer agrees to hear from a business, or no longer does.
    async fn contact_agree(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who, to what.")] input: ContactAgreeInput,
    ) -> Field<ContactPayload> {
        field(agree(ctx, input).await)
    }

    /// Writes to a business.
    async fn message_write(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The message.")] input: MessageWriteInput,
    ) -> Field<MessagePayload> {
        field(write(ctx, input).await)
    }

    /// Writes to a customer.
    async fn message_send(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The message.")] input: MessageSendInput,
    ) -> Field<MessagePayload> {
        field(send(ctx, input).await)
    }

    /// Tells that a message came to the caller, or was seen.
    async fn message_receipt(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which message.")] input: MessageReceiptInput,
    ) -> Field<MessagePayload> {
        field(receipt(ctx, input).await)
    }
}

fn profile(about: Option<String>) -> Profile {
    Profile { about: about.map(Into::into), ..Profile::default() }
}

async fn change_business(
    ctx: &Context<'_>,
    command_id: Option<String>,
    input: BusinessInput,
) -> Result<BusinessPayload, ApiError> {
    let scope = scope(ctx, None)?;
    let command = Command::new(ctx, &scope, ("business", BUSINESS_KEY, "business"), input.operation(), command_id);
    let command = or_refuse!(command, BusinessPayload);
    let (view, rest) = command.ask::<BusinessView>(ctx, &input).await?;
    let registered = matches!(input, BusinessInput::Register { sandbox: true, .. });
    let counts = registered || matches!(input, BusinessInput::MoveClock { .. });
    if let (true, Some(position)) = (counts, &rest.position) {
        // Whoever asks next is to be judged by the sandbox's own time, here and in every other process.
        gateway(ctx).reads.caught_up(&position.read()?, BUSINESSES_PROJECTION).await?;
        if registered && !rest.repeated {
            tokio::time::sleep(Clocks::BELIEVED_FOR).await;
        }
    }
    let business =
        view.filter(|view| view.registered).map(|view| Business::new(&scope, &view.name, &view.country, view.sandbox));
    Ok(BusinessPayload::of(business, rest))
}

async fn open_sender(ctx: &Context<'_>, input: SenderOpenInput) -> Result<SenderPayload, ApiError> {
    let SenderOpenInput { command_id, sender, display_name } = input;
    let (scope, sender) = (scope(ctx, None)?, sender.unwrap_or_else(|| MAIN_SENDER.to_owned()));
    let input = SenderInput::Open { display_name: display_name.into(), channel: Channel::Chat };
    let command = Command::new(ctx, &scope, ("sender", &sender, "sender"), input.operation(), command_id);
    let (view, rest) = or_refuse!(command, SenderPayload).ask::<SenderView>(ctx, &input).await?;
    Ok(SenderPayload::of(view.map(|view| view.sender.to_string()), rest))
}

async fn create_template(ctx: &Context<'_>, input: TemplateCreateInput) -> Result<TemplatePayload, ApiError> {
    let TemplateCreateInput { command_id, name, language, category, body } = input;
    let (scope, key) = (scope(ctx, None)?, template_key(&name, &language));
    let input = TemplateInput::Create { category: category.into(), body: body.into() };
    let command = Command::new(ctx, &scope, ("template", &key, "name"), input.operation(), command_id);
    let (view, rest) = or_refuse!(command, TemplatePayload).ask::<TemplateView>(ctx, &input).await?;
    Ok(TemplatePayload::of(view.map(|view| view.approved), rest))
}

async fn agree(ctx: &Context<'_>, input: ContactAgreeInput) -> Result<ContactPayload, ApiError> {
    let ContactAgreeInput { business, customer, command_id, category, agree, source, shown } = input;
    let scope = scope(ctx, business.as_deref())?;
    let customer = scope.customer_named(customer.as_deref())?;
    let (category, source) = (category.into(), source.into());
    let input = if agree {
        ContactInput::OptIn { category, source, shown: shown.into() }
    } else {
        ContactInput::OptOut { category, source }
    };
    let command = Command::new(ctx, &scope, ("contact", &customer, "customer"), input.operation(), command_id);
    let (view, rest) = or_refuse!(command, ContactPayload).ask::<ContactView>(ctx, &input).await?;
    Ok(ContactPayload::of(view.map(|view| view.opted_in.into_iter().map(Into::into).collect()), rest))
}

/// The id of the message that a command writes.
fn message_id(command: CommandId) -> Arc<str> {
    format!("m-{command}").into()
}

async fn write(ctx: &Context<'_>, input: MessageWriteInput) -> Result<MessagePayload, ApiError> {
    const OPERATION: &str = "conversation.receive";
    let MessageWriteInput { business, sender, command_id, text } = input;
    let scope = scope(ctx, business.as_deref())?;
    let customer = scope.correspondent(None)?;
    let key = thread_key(sender.as_deref().unwrap_or(MAIN_SENDER), &customer);
    let command =
        or_refuse!(Command::new(ctx, &scope, ("thread", &key, "sender"), OPERATION, command_id), MessagePayload);
    let body = match seal(ctx, &scope, &customer, command.named.command_id, "text", &text).await? {
        Ok(body) => body,
        Err(error) => return Ok(MessagePayload::refused(error)),
    };
    let message = message_id(command.named.command_id);
    let content = Content::Text { body };
    let input = ThreadInput::Receive { message, content, referral: None, sent_at: None };
    let (view, rest) = command.ask::<ThreadView>(ctx, &input).await?;
    Ok(shown(scope, view, rest))
}

/// Seals what somebody wrote, or says why it cannot be kept.
async fn seal(
    ctx: &Context<'_>,
    scope: &Scope,
    customer: &str,
    command: CommandId,
    named: &str,
    text: &str,
) -> Result<Result<feira_events::Sealed<String>, UserError>, ApiError> {
    let characters = text.chars().count();
    if characters == 0 || characters > TEXT_CHARS_MAX {
        let message = format!("1 to {TEXT_CHARS_MAX} characters");
        return Ok(Err(UserError::on(named, "TEXT_LENGTH", message)));
    }
    let message = "what this customer wrote was erased for good: nothing can be kept for them any more";
    let sealed = gateway(ctx).notes.seal_as(scope, customer, command, named, text).await?;
    Ok(sealed.ok_or_else(|| UserError::on(named, "CUSTOMER_ERASED", message)))
}

async fn send(ctx: &Context<'_>, input: MessageSendInput) -> Result<MessagePayload, ApiError> {
    const OPERATION: &str = "conversation.send";
    let MessageSendInput { customer, sender, command_id, text, product, product_list, template } = input;
    let scope = scope(ctx, None)?;
    scope.may(OPERATION)?;
    let customer = scope.correspondent(Some(&customer))?;
    let key = thread_key(sender.as_deref().unwrap_or(MAIN_SENDER), &customer);
    let command = Command::new(ctx, &scope, ("thread", &key, "customer"), OPERATION, command_id);
    let command = or_refuse!(command, MessagePayload);
    let id = command.named.command_id;
    let sealed = async |named: &str, text: &str| seal(ctx, &scope, &customer, id, named, text).await;
    let content = match (text, product, product_list, template) {
        (Some(text), None, None, None) => sealed("text", &text).await?.map(|body| Content::Text { body }),
        (None, Some(product), None, None) => Ok(Content::Product { sku: product.sku.into(), body: None }),
        (None, None, Some(list), None) => {
            let header = match list.header {
                Some(header) => sealed("header", &header).await?.map(Some),
                None => Ok(None),
            };
            let section = |section: SectionInput| Section {
                title: section.title.into(),
                skus: section.skus.into_iter().map(Into::into).collect(),
            };
            let sections = list.sections.into_iter().map(section).collect();
            header.map(|header| Content::ProductList { header, sections })
        }
        (None, None, None, Some(template)) => {
            let variables_count = i32::try_from(template.variables.len()).unwrap_or(i32::MAX);
            let variables = if template.variables.is_empty() {
                Ok(None)
            } else {
                let list = serde_json::to_string(&template.variables)
                    .map_err(|error| ApiError::internal("texts have no JSON", &error))?;
                sealed("variables", &list).await?.map(Some)
            };
            let (name, language) = (template.name.into(), template.language.into());
            variables.map(|variables| Content::Template { name, language, variables, variables_count })
        }
        _ => {
            let message = "exactly one of text, product, productList and template is sent";
            Err(UserError::new("CONTENT", None, message))
        }
    };
    let content = match content {
        Ok(content) => content,
        Err(error) => return Ok(MessagePayload::refused(error)),
    };
    let message = message_id(id);
    let input = ThreadInput::Send { message, content };
    let (view, rest) = command.ask::<ThreadView>(ctx, &input).await?;
    Ok(shown(scope, view, rest))
}

async fn receipt(ctx: &Context<'_>, input: MessageReceiptInput) -> Result<MessagePayload, ApiError> {
    let MessageReceiptInput { business, sender, command_id, message, status } = input;
    let scope = scope(ctx, business.as_deref())?;
    let customer = scope.correspondent(None)?;
    let key = thread_key(sender.as_deref().unwrap_or(MAIN_SENDER), &customer);
    let status = match status {
        Receipt::Delivered => ReceiptStatus::Delivered,
        Receipt::Read => ReceiptStatus::Read,
    };
    let message: Arc<str> = message.as_str().into();
    let input = ThreadInput::Receipt { message, status, at: None, code: None };
    let command = Command::new(ctx, &scope, ("thread", &key, "sender"), input.operation(), command_id);
    let (view, rest) = or_refuse!(command, MessagePayload).ask::<ThreadView>(ctx, &input).await?;
    Ok(shown(scope, view, rest))
}

/// The message that a command was about.
fn shown(scope: Scope, view: Option<ThreadView>, rest: Rest) -> MessagePayload {
    let message = view.and_then(|view| view.message);
    MessagePayload::of(message.map(|message| Message::of_view(scope, message)), rest)
}
