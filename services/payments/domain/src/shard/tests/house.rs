//! Some shards in memory, with what must always hold checked after every command.

use std::collections::BTreeMap;

use feira_codec::EventSet;
use feira_commands::payments::{Input, TransferState};
use feira_decider::{At, Memory, Shard};
use feira_events::Meta;
use feira_events::payments::{Event, Intent, Posting, PostingKind, Purpose, Transfer};
use feira_ids::{AccountId, CommandId, Fingerprint, TenantId};
use feira_money::Amount;

use crate::shard::{Command, Entity, LedgerShard, Rejection};

/// 2020-06-20T12:00:00Z: within the trial.
pub const NOW: i64 = 1_592_654_400_000;
pub const BR: &str = "BR-trial-2020";

pub fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

pub fn brl(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse().unwrap())
}

/// A gift of `minor` BRL; its id is `n`.
pub fn gift(n: u64, from: &str, to: &str, minor: i64) -> Transfer {
    Transfer {
        transfer: format!("{n:032x}").into(),
        from: account(from),
        to: account(to),
        amount: brl(minor),
        purpose: Purpose::Gift,
        subject: None,
        customer: None,
        note: None,
        deadline: 0,
    }
}

pub fn payment(n: u64, from: &str, to: &str, minor: i64, intent: &str) -> Transfer {
    let (subject, customer) = (Some(intent.into()), Some("BR.1".into()));
    Transfer { purpose: Purpose::Order, subject, customer, ..gift(n, from, to, minor) }
}

pub fn intent(id: &str, business: &str, minor: i64) -> Intent {
    Intent {
        intent: id.into(),
        business: account(business).name().into(),
        order: id.into(),
        customer: "BR.1".into(),
        account: account(business),
        amount: brl(minor),
    }
}

pub fn meta(shard: u32, at: i64) -> Meta {
    let command_id = CommandId::default();
    Meta {
        event_id: command_id.event(0),
        lane: shard as i32,
        lane_seq: 1,
        term: 1,
        aggregate: format!("shard:{shard}").into(),
        aggregate_seq: Some(1),
        hlc: at * 1000,
        at,
        tenant: TenantId::new(TenantId::PLATFORM).unwrap(),
        principal: "service:test".into(),
        command_id,
        fingerprint: Fingerprint::default(),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
    }
}

/// Encoded and decoded as on the log.
fn wire(event: &Event) -> Event {
    let value = feira_codec::frame(&meta(0, NOW), &event.encode_body().unwrap()).unwrap();
    feira_codec::open(&value).unwrap().decode().unwrap()
}

/// Some shards and all that happened in them.
#[derive(Clone)]
pub struct House {
    pub shards: Vec<Memory<Entity>>,
    pub log: Vec<(u32, i64, Event)>,
    pub now: i64,
}

impl House {
    pub fn new(shards: u32) -> Self {
        Self { shards: (0..shards).map(|_| Memory::new()).collect(), log: Vec::new(), now: NOW }
    }

    /// Accounts with money on them.
    pub fn with(shards: u32, accounts: &[(&str, i64)]) -> Self {
        let mut house = Self::new(shards);
        for (name, minor) in accounts {
            house.open(name, BR);
            if *minor > 0 {
                house.ask(Input::Fund { account: account(name), amount: brl(*minor) }).unwrap();
            }
        }
        house
    }

    pub fn open(&mut self, name: &str, regime: &str) {
        self.ask(Input::OpenAccount { account: account(name), regime: regime.into() }).unwrap();
    }

    /// Asks the shard that an input is for.
    pub fn ask(&mut self, input: Input) -> Result<Vec<Event>, Rejection> {
        let shard = shard_of(&input);
        self.ask_of(shard, input)
    }

    pub fn ask_of(&mut self, shard: u32, input: Input) -> Result<Vec<Event>, Rejection> {
        let state = &mut self.shards[shard as usize];
        let events = LedgerShard::decide(state, Command { shard, input }, At(self.now))?;
        for event in &events {
            let wired = wire(event);
            assert_eq!(wired, *event, "the wire changed an event");
            LedgerShard::evolve(state, &wired);
            self.log.push((shard, self.now, wired));
        }
        self.check(shard);
        Ok(events)
    }

    /// Carries everything to its end, as the process between shards does, times apart.
    pub fn settle(&mut self) {
        let mut done = 0;
        while done < self.log.len() {
            let (shard, at, event) = self.log[done].clone();
            done += 1;
            for ask in crate::processes::asks(&meta(shard, at), &event) {
                let _ = self.ask(ask);
            }
        }
    }

