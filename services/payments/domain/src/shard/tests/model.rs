//! Anything asked at random: held against a naive book, and in a storm.
//!
//! Before the book, what follows from a command is carried to its end before the next, so that the book need not know what
//! is under way. In the storm everything comes late, twice and in any order, and only what must hold whatever happens is
//! looked at.

use std::collections::BTreeMap;

use feira_commands::payments::{Input, IntentState, TransferState};
use feira_decider::{Do, Process, Reject};
use feira_events::payments::{Event, Purpose, RequestState, Transfer};

use super::book::{Book, outgoing, payments, requests};
use super::house::{BR, House, account, brl, gift, intent, meta, payment, postings};
use super::simulation::Random;
use crate::processes::TransferProcess;
use crate::shard::RefundState;

const SHARDS: u32 = 3;
const PEOPLE: [&str; 6] =
    ["0/person/ana", "0/person/bia", "1/person/eva", "1/person/dan", "2/person/leo", "2/person/nobody"];
const SHOPS: [&str; 2] = ["0/biz/flores", "1/biz/frutas"];
const DAY: i64 = 24 * 3_600_000;

/// Carries what follows from events, and keeps its timers.
#[derive(Default)]
struct Carrier {
    seen: usize,
    timers: BTreeMap<(u32, String), (i64, u32, Input)>,
}

impl Carrier {
    /// What is to be asked now because of what has happened since the last time.
    fn follow(&mut self, house: &House) -> Vec<(u32, Input)> {
        let mut asks = Vec::new();
        for (shard, at, event) in &house.log[self.seen..] {
            for one in TransferProcess::react(&meta(*shard, *at), event) {
                let of = |ask: &feira_decider::Ask| {
                    (ask.aggregate.key().parse().unwrap(), serde_json::from_str::<Input>(&ask.input).unwrap())
                };
                match one {
                    Do::Ask(ask) => asks.push(of(&ask)),
                    Do::At { timer, due, then } => {
                        let (to, input) = of(&then);
                        self.timers.insert((*shard, timer), (due, to, input));
                    }
                    Do::Forget { timer } => drop(self.timers.remove(&(*shard, timer))),
                }
            }
        }
        self.seen = house.log.len();
        asks
    }

    /// The timers that are due.
    fn due(&mut self, now: i64) -> Vec<(u32, Input)> {
        let due: Vec<_> = self.timers.iter().filter(|(_, (due, ..))| *due <= now).map(|(key, _)| key.clone()).collect();
        due.iter().filter_map(|key| self.timers.remove(key)).map(|(_, to, input)| (to, input)).collect()
    }

    /// Carries everything to its end.
    fn settle(&mut self, house: &mut House) {
        loop {
            let mut asks = self.follow(house);
            asks.extend(self.due(house.now));
            if asks.is_empty() {
                return;
            }
            for (to, input) in asks {
                house.ask_of(to, input).unwrap();
            }
        }
    }
}

/// Runs `seeds` seeds, and says which one failed.
fn each_seed(seeds: u64, mut run: impl FnMut(u64)) {
    for seed in 0..seeds {
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed)));
        assert!(ran.is_ok(), "seed {seed} fails, see above");
    }
}

fn open() -> (House, Vec<&'static str>) {
    let owners: Vec<_> = PEOPLE.into_iter().filter(|name| !name.ends_with("nobody")).chain(SHOPS).collect();
    let funded: Vec<_> = owners.iter().map(|name| (*name, if name.contains("biz") { 0 } else { 1_500_000 })).collect();
    (House::with(SHARDS, &funded), owners)
}

/// How much time passes until the next is asked: mostly little, at times days, at times to the last moments of a day or
/// month of São Paulo or the first of the next, where limits are told apart.
fn pause(random: &mut Random, busy: bool, now: i64) -> i64 {
    let midnight = 3 * 3_600_000;
    let to_midnight = DAY - (now - midnight).rem_euclid(DAY);
    match random.below(if busy { 60 } else { 20 }) {
        0 => to_midnight - 1,
        // Midnight of Greenwich is none of São Paulo's.
        1 => DAY - now.rem_euclid(DAY),
        2 if !busy => random.below(3 * DAY as u64) as i64,
        _ if to_midnight < 100 => to_midnight,
        _ => random.below(60_000) as i64,
    }
}

/// On a busy day everybody gives a little to the same few.
fn small_gift(random: &mut Random, n: u64) -> Input {
    let (from, to) = (PEOPLE[random.below(5) as usize], PEOPLE[random.below(2) as usize * 2]);
    Input::Submit { transfer: gift(n, from, to, 100 + random.below(50) as i64) }
}

