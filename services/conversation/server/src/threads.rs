//! Threads as the runtime hosts them.

use feira_commands::conversation::{DEFAULT_POLICY, MessageView, ThreadInput, ThreadView, thread_sides};
use feira_conversation_domain::thread::{Command, Message, Product, State, Template, Thread, What};
use feira_ids::{AggregateId, Principal};
use feira_runtime::{GatherError, Hosted};

use crate::Facts;

/// Hosts threads.
pub struct Threads {
    facts: Facts,
}

/// What a thread must know of what is asked of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ThreadFacts {
    sender_open: bool,
    template: Option<Template>,
    products: Vec<Product>,
    agreed: Option<bool>,
}

impl Threads {
    /// Hosts threads that take what they must know from `facts`.
    pub fn new(facts: Facts) -> Self {
        Self { facts }
    }
}

impl Hosted for Threads {
    type Domain = Thread;
    type Input = ThreadInput;
    type Facts = ThreadFacts;
    type View = ThreadView;

    const VIEW_IS_OF_INPUT: bool = true;

    fn operation(&self, input: &ThreadInput) -> &'static str {
        input.operation()
    }

    /// A thread is the customer's own, whichever sender of the business it is with.
    fn owns(&self, principal: &Principal, aggregate: &AggregateId, _input: &ThreadInput) -> bool {
        thread_sides(aggregate.key()).is_some_and(|(_, customer)| customer == &*principal.id)
    }

    async fn gather(&self, command: &feira_runtime::Command, input: &ThreadInput) -> Result<ThreadFacts, GatherError> {
        let tenant = &command.tenant;
        // What is the thread of nobody is refused without any fact.
        let Some((sender, customer)) = thread_sides(command.aggregate.key()) else {
            return Ok(ThreadFacts::default());
        };
        let content = match input {
            ThreadInput::Receipt { .. } => return Ok(ThreadFacts::default()),
            ThreadInput::Receive { .. } => {
                let sender_open = self.facts.sender_open(tenant, sender).await?;
                return Ok(ThreadFacts { sender_open, ..ThreadFacts::default() });
            }
            ThreadInput::Send { content, .. } => content,
        };
        let template = self.facts.template(tenant, content).await?;
        let agreed = match &template {
            Some(template) => self.facts.agreed(tenant, customer, template.category).await?,
            None => None,
        };
        Ok(ThreadFacts {
            sender_open: self.facts.sender_open(tenant, sender).await?,
            template,
            products: self.facts.products(tenant, content).await?,
            agreed,
        })
    }

    fn command(&self, aggregate: &AggregateId, input: ThreadInput, facts: ThreadFacts) -> Command {
        // A key without both sides has no customer, and the domain says so.
        let (sender, customer) = thread_sides(aggregate.key()).unwrap_or((aggregate.key(), ""));
        let ThreadFacts { sender_open, template, products, agreed } = facts;
        let what = match input {
            ThreadInput::Receive { message, content, referral, sent_at } => {
                What::Receive { message, content, referral, sent_at, sender_open }
            }
            ThreadInput::Send { message, content } => {
                What::Send { message, content, sender_open, template, products, agreed }
            }
            ThreadInput::Receipt { message, status, at, code } => What::Receipt { message, status, at, code },
        };
        Command { sender: sender.into(), customer: customer.into(), what }
    }

    fn view(&self, aggregate: &AggregateId, version: u64, thread: &State) -> ThreadView {
        let (sender, customer) = thread_sides(aggregate.key()).unwrap_or((aggregate.key(), ""));
        ThreadView {
            sender: sender.into(),
            customer: customer.into(),
            country: thread.opened.as_ref().map(|opened| opened.country.clone()).unwrap_or_default(),
            version,
            messages: thread.messages,
            windows: thread.windows,
            policy: DEFAULT_POLICY.into(),
            message: None,
        }
    }

    /// With the message that was asked about: of a long thread nobody wants the rest with every answer.
    fn view_of_asked(&self, aggregate: &AggregateId, version: u64, thread: &State, input: &ThreadInput) -> ThreadView {
        let message = thread.message(input.message()).map(message_view);
        ThreadView { message, ..self.view(aggregate, version, thread) }
    }
}

fn message_view(message: &Message) -> MessageView {
    MessageView {
        message: message.id.clone(),
        seq: message.seq,
        from: message.from,
        status: message.status,
        sent_at: message.sent_at,
        stamps: message.stamps.clone(),
    }
}
