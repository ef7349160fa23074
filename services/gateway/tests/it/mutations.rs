//! Changing: one command each, its first answer however often it is sent, and what the caller can mend.

use feira_runtime::{Accepted, Answer};
use feira_sealing::Keyring;
use serde_json::{Value, json};

use crate::support::{SHOP, world};

fn add(sku: &str, quantity: i32, more: &str) -> String {
    format!(
        "mutation {{ cartAddItem(input: {{ business: \"{SHOP}\", sku: \"{sku}\", quantity: {quantity} {more} }}) {{ cart {{ id customer version lines {{ sku quantity unitPrice {{ amount currency }} lineTotal {{ amount }} }} subtotal {{ amount currency }} undoable }} version userErrors {{ code field message }} warnings {{ code target }} position repeated }} }}"
    )
}

#[tokio::test]
async fn what_is_put_in_is_there_at_the_position_given() {
    let world = world().await;
    world.put(SHOP, "CAFE-250", "12.50").await;
    let ana = world.person("ana");
    let payload = world.data(&ana, &add("CAFE-250", 2, "")).await["cartAddItem"].clone();
    assert_eq!(payload["userErrors"], json!([]));
    assert_eq!((&payload["version"], &payload["repeated"]), (&json!(1), &json!(false)));
    assert_eq!(payload["cart"]["subtotal"], json!({ "amount": "25.00", "currency": "BRL" }));
    assert!(payload["cart"]["customer"].as_str().unwrap().starts_with("BR."));
    let query = format!(
        "{{ cart(business: \"{SHOP}\", position: {}) {{ id version customer lines {{ sku quantity unitPrice {{ amount currency }} lineTotal {{ amount }} }} subtotal {{ amount currency }} undoable }} }}",
        payload["position"]
    );
    assert_eq!(world.data(&ana, &query).await["cart"], payload["cart"]);
}

#[tokio::test]
async fn the_same_command_is_decided_once_and_with_other_content_is_a_mistake() {
    let world = world().await;
    world.put(SHOP, "CAFE-250", "12.50").await;
    let ana = world.person("ana");
    let named = ", commandId: \"tap-1\"";
    let first = world.data(&ana, &add("CAFE-250", 1, named)).await["cartAddItem"].clone();
    let again = world.data(&ana, &add("CAFE-250", 1, named)).await["cartAddItem"].clone();
    assert_eq!((&again["repeated"], &again["position"]), (&json!(true), &first["position"]));
    let other = world.data(&ana, &add("CAFE-250", 3, named)).await["cartAddItem"].clone();
    assert_eq!(
        (&other["userErrors"][0]["code"], &other["userErrors"][0]["field"]),
        (&json!("IDEMPOTENCY_KEY_REUSED"), &json!("commandId"))
    );
    // By the header it is the same command.
    let by_header =
        world.post(Some(&ana), &json!({ "query": add("CAFE-250", 1, "") }), &[("idempotency-key", "tap-1")]).await;
    assert_eq!(by_header.json()["data"]["cartAddItem"]["repeated"], json!(true));
    // Another person's key is another command.
    assert_eq!(
        world.data(&world.person("bia"), &add("CAFE-250", 1, named)).await["cartAddItem"]["repeated"],
        json!(false)
    );
}

#[tokio::test]
async fn a_command_is_told_the_version_it_made_and_shown_the_cart_as_it_is() {
    let world = world().await;
    let ana = world.person("ana");
    // Two others were decided in the same moment: the owner's view has them too.
    let view = json!({ "customer": "BR.1", "version": 7, "lines": [], "note": null, "subtotal": null, "undoable": [] });
    world.owners.answer_next(Answer::Accepted(Accepted {
        position: "cart/0:9".parse().unwrap(),
        version: 5,
        events: vec![],
        view: view.to_string().into(),
        repeated: false,
    }));
    let payload = world.data(&ana, &add("CAFE-250", 1, "")).await["cartAddItem"].clone();
    assert_eq!((&payload["version"], &payload["cart"]["version"]), (&json!(5), &json!(7)));
}

#[tokio::test]
async fn one_key_for_two_carts_makes_two_commands() {
    let world = world().await;
    world.put(SHOP, "CAFE-250", "12.50").await;
    let agent = world.agent(SHOP);
    for customer in ["BR.1", "BR.2"] {
        let named = format!(", commandId: \"tap-1\", customer: \"{customer}\"");
        let payload = world.data(&agent, &add("CAFE-250", 1, &named)).await["cartAddItem"].clone();
        assert_eq!((&payload["userErrors"], &payload["repeated"]), (&json!([]), &json!(false)));
    }
    let ids: Vec<_> = world.owners.seen().iter().rev().take(2).map(|command| command.command_id).collect();
    assert_ne!(ids[0], ids[1], "each lane remembers ids for itself");
}

