//! Where a decision is made: what the shard holds, with what this decision has done so far on top.
//!
//! An event that was decided is folded in before anything is looked up again, so that a chain of steps sees what went
//! before; most decisions are one event, and are folded only by whoever keeps the state. A step that refuses ends the whole
//! decision, and nothing of it stands.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use feira_decider::{At, Entities, EntitiesMut, Found};
use feira_events::payments::{Balance, Event, Posting, PostingKind};
use feira_ids::AccountId;
use feira_money::{Amount, Currency};
use sha2::{Digest, Sha256};

use crate::regime::{Regime, regime};
use crate::shard::entity::{Account, Entity, Incoming, Outgoing, Payment, Request};
use crate::shard::evolve::evolve;
use crate::shard::key;
use crate::shard::rejection::Rejection;

use super::limits::Windows;

/// The most bytes of a name that comes from outside.
const NAME_BYTES_MAX: usize = 128;

pub(super) struct Desk<'a> {
    pub shard: u32,
    pub at: At,
    below: &'a dyn Entities<Entity>,
    staged: RefCell<Staged<'a>>,
    events: Vec<Event>,
    pub windows: Windows,
}

struct Staged<'a> {
    below: &'a dyn Entities<Entity>,
    /// How many of the decision's events are folded in.
    folded: usize,
    /// None for what was taken away.
    changed: BTreeMap<String, Option<Arc<Entity>>>,
}

impl<'a> Staged<'a> {
    fn over(below: &'a dyn Entities<Entity>) -> Self {
        Self { below, folded: 0, changed: BTreeMap::new() }
    }

    fn seen(&self, key: &str) -> Option<Found<'a, Entity>> {
        match self.changed.get(key) {
            Some(changed) => changed.clone().map(Found::Shared),
            None => self.below.get(key),
        }
    }
}

impl Entities<Entity> for Staged<'_> {
    fn get(&self, key: &str) -> Option<Found<'_, Entity>> {
        self.seen(key)
    }
}

impl EntitiesMut<Entity> for Staged<'_> {
    fn get_mut(&mut self, key: &str) -> Option<&mut Entity> {
        if !self.changed.contains_key(key) {
            let entity = self.below.get(key)?.into_shared();
            self.changed.insert(key.to_owned(), Some(entity));
        }
        self.changed.get_mut(key)?.as_mut().map(Arc::make_mut)
    }

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
        // Most decisions are one event, and events are large.
        let (staged, windows) = (RefCell::new(Staged::over(below)), Windows::default());
        Self { shard, at, below, staged, events: Vec::with_capacity(1), windows }
    }

    /// The time as an event says it.
    pub fn now(&self) -> i64 {
        self.at.0
    }

    /// Decides `event`, and goes on from it.
    pub fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// What stands under `key`, with all that was decided so far.
    fn look_up(&self, key: &str) -> Option<Found<'a, Entity>> {
        if self.events.is_empty() {
            return self.below.get(key);
        }
        let mut staged = self.staged.borrow_mut();
        while let Some(event) = self.events.get(staged.folded) {
            staged.folded += 1;
            evolve(&mut *staged, event);
        }
        staged.seen(key)
    }

    /// All that was decided.
    pub fn events(self) -> Vec<Event> {
        self.events
    }

    /// What was decided so far is withdrawn, and this event decided instead.
    pub fn instead(&mut self, event: Event) {
        self.staged = RefCell::new(Staged::over(self.below));
        self.events.clear();
        self.tell(event);
    }

    pub fn account(&self, account: &AccountId) -> Option<Account> {
        match self.look_up(&key::account(account)).as_deref() {
            Some(Entity::Account(account)) => Some(Account::clone(account)),
            _ => None,
        }
    }

    pub fn outgoing(&self, transfer: &str) -> Option<Outgoing> {
        match self.look_up(&key::outgoing(transfer)).as_deref() {
            Some(Entity::Outgoing(outgoing)) => Some(Outgoing::clone(outgoing)),
            _ => None,
        }
    }

    pub fn incoming(&self, transfer: &str, from: &AccountId) -> Option<Incoming> {
        match self.look_up(&key::incoming(transfer, from)).as_deref() {
            Some(Entity::Incoming(incoming)) => Some(incoming.clone()),
            _ => None,
        }
    }

    pub fn request(&self, request: &str) -> Option<Request> {
        match self.look_up(&key::request(request)).as_deref() {
            Some(Entity::Request(request)) => Some(Request::clone(request)),
            _ => None,
        }
    }

    pub fn payment(&self, intent: &str) -> Option<Payment> {
        match self.look_up(&key::intent(intent)).as_deref() {
            Some(Entity::Intent(payment)) => Some(Payment::clone(payment)),
            _ => None,
        }
    }

    pub fn is_suspended(&self, regime: &str) -> bool {
        self.look_up(&key::suspended(regime)).is_some()
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
        self.entry_of([], postings)
    }

    /// The same, of accounts some of which were looked up already.
    pub fn entry_of<const N: usize>(&self, known: [Account; N], postings: Vec<Posting>) -> Result<Entry, Rejection> {
        let mut known = known.map(Some);
        let mut accounts: Vec<Account> = Vec::with_capacity(2 * postings.len());
        for posting in &postings {
            for (account, side) in [(&posting.debit, Side::Debit), (&posting.credit, Side::Credit)] {
                let place = match accounts.iter().position(|there| there.balance.account == *account) {
                    Some(place) => place,
                    None => {
                        let this = |known: &mut Account| known.balance.account == *account;
                        let held = known.iter_mut().find_map(|known| known.take_if(this));
                        let own = || Account::own(account.clone(), posting.amount.currency);
                        accounts.push(held.or_else(|| self.account(account)).unwrap_or_else(own));
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
    const_hex::encode(&hash.finalize()[..16]).into()
}

/// Refuses a name from outside that is none.
pub(super) fn named(what: &'static str, name: &str) -> Result<(), Rejection> {
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err(Rejection::BadId(what)) }
}
