//! Commands to services of this process: a function call.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::attempts::until_answered;
use crate::{Answer, Command, Commands, Intake};

/// Sends commands to the services of this process.
#[derive(Clone)]
pub struct LocalCommands(Arc<BTreeMap<String, Intake>>);

impl LocalCommands {
    /// Over the intakes of these services.
    pub fn new(intakes: impl IntoIterator<Item = Intake>) -> Self {
        let by_service = intakes.into_iter().map(|intake| (intake.service().to_string(), intake));
        Self(Arc::new(by_service.collect()))
    }
}

#[async_trait]
impl Commands for LocalCommands {
    async fn ask(&self, command: Command) -> Answer {
        let service = feira_ids::kind(command.aggregate.kind_name()).map_or("", |kind| kind.service);
        let Some(intake) = self.0.get(service) else {
            let reason = format!("no service here decides for {}", command.aggregate.kind_name());
            return Answer::Invalid { reason: reason.into() };
        };
        until_answered(command, |command, _| intake.ask(command)).await
    }
}
