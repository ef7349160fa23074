//! Asking in the name of a process, under ids that are derived from what led to it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use feira_decider::Ask;
use feira_ids::{AggregateId, CommandId, Fingerprint, Hash16, Principal, PrincipalKind, Role, TenantId};
use feira_mutants::{Mutant, is};
use futures::future::join_all;

use super::{Fault, ProcessMetrics};
use crate::clock::wall_ms;
use crate::{Answer, Clocks, Command, Commands, pace};

/// The version of the form of inputs.
const INPUT_VERSION: u16 = 1;

/// Asks for one process.
pub(crate) struct Asker {
    pub process: &'static str,
    pub commands: Arc<dyn Commands>,
    pub clocks: Clocks,
    pub metrics: Arc<ProcessMetrics>,
}

/// What leads to a command.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    /// The event.
    pub event: Hash16,
    /// What began it all.
    pub correlation: Hash16,
    /// The trace context of the event.
    pub traceparent: Option<Arc<str>>,
    /// Names it among all causes of the process.
    pub path: String,
}

/// Something to be asked, among others.
pub(crate) struct Asked {
    /// Its place: what the caller knows it by.
    pub place: usize,
    /// What led to it.
    pub cause: Arc<Cause>,
    /// It.
    pub ask: Ask,
}

/// What came of what was asked.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The places of those that are answered.
    pub answered: Vec<usize>,
    /// Those that are not, and why. What follows them to the same aggregate was not asked.
    pub faults: Vec<(usize, Fault)>,
}

impl Asker {
    /// Asks all of it: of one aggregate in the order given, of several at once.
    pub async fn ask_all(&self, asked: Vec<Asked>, timeout: Duration) -> Outcome {
        let mut of_each: BTreeMap<(TenantId, AggregateId), Vec<Asked>> = BTreeMap::new();
        for asked in asked {
            of_each.entry((asked.ask.tenant.clone(), asked.ask.aggregate.clone())).or_default().push(asked);
        }
        let all = join_all(of_each.into_values().map(|asked| async {
            let mut outcome = Outcome::default();
            for Asked { place, cause, ask } in asked {
                match self.ask(&cause, ask, timeout).await {
                    Ok(()) => outcome.answered.push(place),
                    Err(fault) => {
                        outcome.faults.push((place, fault));
                        break;
                    }
                }
            }
            outcome
        }));
        all.await.into_iter().fold(Outcome::default(), |mut all, one| {
            all.answered.extend(one.answered);
            all.faults.extend(one.faults);
            all
        })
    }

    /// Asks, and asks what follows where it is refused.
    async fn ask(&self, cause: &Cause, ask: Ask, timeout: Duration) -> Result<(), Fault> {
        let mut path = cause.path.clone();
        let mut next = Some(ask);
        while let Some(ask) = next.take() {
            path = format!("{path}/{}", ask.step);
            if let Answer::Refused { code, message, .. } = self.answered(cause, &path, &ask, timeout).await? {
                // Two of an event's asks may be refused, and ask the same of one aggregate: who refused is in the name.
                path = format!("{path}@{}", ask.aggregate);
                next = ask.refused.map(|then| then.with_refusal(&code, &message));
            }
        }
        Ok(())
    }

    /// The answer that stands.
    async fn answered(&self, cause: &Cause, path: &str, ask: &Ask, timeout: Duration) -> Result<Answer, Fault> {
        let offset = self.clocks.offset_ms(&ask.tenant).await?;
        let answer = self.commands.ask(self.command(cause, path, ask, offset, timeout)).await;
        match &answer {
            Answer::Accepted(_) => {}
            Answer::Refused { code, message, .. } => {
                self.metrics.refused.add(1);
                tracing::info!(
                    process = self.process, tenant.id = %ask.tenant, aggregate = %ask.aggregate, operation = %ask.operation,
                    code = %code, "what a process asked was refused: {message}"
                );
            }
            Answer::Conflict { .. } | Answer::KeyReused | Answer::Invalid { .. } | Answer::Forbidden => {
                self.metrics.passed_over.add(1);
                tracing::error!(
                    process = self.process, tenant.id = %ask.tenant, aggregate = %ask.aggregate, operation = %ask.operation,
                    answer = ?answer, "what a process asked cannot be decided and is passed over"
                );
            }
            // The program fails on it now; a release may not. What was to follow is not given up for that.
            Answer::Poison { .. }
            | Answer::FactsUnavailable { .. }
            | Answer::Moved { .. }
            | Answer::NotReady
            | Answer::Overloaded
            | Answer::TimedOut => {
                return Err(Fault::Unanswered {
                    operation: ask.operation.to_string(),
                    aggregate: ask.aggregate.to_string(),
                    answer: format!("{answer:?}"),
                });
            }
        }
        self.metrics.asked.add(1);
        Ok(answer)
    }

