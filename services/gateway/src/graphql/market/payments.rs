//! Money: accounts, transfers between people, requests.

mod account;
mod inputs;
mod request;
mod transfer;

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use feira_commands::payments::{Input, View};
use feira_events::payments::{Purpose, Transfer as Terms};
use feira_ids::{AccountId, CommandId, Role};
use feira_rows::LEDGER_PROJECTION;

pub(crate) use self::account::Account;
use self::inputs::{
    AccountFundInput, AccountOpenInput, MoneyRequestAnswerInput, MoneyRequestInput, MoneySendInput, TransferCancelInput,
};
pub(crate) use self::request::MoneyRequest;
use self::request::NamedRequest;
pub(crate) use self::transfer::Transfer;
use super::{Command, count, or_refuse, payload, read_platform_id};
use crate::auth::{Holder, Scope};
use crate::error::ApiError;
use crate::graphql::payload::UserError;
use crate::graphql::products::page_cost;
use crate::graphql::scalars::PositionText;
use crate::graphql::{Field, caller, catch_up, field, gateway};
use crate::reads::owned_account;

/// The rules that an account is opened under, by its owner's country.
const REGIMES: [(&str, &str); 2] = [("BR", "BR-trial-2020"), ("IN", "IN-upi-2019")];

payload! {
    /// What a change of an account answers.
    AccountPayload,
    /// The account after it; none when it was refused.
    account: Account
}

payload! {
    /// What a transfer answers.
    TransferPayload,
    /// The transfer; none when it was refused.
    transfer: Transfer
}

payload! {
    /// What a request for money answers.
    MoneyRequestPayload,
    /// The request after it; none when it was refused.
    request: MoneyRequest
}

pub(crate) struct PaymentQuery;

/// What can be read of money: one's own.
#[Object]
impl PaymentQuery {
    /// The caller's own account, or that of their business; none while none is open.
    async fn account(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> Field<Account> {
        let found = async {
            let holder = holder(ctx)?;
            catch_up(ctx, position.as_ref(), LEDGER_PROJECTION).await?;
            let row = gateway(ctx).reads.account(holder.owner()).await?;
            Ok(row.map(Account::of_row))
        };
        found.await.map_err(ApiError::into_graphql).transpose()
    }

    /// The transfers of the caller's own account, the newest first.
    #[graphql(complexity = "page_cost(first, None) * child_complexity + 1")]
    async fn transfers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when none is given.")] first: Option<i32>,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> async_graphql::Result<Vec<Transfer>> {
        let found = async {
            let holder = holder(ctx)?;
            let count = count(first)?;
            catch_up(ctx, position.as_ref(), LEDGER_PROJECTION).await?;
            let rows = gateway(ctx).reads.transfers(holder.owner(), count).await?;
            Ok(rows.into_iter().map(|row| Transfer::of_row(row, holder.is_person())).collect())
        };
        found.await.map_err(ApiError::into_graphql)
    }

    /// The requests for money that the caller makes or is asked, those that end last first.
    #[graphql(complexity = "page_cost(first, None) * child_complexity + 1")]
    async fn money_requests(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when none is given.")] first: Option<i32>,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> async_graphql::Result<Vec<MoneyRequest>> {
        let found = async {
            let holder = holder(ctx)?;
            let count = count(first)?;
            catch_up(ctx, position.as_ref(), LEDGER_PROJECTION).await?;
            let rows = gateway(ctx).reads.requests(holder.owner(), count).await?;
            Ok(rows.into_iter().map(MoneyRequest::of_row).collect())
        };
        found.await.map_err(ApiError::into_graphql)
    }

    /// One request for money that the caller makes or is asked.
    async fn money_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] id: ID,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> Field<MoneyRequest> {
        let found = async {
            let holder = holder(ctx)?;
            let Some(named) = NamedRequest::read(&id) else { return Ok(None) };
            catch_up(ctx, position.as_ref(), LEDGER_PROJECTION).await?;
            let row = gateway(ctx).reads.request(holder.owner(), named.expires, &named.request).await?;
            Ok(row.map(MoneyRequest::of_row))
        };
        found.await.map_err(ApiError::into_graphql).transpose()
    }
}

