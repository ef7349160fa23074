//! The thin thread: a command in, its events on the log, its rows read.

use serde_json::{Value, json};

use crate::client::codes;
use crate::platform::{Platform, SHOPS};

pub async fn a_listed_product_is_added_and_read_at_the_position_of_the_add(platform: &mut Platform) {
    platform.admin("feira-livre").put("CAFE", "19.90", "BRL").await;
    let ana = platform.consumer("ana").client().await;
    // In the next moment, without a position: the cart knows what the catalog has acknowledged.
    let added = ana.add("feira-livre", "CAFE", 2).await;
    assert_eq!(added["userErrors"], json!([]), "{added}");
    assert_eq!(added["cart"]["subtotal"], json!({ "amount": "39.80", "currency": "BRL" }));
    assert_eq!(added["version"], 1);

    let cart = ana.read_cart("feira-livre", &added["position"]).await;
    let unit_price = json!({ "amount": "19.90", "currency": "BRL" });
    let line = json!({ "sku": "CAFE", "title": "Produto CAFE", "quantity": 2, "unitPrice": unit_price });
    assert_eq!(cart["lines"], json!([line]));
    assert_eq!(cart["undoable"], json!([1]));

    let unknown = ana.add("feira-livre", "CHÁ", 1).await;
    assert_eq!(codes(&unknown), ["UNKNOWN_PRODUCT"]);
    let too_many = ana.add("feira-livre", "CAFE", 98).await;
    assert_eq!(codes(&too_many), ["QUANTITY_LIMIT"]);
    assert_eq!(too_many["userErrors"][0]["field"], "quantity");
}

pub async fn what_was_written_can_be_read_at_its_position_every_time(platform: &mut Platform) {
    let admin = platform.admin("feira-livre").client().await;
    admin.put("CAFE", "1.00", "BRL").await;
    let ana = platform.consumer("ana").client().await;
    for quantity in 1..=40 {
        let added = ana.add("feira-livre", "CAFE", 1).await;
        let cart = ana.read_cart("feira-livre", &added["position"]).await;
        assert_eq!(cart["lines"][0]["quantity"], quantity);
        let price = format!("{quantity}.00");
        let put = admin.put("CAFE", &price, "BRL").await;
        assert_eq!(admin.products("feira-livre", &put["position"]).await, [("CAFE".to_owned(), price)]);
    }
}

pub async fn a_business_sees_nothing_of_another(platform: &mut Platform) {
    for (shop, currency) in SHOPS.into_iter().zip(["BRL", "INR"]) {
        platform.admin(shop).put("CAFE", "1.00", currency).await;
    }
    let ana = platform.consumer("ana").client().await;
    let mut customers = Vec::new();
    for shop in SHOPS {
        let added = ana.add(shop, "CAFE", 1).await;
        assert_eq!(added["userErrors"], json!([]), "{added}");
        customers.push(added["cart"]["customer"].as_str().unwrap().to_owned());
    }
    // One person is two strangers to two businesses.
    assert_ne!(customers[0], customers[1]);
    let agent = platform.agent("feira-livre").client().await;
    let own = "query($customer: String, $business: String) { cart(customer: $customer, business: $business) { lines { sku } } }";
    let seen = agent.ask(own, json!({ "customer": customers[0] })).await;
    assert_eq!(seen["cart"]["lines"], json!([{ "sku": "CAFE" }]));
    let hidden = agent.ask(own, json!({ "customer": customers[1] })).await;
    assert_ne!(hidden["cart"]["lines"], json!([{ "sku": "CAFE" }]));
    let refused = agent.try_ask(own, json!({ "customer": customers[1], "business": "mumbai-bazaar" })).await.unwrap();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
    let query = "mutation($input: ProductWithdrawInput!) { productWithdraw(input: $input) { version } }";
    let input = json!({ "sku": "CAFE", "business": "mumbai-bazaar" });
    let refused = agent.try_ask(query, json!({ "input": input })).await.unwrap();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
}

pub async fn a_restart_keeps_everything(platform: &mut Platform) {
    platform.admin("feira-livre").put("CAFE", "19.90", "BRL").await;
    let ana = platform.consumer("ana").client().await;
    let added = ana.add("feira-livre", "CAFE", 2).await;
    let before = ana.read_cart("feira-livre", &added["position"]).await;
    platform.down().await;
    platform.up().await;
    assert_eq!(ana.read_cart("feira-livre", &added["position"]).await, before);
    let more = ana.add("feira-livre", "CAFE", 1).await;
    assert_eq!((&more["version"], &more["cart"]["lines"][0]["quantity"]), (&json!(2), &json!(3)));
    assert_eq!(ana.products("feira-livre", &Value::Null).await.len(), 1);
}
