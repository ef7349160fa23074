//! Who sees what: everything that the schema has, asked for as another business, as another person, and as nobody.

use std::collections::BTreeSet;

use feira_gateway::GatewayConfig;
use serde_json::{Value, json};

use crate::support::furnished::{Furnished, PERIOD, SKU, furnished, global_id};
use crate::support::walk::{Fields, Schema, Values, has_data, name};
use crate::support::{OTHER_SHOP, SHOP};

/// A walk asks for all at once: how much that costs is another matter.
async fn shop() -> Furnished {
    furnished(GatewayConfig { depth_max: 64, complexity_max: 10_000_000, ..GatewayConfig::default() }).await
}

/// What questions name: all of it is the shop's, and ana's.
fn values(shop: &Furnished) -> Values {
    let text = |text: &str| format!("\"{text}\"");
    let mut ids = vec![shop.product.clone(), shop.cart.clone(), shop.order.clone()];
    ids.extend(own_ids(shop));
    let money = || "{ amount: \"1\", currency: \"BRL\" }".to_owned();
    Values::from([
        ("*(business)", text(SHOP)),
        ("*(customer)", text(&shop.customer)),
        ("*(sku)", text(SKU)),
        ("*(period)", text(PERIOD)),
        ("Query.node(id)", text(&shop.order)),
        ("Query.nodes(ids)", json!(ids).to_string()),
        ("Query.order(id)", text(&shop.order)),
        ("Query.moneyRequest(id)", text(&shop.request)),
        ("*(title)", text("x")),
        ("*(name)", text("x")),
        ("*(text)", text("x")),
        ("*(body)", text("x")),
        ("*(note)", text("x")),
        ("*(source)", text("x")),
        ("*(reason)", text("x")),
        ("*(displayName)", text("x")),
        ("*(language)", text("pt")),
        ("*(country)", text("BR")),
        ("*(byMs)", text("1")),
        ("*(price)", money()),
        ("*(amount)", money()),
        ("*(quantity)", "1".to_owned()),
        ("*(onHand)", "1".to_owned()),
        ("*(sandbox)", "true".to_owned()),
        ("*(agree)", "true".to_owned()),
        ("*(status)", "READ".to_owned()),
        ("*(message)", text("m-SECRET-1")),
        ("templateCreate(category)", "UTILITY".to_owned()),
        ("contactAgree(category)", "MARKETING".to_owned()),
        ("*(order)", text(&shop.order)),
        ("orderAdvance(to)", "SHIPPED".to_owned()),
        ("*(account)", text(&shop.account)),
        ("moneySend(to)", text(&shop.account)),
        ("*(from)", text(&shop.friend)),
        ("*(transfer)", text(&shop.transfer)),
        ("*(request)", text(&shop.request)),
    ])
}

fn own_ids(shop: &Furnished) -> [String; 3] {
    let thread = format!("main/{}", shop.customer);
    [global_id("business", "main"), global_id("thread", &thread), global_id("invoice", PERIOD)]
}

/// Every question that the schema has: the field of `Query` it begins with, and what is asked.
fn questions(schema: &Schema, values: &Values, asked: &mut Fields) -> Vec<(String, String)> {
    let of_field = |field: &Value| {
        let questions = schema.questions(field, values, asked);
        questions.into_iter().map(|question| (name(field).to_owned(), question)).collect::<Vec<_>>()
    };
    let mut questions: Vec<_> = schema.fields("Query").iter().flat_map(of_field).collect();
    // The business's own orders are found by their day.
    let day = format!("{{ orders(business: \"{SHOP}\", day: \"2023-11-14T00:00:00.000Z\") {{ id customer }} }}");
    questions.push(("orders".to_owned(), day));
    questions
}

