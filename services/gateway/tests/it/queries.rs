//! Reading: pages in both directions, carts, nodes, positions, and how often the store is asked.

use feira_gateway::GatewayConfig;
use feira_projection_store::{Checkpoint, Store};
use feira_rows::CARTS_PROJECTION;
use serde_json::{Value, json};

use crate::support::furnished::{PERIOD, SKU, bills, furnished, global_id, talk, trade};
use crate::support::{SHOP, World, world};

async fn shop_with(products: usize) -> (World, String) {
    let world = world().await;
    for number in 0..products {
        world.put(SHOP, &format!("SKU-{number:03}"), "10.00").await;
    }
    let token = world.admin(SHOP);
    (world, token)
}

async fn page(world: &World, token: &str, arguments: &str) -> Value {
    let query = format!(
        "{{ products({arguments}) {{ edges {{ cursor node {{ sku }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    world.data(token, &query).await["products"].clone()
}

fn skus(page: &Value) -> Vec<String> {
    let edges = page["edges"].as_array().unwrap();
    edges.iter().map(|edge| edge["node"]["sku"].as_str().unwrap().to_owned()).collect()
}

fn turns(page: &Value) -> (bool, bool) {
    let info = &page["pageInfo"];
    (info["hasPreviousPage"].as_bool().unwrap(), info["hasNextPage"].as_bool().unwrap())
}

#[tokio::test]
async fn a_list_read_page_by_page_is_whole_in_both_directions() {
    let (world, token) = shop_with(47).await;
    let (mut forward, mut after) = (Vec::new(), String::new());
    loop {
        let page = page(&world, &token, &format!("first: 10 {after}")).await;
        assert_eq!(turns(&page), (!forward.is_empty(), forward.len() + 10 < 47));
        forward.extend(skus(&page));
        if !turns(&page).1 {
            break;
        }
        after = format!("after: {}", page["pageInfo"]["endCursor"]);
    }
    let (mut backward, mut before) = (Vec::new(), String::new());
    loop {
        let page = page(&world, &token, &format!("last: 9 {before}")).await;
        assert_eq!(turns(&page), (backward.len() + 9 < 47, !backward.is_empty()));
        backward.splice(0..0, skus(&page));
        if !turns(&page).0 {
            break;
        }
        before = format!("before: {}", page["pageInfo"]["startCursor"]);
    }
    assert_eq!(forward, backward);
    let mut all = forward.clone();
    all.sort();
    all.dedup();
    assert_eq!((all.len(), forward.len()), (47, 47));
}

#[tokio::test]
async fn a_page_between_two_places_holds_what_is_between() {
    let (world, token) = shop_with(12).await;
    let all = page(&world, &token, "first: 100").await;
    let cursor = |at: usize| all["edges"][at]["cursor"].as_str().unwrap().to_owned();
    let between =
        page(&world, &token, &format!("first: 100, after: \"{}\", before: \"{}\"", cursor(2), cursor(7))).await;
    assert_eq!(skus(&between), skus(&all)[3..7]);
    let swapped =
        page(&world, &token, &format!("first: 100, after: \"{}\", before: \"{}\"", cursor(7), cursor(2))).await;
    assert!(skus(&swapped).is_empty());
    let end = page(&world, &token, &format!("first: 5, after: \"{}\"", cursor(11))).await;
    assert_eq!((skus(&end).len(), turns(&end)), (0, (true, false)));
}

#[tokio::test]
async fn wrong_pages_are_refused_in_words() {
    let (world, token) = shop_with(1).await;
    for arguments in ["first: 0", "first: 101", "last: -1", "first: 1, last: 1", "after: \"AAAA\"", "before: \"\""] {
        let reply = world.ask(&token, &format!("{{ products({arguments}) {{ edges {{ cursor }} }} }}")).await;
        assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{arguments}");
    }
}

#[tokio::test]
async fn an_unknown_product_is_none_and_an_untouched_cart_is_empty() {
    let (world, _) = shop_with(0).await;
    let data = world.data(&world.person("ana"), &format!(
        "{{ product(business: \"{SHOP}\", sku: \"no such\") {{ sku }} cart(business: \"{SHOP}\") {{ version lines {{ sku }} subtotal {{ amount }} note {{ text }} undoable warnings {{ code }} }} }}"
    )).await;
    assert_eq!(data["product"], Value::Null);
    let empty = json!({ "version": 0, "lines": [], "subtotal": null, "note": null, "undoable": [], "warnings": [] });
    assert_eq!(data["cart"], empty);
}

#[tokio::test]
async fn what_can_be_no_id_names_nothing() {
    let (world, token) = shop_with(0).await;
    for sku in ["", " ", &"x".repeat(70_000)] {
        assert_eq!(
            world.data(&token, &format!("{{ product(sku: \"{sku}\") {{ sku }} }}")).await["product"],
            Value::Null
        );
    }
    for customer in ["", " ", &"x".repeat(70_000)] {
        let reply = world.ask(&token, &format!("{{ cart(customer: \"{customer}\") {{ version }} }}")).await;
        assert_eq!(reply.codes(), ["BAD_USER_INPUT"]);
    }
}

#[tokio::test]
async fn ids_wait_only_for_the_kinds_that_they_name() {
    let (world, token) = shop_with(1).await;
    let id = world.data(&token, "{ product(sku: \"SKU-000\") { id } }").await["product"]["id"].clone();
    let query = json!({ "query": format!("{{ node(id: {id}) {{ id }} }}") });
    let at = async |position| world.post(Some(&token), &query, &[("x-feira-position", position)]).await.codes();
    assert_eq!(at("cart/0:9999").await, [""; 0]);
    assert_eq!(at("catalog/0:9999").await, ["PROJECTION_LAG"]);
}

#[tokio::test]
async fn carts_named_by_id_are_loaded_together() {
    let (world, token) = shop_with(1).await;
    let mut ids = Vec::new();
    for number in 1..=20 {
        let add = format!(
            "mutation {{ cartAddItem(input: {{ customer: \"BR.{number}\", sku: \"SKU-000\", quantity: {number} }}) {{ cart {{ id }} }} }}"
        );
        ids.push(world.data(&token, &add).await["cartAddItem"]["cart"]["id"].clone());
    }
    world.store.reads();
    let data =
        world.data(&token, &format!("{{ nodes(ids: {}) {{ id ... on Cart {{ customer }} }} }}", json!(ids))).await;
    assert_eq!(world.store.reads(), 1);
    let customers: Vec<_> =
        (1..=20).map(|number| json!({ "id": ids[number - 1], "customer": format!("BR.{number}") })).collect();
    assert_eq!(data["nodes"], json!(customers));
}

#[tokio::test]
async fn ids_lead_back_to_what_they_name() {
    let (world, token) = shop_with(2).await;
    let id = world.data(&token, "{ product(sku: \"SKU-001\") { id } }").await["product"]["id"].clone();
    let query = format!(
        "{{ node(id: {id}) {{ id ... on Product {{ sku }} }} nodes(ids: [{id}, \"nothing\", {id}]) {{ id }} }}"
    );
    let data = world.data(&token, &query).await;
    assert_eq!(data["node"], json!({ "id": id, "sku": "SKU-001" }));
    assert_eq!(data["nodes"], json!([{ "id": id }, null, { "id": id }]));
}

#[tokio::test]
async fn a_query_at_a_position_that_is_not_reached_says_so_beside_the_data() {
    let (world, token) = shop_with(3).await;
    let query = "{ product(sku: \"SKU-001\", position: \"catalog/0:9999,cart/0:7\") { sku } }";
    let reply = world.ask(&token, query).await;
    assert_eq!(reply.codes(), ["PROJECTION_LAG"]);
    assert_eq!(reply.json()["data"]["product"]["sku"], "SKU-001");
    // Of a service that the projection does not take in, nothing is waited for.
    let others = "{ product(sku: \"SKU-001\", position: \"cart/0:9999\") { sku } }";
    assert_eq!(world.data(&token, others).await["product"]["sku"], "SKU-001");
    let by_header = world
        .post(
            Some(&token),
            &json!({ "query": "{ product(sku: \"SKU-001\") { sku } }" }),
            &[("x-feira-position", "catalog/0:9999")],
        )
        .await;
    assert_eq!(by_header.codes(), ["PROJECTION_LAG"]);
    for position in ["nonsense", "catalog/2000:1", "catalog/0:-1"] {
        let reply =
            world.ask(&token, &format!("{{ product(sku: \"SKU-001\", position: \"{position}\") {{ sku }} }}")).await;
        assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "{position}");
    }
}