    /// What must hold of one shard whatever happened.
    fn check(&self, shard: u32) {
        let mut sums = BTreeMap::<String, [i64; 4]>::new();
        for (_, entity) in self.shards[shard as usize].iter() {
            let Entity::Account(account) = entity else { continue };
            let balance = &account.balance;
            let figures = [balance.debits, balance.credits, balance.debits_held, balance.credits_held];
            let sum = sums.entry(balance.currency.to_string()).or_default();
            sum.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
            assert!(figures.iter().all(|figure| *figure >= 0), "{balance:?}");
            assert!(account.regime.is_none() || account.available() >= 0, "below zero: {balance:?}");
        }
        for [debits, credits, debits_held, credits_held] in sums.into_values() {
            assert_eq!((debits, debits_held), (credits, credits_held), "what is given is what is taken");
        }
    }

    pub fn available(&self, name: &str) -> i64 {
        match self.entity(name) {
            Some(Entity::Account(account)) => account.available(),
            _ => 0,
        }
    }

    fn entity(&self, name: &str) -> Option<Entity> {
        use feira_decider::Entities;
        let id = account(name);
        self.shards[id.shard() as usize].get(&super::super::key::account(&id)).map(|entity| (*entity).clone())
    }

    /// Where each transfer stands in the shard that pays it.
    pub fn outgoing(&self) -> BTreeMap<String, TransferState> {
        let entities = self.shards.iter().flat_map(Memory::iter);
        let transfers = entities.filter_map(|(_, entity)| match entity {
            Entity::Outgoing(outgoing) => Some((outgoing.transfer.transfer.to_string(), outgoing.state)),
            _ => None,
        });
        transfers.collect()
    }

    /// The names of the events from the `from`th on.
    pub fn names(&self, from: usize) -> Vec<&'static str> {
        self.log[from..].iter().map(|(_, _, event)| event.name().trim_start_matches("feira.payments.v1.")).collect()
    }

    /// What the log alone says that is on each account: debits and credits, held and moved.
    pub fn summed(&self) -> BTreeMap<AccountId, [i64; 4]> {
        let mut sums = BTreeMap::<AccountId, [i64; 4]>::new();
        for posting in self.log.iter().flat_map(|(_, _, event)| postings(event)) {
            let minor = posting.amount.minor;
            let (held, moved) = match posting.kind {
                PostingKind::Moved => (0, minor),
                PostingKind::Held => (minor, 0),
                PostingKind::HeldMoved => (-minor, minor),
                PostingKind::HeldReturned => (-minor, 0),
                PostingKind::Unknown => unreachable!(),
            };
            let debit = sums.entry(posting.debit.clone()).or_default();
            debit[0] += held;
            debit[1] += moved;
            let credit = sums.entry(posting.credit.clone()).or_default();
            credit[2] += held;
            credit[3] += moved;
        }
        sums.retain(|_, figures| *figures != [0; 4]);
        sums
    }

    /// Every account as the shards hold it.
    pub fn held(&self) -> BTreeMap<AccountId, [i64; 4]> {
        let accounts = self.shards.iter().flat_map(Memory::iter).filter_map(|(_, entity)| match entity {
            Entity::Account(account) => Some(account.balance.clone()),
            _ => None,
        });
        accounts
            .map(|balance| {
                let figures = [balance.debits_held, balance.debits, balance.credits_held, balance.credits];
                (balance.account, figures)
            })
            .filter(|(_, figures)| *figures != [0; 4])
            .collect()
    }
}

pub fn postings(event: &Event) -> &[Posting] {
    match event {
        Event::AccountFunded(event) => &event.postings,
        Event::TransferReserved(event) => &event.postings,
        Event::TransferSettled(event) => &event.postings,
        Event::TransferReturned(event) => &event.postings,
        Event::TransferCredited(event) => &event.postings,
        Event::IntentCaptured(event) => &event.postings,
        Event::IntentRefunded(event) => &event.postings,
        _ => &[],
    }
}

/// The shard that an input is for.
pub fn shard_of(input: &Input) -> u32 {
    match input {
        Input::OpenAccount { account, .. }
        | Input::Fund { account, .. }
        | Input::CancelIntent { account, .. }
        | Input::Refund { account, .. } => account.shard(),
        Input::Submit { transfer } => transfer.from.shard(),
        Input::CancelTransfer { from, .. } | Input::Credited { from, .. } | Input::Declined { from, .. } => {
            from.shard()
        }
        Input::Credit { transfer } => transfer.to.shard(),
        Input::Decline { to, .. } => to.shard(),
        Input::RequestMoney { payer, .. }
        | Input::ApproveRequest { payer, .. }
        | Input::DeclineRequest { payer, .. }
        | Input::WithdrawRequest { payer, .. } => payer.shard(),
        Input::CreateIntent { intent, .. } => intent.account.shard(),
        Input::ExpireRequest { .. }
        | Input::ExpireIntent { .. }
        | Input::SuspendRegime { .. }
        | Input::ResumeRegime { .. } => 0,
    }
}