#[tokio::test]
async fn the_walk_shows_everything_to_those_whose_it_is() {
    let shop = shop().await;
    let world = &shop.world;
    let schema = Schema::of(world, &world.admin(SHOP)).await;
    let (mut asked, mut shown) = (Fields::new(), Fields::new());
    for (_, question) in questions(&schema, &values(&shop), &mut asked) {
        for whose in [world.admin(SHOP), world.person("ana")] {
            let body = world.ask(&whose, &question).await.json();
            schema.shown("Query", &body["data"], &mut shown);
        }
    }
    let missing: BTreeSet<_> = asked.difference(&shown).collect();
    assert!(missing.is_empty(), "asked for and never seen: {missing:?}");
    assert!(asked.len() > 150, "the walk is short: {asked:?}");
}

#[tokio::test]
async fn another_business_an_operator_and_nobody_see_nothing() {
    let shop = shop().await;
    let world = &shop.world;
    let schema = Schema::of(world, &world.admin(SHOP)).await;
    let others = [Some(world.admin(OTHER_SHOP)), Some(world.agent(OTHER_SHOP)), Some(world.analyst(OTHER_SHOP))];
    let strangers = others.into_iter().chain([Some(world.operator()), None]);
    for stranger in strangers {
        for (field, question) in questions(&schema, &values(&shop), &mut Fields::new()) {
            if field == "viewer" {
                continue;
            }
            let reply = world.post(stranger.as_deref(), &json!({ "query": question }), &[]).await;
            let body = reply.json();
            assert!(!has_data(&body["data"]), "{question}: {body}");
            assert_tells_nothing(&shop, &reply.text());
            // Who is told why is told no more than that.
            match &stranger {
                None => assert_eq!(reply.codes(), ["UNAUTHENTICATED"], "{question}: {body}"),
                Some(_) if question.contains("business:") => {
                    assert_eq!(reply.codes(), ["FORBIDDEN"], "{question}: {body}")
                }
                Some(_) => {}
            }
        }
    }
}

#[tokio::test]
async fn another_person_sees_what_is_public_and_nothing_else() {
    const PUBLIC: [&str; 5] = ["viewer", "product", "products", "business", "stock"];
    let shop = shop().await;
    let world = &shop.world;
    let schema = Schema::of(world, &world.admin(SHOP)).await;
    let bia = world.person("bia");
    for (field, question) in questions(&schema, &values(&shop), &mut Fields::new()) {
        let reply = world.ask(&bia, &question).await;
        let body = reply.json();
        let public = PUBLIC.contains(&&*field)
            || field == "nodes" && (question.contains("on Product {") || question.contains("on Business {"));
        if field == "nodes" {
            let found = body["data"]["nodes"].as_array().unwrap();
            let kinds: Vec<_> = found.iter().filter_map(|found| found["__typename"].as_str()).collect();
            assert_eq!(kinds, ["Product", "Business"], "{question}: {body}");
        } else {
            assert_eq!(has_data(&body["data"]), public, "{question}: {body}");
        }
        let told = reply.text().replace(SKU, "");
        assert_tells_nothing(&shop, &told);
    }
}

fn assert_tells_nothing(shop: &Furnished, text: &str) {
    for secret in ["SECRET", &shop.customer, &shop.account, "123.4", "7.77"] {
        assert!(!text.contains(secret), "{secret} is told: {text}");
    }
}

