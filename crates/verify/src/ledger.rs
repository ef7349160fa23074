//! The ledger, summed anew from the postings of its events.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use feira_codec::Opened;
use feira_events::payments::{Balance, Event, Posting, PostingKind, Transfer};
use feira_ids::{AccountId, LaneId};
use feira_money::Currency;

use crate::report::Report;
use crate::{Check, Fault, Place};

/// The service whose lanes are the shards of the ledger.
pub const SERVICE: &str = "payments";

/// The accounts that may not have less than nothing: people's and businesses'.
const OWNED: [&str; 2] = ["person", "biz"];

/// All accounts, and the transfers between shards.
#[derive(Default)]
pub struct Ledger {
    accounts: HashMap<AccountId, Sum>,
    transfers: HashMap<Arc<str>, Passage>,
    postings: u64,
}

/// What an account's postings come to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sum {
    currency: Currency,
    debits_held: i128,
    debits: i128,
    credits_held: i128,
    credits: i128,
}

/// A transfer between two shards, as far as it has come.
#[derive(Default)]
struct Passage {
    reserved: Option<(Transfer, Place)>,
    credited: Option<(Transfer, Place)>,
    settled: Option<(Transfer, Place)>,
    declined: Option<Place>,
    returned: Option<Place>,
    /// It was decided behind the position.
    decided_later: bool,
}

impl Ledger {
    /// Takes in the record at `seq` of `lane`, which is of payments.
    pub fn take(&mut self, lane: &LaneId, seq: u64, record: &Opened, report: &mut Report) {
        if !record.is::<Event>() {
            return;
        }
        let place = Place::new(lane, seq);
        let event = match record.decode::<Event>() {
            Ok(event) => event,
            Err(error) => {
                report.fault(Fault::at(Check::Records, place, format!("the event cannot be read: {error}")));
                return;
            }
        };
        let none: (&[Posting], &[Balance]) = (&[], &[]);
        let (postings, balances) = match &event {
            Event::AccountFunded(event) => (&event.postings[..], &event.balances[..]),
            Event::TransferReserved(event) => (&event.postings[..], &event.balances[..]),
            Event::TransferSettled(event) => (&event.postings[..], &event.balances[..]),
            Event::TransferReturned(event) => (&event.postings[..], &event.balances[..]),
            Event::TransferCredited(event) => (&event.postings[..], &event.balances[..]),
            Event::IntentCaptured(event) => (&event.postings[..], &event.balances[..]),
            Event::IntentRefunded(event) => (&event.postings[..], &event.balances[..]),
            Event::AccountOpened(_)
            | Event::TransferCancelAsked(_)
            | Event::TransferDeclined(_)
            | Event::RequestMade(_)
            | Event::RequestMoved(_)
            | Event::IntentCreated(_)
            | Event::IntentClosed(_)
            | Event::RefundBegun(_)
            | Event::RefundFailed(_)
            | Event::RegimeSuspended(_)
            | Event::RegimeResumed(_) => none,
        };
        for what in self.post(lane, postings) {
            report.fault(Fault::at(Check::Ledger, place.clone(), what));
        }
        for what in self.compare(postings, balances) {
            report.fault(Fault::at(Check::Ledger, place.clone(), what));
        }
        if let Some(what) = self.pass(event, &place) {
            report.fault(Fault::at(Check::Transfers, place, what));
        }
    }

    fn post(&mut self, lane: &LaneId, postings: &[Posting]) -> Vec<String> {
        let mut faults = Vec::new();
        for posting in postings {
            self.postings += 1;
            let Posting { debit, credit, amount, kind } = posting;
            if amount.minor <= 0 {
                faults.push(format!("{} are posted from {debit} to {credit}", amount.minor));
            }
            let minor = i128::from(amount.minor);
            let (held, moved) = match kind {
                PostingKind::Moved => (0, minor),
                PostingKind::Held => (minor, 0),
                PostingKind::HeldMoved => (-minor, minor),
                PostingKind::HeldReturned => (-minor, 0),
                PostingKind::Unknown => {
                    faults.push(format!("what is posted from {debit} to {credit} is of a kind not known here"));
                    continue;
                }
            };
            for account in [debit, credit] {
                if account.shard() != lane.index {
                    faults.push(format!("{account} is of another shard"));
                }
                let sum = self.accounts.entry(account.clone()).or_insert_with(|| Sum::new(amount.currency));
                if sum.currency != amount.currency {
                    faults.push(format!("{account} is kept in {}, not in {}", sum.currency, amount.currency));
                }
                if account == debit {
                    sum.debits_held += held;
                    sum.debits += moved;
                } else {
                    sum.credits_held += held;
                    sum.credits += moved;
                }
                if sum.debits_held < 0 || sum.credits_held < 0 {
                    faults.push(format!("more is released of {account} than was held"));
                }
            }
        }
        for account in postings.iter().map(|posting| &posting.debit).filter(|account| OWNED.contains(&account.kind())) {
            let available = self.accounts.get(account).map_or(0, Sum::available);
            if available < 0 {
                faults.push(format!("{account} has {available} minor units left"));
            }
        }
        faults
    }