pub(crate) struct PaymentMutation;

/// What can be done with money.
#[Object]
impl PaymentMutation {
    /// Opens the caller's own account, or that of their business. One that is open is answered as it is.
    async fn account_open(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which command.")] input: AccountOpenInput,
    ) -> Field<AccountPayload> {
        field(open(ctx, input).await)
    }

    /// Puts demo money into an account. Only who runs the platform can.
    async fn account_fund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account, and how much.")] input: AccountFundInput,
    ) -> Field<AccountPayload> {
        field(fund(ctx, input).await)
    }

    /// Sends money to a person.
    async fn money_send(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "To whom, and how much.")] input: MoneySendInput,
    ) -> Field<TransferPayload> {
        field(send(ctx, input).await)
    }

    /// Asks for a transfer under way to be given back. Who is paid may have it already.
    async fn transfer_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The transfer.")] input: TransferCancelInput,
    ) -> Field<TransferPayload> {
        field(cancel(ctx, input).await)
    }

    /// Asks a person for money.
    async fn money_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From whom, and how much.")] input: MoneyRequestInput,
    ) -> Field<MoneyRequestPayload> {
        field(request(ctx, input).await)
    }

    /// Grants a request for money: pays it.
    async fn money_request_approve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The request.")] input: MoneyRequestAnswerInput,
    ) -> Field<MoneyRequestPayload> {
        let asked = |named: NamedRequest| Input::ApproveRequest { request: named.request, payer: named.payer };
        field(answer(ctx, input, "payments.approve_request", asked).await)
    }

    /// Says no to a request for money.
    async fn money_request_decline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The request.")] input: MoneyRequestAnswerInput,
    ) -> Field<MoneyRequestPayload> {
        let asked = |named: NamedRequest| Input::DeclineRequest { request: named.request, payer: named.payer };
        field(answer(ctx, input, "payments.decline_request", asked).await)
    }

    /// Takes a request for money back.
    async fn money_request_withdraw(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The request.")] input: MoneyRequestAnswerInput,
    ) -> Field<MoneyRequestPayload> {
        let asked = |named: NamedRequest| Input::WithdrawRequest {
            request: named.request,
            asker: named.asker,
            payer: named.payer,
        };
        field(answer(ctx, input, "payments.withdraw_request", asked).await)
    }
}

fn holder(ctx: &Context<'_>) -> Result<Holder, ApiError> {
    caller(ctx)?.holder()
}

/// The account that an id names, for whoever wrote it into the input's field `field`.
fn account_of(id: &str, field: &str) -> Result<AccountId, UserError> {
    let account = read_platform_id("account", id).and_then(|text| owned_account(&text));
    account.ok_or_else(|| UserError::on(field, "ACCOUNT_UNKNOWN", "the id names no account"))
}

/// The caller's own account, which must be open.
pub(super) async fn own(ctx: &Context<'_>, holder: &Holder) -> Result<Result<AccountId, UserError>, ApiError> {
    let account = gateway(ctx).reads.account_id(holder.owner()).await?;
    let missing = || UserError::new("NO_ACCOUNT", None, "open an account first, with accountOpen");
    Ok(account.ok_or_else(missing))
}

/// A command to the shard of an account.
fn to_shard<'a>(
    ctx: &Context<'_>,
    scope: &'a Scope,
    account: &AccountId,
    operation: &'static str,
    command_id: Option<String>,
) -> Result<Result<Command<'a>, UserError>, ApiError> {
    let shard = account.shard().to_string();
    Command::new(ctx, scope, ("shard", &shard, "account"), operation, command_id)
}

