//! Where a decision is made: what the shard holds, with what this decision has done so far on top.
//!
//! Every event is folded in as soon as it is decided, so that a chain of steps sees what went before. A step that refuses
//! ends the whole decision, and nothing of it stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_decider::{At, Entities, EntitiesMut};
use feira_events::payments::{Balance, Event, Posting, PostingKind};
use feira_ids::AccountId;
use feira_money::{Amount, Currency};
use sha2::{Digest, Sha256};

use crate::regime::{Regime, regime};
use crate::shard::entity::{Account, Entity, Incoming, Outgoing, Payment, Request, key};
use crate::shard::evolve::evolve;
use crate::shard::rejection::Rejection;

/// The most bytes of a name that comes from outside.
const NAME_BYTES_MAX: usize = 128;

pub(super) struct Desk<'a> {
    pub shard: u32,
    pub at: At,
    below: &'a dyn Entities<Entity>,
    staged: Staged<'a>,
    events: Vec<Event>,
}

struct Staged<'a> {
    below: &'a dyn Entities<Entity>,
    /// None for what was taken away.
    changed: BTreeMap<String, Option<Arc<Entity>>>,
}

impl Entities<Entity> for Staged<'_> {
    fn get(&self, key: &str) -> Option<Arc<Entity>> {
        self.changed.get(key).cloned().unwrap_or_else(|| self.below.get(key))
    }
}

impl EntitiesMut<Entity> for Staged<'_> {
    fn put(&mut self, key: &str, entity: Entity) {
        self.changed.insert(key.to_owned(), Some(Arc::new(entity)));
    }

    fn remove(&mut self, key: &str) {
        self.changed.insert(key.to_owned(), None);
    }
}

/// Movements that can be made, and the figures after them.
pub(super) struct Entry {
    pub postings: Vec<Posting>,
    pub balances: Vec<Balance>,
}

impl<'a> Desk<'a> {
    pub fn new(below: &'a dyn Entities<Entity>, shard: u32, at: At) -> Self {
        Self { shard, at, below, staged: Staged { below, changed: BTreeMap::new() }, events: Vec::new() }
    }

    /// The time as an event says it.
    pub fn now(&self) -> i64 {
        self.at.0
    }

    /// Decides `event`, and goes on from it.
    pub fn tell(&mut self, event: Event) {
        evolve(&mut self.staged, &event);
        self.events.push(event);
    }

    /// All that was decided.
    pub fn events(self) -> Vec<Event> {
        self.events
    }

    /// What was decided so far is withdrawn, and this event decided instead.
    pub fn instead(&mut self, event: Event) {
        self.staged = Staged { below: self.below, changed: BTreeMap::new() };
        self.events.clear();
        self.tell(event);
    }

    pub fn account(&self, account: &AccountId) -> Option<Account> {
        match self.staged.get(&key::account(account)).as_deref() {
            Some(Entity::Account(account)) => Some(account.clone()),
            _ => None,
        }
    }

    pub fn outgoing(&self, transfer: &str) -> Option<Outgoing> {
        match self.staged.get(&key::outgoing(transfer)).as_deref() {
            Some(Entity::Outgoing(outgoing)) => Some(outgoing.clone()),
            _ => None,
        }
    }

    pub fn incoming(&self, transfer: &str, from: &AccountId) -> Option<Incoming> {
        match self.staged.get(&key::incoming(transfer, from)).as_deref() {
            Some(Entity::Incoming(incoming)) => Some(incoming.clone()),
            _ => None,
        }
    }

    pub fn request(&self, request: &str) -> Option<Request> {
        match self.staged.get(&key::request(request)).as_deref() {
            Some(Entity::Request(request)) => Some(request.clone()),
            _ => None,
        }
    }

    pub fn payment(&self, intent: &str) -> Option<Payment> {
        match self.staged.get(&key::intent(intent)).as_deref() {
            Some(Entity::Intent(payment)) => Some(payment.clone()),
            _ => None,
        }
    }

    pub fn used(&self, rule: &str, account: &AccountId, window: i64) -> i64 {
        match self.staged.get(&key::used(rule, account, window)).as_deref() {
            Some(Entity::Used(used)) => *used,
            _ => 0,
        }
    }

