//! A shop with something of everything in it: rows as its services would write them.

use std::sync::Arc;

use feira_commands::conversation::thread_key;
use feira_commands::payments::{IntentState, TransferState};
use feira_events::billing::{
    Card, Category as Priced, Class as Charged, Component, Document, Line, MessageUsage, PaymentFeeUsage, Rule, Total,
    UsageStated,
};
use feira_events::conversation::{
    BusinessRegistered, Category, Class, ClassReason, Content, MessageReceived, MessageSent, Profile, Section, Side,
    ThreadOpened, Windows,
};
use feira_events::order::{Order, OrderLine};
use feira_events::payments::{Balance, Intent, Purpose, RequestState, Transfer};
use feira_events::{FactPosition, Meta, Sealed};
use feira_ids::{AccountId, CommandId, EventId, Fingerprint, TenantId};
use feira_money::Amount;
use feira_projection_store::{Checkpoint, Mutation, Store};
use feira_rows::{CARTS_PROJECTION, billing, conversation, order as rows, payments, stock};
use feira_sealing::Keyring;
use serde_json::Value;

use super::{SHOP, World, world_with};

pub const SKU: &str = "SECRET-1";
pub const ORDER: &str = "o-SECRET";
pub const PERIOD: &str = "2023-11";
/// In that month.
pub const AT: i64 = 1_700_000_000_000;

/// A shop, and the names of what is in it.
pub struct Furnished {
    pub world: World,
    pub customer: String,
    pub product: String,
    pub cart: String,
    pub order: String,
    pub account: String,
    pub friend: String,
    pub transfer: String,
    pub request: String,
}

/// The envelope of an aggregate's event.
pub fn meta(tenant: &str, aggregate: &str, seq: i64) -> Meta {
    let tenant = TenantId::new(tenant).unwrap();
    let command_id = CommandId::derive(&tenant, "service:test", aggregate, &seq.to_string());
    Meta {
        event_id: command_id.event(0),
        lane: 0,
        lane_seq: seq,
        term: 1,
        aggregate: aggregate.into(),
        aggregate_seq: Some(seq),
        hlc: seq * 2,
        at: AT,
        tenant,
        principal: "service:test".into(),
        command_id,
        fingerprint: Fingerprint::of("test", b""),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
    }
}

fn brl(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse().unwrap())
}

fn usd(minor: i64) -> Amount {
    Amount::new(minor, "USD".parse().unwrap())
}

/// A shop with something of everything.
pub async fn furnished(config: feira_gateway::GatewayConfig) -> Furnished {
    let world = world_with(config).await;
    put(&world, "12.50", "9.90").await;
    let ana = world.person("ana");
    let add = format!(
        "mutation {{ cartAddItem(input: {{ business: \"{SHOP}\", sku: \"{SKU}\", quantity: 1 }}) {{ cart {{ id customer }} }} }}"
    );
    let cart = world.data(&ana, &add).await["cartAddItem"]["cart"].clone();
    let note =
        format!("mutation {{ cartSetNote(input: {{ business: \"{SHOP}\", note: \"SECRET note\" }}) {{ version }} }}");
    world.data(&ana, &note).await;
    // The catalog has another price by now, of which the cart warns.
    put(&world, "13.00", "9.50").await;
    let product = world.data(&world.admin(SHOP), &format!("{{ product(sku: \"{SKU}\") {{ id }} }}")).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let customer = text(&cart["customer"]);
    let mut writes = talk(&world, &customer).await;
    writes.extend(trade(&customer, ORDER));
    writes.extend(money(&customer));
    writes.extend(bills(&customer, PERIOD));
    // Whose projection it is does not matter to who reads.
    world.store.apply(writes, CARTS_PROJECTION, "cart/9", Checkpoint { lane_seq: 1, hint: 0 }).await.unwrap();
    let mine = "{ account { id } transfers { id } moneyRequests { id from } }";
    let mine = world.data(&ana, mine).await;
    Furnished {
        customer,
        product: text(&product["product"]["id"]),
        cart: text(&cart["id"]),
        order: global_id("order", ORDER),
        account: text(&mine["account"]["id"]),
        friend: text(&mine["moneyRequests"][0]["from"]),
        transfer: text(&mine["transfers"][0]["id"]),
        request: text(&mine["moneyRequests"][0]["id"]),
        world,
    }
}

/// Lists the product with all that may be said of one.
async fn put(world: &World, price: &str, sale_price: &str) {
    let query = format!(
        r#"mutation {{ productPut(input: {{
            sku: "{SKU}", title: "Café", description: "Roasted", link: "https://example.com/cafe",
            price: {{ amount: "{price}", currency: "BRL" }}, salePrice: {{ amount: "{sale_price}", currency: "BRL" }},
            imageLinks: ["https://example.com/cafe.jpg"], brand: "Feira", category: "Coffee", itemGroup: "cafe"
        }}) {{ userErrors {{ code message }} }} }}"#
    );
    let data = world.data(&world.admin(SHOP), &query).await;
    assert_eq!(data["productPut"]["userErrors"], serde_json::json!([]), "{data}");
}

