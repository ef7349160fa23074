//! Subscriptions: what is told, to whom, once and in order, whatever is cut off in between.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use feira_events::conversation::{Content, MessageReceived, Side, ThreadEvent, ThreadOpened, Windows};
use feira_events::order::{self, Order, OrderCancelled, OrderLine, OrderPlaced};
use feira_events::payments::{self, AccountFunded, Balance, Posting, PostingKind, Purpose, Transfer, TransferCredited};
use feira_events::{Meta, Sealed};
use feira_gateway::{GatewayConfig, Issue};
use feira_ids::{AccountId, CommandId, Role, TenantId};
use feira_money::{Amount, Currency};
use feira_projection_store::{Checkpoint, Mutation, ProjectionId, Store};
use feira_rows::conversation::{put_received, put_thread};
use feira_rows::{
    LEDGER_PROJECTION, ORDERS_PROJECTION, THREADS_PROJECTION, order as order_rows, payments as money_rows,
};
use feira_sealing::Keyring;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Frames, OTHER_SHOP, SHOP, World, over_events, world, world_with};

const THREAD_FIELDS: &str = "kind cursor thread { customer messageCount messages(last: 100) { edges { node { seq text } } } } event { name version seq messageId message { seq text from kind } }";

/// A customer's thread in which a test writes.
struct Talk<'a> {
    world: &'a World,
    customer: String,
    aggregate: String,
    written: AtomicU64,
}

impl<'a> Talk<'a> {
    async fn of(world: &'a World, person: &str) -> Self {
        let token = world.person(person);
        let cart = world.data(&token, &format!("{{ cart(business: \"{SHOP}\") {{ customer }} }}")).await;
        let customer = cart["cart"]["customer"].as_str().unwrap().to_owned();
        Self { world, aggregate: format!("thread:main/{customer}"), customer, written: AtomicU64::new(0) }
    }

    async fn seal(&self, text: &str, number: u64) -> Sealed<String> {
        let command = CommandId::derive(&TenantId::new(SHOP).unwrap(), "person:x", "write", &number.to_string());
        self.world.keyring.seal(&format!("{SHOP}/{}", self.customer), command.event(0), "text", text).await.unwrap()
    }

    /// The customer writes. Answers the rows to be written of it.
    async fn write(&self) -> Vec<(Meta, Vec<Mutation>)> {
        let number = self.written.fetch_add(1, Ordering::Relaxed) + 1;
        let (sender, customer): (Arc<str>, Arc<str>) = ("main".into(), self.customer.as_str().into());
        let mut rows = Vec::new();
        if number == 1 {
            let (sender, customer) = (sender.clone(), customer.clone());
            let opened = ThreadOpened { sender, customer, country: "BR".into(), by: Side::Customer };
            let meta = self.tell(&ThreadEvent::ThreadOpened(opened.clone()));
            rows.push((meta.clone(), vec![put_thread(&meta, &opened)]));
        }
        let received = MessageReceived {
            message: format!("m-{number}").into(),
            seq: number as i64,
            sender,
            customer,
            content: Content::Text { body: self.seal(&format!("SECRET {number}"), number).await },
            referral: None,
            sent_at: number as i64,
            received_at: number as i64,
            windows: Windows::default(),
            previous_at: (number > 1).then(|| number as i64 - 1),
        };
        let meta = self.tell(&ThreadEvent::MessageReceived(received.clone()));
        rows.push((meta.clone(), put_received(&meta, &received)));
        rows
    }

    fn tell(&self, event: &ThreadEvent) -> Meta {
        self.world.happenings.tell(SHOP, &self.aggregate, event)
    }

    async fn project(&self, rows: Vec<(Meta, Vec<Mutation>)>) {
        for (meta, writes) in rows {
            project(self.world, THREADS_PROJECTION, SHOP, &self.aggregate, &meta, writes).await;
        }
    }

    async fn follow(&self, token: &str, after: Option<&str>) -> Frames {
        let after = after.map_or(String::new(), |after| format!(", after: \"{after}\""));
        let query = format!(
            "subscription {{ thread(business: \"{SHOP}\", customer: \"{}\" {after}) {{ {THREAD_FIELDS} }} }}",
            self.customer
        );
        over_events(self.world, Some(token), "thread", &query).await
    }
}