#[tokio::test]
async fn what_was_just_written_is_waited_for() {
    let (world, token) = shop_with(1).await;
    world.owners.hold_projections();
    let put = "mutation { productPut(input: { sku: \"LATE\", title: \"x\", price: { amount: \"1\", currency: \"BRL\" } }) { position } }";
    let position = world.data(&token, put).await["productPut"]["position"].clone();
    let query = format!("{{ product(sku: \"LATE\", position: {position}) {{ sku }} }}");
    assert_eq!(world.ask(&token, &query).await.codes(), ["PROJECTION_LAG"]);
    // Once the projection goes on while the query waits, the query sees it.
    let (data, ()) = tokio::join!(world.data(&token, &query), world.owners.release_projections());
    assert_eq!(data["product"]["sku"], "LATE");
}

#[tokio::test]
async fn how_often_the_store_is_read_depends_on_depth_not_on_size() {
    let (world, token) = shop_with(60).await;
    for number in 0..60 {
        let add = format!(
            "mutation {{ cartAddItem(input: {{ customer: \"BR.1\", sku: \"SKU-{number:03}\", quantity: 1 }}) {{ userErrors {{ code }} }} }}"
        );
        world.data(&token, &add).await;
    }
    let cart = "cart(customer: \"BR.1\") { version lines { sku lineTotal { amount } priceNow { amount } product { title currentPrice { amount } } } subtotal { amount } warnings { code } undoable }";
    world.store.reads();
    let data = world.data(&token, &format!("{{ {cart} }}")).await;
    assert_eq!(data["cart"]["lines"].as_array().unwrap().len(), 60);
    // The cart, its lines, its edits, and the products of all lines together.
    assert_eq!(world.store.reads(), 4);
    world.data(&token, "{ cart(customer: \"BR.1\") { version } }").await;
    assert_eq!(world.store.reads(), 1);
    world.data(&token, "{ products(first: 20) { edges { node { sku title price { amount } } } } }").await;
    let small = world.store.reads();
    world.data(&token, "{ products(first: 60) { edges { node { sku title price { amount } } } } }").await;
    // A page longer than its shelf goes on to the next ones: never more often than there are shelves.
    assert!(small <= 16 && world.store.reads() <= 16);
    let ids: Vec<Value> =
        world.data(&token, "{ products(first: 50) { edges { node { id } } } }").await["products"]["edges"]
            .as_array()
            .unwrap()
            .iter()
            .map(|edge| edge["node"]["id"].clone())
            .collect();
    world.store.reads();
    world.data(&token, &format!("{{ nodes(ids: {}) {{ id ... on Product {{ title }} }} }}", json!(ids))).await;
    assert_eq!(world.store.reads(), 1);
}

