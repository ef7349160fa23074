//! The protocol between shards under faults: messages that come twice, late and in any order, processes that begin again.
//!
//! A seed reproduces a run. Each safety of the protocol is left out once, to see that its absence is noticed.

use std::collections::{BTreeMap, BTreeSet};

use feira_commands::payments::{Input, TransferState};
use feira_events::payments::{Event, PostingKind, TransferReturned};

use super::house::{House, account, gift, meta};
use crate::shard::{Entity, key};

/// Small and good enough to choose by.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What is left out of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Without {
    Nothing,
    /// The payer's shard gives back when it asks to cancel, instead of waiting for the decision.
    Decision,
    /// A credit is not remembered.
    Memory,
    /// A refusal of what has not arrived is not remembered.
    Tombstone,
    /// A settlement is posted again when the decision comes again.
    Once,
}

const SHARDS: u32 = 3;
const PEOPLE: u32 = 4;
const STEPS: usize = 400;
const QUIET_FROM: usize = 250;

/// Runs one seed; answers what went wrong.
fn run(seed: u64, without: Without) -> Result<usize, String> {
    let mut random = Random::new(seed);
    let names: Vec<String> =
        (0..SHARDS).flat_map(|shard| (0..PEOPLE).map(move |person| format!("{shard}/person/p{person}"))).collect();
    let opened: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 20_000)).collect();
    let mut house = House::with(SHARDS, &opened);
    let total = 20_000 * names.len() as i64;
    let mut messages: Vec<(usize, Input)> = Vec::new();
    let mut seen = house.log.len();
    for step in 0..STEPS {
        house.now += 400;
        let faults = step < QUIET_FROM;
        if faults && random.chance(40) {
            let n = random.below(60);
            let from = &names[(n * 7 % 12) as usize];
            // One in ten is to somebody who has no account.
            let nobody = format!("{}/person/nobody", n % u64::from(SHARDS));
            let to = if n.is_multiple_of(10) { &nobody } else { &names[(n * 5 % 12 + 1) as usize % 12] };
            let _ = house.ask(Input::Submit { transfer: gift(n, from, to, 100 + n as i64) });
        }
        if faults && random.chance(10) {
            let n = random.below(60);
            let from = account(&names[(n * 7 % 12) as usize]);
            let _ = house.ask(Input::CancelTransfer { transfer: format!("{n:032x}").into(), from });
        }
        // What follows from new events goes on its way, sometimes twice, sometimes for long; a process that begins again
        // sends everything again.
        let again = faults && random.chance(3);
        let first = if again { 0 } else { seen };
        for (shard, at, event) in &house.log[first..] {
            for ask in crate::processes::asks(&meta(*shard, *at), event) {
                for _ in 0..1 + usize::from(faults && random.chance(20)) {
                    let delay = if !faults {
                        1
                    } else if random.chance(4) {
                        random.below(250)
                    } else {
                        random.below(30)
                    };
                    messages.push((step + delay as usize, ask.clone()));
                }
            }
        }
        seen = house.log.len();
        let (due, later): (Vec<_>, Vec<_>) = messages.into_iter().partition(|(at, _)| *at <= step);
        messages = later;
        for (_, input) in due {
            deliver(&mut house, input, without);
        }
        check(&house, total, false)?;
    }
    // All that was ever said is said once more, and heard.
    for _ in 0..4 {
        for (shard, at, event) in house.log.clone() {
            for ask in crate::processes::asks(&meta(shard, at), &event) {
                deliver(&mut house, ask, without);
            }
        }
        for (_, input) in std::mem::take(&mut messages) {
            deliver(&mut house, input, without);
        }
    }
    check(&house, total, true)?;
    Ok(house.log.len())
}

