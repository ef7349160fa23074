//! Product feeds: good rows go in, every other row is named with its line and column and why.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use feira_gateway::GatewayConfig;
use feira_ids::TenantId;
use feira_projection_store::{Checkpoint, Mutation, Store, Value as Cell};
use feira_rows::BUSINESSES_PROJECTION;
use feira_rows::clock::{CLOCKS, clock_key};
use futures::StreamExt;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Reply, SHOP, World, world, world_with};

const RUN: &str = "3f0c0b4e-58a3-4b0e-9a68-0d8f3a6f5a11";

async fn import(world: &World, token: &str, parameters: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post(format!("/v1/imports/products?{parameters}"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(body.into());
    world.send(request.unwrap()).await
}

async fn lines(world: &World, format: &str, body: impl Into<Body>) -> Vec<Value> {
    let reply = import(world, &world.admin(SHOP), &format!("run={RUN}&format={format}"), body).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn errors(lines: &[Value]) -> Vec<(u64, String, String)> {
    let mut errors: Vec<_> = lines
        .iter()
        .filter_map(|line| line.get("error"))
        .map(|error| {
            let text = |name: &str| error[name].as_str().unwrap_or("").to_owned();
            (error["line"].as_u64().unwrap(), text("column"), text("code"))
        })
        .collect();
    errors.sort();
    errors
}

fn done(lines: &[Value]) -> &Value {
    &lines.last().unwrap()["done"]
}

#[tokio::test]
async fn a_feed_of_a_sandbox_goes_in_at_the_time_of_its_clock() {
    let world = world().await;
    let tenant = TenantId::new(SHOP).unwrap();
    let cells = vec![(1, Some(Cell::BigInt(86_400_000))), (2, Some(Cell::Boolean(true)))];
    let clock = Mutation::Upsert { table: &CLOCKS, key: clock_key(&tenant), cells, timestamp: 1, first: false };
    let checkpoint = Checkpoint { lane_seq: 1, hint: 0 };
    world.store.apply(vec![clock], BUSINESSES_PROJECTION, "conversation/0", checkpoint).await.unwrap();
    let lines = lines(&world, "tsv", "id\ttitle\tprice\tquantity\nA\tx\t5 BRL\t3\n").await;
    assert_eq!(done(&lines)["accepted"], 1, "{lines:?}");
    let sent = world.owners.seen();
    let ahead: Vec<_> = sent.iter().map(|command| (command.aggregate.kind_name(), command.clock_offset_ms)).collect();
    assert_eq!(ahead, [("product", 86_400_000), ("stock", 86_400_000)]);
}

fn error(line: u64, column: &str, code: &str) -> (u64, String, String) {
    (line, column.to_owned(), code.to_owned())
}

#[tokio::test]
async fn good_rows_go_in_and_each_other_row_is_named() {
    let world = world().await;
    let long = "x".repeat(513);
    let feed = format!(
        "\u{feff}id\tTitle\tprice\tavailability\tcondition\tsale_price\timage link\tgtin\r\n\
         A\tCafé\t9.99 BRL\tin stock\tnew\t\thttps://x.example/a.jpg\t1\r\n\
         \r\n\
         B\tno price\t\tin_stock\tnew\t\t\t\r\n\
         C\t\"two\nlines\"\t1 BRL\tOut Of Stock\tused_good\t0.50 BRL\t\t\r\n\
         A\tagain\t5 BRL\t\t\t\t\t\r\n\
         D\tx\t9.999 BRL\t\t\t\t\t\r\n\
         E\tx\t5 XXX\t\t\t\t\t\r\n\
         F\tx\t5 BRL\tsoon\t\t\t\t\r\n\
         G\tx\t5 BRL\r\n\
         H\t{long}\t5 BRL\t\t\t\t\t\r\n\
         \tx\t5 BRL\t\t\t\t\t\r\n\
         J\tlast\t5 BRL\tpreorder\trefurbished\t\t\t"
    );
    let lines = lines(&world, "tsv", feed).await;
    assert_eq!(lines[0], json!({ "header": { "ignored": ["gtin"] } }));
    assert_eq!(
        errors(&lines),
        [
            error(4, "price", "MISSING"),
            error(7, "id", "DOUBLED_ID"),
            error(8, "price", "INVALID_AMOUNT"),
            error(9, "price", "UNKNOWN_CURRENCY"),
            error(10, "availability", "UNKNOWN_VALUE"),
            error(11, "", "FIELD_COUNT"),
            error(12, "title", "TITLE_TOO_LONG"),
            error(13, "id", "MISSING"),
        ]
    );
    // The first row of an id may itself have been refused: nothing is said of what stands.
    let doubled = lines.iter().find(|line| line["error"]["code"] == "DOUBLED_ID").unwrap();
    let reason = "an earlier row of this feed has this id: only the first of them is considered";
    assert_eq!(doubled["error"]["reason"], reason);
    let done = done(&lines);
    assert_eq!(
        (&done["rows"], &done["accepted"], &done["changed"], &done["unchanged"], &done["refused"]),
        (&json!(11), &json!(3), &json!(3), &json!(0), &json!(8))
    );
    assert!(done["position"].as_str().unwrap().starts_with("catalog/0:"));
    let query = "{ product(sku: \"C\") { title availability condition salePrice { amount } } }";
    let product = world.data(&world.admin(SHOP), query).await["product"].clone();
    assert_eq!(
        product,
        json!({ "title": "two\nlines", "availability": "OUT_OF_STOCK", "condition": "USED", "salePrice": { "amount": "0.50" } })
    );
}

#[tokio::test]
async fn the_same_run_again_changes_nothing_and_says_so() {
    let world = world().await;
    let feed = "id,title,price\nA,x,1 BRL\nB,\"y, z\",2 BRL\n";
    assert_eq!(done(&lines(&world, "csv", feed).await)["changed"], 2);
    let commands = world.owners.seen().len();
    // The ids are those of the first time: the owner gives its first answers.
    lines(&world, "csv", feed).await;
    let seen = world.owners.seen();
    let mut first: Vec<_> = seen[..commands].iter().map(|command| command.command_id).collect();
    let mut again: Vec<_> = seen[commands..].iter().map(|command| command.command_id).collect();
    first.sort();
    again.sort();
    assert_eq!(first, again);
    let parameters = "run=00000000-0000-4000-8000-000000000000&format=csv";
    let other_run = import(&world, &world.admin(SHOP), parameters, feed).await;
    let last: Value = serde_json::from_str(other_run.text().lines().last().unwrap()).unwrap();
    assert_eq!((&last["done"]["changed"], &last["done"]["unchanged"]), (&json!(0), &json!(2)));
}

#[tokio::test]
async fn a_row_that_counts_its_units_sets_them_once() {
    let world = world().await;
    let feed = "id,title,price,quantity_to_sell_on_facebook\nA,x,1 BRL,10\nB,x,1 BRL,\nC,x,1 BRL,some\nD,,1 BRL,3\n";
    let first = lines(&world, "csv", feed).await;
    let (quantity, column) = ("quantity_to_sell_on_facebook", "INVALID_QUANTITY");
    assert_eq!(errors(&first), [error(4, quantity, column), error(5, "title", "MISSING")]);
    assert_eq!(first[0], json!({ "header": { "ignored": [] } }));
    let asked = |world: &World| {
        let all = world.owners.seen().into_iter();
        let mut asked: Vec<_> = all.map(|command| format!("{} {}", command.operation, command.aggregate)).collect();
        asked.sort();
        asked
    };
    assert_eq!(asked(&world), ["catalog.put product:A", "catalog.put product:B", "stock.set stock:A"]);
    let ids: std::collections::HashSet<_> = world.owners.seen().iter().map(|command| command.command_id).collect();
    assert_eq!(ids.len(), 3);
    // The same count again is no change, another one is, and what cannot be counted is the row's fault.
    let next = "id,title,price,quantity\nA,x,1 BRL,10\nB,x,1 BRL,7\nE,x,1 BRL,-1\n";
    let parameters = "run=00000000-0000-4000-8000-000000000000&format=csv";
    let reply = import(&world, &world.admin(SHOP), parameters, next).await;
    let next: Vec<Value> = reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(errors(&next), [error(4, quantity, "BAD_COUNT")]);
    let counts = done(&next);
    assert_eq!((&counts["accepted"], &counts["changed"], &counts["unchanged"]), (&json!(2), &json!(1), &json!(1)));
}

#[tokio::test]
async fn json_lines_and_split_bytes_are_read_alike() {
    let world = world().await;
    let feed = concat!(
        "\u{feff}{\"id\":\"A\",\"title\":\"Chá ☕\",\"price\":\"9.99 BRL\",\"additional_image_link\":[\"https://x.example/1\",\"https://x.example/2,wide\"],\"product_type\":[\"Bebidas, quentes\"]}\n",
        "not json\n",
        "{\"id\":\"B\",\"title\":\"x\",\"price\":9.99}\n",
        "{\"id\":\"C\",\"title\":{},\"price\":\"1 BRL\"}\n\n",
        "{\"id\":7,\"title\":\"x\",\"price\":\"1 BRL\"}"
    );
    for size in [1, 2, 3, 7, 4096] {
        let chunks: Vec<_> =
            feed.as_bytes().chunks(size).map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk))).collect();
        let lines = lines(&world, "jsonl", Body::from_stream(futures::stream::iter(chunks))).await;
        assert_eq!(
            errors(&lines),
            [error(2, "", "NOT_JSON"), error(3, "price", "INVALID_AMOUNT"), error(4, "title", "NOT_TEXT")]
        );
        assert_eq!(done(&lines)["accepted"], 2);
    }
    let product = world.data(&world.admin(SHOP), "{ product(sku: \"A\") { imageLinks category } }").await;
    let links = ["https://x.example/1", "https://x.example/2%2Cwide"];
    assert_eq!(product["product"], json!({ "imageLinks": links, "category": "Bebidas, quentes" }));
}

