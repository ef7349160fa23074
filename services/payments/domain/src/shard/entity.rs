//! What a shard holds.

use std::sync::Arc;

use feira_commands::payments::{IntentState, TransferState};
use feira_events::payments::{Balance, Intent, LimitUse, RequestState, Transfer};
use feira_ids::AccountId;
use feira_money::{Amount, Currency};
use serde::{Deserialize, Serialize};

/// The window of a limit that is counted for each payment by itself: no time at all.
pub const EACH: i64 = 0;

/// One thing that a shard holds. Small itself, since there are many: what is larger than a number lies elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entity {
    /// An account.
    Account(Box<Account>),
    /// A transfer that this shard pays.
    Outgoing(Box<Outgoing>),
    /// What this shard decided of a transfer that another one pays. Kept for ever: it is what makes a credit happen once.
    Incoming(Incoming),
    /// A request for money of an account of this shard.
    Request(Box<Request>),
    /// An order to be paid to an account of this shard.
    Intent(Box<Payment>),
    /// A regime that was stopped.
    Suspended,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its figures.
    pub balance: Balance,
    /// The rules it is under; none for the shard's own accounts, which may go below zero.
    pub regime: Option<Arc<str>>,
    /// How much of its limits is used.
    #[serde(default, skip_serializing_if = "Uses::is_empty")]
    pub uses: Uses,
}

/// How much of an account's limits is used: of each rule the last two days or months in which anything was counted.
/// They lie with the account, since whoever looks at the one looks at the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uses(Arc<Vec<Use>>);

/// How much of one limit is used in one day or month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Use {
    rule: Arc<str>,
    /// When the day or month began, milliseconds since 1970.
    window: i64,
    used: i64,
}

impl Uses {
    /// How many windows of a rule are kept. What was counted before them is over, and nothing is given back to it.
    const WINDOWS: usize = 2;

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How much of `rule` is used in the time that begins at `window`; none where nothing is known of it.
    pub fn of(&self, rule: &str, window: i64) -> Option<i64> {
        let counted = self.0.iter().find(|counted| counted.window == window && *counted.rule == *rule);
        counted.map(|counted| counted.used)
    }

    /// Notes that so much is used.
    pub fn note(&mut self, rule: &Arc<str>, window: i64, used: i64) {
        let uses = Arc::make_mut(&mut self.0);
        if let Some(counted) = uses.iter_mut().find(|counted| counted.window == window && counted.rule == *rule) {
            counted.used = used;
            return;
        }
        uses.push(Use { rule: rule.clone(), window, used });
        let of_rule = || uses.iter().filter(|counted| counted.rule == *rule);
        if of_rule().count() > Self::WINDOWS {
            let oldest = of_rule().map(|counted| counted.window).min();
            uses.retain(|counted| counted.rule != *rule || Some(counted.window) != oldest);
        }
    }
}

impl Account {
    /// The shard's own account of this name, with nothing on it.
    pub fn own(account: AccountId, currency: Currency) -> Self {
        Self { balance: empty(account, currency), regime: None, uses: Uses::default() }
    }

    /// What can be paid from it.
    pub fn available(&self) -> i64 {
        let Balance { credits, debits, debits_held, .. } = self.balance;
        credits - debits - debits_held
    }
}

/// The figures of an account that nothing has happened to.
pub fn empty(account: AccountId, currency: Currency) -> Balance {
    Balance { account, currency, debits_held: 0, debits: 0, credits_held: 0, credits: 0 }
}

/// A transfer that this shard pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// It.
    pub transfer: Transfer,
    /// Where it stands.
    pub state: TransferState,
    /// Why it was returned.
    pub reason: Option<Arc<str>>,
    /// The limits it counts against while it is under way.
    pub limits: Vec<LimitUse>,
    /// Whether the payee's shard was asked to refuse it.
    pub cancel_asked: bool,
}

/// What this shard decided of a transfer that another one pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Incoming {
    /// It was taken in.
    Credited,
    /// It was refused, perhaps before it was ever heard of.
    Declined(Arc<str>),
}

/// A request for money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who asks.
    pub asker: AccountId,
    /// Who is asked.
    pub payer: AccountId,
    /// How much.
    pub amount: Amount,
    /// Until when.
    pub expires: i64,
    /// Where it stands.
    pub state: RequestState,
    /// How often it was granted.
    pub approvals: u32,
    /// The transfer of the last time.
    pub transfer: Option<Arc<str>>,
}

