//! Commands to a lane in another process's place, 256 in flight over one stream on loopback, beside the least way to the same
//! lane over one connection.
//!
//! `cargo bench -p feira-runtime --bench rpc`, with a broker at `FEIRA_TEST_KAFKA`. First on a log in memory, so that what
//! is measured is the way there and back, then on Kafka.

#[path = "callers/mod.rs"]
mod callers;
#[path = "homes/mod.rs"]
mod homes;
#[path = "wire/mod.rs"]
mod wire;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use callers::{IN_FLIGHT, call, commands};
use feira_bench::{Goal, Report, Round, Row, Unit, in_turns};
use feira_ids::ServiceName;
use feira_runtime::suite::{Home, Shop, accepted, run};
use feira_runtime::{Commands, Options, RemoteCommands, Secret, rpc};
use homes::{Kafka, Simulated};
use wire::Wire;

fn main() -> ExitCode {
    let mut report = Report::new();
    beside(&mut report, "Commands over RPC, log in memory", Simulated::new, false);
    beside(&mut report, "Commands over RPC, Kafka", Kafka::new, true);
    report.end()
}

/// Measures the way over the wire beside the least there is.
fn beside<H: Home>(report: &mut Report, title: &str, home: impl Fn() -> H, has_goal: bool) {
    let (ours, theirs) = in_turns(|| there(&home()), || bare(&home()));
    report.table(title, Unit::PerSecond, "the same lane asked by length and message over TCP");
    let row = Row::new(format!("{IN_FLIGHT} in flight"), &ours).beside(&theirs);
    let goals = [Goal::AtLeast(12_000.0), Goal::P50(Duration::from_millis(10))];
    report.row(if has_goal { goals.into_iter().fold(row, Row::goal) } else { row });
}

fn there(home: &impl Home) -> Round {
    run(home, async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let shop = Shop::start_at(home.open(), home, Options::default(), &address).await;
        assert!(shop.running.wait_ready(home.patience()).await, "ready in time");
        let secret = Secret::new([7; 32]).expect("long enough");
        let router = rpc::server([shop.running.intake()], secret.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let remote = RemoteCommands::new(home.open(), &[ServiceName::new("cart")], secret).expect("lanes");
        let round = rate(Arc::new(remote)).await;
        server.abort();
        shop.close().await;
        round
    })
}

fn bare(home: &impl Home) -> Round {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let server = tokio::spawn(wire::serve(listener, Arc::new(shop.commands.clone())));
        let wire = Arc::new(Wire::connect(&address).await);
        let round = call(&commands(), move |command| {
            let wire = wire.clone();
            async move { drop(accepted(wire.ask(command).await)) }
        })
        .await;
        server.abort();
        shop.close().await;
        round
    })
}

async fn rate(asked: Arc<dyn Commands>) -> Round {
    call(&commands(), move |command| {
        let asked = asked.clone();
        async move { drop(accepted(asked.ask(command).await)) }
    })
    .await
}
