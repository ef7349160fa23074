//! How a thread answers.

use std::sync::Arc;

use feira_commands::conversation::{
    HEADER_CHARS_MAX, ID_CHARS_MAX, LIST_PRODUCTS_MAX, SECTION_TITLE_CHARS_MAX, SECTIONS_MAX, TEXT_CHARS_MAX,
    country_of, default_policy,
};
use feira_decider::At;
use feira_events::Sealed;

use super::{
    Category, Command, Content, Event, FactPosition, Message, MessageDelivered, MessageFailed, MessageRead,
    MessageReceived, MessageSent, MessageStatus, Product, ReceiptStatus, Referral, ReferralSource, Rejection, Section,
    Side, State, Template, ThreadOpened, What,
};
use crate::text::is_label;

/// The bytes that the cipher adds.
const TAG_BYTES: usize = 16;

pub(super) fn decide(thread: &State, command: Command, at: At) -> Result<Vec<Event>, Rejection> {
    let Command { sender, customer, what } = command;
    match what {
        What::Receive { message, content, referral, sent_at, sender_open } => {
            receive(thread, Sides { sender, customer, sender_open }, message, content, referral, sent_at, at)
        }
        What::Send { message, content, sender_open, template, products, agreed } => {
            let facts = Facts { template, products, agreed };
            send(thread, Sides { sender, customer, sender_open }, message, content, facts, at)
        }
        What::Receipt { message, status, at: told, code } => receipt(thread, &message, status, told, code, at),
    }
}

/// Between whom.
struct Sides {
    sender: Arc<str>,
    customer: Arc<str>,
    sender_open: bool,
}

/// What is known of what a content shows.
struct Facts {
    template: Option<Template>,
    products: Vec<Product>,
    agreed: Option<bool>,
}

fn receive(
    thread: &State,
    sides: Sides,
    message: Arc<str>,
    content: Content,
    referral: Option<Referral>,
    sent_at: Option<i64>,
    at: At,
) -> Result<Vec<Event>, Rejection> {
    check_id(&message)?;
    // A channel tells the same message again: it stands already.
    if thread.message(&message).is_some() {
        return Ok(vec![]);
    }
    let opened = open(thread, &sides, Side::Customer)?;
    match &content {
        Content::Text { .. } | Content::Product { .. } | Content::Reaction { .. } => {}
        Content::ProductList { .. }
        | Content::Template { .. }
        | Content::OrderDetails { .. }
        | Content::OrderStatus { .. }
        | Content::MoneyRequest { .. }
        | Content::Unknown => return Err(Rejection::NotTheirs { from: Side::Customer }),
    }
    check_content(thread, &sides.customer, &content)?;
    if referral.iter().filter_map(|referral| referral.id.as_ref()).any(|id| !is_label(id, ID_CHARS_MAX)) {
        return Err(Rejection::BadReferral);
    }
    // Nothing is written before it is read: a channel whose clock runs ahead does not lengthen the window.
    let sent_at = sent_at.unwrap_or(at.0).min(at.0);
    let referred = referral.as_ref().is_some_and(|referral| referral.source == ReferralSource::Ad);
    let windows = match content {
        // A sign put to a message is no message to answer.
        Content::Reaction { .. } => thread.windows,
        _ => default_policy().after_receiving(&thread.windows, sent_at, referred),
    };
    let received = MessageReceived {
        message,
        seq: thread.messages + 1,
        sender: sides.sender,
        customer: sides.customer,
        content,
        referral,
        sent_at,
        received_at: at.0,
        windows,
        previous_at: thread.last_at,
    };
    Ok(opened.into_iter().chain([Event::MessageReceived(received)]).collect())
}