#[tokio::test]
async fn rows_without_end_and_bytes_that_are_no_text_are_named() {
    let world = world().await;
    let mut feed = b"id,title,price\nA,\"".to_vec();
    feed.extend(std::iter::repeat_n(b"no end\n", 20_000).flatten());
    feed.extend(b"\",1 BRL\nB,\xff\xfe,1 BRL\nC,fine,1 BRL\n");
    for chunk in [1000, 100_000, 1_000_000] {
        let chunks: Vec<_> =
            feed.chunks(chunk).map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk))).collect();
        let lines = lines(&world, "csv", Body::from_stream(futures::stream::iter(chunks))).await;
        assert_eq!(errors(&lines), [error(2, "", "ROW_TOO_LONG"), error(20_003, "title", "NOT_UTF8")]);
        assert_eq!(done(&lines)["accepted"], 1);
    }
}

#[tokio::test]
async fn a_feed_that_cannot_be_begun_is_refused_at_once() {
    let world = world().await;
    let admin = world.admin(SHOP);
    let tsv = format!("run={RUN}&format=tsv");
    let code = async |token: &str, parameters: &str, body: &str| {
        let reply = import(&world, token, parameters, body.to_owned()).await;
        (reply.status.as_u16(), reply.codes().concat())
    };
    let is = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(code(&admin, &tsv, "id\ttitle\nA\tx\n").await, is(400, "BAD_HEADER"));
    assert_eq!(code(&admin, &tsv, "id\ttitle\tprice\tid\n").await, is(400, "BAD_HEADER"));
    assert_eq!(code(&admin, &tsv, "").await, is(400, "BAD_HEADER"));
    assert_eq!(code(&admin, &tsv, "\u{feff}\n\n").await, is(400, "BAD_HEADER"));
    assert_eq!(code(&admin, "run=1&format=tsv", "").await, is(400, "BAD_REQUEST"));
    assert_eq!(code(&admin, &format!("run={RUN}&format=xml"), "").await, is(400, "BAD_REQUEST"));
    assert_eq!(code(&admin, &format!("run={RUN}"), "").await, is(415, "UNSUPPORTED_MEDIA_TYPE"));
    for token in [world.agent(SHOP), world.person("ana"), world.operator()] {
        assert_eq!(code(&token, &tsv, "id\ttitle\tprice\n").await, is(403, "FORBIDDEN"));
    }
    assert_eq!(code("x", &tsv, "").await, is(401, "UNAUTHENTICATED"));
    assert!(world.owners.seen().is_empty());
}