    /// What an event says of the accounts it touches is what their postings come to.
    fn compare(&self, postings: &[Posting], balances: &[Balance]) -> Vec<String> {
        let mut faults = Vec::new();
        for balance in balances {
            let said = Sum {
                currency: balance.currency,
                debits_held: balance.debits_held.into(),
                debits: balance.debits.into(),
                credits_held: balance.credits_held.into(),
                credits: balance.credits.into(),
            };
            let found = self.accounts.get(&balance.account).cloned().unwrap_or_else(|| Sum::new(balance.currency));
            if said != found {
                faults.push(format!("{} is said to have {said}, its postings come to {found}", balance.account));
            }
        }
        let touched = postings.iter().flat_map(|posting| [&posting.debit, &posting.credit]);
        for account in touched.filter(|account| !balances.iter().any(|balance| balance.account == **account)) {
            faults.push(format!("{account} is posted to, and its balance is not said"));
        }
        faults
    }

    /// Follows transfers that pass from one shard to another.
    fn pass(&mut self, event: Event, place: &Place) -> Option<String> {
        let fresh = |was: bool, what: &str, transfer: &str| was.then(|| format!("transfer {transfer} is {what} twice"));
        match event {
            Event::TransferReserved(event) => {
                let id = event.transfer.transfer.clone();
                let passage = self.transfers.entry(id.clone()).or_default();
                let was = passage.reserved.replace((event.transfer, place.clone())).is_some();
                fresh(was, "reserved", &id)
            }
            Event::TransferCredited(event) => {
                let id = event.transfer.transfer.clone();
                let passage = self.transfers.entry(id.clone()).or_default();
                let both = passage.declined.is_some().then(|| format!("transfer {id} is credited, and was declined"));
                let was = passage.credited.replace((event.transfer, place.clone())).is_some();
                both.or_else(|| fresh(was, "credited", &id))
            }
            Event::TransferDeclined(event) => {
                let id = event.transfer;
                let passage = self.transfers.entry(id.clone()).or_default();
                let both = passage.credited.is_some().then(|| format!("transfer {id} is declined, and was credited"));
                let was = passage.declined.replace(place.clone()).is_some();
                both.or_else(|| fresh(was, "declined", &id))
            }
            Event::TransferSettled(event) if event.transfer.from.shard() != event.transfer.to.shard() => {
                let id = event.transfer.transfer.clone();
                let passage = self.transfers.entry(id.clone()).or_default();
                let was = passage.settled.replace((event.transfer, place.clone())).is_some();
                fresh(was, "settled", &id)
            }
            Event::TransferReturned(event) => {
                let id = event.transfer.transfer.clone();
                let passage = self.transfers.entry(id.clone()).or_default();
                let was = passage.returned.replace(place.clone()).is_some();
                fresh(was, "returned", &id)
            }
            Event::AccountOpened(_)
            | Event::AccountFunded(_)
            | Event::TransferCancelAsked(_)
            | Event::TransferSettled(_)
            | Event::RequestMade(_)
            | Event::RequestMoved(_)
            | Event::IntentCreated(_)
            | Event::IntentCaptured(_)
            | Event::IntentClosed(_)
            | Event::RefundBegun(_)
            | Event::IntentRefunded(_)
            | Event::RefundFailed(_)
            | Event::RegimeSuspended(_)
            | Event::RegimeResumed(_) => None,
        }
    }

    /// Whether a transfer was settled or returned, and the decision it rests on is not known: the payee's lane may have
    /// been pinned just before it.
    pub fn lacks_decisions(&self) -> bool {
        self.transfers.values().any(|passage| {
            passage.settled.is_some() && passage.credited.is_none()
                || passage.returned.is_some() && passage.declined.is_none()
        })
    }

    /// Takes in a record behind the position: a decision that something before it rests on.
    pub fn take_later(&mut self, record: &Opened) {
        match record.is::<Event>().then(|| record.decode::<Event>()) {
            Some(Ok(Event::TransferCredited(event))) => {
                if let Some(passage) = self.transfers.get_mut(&event.transfer.transfer) {
                    passage.decided_later |= passage.settled.is_some();
                }
            }
            Some(Ok(Event::TransferDeclined(event))) => {
                if let Some(passage) = self.transfers.get_mut(&event.transfer) {
                    passage.decided_later |= passage.returned.is_some();
                }
            }
            _ => {}
        }
    }