/// An order to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What is due.
    pub intent: Intent,
    /// Until when.
    pub expires: i64,
    /// The fee as it was when the intent was made.
    pub fee_bp: i32,
    /// Where it stands.
    pub state: IntentState,
    /// Who paid, once it is captured.
    pub payer: Option<AccountId>,
    /// What was taken as fee.
    pub fee: i64,
    /// What of it was given back.
    pub fee_returned: i64,
    /// What was refunded.
    pub refunded: i64,
    /// Refunds that are under way or done: by their name, how much.
    pub refunds: Vec<(Arc<str>, i64, RefundState)>,
}

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// Its money is on the way.
    Begun,
    /// It arrived.
    Done,
    /// It could not be paid out.
    Failed,
}

impl Payment {
    /// What can still be refunded.
    pub fn refundable(&self) -> i64 {
        let begun = self.refunds.iter().filter(|(_, _, state)| *state == RefundState::Begun);
        self.intent.amount.minor - self.refunded - begun.map(|(_, minor, _)| minor).sum::<i64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_stand_in_snapshots_as_they_always_did() {
        let account = |name| AccountId::new(0, "person", name).unwrap();
        let amount = Amount::new(100, "BRL".parse().unwrap());
        let transfer = Transfer {
            transfer: "0a".into(),
            from: account("ana"),
            to: account("bia"),
            amount,
            purpose: feira_events::payments::Purpose::Gift,
            subject: None,
            customer: None,
            note: None,
            deadline: 7,
        };
        let outgoing =
            Outgoing { transfer, state: TransferState::Settled, reason: None, limits: vec![], cancel_asked: false };
        let request = Request {
            asker: account("ana"),
            payer: account("bia"),
            amount,
            expires: 7,
            state: RequestState::Open,
            approvals: 0,
            transfer: None,
        };
        let mut counted = Account::own(account("ana"), amount.currency);
        counted.uses.note(&"sent-per-month".into(), 9, 5);
        let of_bia = Account { regime: Some("R".into()), ..Account::own(account("bia"), amount.currency) };
        for (entity, written) in [
            (
                Entity::Account(Box::new(of_bia)),
                r#"{"account":{"balance":{"account":"0/person/bia","currency":"BRL","debits_held":0,"debits":0,"credits_held":0,"credits":0},"regime":"R"}}"#,
            ),
            (
                Entity::Account(Box::new(counted)),
                r#"{"account":{"balance":{"account":"0/person/ana","currency":"BRL","debits_held":0,"debits":0,"credits_held":0,"credits":0},"regime":null,"uses":[{"rule":"sent-per-month","window":9,"used":5}]}}"#,
            ),
            (
                Entity::Outgoing(Box::new(outgoing)),
                r#"{"outgoing":{"transfer":{"transfer":"0a","from":"0/person/ana","to":"0/person/bia","amount":{"minor":100,"currency":"BRL"},"purpose":"GIFT","subject":null,"customer":null,"note":null,"deadline":7},"state":"SETTLED","reason":null,"limits":[],"cancel_asked":false}}"#,
            ),
            (
                Entity::Request(Box::new(request)),
                r#"{"request":{"asker":"0/person/ana","payer":"0/person/bia","amount":{"minor":100,"currency":"BRL"},"expires":7,"state":"OPEN","approvals":0,"transfer":null}}"#,
            ),
            (Entity::Incoming(Incoming::Declined("EXPIRED".into())), r#"{"incoming":{"declined":"EXPIRED"}}"#),
            (Entity::Suspended, r#""suspended""#),
        ] {
            assert_eq!(serde_json::to_string(&entity).unwrap(), written);
            assert_eq!(serde_json::from_str::<Entity>(written).unwrap(), entity);
        }
    }

    #[test]
    fn of_each_limit_the_last_two_windows_are_kept() {
        let mut uses = Uses::default();
        let (sent, times): (Arc<str>, Arc<str>) = ("sent-per-month".into(), "transfers-received-per-day".into());
        for (rule, window, used) in [(&sent, 1, 10), (&times, 1, 1), (&sent, 2, 20), (&sent, 1, 7), (&sent, 3, 30)] {
            uses.note(rule, window, used);
        }
        assert_eq!([1, 2, 3].map(|window| uses.of(&sent, window)), [None, Some(20), Some(30)]);
        assert_eq!(uses.of(&times, 1), Some(1));
        // One that is told late, and is older than what is kept.
        uses.note(&sent, 1, 5);
        assert_eq!([1, 2, 3].map(|window| uses.of(&sent, window)), [None, Some(20), Some(30)]);
        uses.note(&sent, 2, 15);
        assert_eq!(uses.of(&sent, 2), Some(15));
    }
}
