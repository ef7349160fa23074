//! Shards as the runtime hosts them.

use feira_commands::payments::{AccountView, Input, IntentView, RequestView, TransferView, View};
use feira_decider::Entities;
use feira_ids::{AccountId, AggregateId, Principal, PrincipalKind};
use feira_money::Amount;
use feira_payments_domain::shard::{Command, Entity, LedgerShard, key};
use feira_runtime::{GatherError, HostedShard};

/// Hosts shards of the ledger. They need no facts from elsewhere.
#[derive(Debug)]
pub struct Shards;

impl HostedShard for Shards {
    type Domain = LedgerShard;
    type Input = Input;
    type Facts = ();
    type View = View;
    const STATE_VERSION: u32 = 3;

    fn operation(&self, input: &Input) -> &'static str {
        input.operation()
    }

    /// A person acts for their own account, a member for that of their business, nobody else for any.
    fn owns(&self, principal: &Principal, _aggregate: &AggregateId, input: &Input) -> bool {
        let Some(account) = input.actor() else { return false };
        match principal.kind {
            PrincipalKind::Person => account.kind() == "person" && account.name() == &*principal.id,
            PrincipalKind::Member => {
                let business = principal.tenant.as_ref().map(|tenant| tenant.as_str());
                account.kind() == "biz" && Some(account.name()) == business
            }
            PrincipalKind::Operator | PrincipalKind::Service => false,
        }
    }

    async fn gather(&self, _command: &feira_runtime::Command, _input: &Input) -> Result<(), GatherError> {
        Ok(())
    }

    fn command(&self, aggregate: &AggregateId, input: Input, (): ()) -> Command {
        // A shard that is no number has no accounts: whatever is asked of it is refused.
        Command { shard: aggregate.key().parse().unwrap_or(u32::MAX), input }
    }

    fn view(&self, _aggregate: &AggregateId, _version: u64, input: &Input, entities: &dyn Entities<Entity>) -> View {
        let seen = Seen(entities);
        match input {
            Input::OpenAccount { account, .. } | Input::Fund { account, .. } => {
                View { account: seen.account(account), ..View::default() }
            }
            Input::Submit { transfer } => View {
                account: seen.account(&transfer.from),
                transfer: seen.transfer(&transfer.transfer),
                ..View::default()
            },
            Input::CancelTransfer { transfer, from } => {
                View { account: seen.account(from), transfer: seen.transfer(transfer), ..View::default() }
            }
            Input::RequestMoney { request, .. }
            | Input::DeclineRequest { request, .. }
            | Input::WithdrawRequest { request, .. }
            | Input::ExpireRequest { request } => View { request: seen.request(request), ..View::default() },
            Input::ApproveRequest { request, payer } => {
                let request = seen.request(request);
                let transfer = request.as_ref().and_then(|request| seen.transfer(request.transfer.as_deref()?));
                View { account: seen.account(payer), transfer, request, intent: None }
            }
            Input::CreateIntent { intent, .. } => View { intent: seen.intent(&intent.intent), ..View::default() },
            Input::CancelIntent { intent, account } | Input::Refund { intent, account, .. } => {
                View { account: seen.account(account), intent: seen.intent(intent), ..View::default() }
            }
            Input::ExpireIntent { intent } => View { intent: seen.intent(intent), ..View::default() },
            Input::Credit { .. }
            | Input::Decline { .. }
            | Input::Credited { .. }
            | Input::Declined { .. }
            | Input::SuspendRegime { .. }
            | Input::ResumeRegime { .. } => View::default(),
        }
    }
}

/// What a shard holds, as its clients see it.
struct Seen<'a>(&'a dyn Entities<Entity>);

impl Seen<'_> {
    fn account(&self, account: &AccountId) -> Option<AccountView> {
        match self.0.get(&key::account(account)).as_deref() {
            Some(Entity::Account(account)) => Some(AccountView {
                balance: account.balance.clone(),
                regime: account.regime.clone().unwrap_or_default(),
            }),
            _ => None,
        }
    }

    fn transfer(&self, transfer: &str) -> Option<TransferView> {
        match self.0.get(&key::outgoing(transfer)).as_deref() {
            Some(Entity::Outgoing(there)) => Some(TransferView {
                transfer: there.transfer.clone(),
                state: there.state,
                reason: there.reason.clone(),
            }),
            _ => None,
        }
    }

    fn request(&self, request: &str) -> Option<RequestView> {
        match self.0.get(&key::request(request)).as_deref() {
            Some(Entity::Request(there)) => Some(RequestView {
                request: request.into(),
                asker: there.asker.clone(),
                payer: there.payer.clone(),
                amount: there.amount,
                expires: there.expires,
                state: there.state,
                transfer: there.transfer.clone(),
            }),
            _ => None,
        }
    }

    fn intent(&self, intent: &str) -> Option<IntentView> {
        match self.0.get(&key::intent(intent)).as_deref() {
            Some(Entity::Intent(there)) => {
                let minor = |minor| Amount::new(minor, there.intent.amount.currency);
                Some(IntentView {
                    intent: there.intent.clone(),
                    state: there.state,
                    fee: there.payer.is_some().then(|| minor(there.fee)),
                    refunded: minor(there.refunded),
                    expires: there.expires,
                })
            }
            _ => None,
        }
    }
}