#[tokio::test]
async fn a_feed_that_breaks_off_or_an_owner_that_is_gone_ends_the_import_in_words() {
    let world = world().await;
    let pieces = vec![
        Ok(Bytes::from_static(b"id,title,price\nA,x,1 BRL\nB,x,1 BRL\n")),
        Err(std::io::Error::other("the line is cut")),
    ];
    let lines_of_broken = lines(&world, "csv", Body::from_stream(futures::stream::iter(pieces))).await;
    assert_eq!(lines_of_broken.last().unwrap()["failed"]["code"], "BAD_USER_INPUT");
    world.owners.answer_next(feira_runtime::Answer::TimedOut);
    let lines_of_timed_out = lines(&world, "csv", "id,title,price\nC,x,1 BRL\n").await;
    assert_eq!(lines_of_timed_out.last().unwrap()["failed"]["code"], "TIMEOUT");
}

#[tokio::test]
async fn a_row_is_tried_for_as_long_as_a_lane_may_take_to_change_hands() {
    let world = world().await;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let began = now();
    lines(&world, "csv", "id,title,price\nA,x,1 BRL\n").await;
    let deadline_ms = world.owners.seen().pop().unwrap().deadline_ms;
    assert!(deadline_ms >= began + 60_000, "given up {} ms after it was sent", deadline_ms - began);
    assert!(deadline_ms <= now() + 120_000, "somebody waits for the end of the import");
}