async fn project(
    world: &World,
    projection: ProjectionId,
    tenant: &str,
    aggregate: &str,
    meta: &Meta,
    writes: Vec<Mutation>,
) {
    let lane = world.happenings.lane(tenant, aggregate).to_string();
    let checkpoint = Checkpoint { lane_seq: meta.lane_seq as u64, hint: 0 };
    world.store.apply(writes, projection, &lane, checkpoint).await.unwrap();
}

fn patient() -> GatewayConfig {
    GatewayConfig { heartbeat_ms: 60_000, ..GatewayConfig::default() }
}

#[tokio::test]
async fn a_thread_is_shown_as_it_stands_then_what_happens_in_it() {
    let world = world_with(patient()).await;
    let talk = Talk::of(&world, "ana").await;
    for _ in 0..2 {
        let rows = talk.write().await;
        talk.project(rows).await;
    }
    // One that the rows do not have yet.
    talk.write().await;
    let mut frames = talk.follow(&world.person("ana"), None).await;
    let snapshot = frames.frame().await;
    assert_eq!((&snapshot["kind"], &snapshot["thread"]["messageCount"]), (&json!("SNAPSHOT"), &json!(2)));
    assert_eq!(snapshot["thread"]["messages"]["edges"][1]["node"], json!({ "seq": 2, "text": "SECRET 2" }));
    let event = frames.frame().await;
    assert_eq!((&event["kind"], &event["event"]["version"]), (&json!("EVENT"), &json!(4)));
    let message = json!({ "seq": 3, "text": "SECRET 3", "from": "CUSTOMER", "kind": "TEXT" });
    assert_eq!(event["event"]["message"], message);
    assert_eq!(frames.frame().await["kind"], "CAUGHT_UP");
    talk.write().await;
    let event = frames.frame().await["event"].clone();
    assert_eq!((&event["name"], &event["seq"]), (&json!("MESSAGE_RECEIVED"), &json!(4)));
    for token in [world.agent(SHOP), world.admin(SHOP)] {
        let snapshot = talk.follow(&token, None).await.frame().await;
        assert_eq!(snapshot["thread"]["messages"]["edges"][0]["node"]["text"], "SECRET 1");
    }
}

#[tokio::test]
async fn a_thread_can_be_followed_before_anybody_has_written() {
    let world = world_with(patient()).await;
    let talk = Talk::of(&world, "ana").await;
    let mut frames = talk.follow(&world.person("ana"), None).await;
    let snapshot = frames.frame().await;
    assert_eq!((&snapshot["kind"], &snapshot["thread"]), (&json!("SNAPSHOT"), &Value::Null));
    assert_eq!(frames.frame().await["kind"], "CAUGHT_UP");
    talk.write().await;
    assert_eq!(frames.frame().await["event"]["name"], "THREAD_OPENED");
    assert_eq!(frames.frame().await["event"]["message"]["text"], "SECRET 1");
}

#[tokio::test]
async fn while_nothing_happens_a_heartbeat_says_so_and_moves_the_cursor_on() {
    let world = world_with(GatewayConfig { heartbeat_ms: 20, ..GatewayConfig::default() }).await;
    let talk = Talk::of(&world, "ana").await;
    let mut frames = talk.follow(&world.person("ana"), None).await;
    while frames.frame().await["kind"] != "HEARTBEAT" {}
    // The lane goes on with others' events, and the cursor with it.
    let (other, mut cursors) = (Talk::of(&world, "bia").await, HashSet::new());
    for _ in 0..3 {
        other.write().await;
        while !cursors.insert(frames.frame().await["cursor"].clone()) {}
    }
    let cursor = frames.frame().await["cursor"].as_str().unwrap().to_owned();
    talk.write().await;
    assert_eq!(frames.news().await["event"]["name"], "THREAD_OPENED");
    let mut again = talk.follow(&world.person("ana"), Some(&cursor)).await;
    assert_eq!(again.news().await["event"]["name"], "THREAD_OPENED");
}

