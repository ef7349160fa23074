//! Money under load: many clients pay each other while payments is killed, and the log is added up by itself.
//!
//! What is checked is read from an export as JSON, by sums that share no line with the ledger.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use feira_ids::Role;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::client::Client;
use crate::platform::{Dice, Platform};

const PEOPLE: usize = 1_000;
const CLIENTS: usize = 64;
/// What everyone has at first, in minor units.
const FUNDED: i64 = 50_000;
const LOAD: Duration = Duration::from_secs(60);
/// When payments is killed.
const KILL_AFTER: Duration = Duration::from_secs(25);
/// How long a client rests between two payments: what follows between shards is to keep up with what is asked.
const REST: Duration = Duration::from_millis(200);
/// How long nothing of what is held may move before it counts as stuck.
const STANDSTILL: Duration = Duration::from_secs(45);
/// How long a payment is sent again; nobody knows its outcome after that.
const GIVE_UP: Duration = Duration::from_secs(60);

const OPEN: &str =
    "mutation($input: AccountOpenInput!) { accountOpen(input: $input) { account { id } userErrors { code } } }";
const FUND: &str = "mutation($input: AccountFundInput!) { accountFund(input: $input) { userErrors { code } } }";
const SEND: &str =
    "mutation($input: MoneySendInput!) { moneySend(input: $input) { transfer { id } userErrors { code } } }";
const ACCOUNT: &str = "{ account { id available { amount } held { amount } } }";

/// Someone with an account.
struct Person {
    client: Client,
    account: String,
}

/// What became of the payments that were sent.
#[derive(Default)]
struct Sent {
    /// The transfers that were acknowledged.
    acknowledged: Vec<String>,
    /// How often which refusal came.
    refused: BTreeMap<String, usize>,
    /// How many got no answer.
    unknown: usize,
}

pub async fn sixty_four_clients_pay_each_other_while_payments_dies(platform: &mut Platform) {
    let people = Arc::new(people(platform).await);
    let (sent, next) = (Arc::new(Mutex::new(Sent::default())), Arc::new(AtomicUsize::new(0)));
    let (mut dice, end) = (Dice::thrown(), Instant::now() + LOAD);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(pay(people.clone(), dice.split(), next.clone(), end, sent.clone())))
        .collect();
    tokio::time::sleep(KILL_AFTER).await;
    let killed = platform.kill_for("payments").await;
    platform.up().await;
    println!("{killed} was killed and started again");
    for client in clients {
        client.await.unwrap();
    }
    everything_arrives(&people).await;
    let sent = std::mem::take(&mut *sent.lock().unwrap());
    let transfers = add_up(&platform.export().await);
    println!(
        "{} acknowledged, refused {:?}, {} unknown, {} on the log",
        sent.acknowledged.len(),
        sent.refused,
        sent.unknown,
        transfers.len()
    );
    assert!(sent.acknowledged.len() > 1_000, "hardly anything was paid");
    for transfer in &sent.acknowledged {
        assert!(transfers.contains(transfer), "transfer {transfer} was acknowledged and is not on the log");
    }
    let distinct: HashSet<_> = sent.acknowledged.iter().collect();
    assert_eq!(distinct.len(), sent.acknowledged.len(), "two payments were answered with one transfer");
    assert!(transfers.len() <= sent.acknowledged.len() + sent.unknown, "more was paid than was asked for");
    assert_eq!(platform.feira_on_log(&["verify"]).await.code, 0);
}

/// Opens and funds everyone's account.
async fn people(platform: &Platform) -> Vec<Person> {
    let operator = Client::new(&platform.url, &platform.sign("operator", Role::Operator, None));
    let open = |number: usize| {
        let client = operator.with(platform.sign(&format!("p{number}"), Role::Consumer, None));
        let operator = operator.clone();
        async move {
            let opened = client.insist(OPEN, json!({ "input": {} })).await;
            assert_eq!(opened["accountOpen"]["userErrors"], json!([]), "{opened}");
            let account = opened["accountOpen"]["account"]["id"].as_str().unwrap().to_owned();
            let amount = json!({ "amount": format!("{}.00", FUNDED / 100), "currency": "BRL" });
            let fund = json!({ "commandId": format!("fund-{number}"), "account": account, "amount": amount });
            let funded = operator.insist(FUND, json!({ "input": fund })).await;
            assert_eq!(funded["accountFund"]["userErrors"], json!([]), "{funded}");
            Person { client, account }
        }
    };
    futures::stream::iter((0..PEOPLE).map(open)).buffer_unordered(CLIENTS).collect().await
}

