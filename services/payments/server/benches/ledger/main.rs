//! Transfers a second through the rules of a ledger's shard: in memory on one core, and in durable batches on the embedded
//! log, each beside a straight-line ledger that knows one kind of transfer, leaves the very same events and holds the very
//! same entities (`straight.rs`).
//!
//! `cargo bench -p feira-payments-server`. `FEIRA_BENCH_SECONDS` makes rounds shorter or longer.

mod durable;
mod straight;

use std::process::ExitCode;

use feira_bench::{Goal, Report, Round, Row, Unit, in_turns, rounds, turn};
use feira_codec::EventSet;
use feira_commands::payments::Input;
use feira_decider::{At, Memory, Shard};
use feira_events::payments::{Event, Purpose, Transfer};
use feira_ids::AccountId;
use feira_money::Amount;
use feira_payments_domain::shard::{Command, Entity, LedgerShard};
use straight::Straight;

/// How many transfers there are for each second that a round should take.
const TRANSFERS_A_SECOND: f64 = 200_000.0;
/// How many transfers each account receives: as many as it may on a day.
const RECEIVED: usize = 20;
/// How many transfers are appended with one sync.
const BATCH: usize = 8_190;
const REGIME: &str = "BR-trial-2020";
/// What each account has, in minor units, and what each transfer is of.
const FUNDED: i64 = 100_000;
const SENT: i64 = 100;
/// 2020-06-20T12:00:00Z, when the regime was in force.
const NOW: At = At(1_592_654_400_000);

fn main() -> ExitCode {
    let accounts = accounts((turn(1.0).as_secs_f64() * TRANSFERS_A_SECOND) as usize / RECEIVED);
    let transfers = transfers(&accounts);
    same_events_and_entities(&accounts, &transfers);
    let mut report = Report::new();
    let reference = "a straight-line ledger of such transfers alone, with the same events and entities";

    let (ours, theirs) = in_turns(
        || {
            let (mut shard, asked) = (opened(&accounts), transfers.clone());
            timed(asked, |transfer| drop(pay(&mut shard, transfer)))
        },
        || {
            let (mut straight, asked) = (Straight::opened(&accounts), transfers.clone());
            timed(asked, |transfer| drop(straight.pay(transfer)))
        },
    );
    let title = format!("{} transfers between {} accounts of a shard, one core", transfers.len(), accounts.len());
    report.table(&title, Unit::PerSecond, reference);
    report.row(Row::new("decide and evolve", &ours).beside(&theirs).goal(Goal::AtLeast(1_000_000.0)));
    let (mut shard, mut events) = (opened(&accounts), vec![]);
    transfers.iter().for_each(|transfer| events.extend(pay(&mut shard, transfer.clone())));
    let replayed = rounds(|| {
        let mut shard = opened(&accounts);
        timed(events.iter().collect(), |event| LedgerShard::evolve(&mut shard, event))
    });
    report.row(Row::new("evolve alone", &replayed));
    let encoded = rounds(|| timed(events.iter().collect(), |event| drop(event.encode_body().expect("it fits"))));
    report.row(Row::new("encode alone", &encoded));

    let reference = "the same straight-line ledger and encoding, write and fdatasync to a file";
    report.table(&format!("The same in durable batches of {BATCH} on the embedded log"), Unit::PerSecond, reference);
    let (ours, theirs) = in_turns(
        || durable::on_the_log(opened(&accounts), transfers.clone()),
        || durable::in_a_file(Straight::opened(&accounts), transfers.clone()),
    );
    let row = Row::new("decide, evolve, encode, append", &ours).beside(&theirs);
    report.row(row.goal(Goal::AtLeast(300_000.0)));
    report.end()
}

fn accounts(count: usize) -> Vec<AccountId> {
    assert!(count > 1, "somebody must pay somebody");
    (0..count).map(|number| AccountId::new(0, "person", &format!("p{number}")).expect("a name")).collect()
}

/// Everybody pays others, as often as all may receive.
fn transfers(accounts: &[AccountId]) -> Vec<Transfer> {
    let count = accounts.len();
    let one = |number: usize| Transfer {
        transfer: format!("{number:032x}").into(),
        from: accounts[number % count].clone(),
        to: accounts[(number + 1 + number / count) % count].clone(),
        amount: brl(SENT),
        purpose: Purpose::Gift,
        subject: None,
        customer: None,
        note: None,
        deadline: 0,
    };
    (0..count * RECEIVED).map(one).filter(|transfer| transfer.from != transfer.to).collect()
}

fn brl(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse().expect("a currency"))
}

/// A shard with all accounts, funded.
fn opened(accounts: &[AccountId]) -> Memory<Entity> {
    let mut shard = Memory::new();
    for account in accounts {
        let (open, account) = (account.clone(), account.clone());
        ask(&mut shard, Input::OpenAccount { account: open, regime: REGIME.into() });
        ask(&mut shard, Input::Fund { account, amount: brl(FUNDED) });
    }
    shard
}

/// Decides what is asked and folds what was decided.
fn ask(shard: &mut Memory<Entity>, input: Input) -> Vec<Event> {
    let events = LedgerShard::decide(shard, Command { shard: 0, input }, NOW).expect("the shard allows it");
    events.iter().for_each(|event| LedgerShard::evolve(shard, event));
    events
}

/// Makes a transfer, which settles at once.
fn pay(shard: &mut Memory<Entity>, transfer: Transfer) -> Vec<Event> {
    let events = ask(shard, Input::Submit { transfer });
    assert!(matches!(events[..], [Event::TransferSettled(_)]), "{events:?}");
    events
}

/// The reference is one only if it does the same.
fn same_events_and_entities(accounts: &[AccountId], transfers: &[Transfer]) {
    let (mut shard, mut straight) = (opened(accounts), Straight::opened(accounts));
    for transfer in transfers {
        assert_eq!(pay(&mut shard, transfer.clone()), [straight.pay(transfer.clone())]);
    }
    let entities = straight.entities();
    assert_eq!(shard.len(), entities.len());
    for ((key, entity), (same_key, same_entity)) in shard.iter().zip(&entities) {
        assert_eq!((key, entity), (same_key.as_str(), same_entity));
    }
}

fn timed<T>(all: Vec<T>, act: impl FnMut(T)) -> Round {
    Round::on_one_core(all.len() as u64, || all.into_iter().for_each(act))
}
