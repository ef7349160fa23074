//! A straight-line ledger: one function that pays within one shard under one regime, and keeps all that a shard must keep.
//!
//! It checks what the shard checks of a gift between two people whose accounts it holds (a new id, known accounts,
//! currencies, funds, the four limits of the trial), and makes the same event. It holds what the shard holds and hands to
//! snapshots, each under the same text key: accounts with their figures, their regime and the use of their limits, and every
//! transfer with its content. These lie in plain hash maps of the standard library, one for each kind, and are changed
//! where they are.
//!
//! It knows no other kind of transfer, no other regime, nothing between shards, and one day of one month; it does not
//! check how ids are written, and what it made cannot be made again from events.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use feira_calendar::{Period, Zone};
use feira_commands::payments::{TRANSFER_PATIENCE_MS, TransferState};
use feira_events::payments::{Balance, Event, LimitUse, Posting, PostingKind, Transfer, TransferSettled};
use feira_ids::AccountId;
use feira_payments_domain::shard::{Account, Entity, Outgoing, Uses};

use crate::{FUNDED, NOW, REGIME, brl};

/// The most of one transfer.
const TRANSFER_MAX: i64 = 100_000;
/// The least that can be sent.
const MINIMUM: i64 = 100;

/// A limit that is counted over time.
struct Limit {
    rule: Arc<str>,
    window: i64,
    most: i64,
}

impl Limit {
    fn new(rule: &str, window: Period, most: i64) -> Self {
        Self { rule: rule.into(), window: window.start, most }
    }
}

/// A ledger of one shard.
pub struct Straight {
    accounts: HashMap<String, Account>,
    transfers: HashMap<String, Outgoing>,
    day: Period,
    month: Period,
    per_transfer: Arc<str>,
    sent: Limit,
    received: Limit,
    times: Limit,
    /// The key at hand.
    key: String,
}

impl Straight {
    /// With accounts that are funded.
    pub fn opened(accounts: &[AccountId]) -> Self {
        let zone = Zone::parse("America/Sao_Paulo").expect("a zone");
        let (day, month) = (zone.day_of(NOW.0).expect("a day"), zone.month_of(NOW.0).expect("a month"));
        let mut straight = Self {
            accounts: HashMap::new(),
            transfers: HashMap::new(),
            day,
            month,
            per_transfer: "per-transfer".into(),
            sent: Limit::new("sent-per-month", month, 500_000),
            received: Limit::new("received-per-month", month, 500_000),
            times: Limit::new("transfers-received-per-day", day, 20),
            key: String::new(),
        };
        let outside = AccountId::new(0, "ext", "demo-BRL").expect("a name");
        straight.open(&outside, None, FUNDED * accounts.len() as i64, 0);
        for account in accounts {
            straight.open(account, Some(REGIME.into()), 0, FUNDED);
        }
        straight
    }

    fn open(&mut self, account: &AccountId, regime: Option<Arc<str>>, debits: i64, credits: i64) {
        let (key, account, currency) = (format!("account/{account}"), account.clone(), brl(0).currency);
        let balance = Balance { account, currency, debits_held: 0, debits, credits_held: 0, credits };
        self.accounts.insert(key, Account { balance, regime, uses: Uses::default() });
    }

    /// Makes a transfer.
    pub fn pay(&mut self, transfer: Transfer) -> Event {
        let (at, minor) = (NOW.0, transfer.amount.minor);
        assert!(self.day.contains(at) && self.month.contains(at), "the benchmark's time stands still");
        assert!(transfer.from != transfer.to && (MINIMUM..=TRANSFER_MAX).contains(&minor), "not allowed");
        let transfer = Transfer { deadline: at + TRANSFER_PATIENCE_MS, ..transfer };
        let made = Outgoing {
            transfer: transfer.clone(),
            state: TransferState::Settled,
            reason: None,
            limits: vec![],
            cancel_asked: false,
        };
        let before = self.transfers.insert(["outgoing/", &transfer.transfer].concat(), made);
        assert!(before.is_none(), "made before");

        let key = written(&mut self.key, "account/", &transfer.from);
        let Account { balance: payer, uses: of_payer, .. } = self.accounts.get_mut(key).expect("a known payer");
        assert!(payer.currency == transfer.amount.currency, "another currency");
        assert!(payer.credits - payer.debits - payer.debits_held >= minor, "no funds");
        payer.debits += minor;
        let (payer, sent) = (payer.clone(), used(of_payer, &self.sent, &transfer.from, minor));

        let key = written(&mut self.key, "account/", &transfer.to);
        let Account { balance: payee, uses: of_payee, .. } = self.accounts.get_mut(key).expect("a known payee");
        assert!(payee.currency == transfer.amount.currency, "another currency");
        payee.credits += minor;
        let payee = payee.clone();
        let received = used(of_payee, &self.received, &transfer.to, minor);
        let times = used(of_payee, &self.times, &transfer.to, 1);

        let (from, to) = (&transfer.from, &transfer.to);
        let each = self.per_transfer.clone();
        let each = LimitUse { rule: each, account: from.clone(), window: 0, change: minor, used: minor };
        let limits = vec![each, sent, received, times];
        let (debit, credit) = (from.clone(), to.clone());
        let postings = vec![Posting { debit, credit, amount: transfer.amount, kind: PostingKind::Moved }];
        Event::TransferSettled(TransferSettled { limits, postings, balances: vec![payer, payee], transfer })
    }

    /// All that it holds, as the shard's entities.
    pub fn entities(self) -> BTreeMap<String, Entity> {
        let accounts = self.accounts.into_iter().map(|(key, account)| (key, Entity::Account(Box::new(account))));
        let transfers = self.transfers.into_iter().map(|(key, made)| (key, Entity::Outgoing(Box::new(made))));
        accounts.chain(transfers).collect()
    }
}

/// Counts a change against a limit.
fn used(uses: &mut Uses, limit: &Limit, account: &AccountId, change: i64) -> LimitUse {
    let used = uses.of(&limit.rule, limit.window).unwrap_or(0) + change;
    assert!(used <= limit.most, "too much, or too often");
    uses.note(&limit.rule, limit.window, used);
    LimitUse { rule: limit.rule.clone(), account: account.clone(), window: limit.window, change, used }
}

/// Writes a key in place of the last one.
fn written<'a>(key: &'a mut String, head: &str, account: &AccountId) -> &'a str {
    key.clear();
    key.push_str(head);
    key.push_str(account.as_str());
    key
}