/// The id that names something of the shop's everywhere.
pub fn global_id(kind: &str, key: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{kind}:{SHOP}/{key}"))
}

async fn seal(world: &World, customer: &str, field: &str, text: &str) -> Sealed<String> {
    let command = CommandId::derive(&TenantId::new(SHOP).unwrap(), "person:x", "seal", field);
    world.keyring.seal(&format!("{SHOP}/{customer}"), command.event(0), field, text).await.unwrap()
}

/// What stands once a customer has written and the shop has answered.
pub async fn talk(world: &World, customer: &str) -> Vec<Mutation> {
    let (sender, known): (Arc<str>, Arc<str>) = ("main".into(), customer.into());
    let aggregate = format!("thread:{}", thread_key("main", customer));
    // The window is open whenever this runs.
    let windows = Windows { window_until: Some(4_102_444_800_000), entry_pending_until: None, entry_until: None };
    let opened =
        ThreadOpened { sender: sender.clone(), customer: known.clone(), country: "BR".into(), by: Side::Customer };
    let received = MessageReceived {
        message: "m-SECRET-1".into(),
        seq: 1,
        sender: sender.clone(),
        customer: known.clone(),
        content: Content::Text { body: seal(world, customer, "text", "SECRET hello").await },
        referral: None,
        sent_at: AT,
        received_at: AT,
        windows,
        previous_at: None,
    };
    let sent = |message: &str, seq, previous_at, content| MessageSent {
        message: message.into(),
        seq,
        sender: sender.clone(),
        customer: known.clone(),
        country: "BR".into(),
        content,
        category: Category::Service,
        class: Class::Free,
        reason: ClassReason::InWindow,
        policy: "feira-1".into(),
        sent_at: AT + seq,
        windows,
        previous_at: Some(previous_at),
        facts: vec![],
    };
    let list = sent(
        "m-SECRET-2",
        2,
        AT,
        Content::ProductList {
            header: Some(seal(world, customer, "header", "SECRET list").await),
            sections: vec![Section { title: "".into(), skus: vec![SKU.into()] }],
        },
    );
    let details = sent("m-SECRET-3", 3, AT + 2, Content::OrderDetails { order: ORDER.into(), total: brl(1_250) });
    let registered = BusinessRegistered {
        name: "Feira Livre".into(),
        profile: Profile { about: Some("since 1904".into()), ..Profile::default() },
        country: "BR".into(),
        sandbox: true,
    };
    let metas = [1, 2, 3, 4].map(|seq| meta(SHOP, &aggregate, seq));
    [
        conversation::put_business(&meta(SHOP, "business:main", 1), &registered),
        conversation::put_thread(&metas[0], &opened),
    ]
    .into_iter()
    .chain(conversation::put_received(&metas[1], &received))
    .chain(conversation::put_sent(&metas[2], &list))
    .chain(conversation::put_sent(&metas[3], &details))
    .collect()
}

/// An order that was called off and given back.
pub fn trade(customer: &str, order: &str) -> Vec<Mutation> {
    let aggregate = format!("order:{order}");
    let placed = Order {
        order: order.into(),
        customer: customer.into(),
        thread: Some(thread_key("main", customer).into()),
        account: AccountId::new(0, "biz", SHOP).unwrap(),
        lines: vec![OrderLine { sku: SKU.into(), title: "SECRET title".into(), quantity: 1, unit_price: brl(1_250) }],
        total: brl(1_250),
        until: AT + 900_000,
    };
    let (first, second) = (meta(SHOP, &aggregate, 1), meta(SHOP, &aggregate, 2));
    let mut writes = rows::put_order(&first, &placed);
    let (code, message): (Arc<str>, Arc<str>) = ("OUT_OF_STOCK".into(), "SECRET reason".into());
    writes.push(rows::pay_order(&first, order, feira_events::order::PaymentStatus::Refunded, Some(50), Some(1_250)));
    writes.push(rows::cancel_order(&second, order, &code, &message, false));
    writes.push(stock::put_stock(&meta(SHOP, &format!("stock:{SKU}"), 1), SKU, Some(7)));
    writes
}

