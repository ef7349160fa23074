//! Who sees what: every field that holds data, asked for as another business, as another person, and as nobody.

use serde_json::{Value, json};

use crate::support::{OTHER_SHOP, SHOP, World, world};

const PRODUCT: &str = "id business sku version listed updatedAt title description availability condition price { amount currency } salePrice { amount } currentPrice { amount } link imageLinks brand category itemGroup";
const CART: &str = "id business customer version updatedAt lines { sku title quantity unitPrice { amount } lineTotal { amount } priceNow { amount } product { sku } } subtotal { amount } note { text erased } undoable warnings { code target message }";

/// A shop with a product and a cart with a note in it, and the ids of both.
async fn furnished() -> (World, String, String, String) {
    let world = world().await;
    world.put(SHOP, "SECRET-1", "12.50").await;
    let ana = world.person("ana");
    let add = format!(
        "mutation {{ cartAddItem(input: {{ business: \"{SHOP}\", sku: \"SECRET-1\", quantity: 1 }}) {{ cart {{ id customer }} }} }}"
    );
    let cart = world.data(&ana, &add).await["cartAddItem"]["cart"].clone();
    let note =
        format!("mutation {{ cartSetNote(input: {{ business: \"{SHOP}\", note: \"SECRET note\" }}) {{ version }} }}");
    world.data(&ana, &note).await;
    let product =
        world.data(&world.admin(SHOP), "{ product(sku: \"SECRET-1\") { id } }").await["product"]["id"].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (world, text(&product), text(&cart["id"]), text(&cart["customer"]))
}

fn every_query(product: &str, cart: &str, customer: &str) -> Vec<String> {
    vec![
        format!("{{ product(business: \"{SHOP}\", sku: \"SECRET-1\") {{ {PRODUCT} }} }}"),
        format!(
            "{{ products(business: \"{SHOP}\", first: 5) {{ edges {{ cursor node {{ {PRODUCT} }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
        ),
        format!("{{ cart(business: \"{SHOP}\", customer: \"{customer}\") {{ {CART} }} }}"),
        format!("{{ node(id: \"{product}\") {{ id ... on Product {{ {PRODUCT} }} }} }}"),
        format!("{{ node(id: \"{cart}\") {{ id ... on Cart {{ {CART} }} }} }}"),
        format!(
            "{{ nodes(ids: [\"{product}\", \"{cart}\"]) {{ id ... on Product {{ sku title }} ... on Cart {{ note {{ text }} }} }} }}"
        ),
    ]
}

fn every_mutation(customer: &str) -> Vec<String> {
    let cart = format!("business: \"{SHOP}\", customer: \"{customer}\"");
    let price = "price: { amount: \"1\", currency: \"BRL\" }";
    vec![
        format!(
            "mutation {{ cartAddItem(input: {{ {cart}, sku: \"SECRET-1\", quantity: 1 }}) {{ cart {{ {CART} }} }} }}"
        ),
        format!(
            "mutation {{ cartSetQuantity(input: {{ {cart}, sku: \"SECRET-1\", quantity: 1 }}) {{ cart {{ {CART} }} }} }}"
        ),
        format!("mutation {{ cartRemoveItem(input: {{ {cart}, sku: \"SECRET-1\" }}) {{ cart {{ {CART} }} }} }}"),
        format!("mutation {{ cartSetNote(input: {{ {cart}, note: \"x\" }}) {{ cart {{ {CART} }} }} }}"),
        format!("mutation {{ cartUndo(input: {{ {cart} }}) {{ cart {{ {CART} }} }} }}"),
        format!(
            "mutation {{ productPut(input: {{ business: \"{SHOP}\", sku: \"SECRET-1\", title: \"x\", {price} }}) {{ product {{ {PRODUCT} }} }} }}"
        ),
        format!(
            "mutation {{ productSetPrice(input: {{ business: \"{SHOP}\", sku: \"SECRET-1\", {price} }}) {{ product {{ {PRODUCT} }} }} }}"
        ),
        format!(
            "mutation {{ productWithdraw(input: {{ business: \"{SHOP}\", sku: \"SECRET-1\" }}) {{ product {{ {PRODUCT} }} }} }}"
        ),
    ]
}