async fn open(ctx: &Context<'_>, input: AccountOpenInput) -> Result<AccountPayload, ApiError> {
    const OPERATION: &str = "payments.open_account";
    let (caller, holder) = (caller(ctx)?, holder(ctx)?);
    if !holder.is_person() && !caller.has(Role::Admin) {
        return Err(ApiError::Forbidden);
    }
    let (kind, name) = holder.owner().split_once('/').unwrap_or_default();
    let country = match holder.country() {
        Some(country) => country.to_owned(),
        None => {
            let scope = crate::graphql::scope(ctx, None)?;
            match gateway(ctx).reads.business(&scope).await? {
                Some(business) => business.country.to_string(),
                None => {
                    let message = "register the business first, with businessRegister";
                    return Ok(AccountPayload::refused(UserError::new("BUSINESS_UNKNOWN", None, message)));
                }
            }
        }
    };
    let Some((_, regime)) = REGIMES.iter().find(|(known, _)| *known == country) else {
        let message = format!("no payments are offered in {country} yet");
        return Ok(AccountPayload::refused(UserError::new("COUNTRY_NOT_SERVED", None, message)));
    };
    // Where an account is, it stays; a new one goes where its owner's name falls.
    let account = match gateway(ctx).reads.account_id(holder.owner()).await? {
        Some(account) => account,
        None => {
            let shard = gateway(ctx).home_shard(holder.owner());
            AccountId::new(shard, kind, name).map_err(|error| ApiError::BadInput(error.to_string()))?
        }
    };
    // Which shard and which rules is not the owner's to choose: the platform opens the account for them.
    let scope = Scope::of_gateway()?;
    let key = format!("{}/{}", holder.owner(), input.command_id.unwrap_or_default());
    let command = or_refuse!(to_shard(ctx, &scope, &account, OPERATION, Some(short(&key))), AccountPayload);
    let input = Input::OpenAccount { account, regime: (*regime).into() };
    let (view, rest) = command.ask::<View>(ctx, &input).await?;
    Ok(AccountPayload::of(view.and_then(|view| view.account).map(Account::of_view), rest))
}

/// A key of bounded length that stands for `key`.
fn short(key: &str) -> String {
    use sha2::{Digest, Sha256};
    const_hex::encode(Sha256::digest(key.as_bytes()))
}

async fn fund(ctx: &Context<'_>, input: AccountFundInput) -> Result<AccountPayload, ApiError> {
    let AccountFundInput { command_id, account, amount } = input;
    let scope = caller(ctx)?.operator()?;
    let read = || Ok((account_of(&account, "account")?, amount.read("amount")?));
    let (account, amount) = match read() {
        Ok(read) => read,
        Err(error) => return Ok(AccountPayload::refused(error)),
    };
    let command = or_refuse!(to_shard(ctx, &scope, &account, "payments.fund", command_id), AccountPayload);
    let (view, rest) = command.ask::<View>(ctx, &Input::Fund { account, amount }).await?;
    Ok(AccountPayload::of(view.and_then(|view| view.account).map(Account::of_view), rest))
}

/// The id of the transfer that a command makes.
pub(super) fn transfer_id(command: CommandId) -> Arc<str> {
    command.to_string().into()
}

async fn send(ctx: &Context<'_>, input: MoneySendInput) -> Result<TransferPayload, ApiError> {
    const OPERATION: &str = "payments.submit";
    let MoneySendInput { command_id, to, amount } = input;
    let holder = holder(ctx)?;
    holder.scope().may(OPERATION)?;
    let read = || Ok((account_of(&to, "to")?, amount.read("amount")?));
    let (to, amount) = match read() {
        Ok(read) => read,
        Err(error) => return Ok(TransferPayload::refused(error)),
    };
    let from = match own(ctx, &holder).await? {
        Ok(from) => from,
        Err(error) => return Ok(TransferPayload::refused(error)),
    };
    let command = or_refuse!(to_shard(ctx, holder.scope(), &from, OPERATION, command_id), TransferPayload);
    let transfer = Terms {
        transfer: transfer_id(command.named.command_id),
        from,
        to,
        amount,
        purpose: Purpose::Gift,
        subject: None,
        customer: None,
        note: None,
        deadline: 0,
    };
    let (view, rest) = command.ask::<View>(ctx, &Input::Submit { transfer }).await?;
    Ok(TransferPayload::of(view.and_then(|view| view.transfer).map(Transfer::of_view), rest))
}