/// Something that somebody asks; of what there is little to choose, so that ids meet again.
fn anything(random: &mut Random, now: i64) -> Vec<Input> {
    let mut one_of = |names: &[&'static str]| names[random.below(names.len() as u64) as usize];
    let (from, to, shop) = (one_of(&PEOPLE), one_of(&PEOPLE), one_of(&SHOPS));
    let minor = match random.below(8) {
        0 => 99 + random.below(3) as i64,
        1 => 99_999 + random.below(3) as i64,
        2 => 100_000,
        _ => 100 + random.below(60_000) as i64,
    };
    let expires = now + 1 + random.below(5 * DAY as u64) as i64;
    let request = random.below(12);
    // A payer and an asker who are who they should be, most of the time.
    let (asker, asked) = if random.chance(80) {
        (PEOPLE[(request % 5) as usize], PEOPLE[((request + 2) % 5) as usize])
    } else {
        (from, to)
    };
    let order = random.below(16);
    let shop = if random.chance(90) { SHOPS[(order % 2) as usize] } else { shop };
    let due = if random.chance(90) { 100 + 1_777 * order as i64 } else { minor };
    let (request, order) = (format!("q-{request}"), format!("o-{order}"));
    vec![match random.below(20) {
        0..=6 => Input::Submit { transfer: gift(random.below(400), from, to, minor) },
        7..=9 => Input::Submit { transfer: payment(1_000 + random.below(400), from, shop, due, &order) },
        10 => Input::CancelTransfer { transfer: format!("{:032x}", random.below(400)).into(), from: account(from) },
        11 => Input::RequestMoney {
            request: request.into(),
            asker: account(asker),
            payer: account(asked),
            amount: brl(minor),
            note: None,
            expires,
        },
        12 | 13 => Input::ApproveRequest { request: request.into(), payer: account(asked) },
        14 => match random.below(2) {
            0 => Input::DeclineRequest { request: request.into(), payer: account(asked) },
            _ => Input::WithdrawRequest { request: request.into(), asker: account(asker), payer: account(asked) },
        },
        15 | 16 => Input::CreateIntent { intent: intent(&order, shop, due), expires },
        17 if random.chance(30) => Input::CancelIntent { intent: order.into(), account: account(shop) },
        17 | 18 => {
            let refund = format!("r-{}", random.below(6)).into();
            let amount = random.chance(80).then(|| brl(random.below(4_000) as i64));
            Input::Refund { intent: order.into(), account: account(shop), refund, amount, reason: "x".into() }
        }
        _ => {
            let stop = random.chance(20);
            let each = |_| match stop {
                true => Input::SuspendRegime { regime: BR.into(), reason: "x".into() },
                false => Input::ResumeRegime { regime: BR.into() },
            };
            return (0..SHARDS).map(each).collect();
        }
    }]
}

#[test]
fn whatever_is_asked_is_answered_as_a_naive_book_answers() {
    let mut codes = BTreeMap::<&str, usize>::new();
    each_seed(60, |seed| {
        let mut random = Random::new(seed);
        let (mut house, owners) = open();
        let mut carrier = Carrier::default();
        let mut book = Book::new(&house, &owners);
        let busy = seed % 3 == 0;
        for step in 0..250 {
            house.now += pause(&mut random, busy, house.now);
            carrier.settle(&mut house);
            book.pass(house.now);
            let inputs = match busy && random.chance(60) {
                true => vec![small_gift(&mut random, 10_000 + step)],
                false => anything(&mut random, house.now),
            };
            let several = inputs.len() > 1;
            for (shard, input) in inputs.into_iter().enumerate() {
                let expected = book.answer(&input);
                let got = match several {
                    true => house.ask_of(shard as u32, input.clone()),
                    false => house.ask(input.clone()),
                };
                let got = got.map(drop).map_err(|rejection| rejection.code());
                assert_eq!(got, expected, "{input:?}");
                *codes.entry(got.err().unwrap_or("-")).or_default() += 1;
            }
            carrier.settle(&mut house);
            book.compare(&house);
        }
        assert_eq!(house.summed(), house.held());
    });
    // A book that is never asked for something says nothing about it.
    let met = [
        "ALREADY_CAPTURED",
        "AMOUNT_BELOW_MINIMUM",
        "INSUFFICIENT_FUNDS",
        "INTENT_MISMATCH",
        "INTENT_NOT_PAYABLE",
        "INTENT_UNKNOWN",
        "KEY_REUSED",
        "LIMIT_EXCEEDED",
        "NOTHING_CAPTURED",
        "PAYEE_UNKNOWN",
        "PAYER_UNKNOWN",
        "REFUND_TOO_LARGE",
        "REGIME_SUSPENDED",
        "REQUEST_CLOSED",
        "REQUEST_UNKNOWN",
        "SAME_PARTY",
        "TRANSFER_UNKNOWN",
    ];
    assert!(met.iter().all(|code| codes.contains_key(code)), "{codes:?}");
}

#[test]
fn in_a_storm_no_money_is_made_lost_or_held_for_ever() {
    each_seed(80, |seed| {
        let mut random = Random::new(seed + 1_000);
        let (mut house, owners) = open();
        let total: i64 = owners.iter().map(|name| house.available(name)).sum();
        let mut carrier = Carrier::default();
        let mut messages: Vec<(usize, u32, Input)> = Vec::new();
        for step in 0..500 {
            let faults = step < 300;
            house.now += random.below(4_000) as i64;
            if faults {
                let inputs = anything(&mut random, house.now);
                let several = inputs.len() > 1;
                for (shard, input) in inputs.into_iter().enumerate() {
                    // Each shard hears of a suspension in its own time.
                    match several {
                        true => messages.push((step + random.below(20) as usize, shard as u32, input)),
                        false => drop(house.ask(input)),
                    }
                }
            }
            let mut asks = carrier.follow(&house);
            asks.extend(carrier.due(house.now));
            for (to, input) in asks {
                // Where a credit is lost, its time brings the money back.
                if matches!(input, Input::Credit { .. }) && random.chance(5) {
                    continue;
                }
                for _ in 0..1 + usize::from(faults && random.chance(20)) {
                    let longest = if random.chance(4) { 150 } else { 20 };
                    let delay = if faults { random.below(longest) } else { 0 };
                    messages.push((step + delay as usize, to, input.clone()));
                }
            }
            let (due, later): (Vec<_>, Vec<_>) = messages.into_iter().partition(|(at, ..)| *at <= step);
            messages = later;
            for (_, to, input) in due {
                house.ask_of(to, input).unwrap();
            }
        }
        for (_, to, input) in messages {
            house.ask_of(to, input).unwrap();
        }
        house.now += 60 * DAY;
        carrier.settle(&mut house);
        after_the_storm(&house, total);
    });
}

fn after_the_storm(house: &House, total: i64) {
    let held = house.held();
    assert_eq!(house.summed(), held);
    assert!(held.values().all(|[debits_held, _, credits_held, _]| (*debits_held, *credits_held) == (0, 0)), "{held:?}");
    let of = |kinds: &[&str]| -> i64 {
        held.iter()
            .filter(|(who, _)| kinds.contains(&who.kind()))
            .map(|(_, [_, debits, _, credits])| credits - debits)
            .sum()
    };
    assert_eq!((of(&["person", "biz", "fee"]), of(&["x"])), (total, 0));
    let count = |what: &dyn Fn(&Event) -> bool| house.log.iter().filter(|(_, _, event)| what(event)).count();
    for ((shard, id), state) in outgoing(house) {
        let mine = |transfer: &Transfer| *transfer.transfer == *id && transfer.from.shard() == shard;
        let arrived = count(&|event| match event {
            Event::TransferCredited(credited) => mine(&credited.transfer),
            Event::TransferSettled(settled) => {
                mine(&settled.transfer) && settled.transfer.from.shard() == settled.transfer.to.shard()
            }
            _ => false,
        });
        match state {
            TransferState::Reserved => panic!("{id} is held for ever"),
            TransferState::Settled => assert_eq!(arrived, 1, "{id}"),
            TransferState::Returned => assert_eq!(arrived, 0, "{id}"),
        }
    }
    for ((shard, id), request) in requests(house) {
        let paid = count(&|event| {
            matches!(event, Event::TransferSettled(settled)
                if settled.transfer.purpose == Purpose::Request
                    && settled.transfer.from.shard() == shard
                    && settled.transfer.subject.as_deref() == Some(&id))
        });
        assert_eq!(paid, usize::from(request.state == RequestState::Paid), "request {id}");
        assert!(!matches!(request.state, RequestState::Open | RequestState::Paying), "request {id} never ends");
    }
    for ((shard, id), payment) in payments(house) {
        let due = payment.intent.amount.minor;
        let captured = count(&|event| {
            matches!(event, Event::IntentCaptured(captured)
                if *captured.intent.intent == *id && captured.intent.account.shard() == shard)
        });
        assert_eq!(captured, usize::from(payment.payer.is_some()), "order {id}");
        assert!(payment.refunded <= due && payment.fee_returned <= payment.fee, "order {id}");
        assert!(
            payment.refunded < due || payment.fee_returned == payment.fee,
            "order {id} has not all of its fee back"
        );
        assert!(payment.state != IntentState::AwaitingPayer, "order {id} never ends");
        assert!(
            payment.refunds.iter().all(|(_, _, state)| *state != RefundState::Begun),
            "a refund of {id} never ends"
        );
    }
    assert!(house.log.iter().flat_map(|(_, _, event)| postings(event)).all(|posting| posting.amount.minor > 0));
}