/// Delivers a message to a shard whose protocol lacks something.
fn deliver(house: &mut House, input: Input, without: Without) {
    use feira_decider::EntitiesMut;
    match (&input, without) {
        (Input::Credit { transfer }, Without::Memory) => {
            house.shards[transfer.to.shard() as usize].remove(&key::incoming(&transfer.transfer, &transfer.from));
        }
        (Input::Decline { transfer, from, to, .. }, Without::Tombstone) => {
            let known = house.log.iter().any(|(shard, _, event)| {
                *shard == to.shard()
                    && matches!(event, Event::TransferCredited(credited) if credited.transfer.transfer == *transfer)
            });
            let _ = house.ask(input.clone());
            if !known {
                house.shards[to.shard() as usize].remove(&key::incoming(transfer, from));
            }
            return;
        }
        (Input::Credited { transfer, from }, Without::Once) => {
            let shard = &mut house.shards[from.shard() as usize];
            let entity = feira_decider::Entities::get(shard, &key::outgoing(transfer)).as_deref().cloned();
            if let Some(Entity::Outgoing(mut outgoing)) = entity
                && outgoing.state == TransferState::Settled
            {
                outgoing.state = TransferState::Reserved;
                // The hold is gone: what is posted again is posted from the account itself.
                let clearing = format!("{}/x/{}-BRL", from.shard(), outgoing.transfer.to.shard());
                for (account_id, side) in [(outgoing.transfer.from.clone(), true), (account(&clearing), false)] {
                    let key = key::account(&account_id);
                    let entity = feira_decider::Entities::get(shard, &key).as_deref().cloned();
                    if let Some(Entity::Account(mut there)) = entity {
                        let held = if side { &mut there.balance.debits_held } else { &mut there.balance.credits_held };
                        *held += outgoing.transfer.amount.minor;
                        shard.put(&key, Entity::Account(there));
                    }
                }
                shard.put(&key::outgoing(transfer), Entity::Outgoing(outgoing));
            }
        }
        (Input::Decline { transfer, from, .. }, Without::Decision) => {
            let reason = "CANCELED".into();
            let _ = house.ask(Input::Declined { transfer: transfer.clone(), from: from.clone(), reason });
        }
        _ => {}
    }
    // A shard that lacks a safety may break what must hold: that is what is looked for.
    let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = house.ask(input);
    }));
    if asked.is_err() {
        house.now = i64::MIN;
    }
}

fn check(house: &House, total: i64, quiet: bool) -> Result<(), String> {
    if house.now < 0 {
        return Err("a shard's own figures no longer hold".to_owned());
    }
    let (mut theirs, mut clearing, mut held) = (0, BTreeMap::<(u32, u32), i64>::new(), 0);
    for (account, [debits_held, debits, credits_held, credits]) in house.held() {
        if account.kind() == "person" {
            theirs += credits - debits;
            held += debits_held;
        }
        if account.kind() == "x" {
            let peer = account.name().trim_end_matches("-BRL").parse().unwrap();
            let pair = (account.shard().min(peer), account.shard().max(peer));
            *clearing.entry(pair).or_default() += credits - debits;
            held += credits_held;
        }
    }
    let credited: i64 = decided(house).values().flatten().sum();
    let settled: i64 = house
        .log
        .iter()
        .filter_map(|(_, _, event)| match event {
            Event::TransferSettled(settled) if settled.postings[0].kind == PostingKind::HeldMoved => {
                Some(settled.transfer.amount.minor)
            }
            _ => None,
        })
        .sum();
    // What is credited and not yet settled is there twice until it is.
    if theirs - (credited - settled) != total {
        return Err(format!(
            "{theirs} is on people's accounts, {total} should be ({credited} credited, {settled} settled)"
        ));
    }
    if let Some((transfer, amounts)) = decided(house).iter().find(|(_, amounts)| amounts.len() > 1) {
        return Err(format!("{transfer} was credited {} times", amounts.len()));
    }
    if quiet {
        if held != 0 || clearing.values().any(|sum| *sum != 0) {
            return Err(format!("held {held}, clearing {clearing:?}"));
        }
        let returned: BTreeSet<_> = house
            .log
            .iter()
            .filter_map(|(_, _, event)| match event {
                Event::TransferReturned(TransferReturned { transfer, .. }) => Some(transfer.transfer.to_string()),
                _ => None,
            })
            .collect();
        for (transfer, state) in house.outgoing() {
            let credited = decided(house).contains_key(&transfer);
            let fits = match state {
                TransferState::Reserved => false,
                TransferState::Settled => !returned.contains(&transfer),
                TransferState::Returned => !credited,
            };
            if !fits {
                return Err(format!("{transfer} is {state:?} though credited: {credited}"));
            }
        }
        if house.summed() != house.held() {
            return Err("the log adds up to other figures than the shards hold".to_owned());
        }
    }
    Ok(())
}

/// What was credited of each transfer between shards.
fn decided(house: &House) -> BTreeMap<String, Vec<i64>> {
    let mut credited = BTreeMap::<String, Vec<i64>>::new();
    for (_, _, event) in &house.log {
        if let Event::TransferCredited(event) = event {
            credited.entry(event.transfer.transfer.to_string()).or_default().push(event.transfer.amount.minor);
        }
    }
    credited
}

#[test]
fn no_seed_makes_or_loses_money() {
    let mut events = 0;
    for seed in 0..120 {
        events += run(seed, Without::Nothing).unwrap_or_else(|fault| panic!("seed {seed}: {fault}"));
    }
    assert!(events > 10_000, "{events} events are too few to say anything");
}

#[test]
fn each_safety_left_out_is_noticed() {
    for without in [Without::Decision, Without::Memory, Without::Tombstone, Without::Once] {
        let caught = (0..120).find(|seed| run(*seed, without).is_err());
        assert!(caught.is_some(), "nobody noticed that {without:?} was missing");
    }
}