/// How often the store is read for `question` while there is one of everything, and while there are 21.
async fn reads_of_few_and_many(question: impl Fn(&[String]) -> String) -> [usize; 2] {
    let shop = furnished(GatewayConfig::default()).await;
    let (world, token) = (&shop.world, shop.world.admin(SHOP));
    let customers: Vec<String> = (0..21).map(|number| format!("BR.{number}")).collect();
    let mut reads = [0; 2];
    for (so_many, reads) in [1, 21].into_iter().zip(&mut reads) {
        let mut writes = Vec::new();
        for (number, customer) in customers.iter().enumerate().take(so_many) {
            let add = format!(
                "mutation {{ cartAddItem(input: {{ customer: \"{customer}\", sku: \"{SKU}\", quantity: 1 }}) {{ userErrors {{ code }} }} }}"
            );
            world.data(&token, &add).await;
            writes.extend(talk(world, customer).await);
            writes.extend(trade("BR.0", &format!("o-{customer}")));
            writes.extend(bills(customer, &format!("20{:02}-01", 30 + number)));
        }
        let checkpoint = Checkpoint { lane_seq: 10 + so_many as u64, hint: 0 };
        world.store.apply(writes, CARTS_PROJECTION, "cart/9", checkpoint).await.unwrap();
        world.store.reads();
        let reply = world.data(&token, &question(&customers[..so_many])).await;
        *reads = world.store.reads();
        let list = reply.as_object().unwrap().values().next().unwrap().as_array().unwrap();
        // The furnished shop has an invoice and a thread of its own.
        assert!([so_many, so_many + 1].contains(&list.len()), "{so_many}: {reply}");
        assert!(
            list.iter().all(|one| one["lines"][0].is_object() || one["messages"]["edges"][0].is_object()),
            "{reply}"
        );
    }
    reads
}

fn named(kind: &str, keys: impl Iterator<Item = String>) -> Value {
    json!(keys.map(|key| global_id(kind, &key)).collect::<Vec<_>>())
}

#[tokio::test]
async fn the_lines_of_orders_are_loaded_together() {
    // Which there are, the orders, their lines.
    let listed = |_: &[String]| "{ orders(customer: \"BR.0\", first: 50) { id lines { sku title } } }".to_owned();
    assert_eq!(reads_of_few_and_many(listed).await, [3, 3]);
    let by_id = |customers: &[String]| {
        let ids = named("order", customers.iter().map(|customer| format!("o-{customer}")));
        format!("{{ nodes(ids: {ids}) {{ id ... on Order {{ state lines {{ sku }} }} }} }}")
    };
    assert_eq!(reads_of_few_and_many(by_id).await, [2, 2]);
}