    /// What is wrong once all is read.
    pub fn end(self, report: &mut Report) {
        let mut under_way: u64 = 0;
        let mut clearing: BTreeMap<(u32, u32, &'static str), i128> = BTreeMap::new();
        let mut passages: Vec<(&Arc<str>, &Passage)> = self.transfers.iter().collect();
        passages.sort_by_key(|(id, _)| *id);
        for (id, passage) in passages {
            under_way += u64::from(passage.settled.is_none() && passage.returned.is_none());
            for (place, what) in passage.faults(id) {
                report.fault(Fault::at(Check::Transfers, place, what));
            }
            for (transfer, sign) in [(&passage.settled, 1), (&passage.credited, -1)] {
                let Some((transfer, _)) = transfer else { continue };
                let (from, to) = (transfer.from.shard(), transfer.to.shard());
                let pair = (from.min(to), from.max(to), transfer.amount.currency.code());
                *clearing.entry(pair).or_default() += sign * i128::from(transfer.amount.minor);
            }
        }
        let mut totals: BTreeMap<&'static str, i128> = BTreeMap::new();
        for (account, sum) in &self.accounts {
            *totals.entry(sum.currency.code()).or_default() += sum.net();
            if account.kind() == "x"
                && let Some(peer) = account.name().split('-').next().and_then(|peer| peer.parse::<u32>().ok())
            {
                let pair = (account.shard().min(peer), account.shard().max(peer), sum.currency.code());
                *clearing.entry(pair).or_default() -= sum.net();
            }
        }
        for (currency, total) in &totals {
            if *total != 0 {
                let what = format!("all accounts in {currency} come to {total} minor units, not to zero");
                report.fault(Fault { check: Check::Ledger, place: None, row: None, what });
            }
        }
        for ((one, other, currency), rest) in clearing {
            if rest != 0 {
                let what = format!(
                    "what shards {one} and {other} owe each other in {currency} is {rest} minor units beside their transfers"
                );
                report.fault(Fault { check: Check::Ledger, place: None, row: None, what });
            }
        }
        report.counted("postings, of which the sum is zero", self.postings);
        report.counted("accounts, none of an owner below zero", self.accounts.len() as u64);
        report.counted("transfers between shards, each credited or refused once", self.transfers.len() as u64);
        if under_way > 0 {
            report.notes.push(format!("{under_way} transfers between shards are still under way"));
        }
    }
}

impl Passage {
    fn faults(&self, id: &str) -> Vec<(Place, String)> {
        let mut faults = Vec::new();
        let mut say = |place: &Place, what: String| faults.push((place.clone(), what));
        if let Some((transfer, place)) = &self.settled {
            match &self.credited {
                None if self.decided_later => {}
                None => say(place, format!("transfer {id} is settled and was never credited")),
                Some((credited, _)) if credited.amount != transfer.amount || credited.to != transfer.to => {
                    say(place, format!("transfer {id} is settled for another amount or account than it was credited"));
                }
                Some(_) => {}
            }
            if self.returned.is_some() {
                say(place, format!("transfer {id} is settled and returned"));
            }
            if self.reserved.is_none() {
                say(place, format!("transfer {id} is settled and was never reserved"));
            }
        }
        if let Some((credited, place)) = &self.credited
            && let Some((reserved, _)) = &self.reserved
            && (reserved.amount != credited.amount || reserved.from != credited.from || reserved.to != credited.to)
        {
            say(place, format!("transfer {id} is credited otherwise than it was reserved"));
        }
        if let Some(place) = &self.returned
            && self.declined.is_none()
            && !self.decided_later
        {
            say(place, format!("transfer {id} is returned and was never declined"));
        }
        faults
    }
}

impl Sum {
    fn new(currency: Currency) -> Self {
        Self { currency, debits_held: 0, debits: 0, credits_held: 0, credits: 0 }
    }

    /// What an owner can spend.
    fn available(&self) -> i128 {
        self.credits - self.debits - self.debits_held
    }

    fn net(&self) -> i128 {
        self.credits - self.debits
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { currency, debits_held, debits, credits_held, credits } = self;
        write!(f, "{debits}+{debits_held} debited and {credits}+{credits_held} credited {currency}")
    }
}

#[cfg(test)]
mod tests {
    use feira_events::payments::{AccountFunded, Purpose, TransferCredited, TransferReserved, TransferSettled};
    use feira_money::Amount;

    use super::*;
    use crate::testing::{faults, lane, record};

    const ANA: &str = "0/person/ana";
    const BIA: &str = "1/person/bia";

    fn account(text: &str) -> AccountId {
        AccountId::parse(text).unwrap()
    }