/// What is asked of talking, ordering, paying and billing where a business is named: nobody else's may be seen.
fn every_question_to_the_shop(customer: &str) -> Vec<String> {
    let order = node("order", "o-1");
    let message = "id seq from kind status sentAt class category text skus order";
    let thread = format!(
        "id business customer sender messageCount lastAt windowUntil classNow messages {{ edges {{ cursor node {{ {message} }} }} pageInfo {{ hasPreviousPage hasNextPage startCursor endCursor }} }}"
    );
    let ordered = "id business customer state paymentState total { amount } refunded { amount } payUntil placedAt cancelCode cancelMessage lines { sku title quantity unitPrice { amount } }";
    let shop = format!("business: \"{SHOP}\"");
    vec![
        format!("{{ business({shop}) {{ id name country sandbox }} }}"),
        format!("{{ thread({shop}, customer: \"{customer}\") {{ {thread} }} }}"),
        format!("{{ order({shop}, id: \"{order}\") {{ {ordered} }} }}"),
        format!("{{ orders({shop}, customer: \"{customer}\") {{ {ordered} }} }}"),
        format!("{{ stock({shop}, sku: \"SECRET-1\") {{ sku available }} }}"),
        format!(
            "mutation {{ cartCheckout(input: {{ {shop}, customer: \"{customer}\" }}) {{ order {{ id }} version }} }}"
        ),
        format!("mutation {{ orderPay(input: {{ {shop}, order: \"{order}\" }}) {{ transfer {{ id }} version }} }}"),
        format!("mutation {{ orderCancel(input: {{ {shop}, order: \"{order}\" }}) {{ order {{ id }} version }} }}"),
        format!(
            "mutation {{ contactAgree(input: {{ {shop}, customer: \"{customer}\", category: MARKETING, agree: true, source: \"x\" }}) {{ agreed version }} }}"
        ),
        format!("mutation {{ messageWrite(input: {{ {shop}, text: \"x\" }}) {{ message {{ id }} version }} }}"),
        format!(
            "mutation {{ messageReceipt(input: {{ {shop}, message: \"m\", status: READ }}) {{ message {{ id }} version }} }}"
        ),
    ]
}

/// What is asked of one's own business, or of one's own money: nobody who is not signed in has any.
fn every_question_of_ones_own(customer: &str) -> Vec<String> {
    let (order, money) = (node("order", "o-1"), "amount: { amount: \"1\", currency: \"BRL\" }");
    let changed = "version userErrors { code } position repeated";
    let invoice = "id period number hash from until card totals { currency charged carried due collected } lines { id component class country category quantity unitPrice ratePercent exact amount currency collected source explain { usage { lane seq } steps { finds how value } } }";
    let request = "id state to from amount { amount } expires";
    let transfer = "id state purpose from to amount { amount } reason";
    let mut all = vec![
        "{ threads { id } }".to_owned(),
        format!("{{ invoices {{ {invoice} }} }}"),
        format!("{{ invoice(period: \"2026-11\") {{ {invoice} }} }}"),
        "{ account { id available { amount } held { amount } regime } }".to_owned(),
        format!("{{ transfers {{ {transfer} }} }}"),
        format!("{{ moneyRequests {{ {request} }} }}"),
        format!("{{ moneyRequest(id: \"x\") {{ {request} }} }}"),
    ];
    let mutations = [
        "businessRegister(input: { name: \"x\", country: \"BR\" })".to_owned(),
        "businessSetProfile(input: { name: \"x\" })".to_owned(),
        "clockMove(input: { byMs: \"1\" })".to_owned(),
        "senderOpen(input: { displayName: \"x\" })".to_owned(),
        "templateCreate(input: { name: \"x\", language: \"pt\", category: UTILITY, body: \"x\" })".to_owned(),
        format!("messageSend(input: {{ customer: \"{customer}\", text: \"x\" }})"),
        "stockSet(input: { sku: \"x\", onHand: 1 })".to_owned(),
        format!("orderAdvance(input: {{ order: \"{order}\", to: SHIPPED }})"),
        format!("orderRefund(input: {{ order: \"{order}\" }})"),
        "accountOpen(input: {})".to_owned(),
        format!("accountFund(input: {{ account: \"x\", {money} }})"),
        format!("moneySend(input: {{ to: \"x\", {money} }})"),
        "transferCancel(input: { transfer: \"x\" })".to_owned(),
        format!("moneyRequest(input: {{ from: \"x\", {money} }})"),
        "moneyRequestApprove(input: { request: \"x\" })".to_owned(),
        "moneyRequestDecline(input: { request: \"x\" })".to_owned(),
        "moneyRequestWithdraw(input: { request: \"x\" })".to_owned(),
        "invoiceDraft(input: { period: \"2026-11\" })".to_owned(),
        "invoiceIssue(input: { period: \"2026-11\" })".to_owned(),
    ];
    all.extend(mutations.iter().map(|mutation| format!("mutation {{ {mutation} {{ {changed} }} }}")));
    all
}

