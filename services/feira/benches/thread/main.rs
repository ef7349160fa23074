//! The thin thread as clients see it: adding to carts, listing products and importing a feed over HTTP, with `feira run`
//! as a process of its own, each beside its reference in the same run.
//!
//! References: a bare loop of write and `fdatasync` for what must be durable, a bare async-graphql server that answers
//! the same list from memory for reads. `FEIRA_BENCH_SECONDS` sets how long each is measured.

mod bare;
mod client;
mod floor;
// Two benchmarks share it, and each uses a part.
#[allow(dead_code)]
mod platform;

use std::time::Duration;

use client::{Load, Request};
use hdrhistogram::Histogram;
use platform::Platform;

/// The business whose feed is imported and listed.
const BUSINESS: &str = "mumbai-bazaar";
/// How many products the feed has.
const PRODUCTS: usize = 20_000;
/// Carts that are added to in turn: enough that none fills up.
const CARTS: u64 = 20_000;
/// How many connections ask at once.
const CONNECTIONS: [usize; 3] = [1, 16, 64];

fn main() {
    if std::env::args().any(|argument| argument == bare::ARGUMENT) {
        return bare::serve();
    }
    let seconds = std::env::var("FEIRA_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5.0);
    let turn = Duration::from_secs_f64(seconds);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(thread(turn));
}

async fn thread(turn: Duration) {
    let floor = floor::fdatasync(turn.min(Duration::from_secs(2)));
    println!("bare write + fdatasync of 512 bytes: {:.0}/s, p50 {} us", floor.rate, floor.p50_us);

    let platform = Platform::start();
    let admin = platform.token("admin", Some(BUSINESS));
    let feed = platform::feed(PRODUCTS);
    let took = client::import(platform.address, &admin, &feed).await;
    println!(
        "import: {PRODUCTS} new products in {:.2} s, {:.0} rows/s; {:.1} rows for each bare fdatasync in that time",
        took.as_secs_f64(),
        PRODUCTS as f64 / took.as_secs_f64(),
        PRODUCTS as f64 / took.as_secs_f64() / floor.rate
    );

    println!("\nadd to cart, GraphQL over HTTP/1.1, durable");
    header("bare fdatasync");
    for connections in CONNECTIONS {
        let token = &admin;
        let requests = move |number: u64| Request::graphql(token, &add_to_cart(connections, number));
        client::run(platform.address, connections, turn / 5, &requests).await;
        let load = client::run(platform.address, connections, turn, &requests).await;
        row(connections, &load, floor.rate);
    }

    println!(
        "\n20 products with prices, GraphQL over HTTP/1.1; reference: bare async-graphql from memory, no DataLoader"
    );
    header("bare server");
    let reference = bare::Server::start();
    for connections in CONNECTIONS {
        let token = &admin;
        let list = move |_| Request::graphql(token, LIST);
        let bare_list = move |_| Request::graphql(token, bare::LIST);
        // In turns, so that a machine that is slow for a while is slow for both.
        let (mut ours, mut bare) = (Load::default(), Load::default());
        for _ in 0..4 {
            ours.add(client::run(platform.address, connections, turn / 4, &list).await);
            bare.add(client::run(reference.address, connections, turn / 4, &bare_list).await);
        }
        row(connections, &ours, bare.rate());
    }
    println!("\nresident after the load: {} MiB", platform.resident_kib() >> 10);
}

/// The list as clients ask for it.
const LIST: &str = r#"{"query":"{ products(first: 20) { edges { node { sku title price { amount currency } } } } }"}"#;

fn add_to_cart(connections: usize, number: u64) -> String {
    let customer = number * 7_919 % CARTS;
    let sku = platform::sku((number / CARTS) as usize % PRODUCTS);
    let id = format!("{connections}-{}-{number}", std::process::id());
    let query = "mutation($i: CartAddItemInput!) { cartAddItem(input: $i) { version position userErrors { code } } }";
    serde_json::json!({
        "query": query,
        "variables": { "i": { "customer": format!("IN.{customer}"), "sku": sku, "quantity": 1, "commandId": id } },
    })
    .to_string()
}

fn header(reference: &str) {
    println!(
        "{:>11} {:>10} {:>9} {:>9} {:>9} {:>16} {:>6}",
        "connections", "per second", "p50, ms", "p99, ms", "max, ms", reference, "ratio"
    );
}

fn row(connections: usize, load: &Load, reference: f64) {
    let ms = |histogram: &Histogram<u64>, quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
    println!(
        "{connections:>11} {:>10.0} {:>9.2} {:>9.2} {:>9.2} {reference:>16.0} {:>6.2}",
        load.rate(),
        ms(&load.latency_us, 0.5),
        ms(&load.latency_us, 0.99),
        ms(&load.latency_us, 1.0),
        load.rate() / reference
    );
}