    fn brl(minor: i64) -> Amount {
        Amount::new(minor, "BRL".parse().unwrap())
    }

    fn posting(debit: &str, credit: &str, minor: i64, kind: PostingKind) -> Vec<Posting> {
        vec![Posting { debit: account(debit), credit: account(credit), amount: brl(minor), kind }]
    }

    /// Debited and held, debited, credited and held, credited.
    fn balance(of: &str, [debits_held, debits, credits_held, credits]: [i64; 4]) -> Balance {
        Balance { account: account(of), currency: "BRL".parse().unwrap(), debits_held, debits, credits_held, credits }
    }

    fn transfer() -> Transfer {
        Transfer {
            transfer: "00".repeat(16).into(),
            from: account(ANA),
            to: account(BIA),
            amount: brl(1_000),
            purpose: Purpose::Gift,
            subject: None,
            customer: None,
            note: None,
            deadline: 9,
        }
    }

    /// Ana is funded and sends 10.00 to Bia, whose account is in another shard.
    fn history() -> Vec<(u32, Event)> {
        let funded = posting("0/ext/demo-BRL", ANA, 2_000, PostingKind::Moved);
        let out = |kind| posting(ANA, "0/x/1-BRL", 1_000, kind);
        let into = posting("1/x/0-BRL", BIA, 1_000, PostingKind::Moved);
        vec![
            (
                0,
                Event::AccountFunded(AccountFunded {
                    account: account(ANA),
                    amount: brl(2_000),
                    postings: funded,
                    balances: vec![balance("0/ext/demo-BRL", [0, 2_000, 0, 0]), balance(ANA, [0, 0, 0, 2_000])],
                }),
            ),
            (
                0,
                Event::TransferReserved(TransferReserved {
                    transfer: transfer(),
                    limits: vec![],
                    postings: out(PostingKind::Held),
                    balances: vec![balance(ANA, [1_000, 0, 0, 2_000]), balance("0/x/1-BRL", [0, 0, 1_000, 0])],
                }),
            ),
            (
                1,
                Event::TransferCredited(TransferCredited {
                    transfer: transfer(),
                    limits: vec![],
                    postings: into,
                    balances: vec![balance("1/x/0-BRL", [0, 1_000, 0, 0]), balance(BIA, [0, 0, 0, 1_000])],
                }),
            ),
            (
                0,
                Event::TransferSettled(TransferSettled {
                    transfer: transfer(),
                    limits: vec![],
                    postings: out(PostingKind::HeldMoved),
                    balances: vec![balance(ANA, [0, 1_000, 0, 2_000]), balance("0/x/1-BRL", [0, 0, 0, 1_000])],
                }),
            ),
        ]
    }

    fn judged(history: Vec<(u32, Event)>) -> Report {
        let (mut ledger, mut report) = (Ledger::default(), Report::default());
        for (seq, (shard, event)) in (1..).zip(history) {
            let lane = lane("payments", shard);
            ledger.take(&lane, seq as u64, &record(&lane, seq, "platform", &event), &mut report);
        }
        ledger.end(&mut report);
        report
    }

    #[test]
    fn money_that_crosses_shards_adds_up() {
        let report = judged(history());
        assert_eq!(faults(&report), [""; 0]);
        // Before the payer's shard has heard, it is under way and nothing is wrong.
        assert_eq!(faults(&judged(history()[..3].to_vec())), [""; 0]);
    }

    #[test]
    fn each_event_of_a_transfer_that_is_missing_or_doubled_is_found() {
        for place in [0, 1, 2] {
            let mut some = history();
            some.remove(place);
            assert!(!judged(some).is_sound(), "without {place}");
        }
        for place in 0..4 {
            let mut some = history();
            some.insert(place, some[place].clone());
            assert!(!judged(some).is_sound(), "{place} twice");
        }
    }

    #[test]
    fn every_number_of_a_posting_or_a_balance_counts() {
        let change = |change: fn(&mut AccountFunded)| {
            let mut some = history();
            if let Event::AccountFunded(funded) = &mut some[0].1 {
                change(funded);
            }
            judged(some)
        };
        assert!(!change(|funded| funded.postings[0].amount.minor += 1).is_sound());
        assert!(!change(|funded| funded.balances[1].credits -= 1).is_sound());
        assert!(!change(|funded| drop(funded.balances.pop())).is_sound());
        let poor = change(|funded| {
            funded.postings[0].amount.minor = 900;
            funded.balances[0].debits = 900;
            funded.balances[1].credits = 900;
        });
        assert!(
            faults(&poor).iter().any(|fault| fault.contains("payments/0:2") && fault.contains("-100 minor")),
            "{poor}"
        );
    }
}
