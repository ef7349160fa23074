//! The owner's side of commands: who may, what is asked, which facts; then the queue of the lane.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use feira_commands::{Operation, Reach, operation};
use feira_ids::{Fingerprint, LaneId, Role, ServiceName, TenantId, lane_of};
use tokio::sync::oneshot;

use crate::clock::wall_ms;
use crate::kind::Kind;
use crate::lane::{Cell, Queued, aggregate_key};
use crate::{Answer, Command, Metrics};

/// The longest text a command may carry beside its input.
const TEXT_BYTES_MAX: usize = 512;
/// The longest input.
const INPUT_BYTES_MAX: usize = 512 << 10;

/// Takes commands for the lanes of one service that this process owns. Cheap to clone.
#[derive(Clone)]
pub struct Intake(Arc<Inner>);

pub(crate) struct Inner {
    pub service: ServiceName,
    pub kinds: BTreeMap<&'static str, Arc<dyn Kind>>,
    pub cells: Vec<Arc<Cell>>,
    pub gather_timeout: Duration,
    pub metrics: Arc<Metrics>,
}

impl Intake {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// The service whose commands it takes.
    pub fn service(&self) -> &ServiceName {
        &self.0.service
    }

    /// The lane of a command.
    pub fn lane(&self, command: &Command) -> LaneId {
        let lanes = self.0.cells.len() as u32;
        LaneId::new(&self.0.service, lane_of(&command.tenant, &command.aggregate, lanes))
    }

    /// What the owner answers, asked once. What is not decided may be asked again with the same id.
    pub async fn ask(&self, command: Command) -> Answer {
        self.0.metrics.commands.add(1);
        let left_ms = command.deadline_ms.saturating_sub(wall_ms());
        if left_ms <= 0 {
            return Answer::TimedOut;
        }
        let permit = match permitted(&command) {
            Ok(permit) => permit,
            Err(answer) => return answer,
        };
        let Some(kind) = self.0.kinds.get(command.aggregate.kind_name()) else {
            let reason = format!("service {} does not decide for {}", self.0.service, command.aggregate.kind_name());
            return Answer::Invalid { reason: reason.into() };
        };
        let cell = &self.0.cells[self.lane(&command).index as usize];
        // What cannot be decided now is asked again and again: no facts are gathered for it each time.
        if let Some(refusal) = cell.refusal() {
            return self.refused(refusal);
        }
        let left = Duration::from_millis(left_ms.unsigned_abs());
        let prepared = match kind.prepare(&command, permit, left.min(self.0.gather_timeout)).await {
            Ok(prepared) => Ok(prepared),
            // Only a repeat can still be answered, and only the lane knows.
            Err(answer @ Answer::FactsUnavailable { .. }) => Err(answer),
            Err(answer) => {
                if let Answer::Poison { reason } = &answer {
                    tracing::error!(
                        tenant.id = %command.tenant, aggregate = %command.aggregate, operation = %command.operation,
                        error = %reason, "preparing a command failed in the program"
                    );
                    self.0.metrics.poisoned.add(1);
                }
                return answer;
            }
        };
        let (reply, answer) = oneshot::channel();
        let key = aggregate_key(command.tenant.as_str(), command.aggregate.as_str());
        if let Err(refusal) = cell.push(Queued { command, key, prepared, reply }) {
            return self.refused(refusal);
        }
        // A lane that fails drops those who wait: whether they were decided is on the log.
        tokio::time::timeout(left, answer).await.ok().and_then(Result::ok).unwrap_or(Answer::TimedOut)
    }

    fn refused(&self, refusal: Answer) -> Answer {
        if refusal == Answer::Overloaded {
            self.0.metrics.overloaded.add(1);
        }
        refusal
    }
}

/// What a caller may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permit {
    /// Whatever the operation is asked of.
    All,
    /// Only what is the caller's own, which the kind knows.
    Own,
}

/// What the caller may ask of this, and whether the command is what it says it is.
fn permitted(command: &Command) -> Result<Permit, Answer> {
    let invalid = |reason: &str| Answer::Invalid { reason: reason.into() };
    let operation = operation(&command.operation).ok_or_else(|| invalid("there is no such operation"))?;
    let permit = permit(operation, command)?;
    if command.input.len() > INPUT_BYTES_MAX {
        return Err(invalid("the input is too long"));
    }
    let traceparent = command.traceparent.as_ref().map_or(0, |text| text.len());
    if command.principal.id.len() > TEXT_BYTES_MAX || traceparent > TEXT_BYTES_MAX {
        return Err(invalid("the principal or the trace context is too long"));
    }
    if Fingerprint::of(&command.operation, &command.input) != command.fingerprint {
        return Err(invalid("the fingerprint is not that of the operation and its input"));
    }
    Ok(permit)
}