#[tokio::test]
async fn who_stops_listening_stops_the_reading() {
    let world = world().await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    sender.send(Ok(Bytes::from_static(b"id,title,price\n"))).await.unwrap();
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
    let request = Request::post(format!("/v1/imports/products?run={RUN}&format=csv"))
        .header(header::AUTHORIZATION, format!("Bearer {}", world.admin(SHOP)))
        .body(body)
        .unwrap();
    let response = tower::ServiceExt::oneshot(world.router.clone(), request).await.unwrap();
    drop(response);
    tokio::time::timeout(std::time::Duration::from_secs(5), sender.closed()).await.expect("the feed is let go");
}

#[tokio::test]
async fn a_report_that_nobody_reads_ends_its_import() {
    let world = world_with(GatewayConfig { import_silence_max_ms: 100, ..GatewayConfig::default() }).await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let feed = format!("id,title,price\n{}", "A,no price,\n".repeat(2_000));
    sender.send(Ok(feed.into())).await.unwrap();
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
    let request = Request::post(format!("/v1/imports/products?run={RUN}&format=csv"))
        .header(header::AUTHORIZATION, format!("Bearer {}", world.admin(SHOP)))
        .body(body)
        .unwrap();
    let response = tower::ServiceExt::oneshot(world.router.clone(), request).await.unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(5), sender.closed()).await.expect("the feed is let go");
    // Who comes back finds a report without an end, and knows that rows are missing.
    let report = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let last: Value =
        serde_json::from_slice(report.trim_ascii_end().split(|byte| *byte == b'\n').next_back().unwrap()).unwrap();
    assert!(last["done"].is_null() && last["failed"].is_null(), "{last}");
}

#[tokio::test]
async fn a_feed_that_falls_silent_ends_in_words() {
    let world = world_with(GatewayConfig { import_silence_max_ms: 100, ..GatewayConfig::default() }).await;
    let begun = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"id,title,price\nA,x,1 BRL\n"))]);
    let lines = lines(&world, "csv", Body::from_stream(begun.chain(futures::stream::pending()))).await;
    let failed = &lines.last().unwrap()["failed"];
    assert_eq!((&failed["code"], &failed["accepted"]), (&json!("BAD_USER_INPUT"), &json!(1)));
}

#[tokio::test]
async fn the_operators_window_is_for_operators() {
    let world = world().await;
    let get = async |token: Option<String>, parameters: &str| {
        let mut request = Request::get(format!("/v1/operator/log?{parameters}"));
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        world.send(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(get(None, "").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(get(Some(world.admin(SHOP)), "").await.status, StatusCode::FORBIDDEN);
    assert_eq!(get(Some(world.operator()), "lane=x").await.status, StatusCode::BAD_REQUEST);
    assert_eq!(get(Some(world.operator()), "service=nothing").await.status, StatusCode::BAD_REQUEST);
    let reply = get(Some(world.operator()), "service=cart&lane=0&from=1&count=true").await;
    assert_eq!((reply.text().lines().count(), reply.status), (3, StatusCode::OK));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_feed_makes_a_fault_however_it_is_cut(
        body in proptest::collection::vec(proptest::sample::select(b"\t,\"\n\r id1.Ax\xff\xc3\xa9{}[]:".to_vec()), 0..400),
        size in 1usize..50,
        format in proptest::sample::select(vec!["tsv", "csv", "jsonl"]),
        with_header in any::<bool>(),
    ) {
        let separator = if format == "tsv" { "\t" } else { "," };
        let mut feed = if with_header { ["id", "title", "price\n"].join(separator).into_bytes() } else { Vec::new() };
        feed.extend(&body);
        let whole_and_cut = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let mut outcomes = Vec::new();
            for size in [feed.len().max(1), size] {
                let world = world().await;
                let chunks: Vec<_> = feed.chunks(size).map(|chunk| Ok::<_, std::io::Error>(Bytes::copy_from_slice(chunk))).collect();
                let stream = Body::from_stream(futures::stream::iter(chunks).boxed());
                let reply = import(&world, &world.admin(SHOP), &format!("run={RUN}&format={format}"), stream).await;
                let mut lines: Vec<String> = reply.text().lines().filter(|line| !line.contains("progress")).map(str::to_owned).collect();
                lines.sort();
                outcomes.push((reply.status, lines));
            }
            outcomes
        });
        prop_assert!(whole_and_cut[0].0.as_u16() < 500);
        prop_assert_eq!(&whole_and_cut[0], &whole_and_cut[1]);
    }
}