async fn cancel(ctx: &Context<'_>, input: TransferCancelInput) -> Result<TransferPayload, ApiError> {
    const OPERATION: &str = "payments.cancel_transfer";
    let TransferCancelInput { command_id, transfer } = input;
    let holder = holder(ctx)?;
    holder.scope().may(OPERATION)?;
    let Some(transfer) = read_platform_id("transfer", &transfer) else {
        let error = UserError::on("transfer", "TRANSFER_UNKNOWN", "the id names no transfer");
        return Ok(TransferPayload::refused(error));
    };
    let from = match own(ctx, &holder).await? {
        Ok(from) => from,
        Err(error) => return Ok(TransferPayload::refused(error)),
    };
    let command = or_refuse!(to_shard(ctx, holder.scope(), &from, OPERATION, command_id), TransferPayload);
    let (view, rest) = command.ask::<View>(ctx, &Input::CancelTransfer { transfer: transfer.into(), from }).await?;
    Ok(TransferPayload::of(view.and_then(|view| view.transfer).map(Transfer::of_view), rest))
}

async fn request(ctx: &Context<'_>, input: MoneyRequestInput) -> Result<MoneyRequestPayload, ApiError> {
    const OPERATION: &str = "payments.request_money";
    let MoneyRequestInput { command_id, from, to, amount, expires } = input;
    let holder = holder(ctx)?;
    holder.scope().may(OPERATION)?;
    let read = || Ok((account_of(&from, "from")?, amount.read("amount")?));
    let (payer, amount) = match read() {
        Ok(read) => read,
        Err(error) => return Ok(MoneyRequestPayload::refused(error)),
    };
    let asker = match own(ctx, &holder).await? {
        Ok(asker) => asker,
        Err(error) => return Ok(MoneyRequestPayload::refused(error)),
    };
    if to.is_some_and(|to| account_of(&to, "to").as_ref() != Ok(&asker)) {
        let error = UserError::on("to", "NOT_OWN_ACCOUNT", "money is asked for to one's own account");
        return Ok(MoneyRequestPayload::refused(error));
    }
    let command = or_refuse!(to_shard(ctx, holder.scope(), &payer, OPERATION, command_id), MoneyRequestPayload);
    let request: Arc<str> = format!("q-{}", command.named.command_id).into();
    // Where nobody says, the payer's side does: a repeat of the command must not say another time.
    let expires = expires.map_or(0, |expires| expires.0);
    let input = Input::RequestMoney { request, asker, payer, amount, note: None, expires };
    let (view, rest) = command.ask::<View>(ctx, &input).await?;
    Ok(MoneyRequestPayload::of(view.and_then(|view| view.request).map(MoneyRequest::of_view), rest))
}

async fn answer(
    ctx: &Context<'_>,
    input: MoneyRequestAnswerInput,
    operation: &'static str,
    asked: impl FnOnce(NamedRequest) -> Input,
) -> Result<MoneyRequestPayload, ApiError> {
    let MoneyRequestAnswerInput { command_id, request } = input;
    let holder = holder(ctx)?;
    holder.scope().may(operation)?;
    let Some(named) = NamedRequest::read(&request) else {
        let error = UserError::on("request", "REQUEST_UNKNOWN", "the id names no request");
        return Ok(MoneyRequestPayload::refused(error));
    };
    let payer = named.payer.clone();
    let command = or_refuse!(to_shard(ctx, holder.scope(), &payer, operation, command_id), MoneyRequestPayload);
    let (view, rest) = command.ask::<View>(ctx, &asked(named)).await?;
    Ok(MoneyRequestPayload::of(view.and_then(|view| view.request).map(MoneyRequest::of_view), rest))
}