/// What the caller may ask of `operation`, of which the command is one.
fn permit(operation: &Operation, command: &Command) -> Result<Permit, Answer> {
    let invalid = |reason: &str| Answer::Invalid { reason: reason.into() };
    if operation.kind != command.aggregate.kind_name() {
        return Err(invalid("the operation is not one of this kind of aggregate"));
    }
    let principal = &command.principal;
    let of_platform = |tenant: Option<&TenantId>| tenant.is_some_and(|tenant| tenant.as_str() == TenantId::PLATFORM);
    // Beside the platform's own, what acts for a business is no part of the platform.
    let counts = |role: &Role| match (operation.reach, role) {
        (Reach::Platform, Role::Service) => of_platform(principal.tenant.as_ref()),
        _ => true,
    };
    let held = principal.roles.iter().filter(|role| operation.roles.contains(role));
    let mut held = held.filter(|role| counts(role)).peekable();
    if held.peek().is_none() {
        return Err(Answer::Forbidden);
    }
    let own = match operation.reach {
        Reach::Tenant if principal.tenant.as_ref() != Some(&command.tenant) => return Err(Answer::Forbidden),
        // A mere consumer has only what is their own.
        Reach::Tenant => held.all(|role| *role == Role::Consumer),
        Reach::Platform if !of_platform(Some(&command.tenant)) => {
            return Err(invalid("the operation is one of the platform's own aggregates"));
        }
        // Here are everyone's things beside each other: whoever acts for a business has only that business's.
        Reach::Platform => !held.any(|role| matches!(role, Role::Operator | Role::Service)),
    };
    Ok(if own { Permit::Own } else { Permit::All })
}

#[cfg(test)]
mod tests {
    use feira_commands::OPERATIONS;
    use feira_commands::cart::Input;
    use feira_ids::{AggregateId, PrincipalKind};

    use super::*;
    use crate::suite::{command, tenant};

    fn asked(operation: &Operation, tenant: &str, caller_of: Option<&TenantId>, role: Role) -> Command {
        let mut command = command("BR.1", Input::Undo { edit: None }, "k");
        command.tenant = TenantId::new(tenant).unwrap();
        command.aggregate = AggregateId::new(operation.kind, "1").unwrap();
        command.operation = operation.name.into();
        command.fingerprint = Fingerprint::of(operation.name, &command.input);
        command.principal.kind = PrincipalKind::Member;
        command.principal.tenant = caller_of.cloned();
        command.principal.roles = vec![role];
        command
    }

    const ROLES: [Role; 6] = [Role::Consumer, Role::Agent, Role::Admin, Role::Analyst, Role::Operator, Role::Service];

    /// One that reaches the platform's own, whatever the table has.
    const OF_PLATFORM: Operation = Operation { name: "cart.undo", kind: "cart", roles: &ROLES, reach: Reach::Platform };

    #[test]
    fn each_operation_is_open_to_its_roles_and_to_nobody_else() {
        let (shop, other) = (tenant(), TenantId::new("mumbai-bazaar").unwrap());
        let platform = TenantId::new(TenantId::PLATFORM).unwrap();
        for operation in OPERATIONS.iter().chain([&OF_PLATFORM]) {
            let ask = |tenant: &TenantId, caller_of: Option<&TenantId>, role| {
                permit(operation, &asked(operation, tenant.as_str(), caller_of, role))
            };
            for role in ROLES {
                let what = format!("{} for {role:?}", operation.name);
                let granted = operation.roles.contains(&role);
                match operation.reach {
                    Reach::Tenant => {
                        let permit = if role == Role::Consumer { Permit::Own } else { Permit::All };
                        let expected = if granted { Ok(permit) } else { Err(Answer::Forbidden) };
                        assert_eq!(ask(&shop, Some(&shop), role), expected, "{what}");
                        for caller_of in [Some(&other), Some(&platform), None] {
                            assert_eq!(ask(&shop, caller_of, role), Err(Answer::Forbidden), "{what}");
                        }
                    }
                    // What is the platform's is asked of the platform, by whomever.
                    Reach::Platform => {
                        for caller_of in [Some(&shop), Some(&platform), None] {
                            let expected = match role {
                                _ if !granted => Err(Answer::Forbidden),
                                Role::Service if caller_of != Some(&platform) => Err(Answer::Forbidden),
                                Role::Operator | Role::Service => Ok(Permit::All),
                                Role::Consumer | Role::Agent | Role::Admin | Role::Analyst => Ok(Permit::Own),
                            };
                            assert_eq!(ask(&platform, caller_of, role), expected, "{what} of {caller_of:?}");
                            if expected.is_ok() {
                                let away = ask(&shop, caller_of, role);
                                assert!(matches!(away, Err(Answer::Invalid { .. })), "{what}: {away:?}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_second_role_opens_no_more_than_it_would_alone() {
        let put = operation("cart.undo").unwrap();
        let mut both = asked(put, "feira-livre", Some(&tenant()), Role::Consumer);
        both.principal.roles.push(Role::Analyst);
        assert_eq!(permitted(&both), Ok(Permit::Own), "an analyst may not undo");
        both.principal.roles.push(Role::Agent);
        assert_eq!(permitted(&both), Ok(Permit::All));
    }
}