fn send(
    thread: &State,
    sides: Sides,
    message: Arc<str>,
    content: Content,
    facts: Facts,
    at: At,
) -> Result<Vec<Event>, Rejection> {
    check_id(&message)?;
    // Whoever lost the answer asks again, perhaps under another command: it is sent already.
    if thread.message(&message).is_some() {
        return Ok(vec![]);
    }
    let opened = open(thread, &sides, Side::Business)?;
    let country: Arc<str> = country_of(&sides.customer).ok_or(Rejection::BadCustomer)?.into();
    if content == Content::Unknown {
        return Err(Rejection::NotTheirs { from: Side::Business });
    }
    check_content(thread, &sides.customer, &content)?;
    let (category, template) = category(&content, facts.template, facts.agreed)?;
    let policy = default_policy();
    let verdict = policy.class(&thread.windows, category, at.0);
    let verdict = verdict.ok_or(Rejection::WindowClosed { closed_at: thread.windows.window_until })?;
    let products = positions(&content, &facts.products)?;
    let sent = MessageSent {
        message,
        seq: thread.messages + 1,
        sender: sides.sender,
        customer: sides.customer,
        country,
        content,
        category,
        class: verdict.class,
        reason: verdict.reason,
        policy: policy.name.into(),
        sent_at: at.0,
        windows: policy.after_sending(&thread.windows, at.0),
        previous_at: thread.last_at,
        facts: template.into_iter().chain(products).collect(),
    };
    Ok(opened.into_iter().chain([Event::MessageSent(sent)]).collect())
}

fn receipt(
    thread: &State,
    id: &str,
    status: ReceiptStatus,
    told: Option<i64>,
    code: Option<Arc<str>>,
    at: At,
) -> Result<Vec<Event>, Rejection> {
    let message = thread.message(id).filter(|message| message.from == Side::Business);
    let (message, opened) = message.zip(thread.opened.as_ref()).ok_or(Rejection::MessageUnknown)?;
    if code.as_ref().is_some_and(|code| !is_label(code, ID_CHARS_MAX)) {
        return Err(Rejection::BadCode);
    }
    // A channel's clock is not ours: nothing arrives before it is sent, or after we hear of it.
    let told = told.unwrap_or(at.0).max(message.sent_at).min(at.0);
    let stands = match status {
        ReceiptStatus::Failed => MessageStatus::Failed,
        ReceiptStatus::Delivered => MessageStatus::Delivered,
        ReceiptStatus::Read => MessageStatus::Read,
    };
    if message.status >= stands {
        return Ok(vec![]);
    }
    if status == ReceiptStatus::Failed {
        let failed = MessageFailed { message: message.id.clone(), seq: message.seq, failed_at: told, code };
        return Ok(vec![Event::MessageFailed(failed)]);
    }
    // What was read was delivered, whether or not that is ever told.
    let first = message.status < MessageStatus::Delivered;
    let delivered = if first { delivered(message, opened, told) } else { None };
    let read = (status == ReceiptStatus::Read)
        .then(|| Event::MessageRead(MessageRead { message: message.id.clone(), seq: message.seq, read_at: told }));
    Ok(delivered.into_iter().chain(read).collect())
}

/// The delivery that books the message's charge.
fn delivered(message: &Message, thread: &ThreadOpened, delivered_at: i64) -> Option<Event> {
    let stamps = message.stamps.as_ref()?;
    Some(Event::MessageDelivered(MessageDelivered {
        message: message.id.clone(),
        seq: message.seq,
        sender: thread.sender.clone(),
        customer: thread.customer.clone(),
        country: thread.country.clone(),
        category: stamps.category,
        class: stamps.class,
        reason: stamps.reason,
        policy: stamps.policy.clone(),
        sent_at: message.sent_at,
        delivered_at,
    }))
}

/// The opening of a thread that is not open yet.
fn open(thread: &State, sides: &Sides, by: Side) -> Result<Option<Event>, Rejection> {
    if thread.opened.is_some() {
        return Ok(None);
    }
    let country = country_of(&sides.customer).ok_or(Rejection::BadCustomer)?;
    if !sides.sender_open {
        return Err(Rejection::SenderUnknown);
    }
    let (sender, customer) = (sides.sender.clone(), sides.customer.clone());
    Ok(Some(Event::ThreadOpened(ThreadOpened { sender, customer, country: country.into(), by })))
}