/// The id of something of the shop's.
fn node(kind: &str, key: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("{kind}:{SHOP}/{key}"))
}

#[tokio::test]
async fn of_talk_orders_and_money_others_and_nobody_see_and_change_nothing() {
    let (world, _, _, customer) = furnished().await;
    let sent = world.owners.seen().len();
    let strangers = [Some(world.admin(OTHER_SHOP)), Some(world.agent(OTHER_SHOP)), None];
    for question in every_question_to_the_shop(&customer) {
        for stranger in &strangers {
            let reply = world.post(stranger.as_deref(), &json!({ "query": question }), &[]).await;
            let expected = if stranger.is_none() { "UNAUTHENTICATED" } else { "FORBIDDEN" };
            assert_eq!(reply.codes(), [expected], "{question}: {}", reply.text());
            assert!(!has_data(&reply.json()["data"]), "{question}");
        }
    }
    for question in every_question_of_ones_own(&customer) {
        let reply = world.post(None, &json!({ "query": question }), &[]).await;
        assert_eq!(reply.codes(), ["UNAUTHENTICATED"], "{question}: {}", reply.text());
        if question.contains("accountOpen") {
            // The one thing that anybody who is signed in can have here: an account of their own.
            continue;
        }
        // A person has no business, and only who runs the platform puts money into accounts.
        let reply = world.ask(&world.person("bia"), &question).await;
        let own = ["account", "transfer", "money"].iter().any(|own| question.contains(own));
        assert!(own || !reply.codes().is_empty(), "{question}: {}", reply.text());
        assert!(!question.contains("accountFund") || reply.codes() == ["FORBIDDEN"]);
    }
    assert_eq!(world.owners.seen().len(), sent, "nothing may reach an owner");
}