/// What one run of the test below does at each step.
#[derive(Clone, Debug)]
enum Step {
    /// Messages are written, and perhaps projected.
    Write(usize, bool),
    /// So many frames are taken before the client is cut off.
    Take(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = (1usize..4, any::<bool>()).prop_map(|(count, projected)| Step::Write(count, projected));
    proptest::collection::vec(prop_oneof![write, (0usize..5).prop_map(Step::Take)], 10..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn however_often_it_is_cut_off_each_event_is_told_once_and_in_order(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(cut_off(steps));
    }
}

async fn cut_off(steps: Vec<Step>) {
    // Some cuts fall between an event and a heartbeat.
    let world = world_with(GatewayConfig { heartbeat_ms: 3, ..GatewayConfig::default() }).await;
    let (talk, noise) = (Talk::of(&world, "ana").await, Talk::of(&world, "bia").await);
    let token = world.agent(SHOP);
    let (mut told, mut cursor) = (0, None::<String>);
    let mut unprojected = Vec::new();
    for step in steps {
        match step {
            Step::Write(count, projected) => {
                for _ in 0..count {
                    unprojected.extend(talk.write().await);
                    noise.write().await;
                }
                if projected {
                    talk.project(std::mem::take(&mut unprojected)).await;
                }
            }
            Step::Take(count) => {
                let mut frames = talk.follow(&token, cursor.as_deref()).await;
                for _ in 0..count {
                    take(&frames.frame().await, &mut told, &mut cursor);
                }
            }
        }
    }
    // The last one is not cut off.
    let written = talk.written.load(Ordering::Relaxed);
    let versions = if written == 0 { 0 } else { written + 1 };
    let mut frames = talk.follow(&token, cursor.as_deref()).await;
    loop {
        let frame = frames.frame().await;
        take(&frame, &mut told, &mut cursor);
        if frame["kind"] == "CAUGHT_UP" {
            break;
        }
    }
    assert_eq!(told, versions, "all that was written was told");
}

/// Takes a frame in: what it tells must be the next.
fn take(frame: &Value, told: &mut u64, cursor: &mut Option<String>) {
    match frame["kind"].as_str().unwrap() {
        // What a snapshot shows counts as told: it only comes first.
        "SNAPSHOT" => {
            assert_eq!(*told, 0);
            let messages = frame["thread"]["messageCount"].as_u64();
            *told = messages.map_or(0, |messages| messages + 1);
        }
        "EVENT" => {
            let version = frame["event"]["version"].as_u64().unwrap();
            assert_eq!(version, *told + 1, "told out of order, twice, or not at all");
            *told = version;
        }
        "CAUGHT_UP" | "HEARTBEAT" => {}
        other => panic!("{other}"),
    }
    *cursor = Some(frame["cursor"].as_str().unwrap().to_owned());
}

#[tokio::test]
async fn who_reads_too_slowly_is_cut_off_and_goes_on_where_it_was() {
    let world = world_with(GatewayConfig { subscription_queue_max: 4, ..patient() }).await;
    let talk = Talk::of(&world, "ana").await;
    let token = world.agent(SHOP);
    let mut slow = talk.follow(&token, None).await;
    let mut watcher = talk.follow(&token, None).await;
    let mut cursor = String::new();
    for _ in ["SNAPSHOT", "CAUGHT_UP"] {
        cursor = slow.frame().await["cursor"].as_str().unwrap().to_owned();
        watcher.frame().await;
    }
    for _ in 0..20 {
        talk.write().await;
        // What the watcher has heard was handed to the other one too.
        watcher.frame().await;
    }
    let mut told = 0;
    let code = loop {
        let result = slow.result().await;
        match result["errors"][0]["extensions"]["code"].as_str() {
            Some(code) => break code.to_owned(),
            None => take(&result["data"]["thread"], &mut told, &mut Some(cursor.clone())),
        }
        cursor = result["data"]["thread"]["cursor"].as_str().unwrap().to_owned();
    };
    assert_eq!((code.as_str(), slow.event().await), ("TOO_SLOW", Some(("complete".to_owned(), Value::Null))));
    assert!((1..10).contains(&told), "{told}");
    let mut again = talk.follow(&token, Some(&cursor)).await;
    while told < 21 {
        take(&again.frame().await, &mut told, &mut None);
    }
}

#[tokio::test]
async fn each_caller_has_only_so_many_at_once() {
    let world = world_with(GatewayConfig { subscriptions_per_caller_max: 2, ..patient() }).await;
    let talk = Talk::of(&world, "ana").await;
    let token = world.agent(SHOP);
    let (mut first, mut second) = (talk.follow(&token, None).await, talk.follow(&token, None).await);
    first.frame().await;
    second.frame().await;
    assert_eq!(talk.follow(&token, None).await.refusal().await, "LIMIT_REACHED");
    assert_eq!(talk.follow(&world.admin(SHOP), None).await.frame().await["kind"], "SNAPSHOT");
    drop(first);
    assert_eq!(talk.follow(&token, None).await.frame().await["kind"], "SNAPSHOT");
}

#[tokio::test]
async fn nobody_else_is_told_anything() {
    let world = world_with(patient()).await;
    let talk = Talk::of(&world, "ana").await;
    let rows = talk.write().await;
    talk.project(rows).await;
    for token in
        [world.person("bia"), world.admin(OTHER_SHOP), world.agent(OTHER_SHOP), world.analyst(SHOP), world.operator()]
    {
        assert_eq!(talk.follow(&token, None).await.refusal().await, "FORBIDDEN");
    }
    let query = format!("subscription {{ thread(business: \"{SHOP}\") {{ kind thread {{ customer }} }} }}");
    assert_eq!(over_events(&world, None, "thread", &query).await.refusal().await, "UNAUTHENTICATED");
    // A cursor opens nothing, and only what it was given for.
    let mut frames = talk.follow(&world.person("ana"), None).await;
    let cursor = frames.frame().await["cursor"].as_str().unwrap().to_owned();
    assert_eq!(talk.follow(&world.person("bia"), Some(&cursor)).await.refusal().await, "FORBIDDEN");
    let other = Talk::of(&world, "bia").await;
    assert_eq!(other.follow(&world.agent(SHOP), Some(&cursor)).await.refusal().await, "BAD_USER_INPUT");
    assert_eq!(talk.follow(&world.agent(SHOP), Some("nonsense")).await.refusal().await, "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_subscription_ends_with_its_token_and_with_the_process() {
    let world = world_with(patient()).await;
    let talk = Talk::of(&world, "ana").await;
    let tenant = TenantId::new(SHOP).unwrap();
    let valid_for = Duration::from_secs(2);
    let issue = Issue { sub: "rui", tenant: Some(&tenant), roles: &[Role::Agent], country: None, valid_for };
    let short = world.key.issue(&issue).unwrap();
    let (mut short, mut long) = (talk.follow(&short, None).await, talk.follow(&world.admin(SHOP), None).await);
    for frames in [&mut short, &mut long] {
        assert_eq!(frames.frame().await["kind"], "SNAPSHOT");
        assert_eq!(frames.frame().await["kind"], "CAUGHT_UP");
    }
    assert_eq!(short.refusal().await, "UNAUTHENTICATED");
    world.stop.cancel();
    assert_eq!(long.refusal().await, "GOING_AWAY");
}

#[tokio::test]
async fn over_plain_http_nothing_is_followed_and_over_events_a_query_is_answered_once() {
    let world = world().await;
    let query = format!("subscription {{ thread(business: \"{SHOP}\") {{ kind }} }}");
    let reply = world.ask(&world.person("ana"), &query).await;
    assert_eq!((reply.status.as_u16(), reply.codes()), (406, vec!["NOT_ACCEPTABLE".to_owned()]));
    let mut once = over_events(&world, None, "__typename", "{ __typename }").await;
    assert_eq!(once.frame().await, "Query");
    assert_eq!(once.event().await, Some(("complete".to_owned(), Value::Null)));
    let deep = format!("{{ __type(name: \"Cart\") {{ {} name {} }} }}", "ofType { ".repeat(13), "}".repeat(13));
    let reply = over_events(&world, Some(&world.person("ana")), "", &deep).await.result().await;
    assert_eq!(reply["errors"][0]["extensions"]["code"], "QUERY_TOO_DEEP", "{reply}");
}

fn amount(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse::<Currency>().unwrap())
}

fn account(shard: u32, person: &str) -> AccountId {
    AccountId::new(shard, "person", person).unwrap()
}

#[tokio::test]
async fn an_order_is_followed_by_who_ordered_and_by_the_business() {
    let world = world_with(patient()).await;
    let talk = Talk::of(&world, "ana").await;
    let order = Order {
        order: "o-1".into(),
        customer: talk.customer.as_str().into(),
        thread: None,
        account: AccountId::new(0, "biz", SHOP).unwrap(),
        lines: vec![OrderLine { sku: "CAFE".into(), title: "Café".into(), quantity: 1, unit_price: amount(1250) }],
        total: amount(1250),
        until: 1_700_000_900_000,
    };
    let placed =
        world.happenings.tell(SHOP, "order:o-1", &order::Event::OrderPlaced(OrderPlaced { order: order.clone() }));
    project(&world, ORDERS_PROJECTION, SHOP, "order:o-1", &placed, order_rows::put_order(&placed, &order)).await;
    let query = |id: &str| {
        let id = URL_SAFE_NO_PAD.encode(format!("order:{SHOP}/{id}"));
        format!(
            "subscription {{ order(business: \"{SHOP}\", id: \"{id}\") {{ kind order {{ state }} event {{ name state paymentState code version }} }} }}"
        )
    };
    let mut frames = Vec::new();
    for token in [world.person("ana"), world.agent(SHOP)] {
        let mut following = over_events(&world, Some(&token), "order", &query("o-1")).await;
        assert_eq!(
            following.frame().await,
            json!({ "kind": "SNAPSHOT", "order": { "state": "PLACED" }, "event": null })
        );
        assert_eq!(following.frame().await["kind"], "CAUGHT_UP");
        frames.push(following);
    }
    let cancelled = OrderCancelled {
        order,
        code: "OUT_OF_STOCK".into(),
        sku: Some("CAFE".into()),
        message: "there is none left".into(),
        release: vec![],
        give_back: vec![],
        payment_asked: false,
        refund: None,
    };
    world.happenings.tell(SHOP, "order:o-1", &order::Event::OrderCancelled(cancelled));
    for mut following in frames {
        let told = json!({ "name": "ORDER_CANCELLED", "state": "CANCELLED", "paymentState": "FAILED", "code": "OUT_OF_STOCK", "version": 2 });
        assert_eq!(following.frame().await["event"], told);
    }
    // Another's order is not told apart from one that is not there.
    for (token, code) in [(world.person("bia"), "BAD_USER_INPUT"), (world.admin(OTHER_SHOP), "FORBIDDEN")] {
        assert_eq!(over_events(&world, Some(&token), "order", &query("o-1")).await.refusal().await, code);
    }
    let unknown = over_events(&world, Some(&world.agent(SHOP)), "order", &query("o-2")).await.refusal().await;
    assert_eq!(unknown, "BAD_USER_INPUT");
}

#[tokio::test]
async fn an_account_is_told_of_its_own_money_only() {
    let world = world_with(patient()).await;
    let query = "subscription { account { kind account { available { amount } } event { name account { available { amount } } transfer { amount { amount } } } } }";
    let token = world.person("ana");
    assert_eq!(over_events(&world, Some(&token), "account", query).await.refusal().await, "BAD_USER_INPUT");
    let funded = |person: &str, minor| {
        let account = account(0, person);
        let posting = Posting {
            debit: AccountId::new(0, "ext", "demo").unwrap(),
            credit: account.clone(),
            amount: amount(minor),
            kind: PostingKind::Moved,
        };
        payments::Event::AccountFunded(AccountFunded {
            account: account.clone(),
            amount: amount(minor),
            postings: vec![posting],
            balances: vec![balance(&account, minor)],
        })
    };
    let meta = world.happenings.tell("platform", "shard:0", &funded("ana", 1_000));
    let rows = [
        money_rows::put_account(&meta, &account(0, "ana"), "BRL", "BR-trial-2020"),
        money_rows::put_balance(&meta, &balance(&account(0, "ana"), 1_000)),
    ];
    project(&world, LEDGER_PROJECTION, "platform", "shard:0", &meta, rows.into_iter().flatten().collect()).await;
    let mut frames = over_events(&world, Some(&token), "account", query).await;
    assert_eq!(frames.frame().await["account"], json!({ "available": { "amount": "10.00" } }));
    assert_eq!(frames.frame().await["kind"], "CAUGHT_UP");
    world.happenings.tell("platform", "shard:0", &funded("bia", 5_000));
    let transfer = Transfer {
        transfer: "00".repeat(16).into(),
        from: account(1, "bia"),
        to: account(0, "ana"),
        amount: amount(250),
        purpose: Purpose::Gift,
        subject: None,
        customer: None,
        note: None,
        deadline: 9,
    };
    let credited = TransferCredited {
        transfer,
        limits: vec![],
        postings: vec![],
        balances: vec![balance(&account(0, "ana"), 1_250)],
    };
    world.happenings.tell("platform", "shard:0", &payments::Event::TransferCredited(credited));
    let told = json!({
        "name": "TRANSFER_CREDITED",
        "account": { "available": { "amount": "12.50" } },
        "transfer": { "amount": { "amount": "2.50" } },
    });
    assert_eq!(frames.frame().await["event"], told, "nobody is told of another's money");
}

fn balance(account: &AccountId, credits: i64) -> Balance {
    let currency = "BRL".parse().unwrap();
    Balance { account: account.clone(), currency, debits_held: 0, debits: 0, credits_held: 0, credits }
}