/// What a message of the business is for; of a template, also where its text was read.
fn category(
    content: &Content,
    template: Option<Template>,
    agreed: Option<bool>,
) -> Result<(Category, Option<FactPosition>), Rejection> {
    let Content::Template { name, language, variables, variables_count } = content else {
        return Ok((Category::Service, None));
    };
    let unknown = || Rejection::TemplateUnknown { name: name.clone(), language: language.clone() };
    let template = template.ok_or_else(unknown)?;
    if !template.approved {
        return Err(Rejection::TemplateNotApproved { name: name.clone(), language: language.clone() });
    }
    if template.variables != *variables_count || variables.is_some() != (template.variables > 0) {
        return Err(Rejection::TemplateVariables { wanted: template.variables, given: *variables_count });
    }
    match (template.category, agreed) {
        (_, Some(false)) => Err(Rejection::OptedOut { category: template.category }),
        (Category::Marketing, None) => Err(Rejection::NotOptedIn),
        (category, None | Some(true)) => Ok((category, Some(template.position))),
    }
}

/// Where the catalog said that it lists the products of `content`.
fn positions(content: &Content, products: &[Product]) -> Result<Vec<FactPosition>, Rejection> {
    let skus = content.skus().into_iter();
    let position = |sku: &Arc<str>| {
        let listed = products.iter().find(|product| product.sku == *sku);
        listed.map(|product| product.position).ok_or_else(|| Rejection::ProductUnknown { sku: sku.clone() })
    };
    skus.map(position).collect()
}

fn check_id(message: &str) -> Result<(), Rejection> {
    if is_label(message, ID_CHARS_MAX) { Ok(()) } else { Err(Rejection::BadMessageId) }
}

/// Whether the parts of a content have the sizes and forms that they may have.
fn check_content(thread: &State, customer: &str, content: &Content) -> Result<(), Rejection> {
    match content {
        Content::Text { body } => check_sealed(customer, body, TEXT_CHARS_MAX),
        Content::Reaction { message, emoji } => {
            thread.message(message).ok_or(Rejection::MessageUnknown)?;
            // The longest emoji are families of several people: a dozen characters.
            emoji.as_ref().map_or(Ok(()), |emoji| check_sealed(customer, emoji, 16))
        }
        Content::Product { body, .. } => {
            body.as_ref().map_or(Ok(()), |body| check_sealed(customer, body, TEXT_CHARS_MAX))
        }
        Content::ProductList { header, sections } => {
            check_sections(sections)?;
            header.as_ref().map_or(Ok(()), |header| check_sealed(customer, header, HEADER_CHARS_MAX))
        }
        Content::Template { variables, .. } => {
            variables.as_ref().map_or(Ok(()), |variables| check_sealed(customer, variables, TEXT_CHARS_MAX))
        }
        Content::OrderDetails { order, .. } => check_ids([Some(order), None, None]),
        Content::OrderStatus { order, status, reason } => check_ids([Some(order), Some(status), reason.as_ref()]),
        Content::MoneyRequest { request, .. } => check_ids([Some(request), None, None]),
        Content::Unknown => Ok(()),
    }
}

fn check_ids(ids: [Option<&Arc<str>>; 3]) -> Result<(), Rejection> {
    let fits = ids.into_iter().flatten().all(|id| is_label(id, ID_CHARS_MAX));
    if fits { Ok(()) } else { Err(Rejection::BadId) }
}

/// Whether what is sealed is the customer's and no longer than `chars_max` characters of four bytes can be.
fn check_sealed(customer: &str, sealed: &Sealed<String>, chars_max: usize) -> Result<(), Rejection> {
    if sealed.ciphertext.len() > chars_max * 4 + TAG_BYTES {
        return Err(Rejection::TooLong { chars_max });
    }
    // Under another's key it would outlive the customer's erasure.
    let own = sealed.subject.rsplit_once('/').is_some_and(|(_, subject)| subject == customer);
    if own { Ok(()) } else { Err(Rejection::SealedForAnother) }
}

fn check_sections(sections: &[Section]) -> Result<(), Rejection> {
    let products = sections.iter().map(|section| section.skus.len());
    let titled = |section: &Section| {
        is_label(&section.title, SECTION_TITLE_CHARS_MAX) || (section.title.is_empty() && sections.len() == 1)
    };
    let fits = (1..=SECTIONS_MAX).contains(&sections.len())
        && products.clone().all(|products| products > 0)
        && products.sum::<usize>() <= LIST_PRODUCTS_MAX
        && sections.iter().all(titled);
    if fits { Ok(()) } else { Err(Rejection::BadSections) }
}