/// One client: someone pays someone, until the time is over.
async fn pay(people: Arc<Vec<Person>>, mut dice: Dice, next: Arc<AtomicUsize>, end: Instant, sent: Arc<Mutex<Sent>>) {
    while Instant::now() < end {
        let (from, to) = (dice.below(PEOPLE as u64) as usize, dice.below(PEOPLE as u64) as usize);
        let cents = 100 + dice.below(900);
        if from == to {
            continue;
        }
        let name = format!("pay-{}", next.fetch_add(1, Ordering::Relaxed));
        let amount = json!({ "amount": format!("{}.{:02}", cents / 100, cents % 100), "currency": "BRL" });
        let input = json!({ "commandId": name, "to": people[to].account, "amount": amount });
        let until = Instant::now() + GIVE_UP;
        let payload = loop {
            let answer = people[from].client.try_ask(SEND, json!({ "input": input })).await;
            let payload = answer.map(|answer| answer["data"]["moneySend"].clone()).filter(|payload| !payload.is_null());
            if payload.is_some() || Instant::now() >= until {
                break payload;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        tokio::time::sleep(REST).await;
        let mut sent = sent.lock().unwrap();
        let Some(payload) = payload else {
            sent.unknown += 1;
            continue;
        };
        match payload["userErrors"][0]["code"].as_str() {
            Some(code) => *sent.refused.entry(code.to_owned()).or_default() += 1,
            None => sent.acknowledged.push(transfer_of(payload["transfer"]["id"].as_str().unwrap())),
        }
    }
}

/// The name that a transfer has on the log.
fn transfer_of(id: &str) -> String {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).unwrap()).unwrap();
    text.rsplit([':', '/']).next().unwrap().to_owned()
}

/// Waits until nothing is held any more; then everyone together has what everyone was given. It may take long, where the
/// machine is slow, but it goes on.
async fn everything_arrives(people: &[Person]) {
    let (mut least, mut until) = (i64::MAX, Instant::now());
    loop {
        let reads = people.iter().map(|person| person.client.insist(ACCOUNT, json!({})));
        let read: Vec<Value> = futures::stream::iter(reads).buffered(CLIENTS).collect().await;
        let sum = |field: &str| -> i64 { read.iter().map(|data| minor(&data["account"][field]["amount"])).sum() };
        let (available, held) = (sum("available"), sum("held"));
        if held == 0 && available == PEOPLE as i64 * FUNDED {
            return;
        }
        if held < least {
            (least, until) = (held, Instant::now() + STANDSTILL);
        }
        assert!(Instant::now() < until, "{available} are there, and {held} are held and stay so");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn minor(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

/// What an account has and what of it is held.
#[derive(Clone, Copy, Default)]
struct Purse {
    has: i64,
    held: i64,
}

/// Adds the postings up, record by record: at each one everything in the shard sums to zero and nobody owes. Answers the
/// transfers, each of which came to exactly one end.
fn add_up(lanes: &BTreeMap<String, Vec<Value>>) -> HashSet<String> {
    let mut ends: HashMap<String, Vec<String>> = HashMap::new();
    let (mut between, mut owned) = (0, 0);
    for (lane, records) in lanes.iter().filter(|(lane, _)| lane.starts_with("payments")) {
        let mut purses: HashMap<String, Purse> = HashMap::new();
        let mut total = 0;
        for record in records {
            let Some(event) = record["type"].as_str() else { continue };
            for posting in record["event"]["postings"].as_array().into_iter().flatten() {
                let minor = posting["amount"]["minor"].as_i64().unwrap();
                let [debit, credit] = ["debit", "credit"].map(|side| posting[side].as_str().unwrap().to_owned());
                let (moves, holds) = match posting["kind"].as_str().unwrap() {
                    "MOVED" => (minor, 0),
                    "HELD" => (0, minor),
                    "HELD_MOVED" => (minor, -minor),
                    "HELD_RETURNED" => (0, -minor),
                    other => panic!("{other}"),
                };
                let gives = purses.entry(debit.clone()).or_default();
                gives.has -= moves;
                gives.held += holds;
                total -= moves;
                let is_owned = debit.contains("/person/");
                assert!(!is_owned || gives.has - gives.held >= 0, "{debit} owes after {record}");
                assert!(gives.held >= 0, "{debit} has less than nothing held after {record}");
                purses.entry(credit).or_default().has += moves;
                total += moves;
            }
            assert_eq!(total, 0, "{lane} does not sum to zero after {record}");
            let balances = record["event"]["balances"].as_array().into_iter().flatten();
            for balance in balances {
                let figure = |field: &str| balance[field].as_i64().unwrap();
                let purse = purses.get(balance["account"].as_str().unwrap()).copied().unwrap_or_default();
                assert_eq!(figure("credits") - figure("debits"), purse.has, "{record}");
                assert_eq!(figure("debits_held"), purse.held, "{record}");
            }
            let name = event.rsplit('.').next().unwrap();
            if let Some(transfer) = record["event"]["transfer"]["transfer"].as_str() {
                ends.entry(transfer.to_owned()).or_default().push(name.to_owned());
            }
        }
        for (account, purse) in purses {
            assert_eq!(purse.held, 0, "{account} has something held still");
            if account.contains("/person/") {
                owned += purse.has;
            } else if !account.contains("/ext/") {
                between += purse.has;
            }
        }
    }
    assert_eq!((owned, between), (PEOPLE as i64 * FUNDED, 0), "what people have, and what is between shards");
    for (transfer, steps) in &mut ends {
        steps.sort_unstable();
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        let known = [
            &["TransferSettled"][..],
            &["TransferCredited", "TransferReserved", "TransferSettled"],
            &["TransferReserved", "TransferReturned"],
        ];
        assert!(known.contains(&&steps[..]), "transfer {transfer} came to {steps:?}");
    }
    ends.into_keys().collect()
}
