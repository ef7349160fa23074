//! A naive book of money, to hold shards against.
//!
//! It knows nothing of shards' events or entities. It keeps one number for each owner and counts limits anew from the list
//! of all payments. What it is told is over when it has been told.

use std::collections::BTreeMap;

use feira_commands::payments::{Input, IntentState, TransferState};
use feira_events::payments::{Purpose, RequestState, Transfer};
use feira_ids::AccountId;

use super::house::{House, account, gift};
use crate::shard::decide::derived;
use crate::shard::{Entity, Payment, RefundState, Request};

const DAY: i64 = 24 * 3_600_000;

/// A payment that reached its payee.
pub struct Paid {
    at: i64,
    from: AccountId,
    to: AccountId,
    minor: i64,
    purpose: Purpose,
}

/// An order in the book.
pub struct Order {
    shop: AccountId,
    due: i64,
    expires: i64,
    state: IntentState,
    payer: Option<AccountId>,
    fee: i64,
    fee_returned: i64,
    refunded: i64,
    /// By name: how much, and whether it arrived.
    refunds: BTreeMap<String, (i64, bool)>,
}

/// A request in the book.
pub struct Asked {
    asker: AccountId,
    payer: AccountId,
    minor: i64,
    expires: i64,
    state: RequestState,
    approvals: u32,
}

/// What anybody would note down.
pub struct Book {
    money: BTreeMap<AccountId, i64>,
    fees: i64,
    paid: Vec<Paid>,
    /// By the shard that decides and the id: what two shards are asked for is never the same thing.
    transfers: BTreeMap<(u32, String), (Transfer, TransferState)>,
    orders: BTreeMap<(u32, String), Order>,
    requests: BTreeMap<(u32, String), Asked>,
    suspended: bool,
    now: i64,
}

/// What is called `id` in the shard of `whose`.
fn named(whose: &AccountId, id: &str) -> (u32, String) {
    (whose.shard(), id.to_owned())
}

/// Says no with this code.
pub type Answer = Result<(), &'static str>;

impl Book {
    /// An empty book beside a house as it stands.
    pub fn new(house: &House, owners: &[&str]) -> Self {
        Self {
            money: owners.iter().map(|name| (account(name), house.available(name))).collect(),
            fees: 0,
            paid: vec![],
            transfers: BTreeMap::new(),
            orders: BTreeMap::new(),
            requests: BTreeMap::new(),
            suspended: false,
            now: house.now,
        }
    }

    /// The day and the month of São Paulo, which is three hours behind in the time of the trial.
    fn day_and_month(at: i64) -> (i64, (i64, i64)) {
        let day = (at - 3 * 3_600_000).div_euclid(DAY);
        // Days since 1 March of the year 0, cut into years and months that begin in March.
        let since = day + 719_468;
        let (era, of_era) = (since.div_euclid(146_097), since.rem_euclid(146_097));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        (day, (era * 400 + year, (5 * of_year + 2) / 153))
    }

    fn within_limits(&self, payer: bool, who: &AccountId, minor: i64, purpose: Purpose) -> bool {
        let between = |purpose| matches!(purpose, Purpose::Gift | Purpose::Request);
        let (day, month) = Self::day_and_month(self.now);
        let mine = |paid: &&Paid| if payer { paid.from == *who } else { paid.to == *who };
        let kind = |paid: &&Paid| between(paid.purpose) == between(purpose) && paid.purpose != Purpose::Refund;
        let of = || self.paid.iter().filter(mine).filter(kind);
        let in_month: i64 = of().filter(|paid| Self::day_and_month(paid.at).1 == month).map(|paid| paid.minor).sum();
        let in_day = of().filter(|paid| Self::day_and_month(paid.at).0 == day).count();
        match (payer, purpose) {
            (_, Purpose::Refund) | (false, Purpose::Order) => true,
            (true, _) => minor <= 100_000 && in_month + minor <= 500_000,
            (false, _) => in_month + minor <= 500_000 && in_day < 20,
        }
    }