/// Whether anything but null stands under `data`.
fn has_data(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().any(has_data),
        Value::Object(fields) => fields.values().any(has_data),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

#[tokio::test]
async fn the_walk_reaches_every_field_of_every_type() {
    // What the walk does not name would not be walked: the schema says whether anything is missing.
    let (world, product, cart, customer) = furnished().await;
    let walked = every_query(&product, &cart, &customer).concat()
        + &every_mutation(&customer).concat()
        + &every_question_to_the_shop(&customer).concat()
        + &every_question_of_ones_own(&customer).concat();
    let query = "{ __schema { types { name fields { name } } } }";
    let types = world.data(&world.admin(SHOP), query).await["__schema"]["types"].clone();
    let kinds = [
        "Product",
        "Cart",
        "CartLine",
        "CartNote",
        "Warning",
        "Query",
        "Mutation",
        "ProductEdge",
        "PageInfo",
        "Thread",
        "Message",
        "Order",
        "OrderedLine",
        "Account",
        "Transfer",
        "MoneyRequest",
        "Invoice",
        "InvoiceLine",
    ];
    for kind in kinds {
        let found = types.as_array().unwrap().iter().find(|known| known["name"] == kind).unwrap();
        for field in found["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            assert!(name == "viewer" || walked.contains(name), "{kind}.{name} is not asked for");
        }
    }
    for query in every_query(&product, &cart, &customer) {
        assert!(has_data(&world.data(&world.admin(SHOP), &query).await), "{query} shows its own business nothing");
    }
}

#[tokio::test]
async fn another_business_and_nobody_see_nothing_and_change_nothing() {
    let (world, product, cart, customer) = furnished().await;
    let sent = world.owners.seen().len();
    let strangers = [Some(world.admin(OTHER_SHOP)), Some(world.agent(OTHER_SHOP)), Some(world.operator()), None];
    for stranger in &strangers {
        for query in every_query(&product, &cart, &customer).into_iter().chain(every_mutation(&customer)) {
            let reply = world.post(stranger.as_deref(), &json!({ "query": query }), &[]).await;
            let body = reply.json();
            assert!(!has_data(&body["data"]), "{query}: {body}");
            assert!(!reply.text().contains("SECRET note"));
            let expected = if stranger.is_none() { "UNAUTHENTICATED" } else { "FORBIDDEN" };
            let by_id = query.contains("node(") || query.contains("nodes(");
            assert!(by_id && stranger.is_some() || reply.codes() == [expected], "{query}: {body}");
        }
    }
    assert_eq!(world.owners.seen().len(), sent, "nothing may reach an owner");
}

#[tokio::test]
async fn another_person_sees_the_catalog_but_no_cart() {
    let (world, product, cart, customer) = furnished().await;
    let bia = world.person("bia");
    for query in every_query(&product, &cart, &customer) {
        let body = world.ask(&bia, &query).await.json();
        let of_cart = query.contains("cart(") || query.contains("Cart");
        assert!(!body["data"].to_string().contains("SECRET note"));
        assert_eq!(has_data(&body["data"]), !of_cart || query.contains("nodes("), "{query}: {body}");
    }
    let sent = world.owners.seen().len();
    for mutation in every_mutation(&customer) {
        assert_eq!(world.ask(&bia, &mutation).await.codes(), ["FORBIDDEN"]);
    }
    assert_eq!(world.owners.seen().len(), sent);
}

#[tokio::test]
async fn roles_open_what_the_table_says() {
    let (world, product, cart, customer) = furnished().await;
    let queries = every_query(&product, &cart, &customer);
    let analyst = world.analyst(SHOP);
    assert!(has_data(&world.data(&analyst, &queries[0]).await));
    assert_eq!(world.ask(&analyst, &queries[2]).await.codes(), ["FORBIDDEN"]);
    assert!(!has_data(&world.ask(&analyst, &queries[4]).await.json()["data"]));
    let mutations = every_mutation(&customer);
    for mutation in &mutations {
        assert_eq!(world.ask(&analyst, mutation).await.codes(), ["FORBIDDEN"]);
    }
    for keeping in &mutations[5..] {
        assert_eq!(world.ask(&world.agent(SHOP), keeping).await.codes(), ["FORBIDDEN"]);
    }
    assert!(world.ask(&world.agent(SHOP), &mutations[0]).await.codes().is_empty());
}

#[tokio::test]
async fn a_business_never_learns_who_a_person_is() {
    let (world, ..) = furnished().await;
    let sent = world.owners.seen();
    let by_ana: Vec<_> = sent.iter().filter(|command| command.aggregate.kind_name() == "cart").collect();
    assert_eq!(by_ana.len(), 2);
    for command in by_ana {
        assert_eq!(command.aggregate.key(), &*command.principal.id);
        assert!(command.principal.id.starts_with("BR.") && !command.principal.to_string().contains("ana"));
    }
    let reply = world.ask(&world.person("ana"), "{ products { edges { cursor } } }").await;
    assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "a person names the business");
}