#[tokio::test]
async fn what_the_caller_can_mend_is_said_beside_the_field() {
    let world = world().await;
    world.put(SHOP, "CAFE-250", "12.50").await;
    let ana = world.person("ana");
    let unknown = world.data(&ana, &add("NO-SUCH", 1, "")).await["cartAddItem"].clone();
    assert_eq!(
        unknown["userErrors"][0],
        json!({ "code": "UNKNOWN_PRODUCT", "field": "sku", "message": "it cannot be" })
    );
    assert!(unknown["cart"].is_null() && unknown["position"].is_string());
    let conflict = world.data(&ana, &add("CAFE-250", 1, ", expectedVersion: 7")).await["cartAddItem"].clone();
    assert_eq!(conflict["userErrors"][0]["code"], "CONFLICT");
    assert!(conflict["userErrors"][0]["message"].as_str().unwrap().contains("version 0"));
    let key = world.data(&ana, &add("CAFE-250", 1, ", commandId: \"\"")).await["cartAddItem"].clone();
    assert_eq!(key["userErrors"][0]["code"], "INVALID_COMMAND_ID");
    let admin = world.admin(SHOP);
    let put = async |sku: &str, price: &str, currency: &str, sale: &str| {
        let query = format!(
            "mutation {{ productPut(input: {{ sku: \"{sku}\", title: \"x\", price: {{ amount: \"{price}\", currency: \"{currency}\" }}, salePrice: {sale} }}) {{ userErrors {{ code field }} }} }}"
        );
        let data = world.data(&admin, &query).await;
        let error = data["productPut"]["userErrors"][0].clone();
        (error["code"].as_str().unwrap_or("").to_owned(), error["field"].as_str().unwrap_or("").to_owned())
    };
    let error = |code: &str, field: &str| (code.to_owned(), field.to_owned());
    assert_eq!(put("A", "1.999", "BRL", "null").await, error("INVALID_AMOUNT", "price.amount"));
    assert_eq!(put("A", "99999999999999999999", "BRL", "null").await, error("INVALID_AMOUNT", "price.amount"));
    assert_eq!(put("A", "1e3", "BRL", "null").await, error("INVALID_AMOUNT", "price.amount"));
    assert_eq!(put("A", "1", "XXX", "null").await, error("UNKNOWN_CURRENCY", "price.currency"));
    let sale = "{ amount: \"0.5\", currency: \"JPY\" }";
    assert_eq!(put("A", "1", "BRL", sale).await, error("INVALID_AMOUNT", "salePrice.amount"));
    assert_eq!(put(" A", "1", "BRL", "null").await, error("INVALID_SKU", "sku"));
    assert_eq!(put("A", "1", "BRL", "null, availability: UNKNOWN").await, error("UNKNOWN_VALUE", "availability"));
    assert_eq!(put("A", "1", "BRL", "null").await, error("", ""));
}

#[tokio::test]
async fn what_nobody_can_mend_is_an_error_of_its_own_field() {
    let world = world().await;
    world.put(SHOP, "CAFE-250", "12.50").await;
    let ana = world.person("ana");
    let cases = [
        (Answer::TimedOut, "TIMEOUT"),
        (Answer::Overloaded, "THROTTLED"),
        (Answer::NotReady, "UNAVAILABLE"),
        (Answer::Moved { owner: None, term: 3 }, "UNAVAILABLE"),
        (Answer::FactsUnavailable { reason: "offers".into() }, "UNAVAILABLE"),
        (Answer::Forbidden, "FORBIDDEN"),
        (Answer::Poison { reason: "secret inside".into() }, "INTERNAL_SERVER_ERROR"),
    ];
    for (answer, code) in cases {
        world.owners.answer_next(answer);
        let reply = world.ask(&ana, &add("CAFE-250", 1, "")).await;
        assert_eq!(reply.codes(), [code]);
        assert_eq!(reply.json()["data"], json!({ "cartAddItem": null }));
        assert!(!reply.text().contains("secret"), "{}", reply.text());
    }
}

#[tokio::test]
async fn one_mutation_that_fails_leaves_the_others_standing() {
    let world = world().await;
    world.put(SHOP, "CAFE-250", "12.50").await;
    let query = format!(
        "mutation {{ a: cartAddItem(input: {{ business: \"{SHOP}\", sku: \"CAFE-250\", quantity: 1 }}) {{ version }} b: productWithdraw(input: {{ business: \"{SHOP}\", sku: \"CAFE-250\" }}) {{ version }} }}"
    );
    let reply = world.ask(&world.person("ana"), &query).await;
    assert_eq!(reply.codes(), ["FORBIDDEN"]);
    assert_eq!(reply.json()["data"], json!({ "a": { "version": 1 }, "b": null }));
}