fn money(customer: &str) -> Vec<Mutation> {
    let [ana, bia] = ["ana", "carla"].map(|person| AccountId::new(0, "person", person).unwrap());
    let shop = AccountId::new(0, "biz", SHOP).unwrap();
    let meta = |seq| meta("platform", "shard:0", seq);
    let balance = |account: &AccountId| Balance {
        account: account.clone(),
        currency: "BRL".parse().unwrap(),
        debits_held: 100,
        debits: 50,
        credits_held: 0,
        credits: 12_345,
    };
    let transfer = |to: &AccountId, name: &str, purpose| Transfer {
        transfer: name.repeat(16).into(),
        from: ana.clone(),
        to: to.clone(),
        amount: brl(777),
        purpose,
        subject: None,
        customer: None,
        note: None,
        deadline: AT + 30_000,
    };
    let intent = Intent {
        intent: ORDER.into(),
        business: SHOP.into(),
        order: ORDER.into(),
        customer: customer.into(),
        account: shop.clone(),
        amount: brl(1_250),
    };
    let request = payments::RequestRow {
        request: "q-SECRET".into(),
        asker: ana.clone(),
        payer: bia.clone(),
        amount: brl(500),
        expires: AT + 86_400_000,
        state: RequestState::Open,
        transfer: None,
        reason: None,
        updated_at: AT,
    };
    let reason: Arc<str> = "EXPIRED".into();
    let (gift, paid) = (transfer(&bia, "a1", Purpose::Gift), transfer(&shop, "b2", Purpose::Order));
    let accounts = [&ana, &bia, &shop];
    let opened = accounts.map(|account| payments::put_account(&meta(1), account, "BRL", "BR-trial-2020"));
    let figures = accounts.map(|account| payments::put_balance(&meta(2), &balance(account)));
    let moved = [
        payments::put_transfer(&meta(3), &ana, &gift, TransferState::Returned, Some(&reason)),
        payments::put_transfer(&meta(4), &shop, &paid, TransferState::Settled, None),
    ];
    let options = opened.into_iter().chain(figures).chain(moved);
    options
        .flatten()
        .chain(payments::put_request(&meta(5), &request))
        .chain([
            payments::put_intent(&meta(6), &intent, AT + 900_000),
            payments::move_intent(&meta(7), &intent, IntentState::Captured, Some(50), None),
        ])
        .collect()
}

/// A month's invoice: one message, one payment fee.
pub fn bills(customer: &str, period: &str) -> Vec<Mutation> {
    let event = |seq| EventId(meta(SHOP, "usage:2023-11", seq).command_id.0);
    let message = MessageUsage {
        seq: 3,
        event_id: event(3),
        thread: thread_key("main", customer).into(),
        message: "m-SECRET-2".into(),
        class: Charged::Charged,
        category: Priced::Utility,
        country: "BR".into(),
        policy: "feira-1".into(),
        sent_at: AT,
        delivered_at: AT + 5,
    };
    let fee = PaymentFeeUsage {
        seq: 4,
        event_id: event(4),
        intent: ORDER.into(),
        order: ORDER.into(),
        amount: brl(1_250),
        fee: brl(50),
        fee_micro: 498_750,
        rate_bp: 399,
        captured_at: AT + 6,
    };
    let (from, until) = (1_698_796_800_000, 1_701_388_800_000);
    let messages = Line {
        line_id: "SECRET-line-1".into(),
        component: Component::Message,
        class: Charged::Charged,
        country: Some("BR".into()),
        category: Some(Priced::Utility),
        policy: Some("feira-1".into()),
        rule: Some(Rule {
            market: "Brazil".into(),
            category: Priced::Utility,
            valid_from: "2023-01-01".into(),
            source: "SECRET source".into(),
            confidence: "high".into(),
        }),
        rate_bp: None,
        quantity: 1,
        unit_price_micro: Some(8_000),
        exact_micro: 8_000,
        amount: usd(1),
        residual_micro: -2_000,
        collected: false,
        used_from: from,
        used_until: until,
        usage_fingerprint: "f1".into(),
    };
    let fees = Line {
        line_id: "SECRET-line-2".into(),
        component: Component::PaymentFee,
        country: None,
        category: None,
        policy: None,
        rule: None,
        rate_bp: Some(399),
        unit_price_micro: None,
        exact_micro: 498_750,
        amount: brl(50),
        residual_micro: -1_250,
        collected: true,
        ..messages.clone()
    };
    let total = |charged: Amount, collected: Amount| Total {
        charged,
        carried_in_micro: 0,
        carried: Amount::new(0, charged.currency),
        carried_out_micro: 0,
        due: charged,
        collected,
    };
    let document = Document {
        period: period.into(),
        from,
        until,
        lines: vec![messages, fees],
        totals: vec![total(usd(1), usd(0)), total(brl(0), brl(50))],
        card: Card { model: "PMP".into(), currency: "USD".into(), version: "2023-01-01".into(), hash: "c0".into() },
        usage: UsageStated { count: 2, fingerprint: "f2".into(), position: FactPosition { lane: 0, lane_seq: 9 } },
    };
    let meta = meta(SHOP, "invoice:main", 1);
    let used = [
        billing::put_message(&meta, &"conversation/0".into(), &message),
        billing::put_payment_fee(&meta, &"payments/0".into(), &fee),
    ];
    used.into_iter().chain(billing::put_invoice(&meta, &document, Some(1), &"5ec7e7".into())).collect()
}
