//! The thread from HTTP to the disk and back as clients see it, with `feira run` as a process of its own: adding to carts,
//! sending messages, paying, listing products, importing a feed, and the memory that it takes.
//!
//! The reference for what must be durable is a bare axum and async-graphql server with group commit, for reads the same
//! server answering from memory, at as many connections. `FEIRA_BENCH_SECONDS` sets how long a round takes;
//! `cargo bench -p feira --bench thread -- transfer` measures only what has such a word in its title.

mod bare;
mod client;
mod feed;
mod floor;
mod group;
mod market;
// Two benchmarks share it, and each uses a part.
#[allow(dead_code)]
mod platform;

use std::process::ExitCode;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use client::Request;
use feira_bench::{Goal, ROUNDS, Report, Row, Unit, in_turns, rounds, turn};
use market::{Asked, Market};
use platform::Platform;
use serde_json::json;

/// How many products each feed has.
const PRODUCTS: usize = 5_000;
/// How many connections ask at once.
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// The most transfers a second that wallets are opened for: those at each number of connections together.
const TRANSFERS_MAX: f64 = 40_000.0;

/// What a durable answer should take.
const LONE_P50: Duration = Duration::from_micros(600);
const BUSY_RATE: f64 = 10_000.0;
const BUSY_P99: Duration = Duration::from_millis(25);
/// The most memory at rest.
const RESIDENT_MIB: f64 = 100.0;

/// The list as clients ask for it.
const LIST: &str = r#"{"query":"{ products(first: 20) { edges { node { sku title price { amount currency } } } } }"}"#;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip_while(|argument| argument != bare::ARGUMENT);
    if arguments.next().is_some() {
        bare::serve(arguments.next().map(Into::into));
        return ExitCode::SUCCESS;
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let mut bench =
        Bench { report: Report::new(), runtime, turn: turn(2.0), only: only.map(|word| word.to_lowercase()) };
    bench.floor();
    bench.at_rest();
    let platform = Platform::start();
    let transfers = (TRANSFERS_MAX * bench.turn.as_secs_f64()) as u64 * (ROUNDS as u64 + 1);
    let market = bench.runtime.block_on(Market::open(&platform, transfers));
    bench.imports(&platform, &market);
    let adds = bench.durable(&platform, "Add to cart", &|number| market.add_to_cart(number));
    let messages = bench.durable(&platform, "Send a message", &|number| market.send_message(number));
    let paid = bench.durable(&platform, "Transfer within a shard", &|number| market.transfer(number));
    bench.lists(&platform, &market);
    bench.report.table("Memory of `feira run` after all of this", Unit::MiB, "");
    bench.report.row(Row::new("resident", &platform.resident()));
    let asked = [
        ("cart", "feira.cart.v1.ItemAdded", adds),
        ("conversation", "feira.conversation.v1.MessageSent", messages),
        ("payments", "feira.payments.v1.TransferSettled", paid),
    ];
    for (service, event, asked) in asked {
        let logged = platform.logged(service).get(event).copied().unwrap_or(0);
        assert_eq!(logged, asked, "what was answered is on the log");
    }
    bench.report.end()
}

struct Bench {
    report: Report,
    runtime: tokio::runtime::Runtime,
    turn: Duration,
    only: Option<String>,
}

impl Bench {
    /// Whether what has this title is to be measured.
    fn wants(&self, title: &str) -> bool {
        self.only.as_ref().is_none_or(|only| title.to_lowercase().contains(only))
    }

    /// What the disk allows.
    fn floor(&mut self) {
        let title = "The disk: write and fdatasync of 512 bytes, one after the other";
        if !self.wants(title) {
            return;
        }
        let floor = floor::fdatasync(self.turn / 2);
        self.report.table(title, Unit::PerSecond, "");
        self.report.row(Row::new("bare loop", &floor));
    }

    /// Memory with the demo's data, played a moment ago and started anew.
    fn at_rest(&mut self) {
        let title = "Memory of `feira run` at rest";
        if !self.wants(title) {
            return;
        }
        let platform = Platform::start();
        let empty = platform.resident();
        platform.feira(&["demo"]);
        let played = platform.resident();
        let anew = platform.restart().resident();
        self.report.table(title, Unit::MiB, "");
        self.report.row(Row::new("on an empty folder", &empty));
        self.report.row(Row::new("a moment after the demo", &played));
        self.report.row(Row::new("started with the demo's data", &anew).goal(Goal::AtMost(RESIDENT_MIB)));
    }

    /// Brings in what everything else is measured with.
    fn imports(&mut self, platform: &Platform, market: &Market) {
        let mut number = 0;
        let imported = rounds(|| {
            let feed = feed::feed(number, PRODUCTS);
            number += 1;
            self.runtime.block_on(client::import(platform.address, &market.admin, number, feed))
        });
        self.report.table(&format!("Import of {PRODUCTS} new products, rows"), Unit::PerSecond, "");
        self.report.row(Row::new("over HTTP, durable", &imported));
    }

    /// Measures a mutation at each number of connections; answers how often it was asked.
    fn durable(&mut self, platform: &Platform, name: &str, asked: &dyn Fn(u64) -> Asked) -> u64 {
        let title = format!("{name}, GraphQL over HTTP/1.1, durable");
        if !self.wants(&title) {
            return 0;
        }
        let reference = bare::Server::start();
        let reference_is = "bare axum and async-graphql, 512 bytes appended with group commit";
        self.report.table(&title, Unit::PerSecond, reference_is);
        let (next, next_bare) = (AtomicU64::new(0), AtomicU64::new(0));
        let requests = |number| {
            let Asked { token, body } = asked(number);
            Request::graphql(&token, &body)
        };
        let Asked { token, .. } = asked(0);
        let bare_requests = |number: u64| {
            let input =
                json!({ "to": format!("IN.{number}"), "what": "BENCH-0-000000", "commandId": number.to_string() });
            let body = json!({ "query": bare::APPEND, "variables": { "i": input } });
            Request::graphql(&token, &body.to_string())
        };
        for connections in CONNECTIONS {
            let (ours, theirs) = in_turns(
                || self.runtime.block_on(client::run(platform.address, connections, self.turn, &next, &requests)),
                || {
                    let run = client::run(reference.address, connections, self.turn, &next_bare, &bare_requests);
                    self.runtime.block_on(run)
                },
            );
            let row = Row::new(at(connections), &ours).beside(&theirs);
            self.report.row(match connections {
                1 => row.goal(Goal::P50(LONE_P50)),
                64 => row.goal(Goal::AtLeast(BUSY_RATE)).goal(Goal::P99(BUSY_P99)),
                _ => row,
            });
        }
        next.into_inner()
    }

    fn lists(&mut self, platform: &Platform, market: &Market) {
        let title = "20 products with prices, GraphQL over HTTP/1.1";
        if !self.wants(title) {
            return;
        }
        let reference = bare::Server::start();
        let reference_is = "bare axum and async-graphql, the same from memory";
        self.report.table(title, Unit::PerSecond, reference_is);
        let next = AtomicU64::new(0);
        let requests = |_| Request::graphql(&market.admin, LIST);
        for connections in CONNECTIONS {
            let run = |address| self.runtime.block_on(client::run(address, connections, self.turn, &next, &requests));
            let (ours, theirs) = in_turns(|| run(platform.address), || run(reference.address));
            let row = Row::new(at(connections), &ours).beside(&theirs);
            self.report.row(if connections == 16 { row.goal(Goal::Share(0.5)) } else { row });
        }
    }
}

fn at(connections: usize) -> String {
    format!("{connections} connection{}", if connections == 1 { "" } else { "s" })
}