    pub fn is_suspended(&self, regime: &str) -> bool {
        self.staged.get(&key::suspended(regime)).is_some()
    }

    /// The regime of an owner's account, which must not be stopped.
    pub fn regime_of(&self, account: &Account) -> Result<&'static Regime, Rejection> {
        let name = account.regime.as_deref().unwrap_or_default();
        let found = regime(name).ok_or_else(|| Rejection::RegimeUnknown(name.to_owned()))?;
        if self.is_suspended(name) { Err(Rejection::RegimeSuspended(name.to_owned())) } else { Ok(found) }
    }

    /// An account of this shard's own.
    pub fn own(&self, kind: &str, name: &str, currency: Currency) -> AccountId {
        AccountId::new(self.shard, kind, &format!("{name}-{currency}")).expect("the shard names its accounts well")
    }

    /// The account for what this shard and `peer` owe each other.
    pub fn clearing(&self, peer: u32, currency: Currency) -> AccountId {
        self.own("x", &peer.to_string(), currency)
    }

    /// Makes movements, one after the other, as far as the accounts allow: all of them or none.
    pub fn entry(&self, postings: Vec<Posting>) -> Result<Entry, Rejection> {
        let mut accounts: Vec<Account> = Vec::new();
        for posting in &postings {
            for (account, side) in [(&posting.debit, Side::Debit), (&posting.credit, Side::Credit)] {
                let place = match accounts.iter().position(|known| known.balance.account == *account) {
                    Some(place) => place,
                    None => {
                        let held = self.account(account);
                        let own = || Account::own(account.clone(), posting.amount.currency);
                        accounts.push(held.unwrap_or_else(own));
                        accounts.len() - 1
                    }
                };
                apply(&mut accounts[place], side, posting.kind, posting.amount)?;
            }
        }
        Ok(Entry { postings, balances: accounts.into_iter().map(|account| account.balance).collect() })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Debit,
    Credit,
}

fn apply(account: &mut Account, side: Side, kind: PostingKind, amount: Amount) -> Result<(), Rejection> {
    if account.balance.currency != amount.currency {
        return Err(Rejection::mismatch(account.balance.currency, amount));
    }
    let takes = side == Side::Debit && matches!(kind, PostingKind::Moved | PostingKind::Held);
    if takes && account.regime.is_some() && account.available() < amount.minor {
        return Err(Rejection::InsufficientFunds { available: account.available(), asked: amount.minor });
    }
    let balance = &mut account.balance;
    let (held, moved) = match side {
        Side::Debit => (&mut balance.debits_held, &mut balance.debits),
        Side::Credit => (&mut balance.credits_held, &mut balance.credits),
    };
    let minor = amount.minor;
    let (held_change, moved_change) = match kind {
        PostingKind::Moved => (0, minor),
        PostingKind::Held => (minor, 0),
        PostingKind::HeldMoved => (-minor, minor),
        PostingKind::HeldReturned => (-minor, 0),
        PostingKind::Unknown => (0, 0),
    };
    *held = held.checked_add(held_change).ok_or(Rejection::Overflow)?;
    *moved = moved.checked_add(moved_change).ok_or(Rejection::Overflow)?;
    // What is available must be a number as well.
    let figures = [balance.debits_held, balance.debits, balance.credits_held, balance.credits];
    let sum = figures.iter().try_fold(0i64, |sum, figure| sum.checked_add(*figure));
    sum.map(|_| ()).ok_or(Rejection::Overflow)
}

/// One movement.
pub(super) fn posting(debit: &AccountId, credit: &AccountId, amount: Amount, kind: PostingKind) -> Posting {
    Posting { debit: debit.clone(), credit: credit.clone(), amount, kind }
}

/// An id that follows from others: the first 16 bytes of SHA-256 over them, each behind its length.
pub(in crate::shard) fn derived(parts: &[&str]) -> Arc<str> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// Refuses a name from outside that is none.
pub(super) fn named(what: &'static str, name: &str) -> Result<(), Rejection> {
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err(Rejection::BadId(what)) }
}
