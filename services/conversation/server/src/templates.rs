//! Templates as the runtime hosts them.

use std::sync::Arc;

use feira_commands::conversation::{TemplateInput, TemplateView, template_parts};
use feira_conversation_domain::template::{Command, State, Template};
use feira_ids::AggregateId;
use feira_runtime::{GatherError, Hosted};

use crate::Facts;

/// Hosts templates.
pub struct Templates {
    facts: Facts,
}

impl Templates {
    /// Hosts templates that take what they must know from `facts`.
    pub fn new(facts: Facts) -> Self {
        Self { facts }
    }
}

impl Hosted for Templates {
    type Domain = Template;
    type Input = TemplateInput;
    /// Whether the business is a sandbox; none when it is not registered.
    type Facts = Option<bool>;
    type View = TemplateView;

    fn operation(&self, input: &TemplateInput) -> &'static str {
        input.operation()
    }

    async fn gather(
        &self,
        command: &feira_runtime::Command,
        input: &TemplateInput,
    ) -> Result<Option<bool>, GatherError> {
        match input {
            TemplateInput::Create { .. } => self.facts.sandbox(&command.tenant).await,
            TemplateInput::Approve => Ok(None),
        }
    }

    fn command(&self, aggregate: &AggregateId, input: TemplateInput, sandbox: Option<bool>) -> Command {
        // A key without both parts names no template that the domain would write.
        let (name, language) = template_parts(aggregate.key()).unwrap_or((aggregate.key(), ""));
        match input {
            TemplateInput::Create { category, body } => {
                Command::Create { name: name.into(), language: language.into(), category, body, sandbox }
            }
            TemplateInput::Approve => Command::Approve,
        }
    }

    fn view(&self, aggregate: &AggregateId, version: u64, template: &State) -> TemplateView {
        let (name, language) = template_parts(aggregate.key()).unwrap_or((aggregate.key(), ""));
        let created = template.created.as_ref();
        TemplateView {
            name: name.into(),
            language: language.into(),
            version,
            category: created.map(|created| created.category),
            body: created.map_or_else(|| Arc::from(""), |created| created.body.clone()),
            variables: created.map_or(0, |created| created.variables),
            approved: template.approved,
        }
    }
}