    /// Whether the payee can be paid; the code with which it cannot.
    fn receivable(&self, transfer: &Transfer) -> Answer {
        if !self.money.contains_key(&transfer.to) {
            return Err("PAYEE_UNKNOWN");
        }
        if self.suspended {
            return Err("REGIME_SUSPENDED");
        }
        if transfer.purpose == Purpose::Order {
            let order = self.orders.get(&named(&transfer.to, transfer.subject.as_deref().unwrap_or_default()));
            let order = order.filter(|order| order.shop == transfer.to).ok_or("INTENT_UNKNOWN")?;
            if order.state != IntentState::AwaitingPayer {
                return Err("INTENT_NOT_PAYABLE");
            }
            if order.due != transfer.amount.minor || transfer.customer.as_deref() != Some("BR.1") {
                return Err("INTENT_MISMATCH");
            }
        }
        let fits = self.within_limits(false, &transfer.to, transfer.amount.minor, transfer.purpose);
        if fits { Ok(()) } else { Err("LIMIT_EXCEEDED") }
    }

    /// Pays, to the end: whether it is taken on, and what became of it.
    fn pay(&mut self, transfer: Transfer) -> Result<TransferState, &'static str> {
        let key = (transfer.from.shard(), transfer.transfer.to_string());
        if let Some((there, state)) = self.transfers.get(&key) {
            return if *there == transfer { Ok(*state) } else { Err("KEY_REUSED") };
        }
        let (from, to, minor) = (transfer.from.clone(), transfer.to.clone(), transfer.amount.minor);
        if from == to {
            return Err("SAME_PARTY");
        }
        let funds = *self.money.get(&from).ok_or("PAYER_UNKNOWN")?;
        if self.suspended {
            return Err("REGIME_SUSPENDED");
        }
        if minor < if transfer.purpose == Purpose::Refund { 1 } else { 100 } {
            return Err("AMOUNT_BELOW_MINIMUM");
        }
        if !self.within_limits(true, &from, minor, transfer.purpose) {
            return Err("LIMIT_EXCEEDED");
        }
        let receivable = self.receivable(&transfer);
        if from.shard() == to.shard() {
            receivable?;
        }
        if funds < minor {
            return Err("INSUFFICIENT_FUNDS");
        }
        let state = if receivable.is_ok() { TransferState::Settled } else { TransferState::Returned };
        if state == TransferState::Settled {
            *self.money.get_mut(&from).unwrap() -= minor;
            *self.money.get_mut(&to).unwrap() += minor;
            let purpose = transfer.purpose;
            self.paid.push(Paid { at: self.now, from: from.clone(), to: to.clone(), minor, purpose });
            if purpose == Purpose::Order {
                let order = self.orders.get_mut(&named(&to, transfer.subject.as_deref().unwrap())).unwrap();
                order.state = IntentState::Captured;
                order.payer = Some(from);
                order.fee = (minor * 399 + 5_000) / 10_000;
                *self.money.get_mut(&to).unwrap() -= order.fee;
                self.fees += order.fee;
            }
        }
        self.transfers.insert(key, (transfer, state));
        Ok(state)
    }

    fn refund(&mut self, id: &str, shop: &AccountId, name: &str, asked: Option<i64>) -> Answer {
        let order = self.orders.get(&named(shop, id)).filter(|order| order.shop == *shop).ok_or("INTENT_UNKNOWN")?;
        let payer = order.payer.clone().ok_or("NOTHING_CAPTURED")?;
        if let Some((minor, _)) = order.refunds.get(name) {
            return if asked.is_none_or(|asked| asked == *minor) { Ok(()) } else { Err("KEY_REUSED") };
        }
        let left = order.due - order.refunded;
        let minor = asked.unwrap_or(left);
        if minor < 1 && left > 0 {
            return Err("AMOUNT_BELOW_MINIMUM");
        }
        if minor > left || left == 0 {
            return Err("REFUND_TOO_LARGE");
        }
        let transfer = Transfer {
            transfer: derived(&["refund", id, name]),
            purpose: Purpose::Refund,
            subject: Some(format!("{id}/{name}").into()),
            ..gift(0, shop.as_str(), payer.as_str(), minor)
        };
        let state = self.pay(transfer)?;
        let order = self.orders.get_mut(&named(shop, id)).unwrap();
        order.refunds.insert(name.to_owned(), (minor, state == TransferState::Settled));
        if state == TransferState::Settled {
            order.refunded += minor;
            let whole = order.refunded == order.due;
            order.state = if whole { IntentState::Refunded } else { IntentState::PartlyRefunded };
            // Half away from zero.
            let total = (2 * order.fee * order.refunded + order.due) / (2 * order.due);
            let back = total - order.fee_returned;
            order.fee_returned = total;
            *self.money.get_mut(shop).unwrap() += back;
            self.fees -= back;
        }
        Ok(())
    }

    fn approve(&mut self, id: &str, payer: &AccountId) -> Answer {
        let request =
            self.requests.get(&named(payer, id)).filter(|request| request.payer == *payer).ok_or("REQUEST_UNKNOWN")?;
        match request.state {
            RequestState::Open => {}
            RequestState::Paid => return Ok(()),
            _ => return Err("REQUEST_CLOSED"),
        }
        let transfer = Transfer {
            transfer: derived(&["request", id, &(request.approvals + 1).to_string()]),
            purpose: Purpose::Request,
            subject: Some(id.into()),
            ..gift(0, payer.as_str(), request.asker.as_str(), request.minor)
        };
        let state = self.pay(transfer)?;
        let request = self.requests.get_mut(&named(payer, id)).unwrap();
        request.approvals += 1;
        if state == TransferState::Settled {
            request.state = RequestState::Paid;
        }
        Ok(())
    }

    fn end(&mut self, key: (u32, String), mine: impl Fn(&Asked) -> bool, state: RequestState) -> Answer {
        let request = self.requests.get_mut(&key).filter(|request| mine(request)).ok_or("REQUEST_UNKNOWN")?;
        if request.state == RequestState::Open {
            request.state = state;
        }
        if request.state == state { Ok(()) } else { Err("REQUEST_CLOSED") }
    }

    fn request(&mut self, id: &str, asker: AccountId, payer: AccountId, minor: i64, expires: i64) -> Answer {
        if let Some(there) = self.requests.get(&named(&payer, id)) {
            let same = (&there.asker, &there.payer, there.minor) == (&asker, &payer, minor);
            return if same { Ok(()) } else { Err("KEY_REUSED") };
        }
        if asker == payer {
            return Err("SAME_PARTY");
        }
        self.money.get(&payer).ok_or("PAYER_UNKNOWN")?;
        if self.suspended {
            return Err("REGIME_SUSPENDED");
        }
        if minor < 100 {
            return Err("AMOUNT_BELOW_MINIMUM");
        }
        let (key, state, approvals) = (named(&payer, id), RequestState::Open, 0);
        self.requests.insert(key, Asked { asker, payer, minor, expires, state, approvals });
        Ok(())
    }

    fn create(&mut self, id: &str, shop: AccountId, due: i64, expires: i64) -> Answer {
        if let Some(there) = self.orders.get(&named(&shop, id)) {
            return if (&there.shop, there.due) == (&shop, due) { Ok(()) } else { Err("KEY_REUSED") };
        }
        if self.suspended {
            return Err("REGIME_SUSPENDED");
        }
        if due < 100 {
            return Err("AMOUNT_BELOW_MINIMUM");
        }
        let key = named(&shop, id);
        let order = Order {
            shop,
            due,
            expires,
            state: IntentState::AwaitingPayer,
            payer: None,
            fee: 0,
            fee_returned: 0,
            refunded: 0,
            refunds: BTreeMap::new(),
        };
        self.orders.insert(key, order);
        Ok(())
    }

    fn cancel(&mut self, id: &str, shop: &AccountId) -> Answer {
        let order =
            self.orders.get_mut(&named(shop, id)).filter(|order| order.shop == *shop).ok_or("INTENT_UNKNOWN")?;
        match order.state {
            IntentState::AwaitingPayer => order.state = IntentState::Canceled,
            IntentState::Canceled | IntentState::Expired => {}
            _ => return Err("ALREADY_CAPTURED"),
        }
        Ok(())
    }

    /// Time passes.
    pub fn pass(&mut self, now: i64) {
        self.now = now;
        for order in self.orders.values_mut() {
            if order.state == IntentState::AwaitingPayer && order.expires <= now {
                order.state = IntentState::Expired;
            }
        }
        for request in self.requests.values_mut() {
            if request.state == RequestState::Open && request.expires <= now {
                request.state = RequestState::Expired;
            }
        }
    }

    /// What the book says to `input`.
    pub fn answer(&mut self, input: &Input) -> Answer {
        match input.clone() {
            Input::Submit { transfer } => self.pay(transfer).map(drop),
            Input::CancelTransfer { transfer, from } => {
                let there = self.transfers.get(&(from.shard(), transfer.to_string()));
                let known = there.is_some_and(|(there, _)| there.from == from);
                if known { Ok(()) } else { Err("TRANSFER_UNKNOWN") }
            }
            Input::RequestMoney { request, asker, payer, amount, expires, .. } => {
                self.request(&request, asker, payer, amount.minor, expires)
            }
            Input::ApproveRequest { request, payer } => self.approve(&request, &payer),
            Input::DeclineRequest { request, payer } => {
                self.end(named(&payer, &request), |there| there.payer == payer, RequestState::Declined)
            }
            Input::WithdrawRequest { request, asker, payer } => {
                self.end(named(&payer, &request), |there| there.asker == asker, RequestState::Withdrawn)
            }
            Input::CreateIntent { intent, expires } => {
                self.create(&intent.intent, intent.account, intent.amount.minor, expires)
            }
            Input::CancelIntent { intent, account } => self.cancel(&intent, &account),
            Input::Refund { intent, account, refund, amount, .. } => {
                self.refund(&intent, &account, &refund, amount.map(|amount| amount.minor))
            }
            Input::SuspendRegime { .. } => {
                self.suspended = true;
                Ok(())
            }
            Input::ResumeRegime { .. } => {
                self.suspended = false;
                Ok(())
            }
            other => panic!("nobody asks {other:?} here"),
        }
    }

    /// Every figure, beside those of the shards.
    pub fn compare(&self, house: &House) {
        for (who, minor) in &self.money {
            assert_eq!(house.available(who.as_str()), *minor, "{who}");
        }
        let fees: i64 = house.held().iter().filter(|(who, _)| who.kind() == "fee").map(|(_, at)| at[3] - at[1]).sum();
        assert_eq!(fees, self.fees, "fees");
        for (id, request) in requests(house) {
            assert_eq!(request.state, self.requests[&id].state, "request {id:?}");
        }
        for (id, payment) in payments(house) {
            let order = &self.orders[&id];
            let figures = (payment.state, payment.fee, payment.fee_returned, payment.refunded);
            assert_eq!(figures, (order.state, order.fee, order.fee_returned, order.refunded), "order {id:?}");
            for (name, minor, state) in &payment.refunds {
                let arrived = *state == RefundState::Done;
                assert_eq!(order.refunds[&**name], (*minor, arrived), "refund {name} of {id:?}");
            }
        }
        let theirs: BTreeMap<_, _> = outgoing(house);
        let mine = self.transfers.iter().map(|(key, (_, state))| (key.clone(), *state)).collect();
        assert_eq!(theirs, mine, "transfers");
    }
}

fn entities(house: &House) -> impl Iterator<Item = (u32, &str, &Entity)> {
    let numbered = (0..).zip(&house.shards);
    numbered.flat_map(|(number, shard)| shard.iter().map(move |(key, entity)| (number, key, entity)))
}

pub fn requests(house: &House) -> Vec<((u32, String), Request)> {
    let found = entities(house).filter_map(|(number, key, entity)| match entity {
        Entity::Request(request) => {
            Some(((number, key.trim_start_matches("request/").to_owned()), Request::clone(request)))
        }
        _ => None,
    });
    found.collect()
}

pub fn payments(house: &House) -> Vec<((u32, String), Payment)> {
    let found = entities(house).filter_map(|(number, _, entity)| match entity {
        Entity::Intent(payment) => Some(((number, payment.intent.intent.to_string()), Payment::clone(payment))),
        _ => None,
    });
    found.collect()
}

pub fn outgoing(house: &House) -> BTreeMap<(u32, String), TransferState> {
    let found = entities(house).filter_map(|(number, _, entity)| match entity {
        Entity::Outgoing(outgoing) => Some(((number, outgoing.transfer.transfer.to_string()), outgoing.state)),
        _ => None,
    });
    found.collect()
}