#[tokio::test]
async fn the_messages_of_threads_are_loaded_together() {
    // Which there are, the threads, a page of the messages of each.
    let listed = |_: &[String]| {
        let page = "messages(last: 2) { edges { node { kind } } pageInfo { hasPreviousPage } }";
        format!("{{ threads(first: 50) {{ customer {page} again: {page} }} }}")
    };
    assert_eq!(reads_of_few_and_many(listed).await, [3, 3]);
    let by_id = |customers: &[String]| {
        let ids = named("thread", customers.iter().map(|customer| format!("main/{customer}")));
        let [first, last] =
            ["first: 1", "last: 1"].map(|which| format!("messages({which}) {{ edges {{ node {{ kind }} }} }}"));
        format!("{{ nodes(ids: {ids}) {{ id ... on Thread {{ {first} last: {last} }} }} }}")
    };
    // Another page is another load.
    assert_eq!(reads_of_few_and_many(by_id).await, [3, 3]);
}

#[tokio::test]
async fn what_carts_hold_is_loaded_together() {
    let by_id = |customers: &[String]| {
        let ids = named("cart", customers.iter().cloned());
        let cart = "version lines { sku product { title } priceNow { amount } } subtotal { amount } warnings { code } undoable";
        format!("{{ nodes(ids: {ids}) {{ id ... on Cart {{ {cart} }} }} }}")
    };
    // The carts, their lines, the products of all lines, their edits.
    assert_eq!(reads_of_few_and_many(by_id).await, [4, 4]);
}

#[tokio::test]
async fn what_invoices_say_is_loaded_together() {
    // Which there are, their totals, their lines.
    let listed = |_: &[String]| "{ invoices(first: 50) { period totals { due } lines { quantity } } }".to_owned();
    assert_eq!(reads_of_few_and_many(listed).await, [3, 3]);
}

#[tokio::test]
async fn of_what_was_asked_for_together_everyone_gets_their_own() {
    let shop = furnished(GatewayConfig::default()).await;
    let (world, token) = (&shop.world, shop.world.admin(SHOP));
    for (customer, quantity) in [("BR.1", 2), ("BR.2", 3)] {
        let add = format!(
            "mutation {{ cartAddItem(input: {{ customer: \"{customer}\", sku: \"{SKU}\", quantity: {quantity} }}) {{ userErrors {{ code }} }} }}"
        );
        world.data(&token, &add).await;
    }
    let ids = json!([
        global_id("cart", "BR.2"),
        global_id("cart", "BR.nobody"),
        shop.order,
        global_id("order", "o-absent"),
        global_id("cart", "BR.1"),
        global_id("thread", &format!("main/{}", shop.customer)),
        global_id("thread", "nonsense"),
        shop.product,
    ]);
    let fields = "... on Cart { customer lines { quantity product { sku } } } ... on Order { lines { quantity } } \
                  ... on Thread { messages(first: 1) { edges { cursor } } } ... on Product { sku }";
    let query = format!("{{ nodes(ids: {ids}) {{ {fields} }} }}");
    let line = |quantity: i32| json!([{ "quantity": quantity, "product": { "sku": SKU } }]);
    assert_eq!(
        world.data(&token, &query).await["nodes"],
        json!([
            { "customer": "BR.2", "lines": line(3) },
            null,
            { "lines": [{ "quantity": 1 }] },
            null,
            { "customer": "BR.1", "lines": line(2) },
            { "messages": { "edges": [{ "cursor": "1" }] } },
            null,
            { "sku": SKU },
        ])
    );
    // A customer sees only what is theirs among them.
    let ana = world.data(&world.person("ana"), &query).await["nodes"].clone();
    let seen: Vec<bool> = ana.as_array().unwrap().iter().map(|node| !node.is_null()).collect();
    assert_eq!(seen, [false, false, true, false, false, true, false, true]);
}

#[tokio::test]
async fn an_invoice_reads_what_was_used_once_for_all_its_lines() {
    let shop = furnished(GatewayConfig::default()).await;
    let token = shop.world.admin(SHOP);
    let mut read = Vec::new();
    for lines in ["quantity", "quantity explain { steps { value } }"] {
        let question = format!("{{ invoice(period: \"{PERIOD}\") {{ number lines {{ {lines} }} }} }}");
        shop.world.store.reads();
        let data = shop.world.data(&token, &question).await;
        assert_eq!(data["invoice"]["lines"].as_array().unwrap().len(), 2);
        read.push(shop.world.store.reads());
    }
    // All days of November, for both lines together.
    assert_eq!(read[1] - read[0], 1, "{read:?}");
}
