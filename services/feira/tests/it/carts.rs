//! Carts under many hands.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::client::codes;
use crate::platform::Platform;

pub async fn sixty_four_clients_of_one_cart_lose_nothing(platform: &mut Platform) {
    let admin = platform.admin("feira-livre").client().await;
    let skus: Vec<String> = (0..8).map(|i| format!("P{i}")).collect();
    for sku in &skus {
        admin.put(sku, "1.00", "BRL").await;
    }
    let ana = platform.consumer("ana").client().await;
    let clients = (0..64).map(|client| {
        let (ana, sku) = (ana.clone(), skus[client % 8].clone());
        async move {
            for _ in 0..10 {
                let added = ana.add("feira-livre", &sku, 1).await;
                assert_eq!(added["userErrors"], json!([]), "{added}");
            }
        }
    });
    join_all(clients.map(tokio::spawn)).await.into_iter().for_each(Result::unwrap);
    let last = ana.cart("cartRemoveItem", json!({ "business": "feira-livre", "sku": "P0" })).await;
    assert_eq!(last["version"], 64 * 10 + 1);
    let cart = ana.read_cart("feira-livre", &last["position"]).await;
    let quantities: Vec<&Value> = cart["lines"].as_array().unwrap().iter().map(|line| &line["quantity"]).collect();
    assert_eq!(quantities, vec![&json!(80); 7]);
}

pub async fn two_devices_adding_at_once_both_count(platform: &mut Platform) {
    platform.admin("feira-livre").put("CAFE", "1.00", "BRL").await;
    let (phone, laptop) = (platform.consumer("ana").client().await, platform.consumer("ana").client().await);
    for round in 1..=20 {
        let (one, other) = tokio::join!(phone.add("feira-livre", "CAFE", 1), laptop.add("feira-livre", "CAFE", 2));
        let quantity = |added: &Value| added["cart"]["lines"][0]["quantity"].as_i64().unwrap();
        assert_eq!(quantity(&one).max(quantity(&other)), round * 3);
    }
}

pub async fn a_cart_has_one_currency(platform: &mut Platform) {
    let admin = platform.admin("feira-livre").client().await;
    admin.put("CAFE", "1.00", "BRL").await;
    admin.put("CHAI", "50.00", "INR").await;
    let ana = platform.consumer("ana").client().await;
    ana.add("feira-livre", "CAFE", 1).await;
    assert_eq!(codes(&ana.add("feira-livre", "CHAI", 1).await), ["CURRENCY_MISMATCH"]);
    let huge = "92233720368547758.07";
    admin.put("OURO", huge, "BRL").await;
    assert_eq!(codes(&ana.add("feira-livre", "OURO", 1).await), ["AMOUNT_OVERFLOW"]);
}

pub async fn an_edit_can_be_taken_back_and_the_note_is_read_by_its_writer(platform: &mut Platform) {
    platform.admin("feira-livre").put("CAFE", "1.00", "BRL").await;
    let ana = platform.consumer("ana").client().await;
    ana.add("feira-livre", "CAFE", 2).await;
    ana.cart("cartRemoveItem", json!({ "business": "feira-livre", "sku": "CAFE" })).await;
    let undone = ana.cart("cartUndo", json!({ "business": "feira-livre" })).await;
    assert_eq!(undone["cart"]["lines"][0]["quantity"], 2);
    let note = "Sem sacola, por favor.";
    let noted = ana.cart("cartSetNote", json!({ "business": "feira-livre", "note": note })).await;
    assert_eq!(noted["cart"]["note"]["text"], note, "{noted}");
    let read = ana.read_cart("feira-livre", &noted["position"]).await;
    assert_eq!(read["note"]["text"], note);
    let covered = ana.cart("cartUndo", json!({ "business": "feira-livre", "edit": 99 })).await;
    assert_eq!(codes(&covered), ["UNKNOWN_EDIT"]);
}