#[tokio::test]
async fn carts_warn_of_what_the_catalog_says_now() {
    let world = world().await;
    for sku in ["A", "B", "C", "D"] {
        world.put(SHOP, sku, "10.00").await;
        world.data(&world.person("ana"), &add(sku, 1, "")).await;
    }
    let admin = world.admin(SHOP);
    let put = |sku: &str, more: &str| {
        format!(
            "mutation {{ productPut(input: {{ sku: \"{sku}\", title: \"x\", price: {{ amount: \"10.00\", currency: \"BRL\" }} {more} }}) {{ version }} }}"
        )
    };
    world.data(&admin, &put("B", ", salePrice: { amount: \"8.00\", currency: \"BRL\" }")).await;
    world.data(&admin, &put("C", ", availability: OUT_OF_STOCK")).await;
    world.data(&admin, "mutation { productWithdraw(input: { sku: \"D\" }) { product { listed } } }").await;
    let query = format!(
        "{{ cart(business: \"{SHOP}\") {{ warnings {{ code target }} lines {{ sku priceNow {{ amount }} product {{ sku }} }} }} }}"
    );
    let cart = world.data(&world.person("ana"), &query).await["cart"].clone();
    let warning = |code: &str, target: &str| json!({ "code": code, "target": target });
    assert_eq!(
        cart["warnings"],
        json!([warning("PRICE_CHANGED", "B"), warning("OUT_OF_STOCK", "C"), warning("NO_LONGER_SOLD", "D")])
    );
    assert_eq!(cart["lines"][1]["priceNow"], json!({ "amount": "8.00" }));
    assert_eq!(cart["lines"][3], json!({ "sku": "D", "priceNow": null, "product": null }));
}

#[tokio::test]
async fn a_note_leaves_the_gateway_sealed_and_is_read_by_who_may() {
    let world = world().await;
    let ana = world.person("ana");
    let note = |text: &str, key: &str| {
        format!(
            "mutation {{ cartSetNote(input: {{ business: \"{SHOP}\", note: \"{text}\", commandId: \"{key}\" }}) {{ cart {{ customer note {{ text erased }} }} repeated userErrors {{ code field }} }} }}"
        )
    };
    let payload = world.data(&ana, &note("sem açúcar", "n1")).await["cartSetNote"].clone();
    assert_eq!(payload["cart"]["note"], json!({ "text": "sem açúcar", "erased": false }));
    let sent = world.owners.seen().pop().unwrap();
    assert!(!String::from_utf8_lossy(&sent.input).contains("car"), "the owner must not see the note open");
    // The same command again has the same bytes; with another text it is a mistake.
    assert_eq!(world.data(&ana, &note("sem açúcar", "n1")).await["cartSetNote"]["repeated"], json!(true));
    assert_eq!(
        world.data(&ana, &note("com leite", "n1")).await["cartSetNote"]["userErrors"][0]["code"],
        "IDEMPOTENCY_KEY_REUSED"
    );
    let customer = payload["cart"]["customer"].as_str().unwrap();
    let query = format!("{{ cart(customer: \"{customer}\") {{ note {{ text }} }} }}");
    assert_eq!(world.data(&world.agent(SHOP), &query).await["cart"]["note"]["text"], "sem açúcar");
    world.keyring.destroy(&format!("{SHOP}/{customer}")).await.unwrap();
    let erased = world.data(&world.agent(SHOP), &query.replace("text", "text erased")).await["cart"]["note"].clone();
    assert_eq!(erased, json!({ "text": null, "erased": true }));
    let refused = world.data(&ana, &note("again", "n4")).await["cartSetNote"]["userErrors"][0]["code"].clone();
    assert_eq!(refused, "CUSTOMER_ERASED");
    let long = world.data(&ana, &note(&"x".repeat(2_001), "n2")).await["cartSetNote"]["userErrors"][0].clone();
    assert_eq!(long, json!({ "code": "NOTE_TOO_LONG", "field": "note" }));
    let gone = world.data(&ana, &note("", "n3")).await["cartSetNote"]["cart"]["note"].clone();
    assert_eq!(gone, Value::Null);
}

#[tokio::test]
async fn a_product_is_put_priced_and_withdrawn() {
    let world = world().await;
    let admin = world.admin(SHOP);
    world.put(SHOP, "CAFE-250", "12.50").await;
    let price = "mutation { productSetPrice(input: { sku: \"CAFE-250\", price: { amount: \"13\", currency: \"BRL\" } }) { product { price { amount } currentPrice { amount } salePrice { amount } version } version warnings { code } } }";
    let payload = world.data(&admin, price).await["productSetPrice"].clone();
    assert_eq!(
        payload["product"],
        json!({ "price": { "amount": "13.00" }, "currentPrice": { "amount": "13.00" }, "salePrice": null, "version": 2 })
    );
    let withdraw = "mutation { productWithdraw(input: { sku: \"CAFE-250\", expectedVersion: 2 }) { product { listed version } userErrors { code } position } }";
    let payload = world.data(&admin, withdraw).await["productWithdraw"].clone();
    assert_eq!(payload["product"], json!({ "listed": false, "version": 3 }));
    let query = format!("{{ product(sku: \"CAFE-250\", position: {}) {{ sku }} }}", payload["position"]);
    assert_eq!(world.data(&admin, &query).await["product"], Value::Null);
}