#[tokio::test]
async fn nobody_changes_anything_and_others_nothing_of_the_shop() {
    let shop = shop().await;
    let world = &shop.world;
    let schema = Schema::of(world, &world.admin(SHOP)).await;
    let values = values(&shop);
    let sent = world.owners.seen().len();
    let (mut named, mut of_orders) = (0, 0);
    for mutation in schema.fields("Mutation") {
        let question = schema.mutation(mutation, &values);
        let reply = world.post(None, &json!({ "query": question }), &[]).await;
        assert_eq!(reply.codes(), ["UNAUTHENTICATED"], "{question}: {}", reply.text());
        let (business, customer, order) =
            (schema.takes(mutation, "business"), schema.takes(mutation, "customer"), schema.takes(mutation, "order"));
        let is_operators = name(mutation) == "accountFund";
        let mut strangers = vec![];
        if business || order || is_operators {
            named += 1;
            strangers.extend([world.admin(OTHER_SHOP), world.agent(OTHER_SHOP)]);
        }
        if customer || order || is_operators {
            strangers.push(world.person("bia"));
        }
        for stranger in strangers {
            let reply = world.ask(&stranger, &question).await;
            let body = reply.json();
            if order && reply.codes().is_empty() {
                of_orders += 1;
                assert_eq!(
                    body["data"][name(mutation)]["userErrors"][0]["code"],
                    "ORDER_UNKNOWN",
                    "{question}: {body}"
                );
            } else {
                // A person who cannot even name the business is asked to.
                let unnamed = !business && reply.codes() == ["BAD_USER_INPUT"];
                assert!(unnamed || reply.codes() == ["FORBIDDEN"], "{question}: {body}");
                assert!(!has_data(&body["data"]), "{question}: {body}");
            }
            assert_tells_nothing(&shop, &reply.text());
        }
    }
    assert!(named > 10 && of_orders > 1, "{named} {of_orders}");
    assert_eq!(world.owners.seen().len(), sent, "nothing may reach an owner");
}

#[tokio::test]
async fn roles_open_what_the_table_says() {
    let shop = shop().await;
    let world = &shop.world;
    let (analyst, agent, admin) = (world.analyst(SHOP), world.agent(SHOP), world.admin(SHOP));
    let product = format!("{{ product(sku: \"{SKU}\") {{ title }} }}");
    let customer = &shop.customer;
    for (question, [of_analyst, of_agent, of_admin]) in [
        (product, [true, true, true]),
        (format!("{{ cart(customer: \"{customer}\") {{ version }} }}"), [false, true, true]),
        (format!("{{ thread(customer: \"{customer}\") {{ messageCount }} }}"), [false, true, true]),
        ("{ threads { id } }".to_owned(), [false, true, true]),
        (format!("{{ order(id: \"{}\") {{ state }} }}", shop.order), [false, true, true]),
        (format!("{{ invoice(period: \"{PERIOD}\") {{ number }} }}"), [true, false, true]),
        ("{ account { id } }".to_owned(), [true, false, true]),
    ] {
        for (token, open) in [(&analyst, of_analyst), (&agent, of_agent), (&admin, of_admin)] {
            let reply = world.ask(token, &question).await;
            let refused = if open { vec![] } else { vec!["FORBIDDEN".to_owned()] };
            assert_eq!(reply.codes(), refused, "{question}: {}", reply.text());
            assert_eq!(has_data(&reply.json()["data"]), open, "{question}");
        }
    }
    let schema = Schema::of(world, &admin).await;
    let values = values(&shop);
    for mutation in schema.fields("Mutation") {
        // An analyst only reads.
        let question = schema.mutation(mutation, &values);
        assert_eq!(world.ask(&analyst, &question).await.codes(), ["FORBIDDEN"], "{question}");
        if name(mutation).starts_with("product") {
            assert_eq!(world.ask(&agent, &question).await.codes(), ["FORBIDDEN"], "{question}");
        }
    }
    let add = format!(
        "mutation {{ cartAddItem(input: {{ customer: \"{customer}\", sku: \"{SKU}\", quantity: 1 }}) {{ version }} }}"
    );
    assert!(world.ask(&agent, &add).await.codes().is_empty());
}

#[tokio::test]
async fn a_business_never_learns_who_a_person_is() {
    let shop = shop().await;
    let sent = shop.world.owners.seen();
    let by_ana: Vec<_> = sent.iter().filter(|command| command.aggregate.kind_name() == "cart").collect();
    assert_eq!(by_ana.len(), 2);
    for command in by_ana {
        assert_eq!(command.aggregate.key(), &*command.principal.id);
        assert!(command.principal.id.starts_with("BR.") && !command.principal.to_string().contains("ana"));
    }
    let reply = shop.world.ask(&shop.world.person("ana"), "{ products { edges { cursor } } }").await;
    assert_eq!(reply.codes(), ["BAD_USER_INPUT"], "a person names the business");
}
