//! Command ids: decided once, for ever.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::client::{Client, codes};
use crate::platform::Platform;

/// Sends one command a thousand times by sixteen clients; the answers, each kind once.
async fn a_thousand_times(ana: &Client) -> Vec<Value> {
    let clients = (0..16).map(|_| {
        let ana = ana.clone();
        async move {
            let mut answers = Vec::new();
            for _ in 0..63 {
                let input = json!({ "business": "feira-livre", "sku": "CAFE", "quantity": 1, "commandId": "one-tap" });
                let added = ana.cart("cartAddItem", input).await;
                assert_eq!(added["userErrors"], json!([]), "{added}");
                answers.push(added);
            }
            answers
        }
    });
    join_all(clients.map(tokio::spawn)).await.into_iter().flat_map(Result::unwrap).collect()
}

pub async fn one_id_sent_a_thousand_times_is_decided_once_before_and_after_a_restart(platform: &mut Platform) {
    platform.admin("feira-livre").put("CAFE", "1.00", "BRL").await;
    let ana = platform.consumer("ana").client().await;
    let first = a_thousand_times(&ana).await;
    assert_eq!(first.iter().filter(|answer| answer["repeated"] == json!(false)).count(), 1);
    platform.down().await;
    platform.up().await;
    let second = a_thousand_times(&ana).await;
    for answer in first.iter().chain(&second) {
        assert_eq!((&answer["version"], &answer["position"]), (&json!(1), &first[0]["position"]));
    }
    assert!(second.iter().all(|answer| answer["repeated"] == json!(true)));
    assert_eq!(platform.count("cart", "ItemAdded").await, 1);
}

pub async fn one_id_with_two_contents_is_a_mistake_of_the_caller(platform: &mut Platform) {
    platform.admin("feira-livre").put("CAFE", "1.00", "BRL").await;
    let ana = platform.consumer("ana").client().await;
    let add = |quantity| json!({ "business": "feira-livre", "sku": "CAFE", "quantity": quantity, "commandId": "tap" });
    assert_eq!(codes(&ana.cart("cartAddItem", add(1)).await), Vec::<&str>::new());
    assert_eq!(codes(&ana.cart("cartAddItem", add(2)).await), ["IDEMPOTENCY_KEY_REUSED"]);
    // A refusal is an answer too, and stays the same one.
    let refused = json!({ "business": "feira-livre", "sku": "NADA", "quantity": 1, "commandId": "other" });
    assert_eq!(codes(&ana.cart("cartAddItem", refused.clone()).await), ["UNKNOWN_PRODUCT"]);
    platform.admin("feira-livre").put("NADA", "1.00", "BRL").await;
    assert_eq!(codes(&ana.cart("cartAddItem", refused).await), ["UNKNOWN_PRODUCT"]);
    let mut stale = add(1);
    stale["commandId"] = json!("third");
    stale["expectedVersion"] = json!(7);
    assert_eq!(codes(&ana.cart("cartAddItem", stale).await), ["CONFLICT"]);
}