    fn command(&self, cause: &Cause, path: &str, ask: &Ask, clock_offset_ms: i64, timeout: Duration) -> Command {
        let principal = Principal {
            kind: PrincipalKind::Service,
            id: format!("process-{}", self.process).into(),
            tenant: Some(ask.tenant.clone()),
            roles: vec![Role::Service],
        };
        let asked = format!("{} {}", ask.operation, ask.aggregate);
        let path = if is(Mutant::RandomIds) { &format!("{path}/{:?}", pace::drawn()) } else { path };
        let timeout_ms = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
        Command {
            command_id: CommandId::derive(&ask.tenant, &principal.to_string(), &asked, path),
            tenant: ask.tenant.clone(),
            principal,
            aggregate: ask.aggregate.clone(),
            operation: (&*ask.operation).into(),
            version: INPUT_VERSION,
            fingerprint: Fingerprint::of(&ask.operation, ask.input.as_bytes()),
            expected_version: None,
            deadline_ms: wall_ms().saturating_add(timeout_ms),
            clock_offset_ms,
            wants_view: false,
            causation_id: cause.event,
            correlation_id: cause.correlation,
            traceparent: cause.traceparent.clone(),
            input: Bytes::copy_from_slice(ask.input.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use feira_ids::AggregateId;
    use feira_projection_store::{ModelStore, Store};

    use super::*;
    use crate::Position;

    /// Refuses all but what follows a refusal, and remembers under which ids that was asked.
    #[derive(Default)]
    struct Refusing(Mutex<Vec<CommandId>>);

    #[async_trait]
    impl Commands for Refusing {
        async fn ask(&self, command: Command) -> Answer {
            if &*command.operation == "order.stock_refused" {
                self.0.lock().unwrap().push(command.command_id);
            }
            let (code, message) = ("OUT_OF_STOCK".into(), "".into());
            Answer::Refused { position: Position::default(), code, field: None, message }
        }
    }

    #[tokio::test]
    async fn two_refusals_that_one_event_led_to_are_two_things_to_tell() {
        let commands = Arc::new(Refusing::default());
        let store = Arc::new(ModelStore::new());
        store.ensure(&[&feira_rows::clock::CLOCKS]).await.unwrap();
        let asker =
            Asker { process: "order", commands: commands.clone(), clocks: Clocks::new(store), metrics: Arc::default() };
        let tenant = TenantId::new("feira-livre").unwrap();
        let of = |kind: &str, key: &str| AggregateId::new(kind, key).unwrap();
        let (event, path) = (Hash16([1; 16]), "event".to_owned());
        let cause = Arc::new(Cause { event, correlation: event, traceparent: None, path });
        let reserve = |(place, sku): (usize, &str)| {
            let told = Ask::new("refused", &tenant, of("order", "o-1"), "order.stock_refused", &sku);
            let ask = Ask::new("reserve", &tenant, of("stock", sku), "stock.reserve", &sku).or(told);
            Asked { place, cause: cause.clone(), ask }
        };
        let asked = ["caju", "umbu"].into_iter().enumerate().map(reserve);
        let outcome = asker.ask_all(asked.collect(), Duration::from_secs(1)).await;
        assert!(outcome.faults.is_empty(), "{:?}", outcome.faults);
        let ids = commands.0.lock().unwrap();
        assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
    }
}
