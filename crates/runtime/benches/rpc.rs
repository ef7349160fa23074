//! Commands to a lane in another process's place: 256 in flight over one stream on loopback, beside the same in process.
//!
//! Run with `cargo bench -p feira-runtime --bench rpc`. The lane is durable on the embedded log.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use feira_commands::cart::Input;
use feira_event_log::EventLog;
use feira_event_log::simulated::Cluster;
use feira_ids::ServiceName;
use feira_runtime::suite::{Home, Shop, accepted, command, run};
use feira_runtime::{Commands, Options, RemoteCommands, Secret, rpc};
use tempfile::TempDir;

const COMMANDS: usize = 50_000;
const IN_FLIGHT: usize = 256;

/// A log in memory: what is measured is the way there and back.
struct Simulated(Arc<Cluster>, TempDir);

impl Home for Simulated {
    fn open(&self) -> Arc<dyn EventLog> {
        self.0.process("owner")
    }

    fn folder(&self) -> PathBuf {
        self.1.path().join("lanes")
    }
}

fn main() {
    let service = ServiceName::new("cart");
    let home = Simulated(Cluster::new(&[(service.clone(), 1)]), tempfile::tempdir().expect("a folder"));
    run(&home, async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let shop = Shop::start_at(home.open(), &home, Options::default(), &address).await;
        assert!(shop.running.wait_ready(home.patience()).await, "ready in time");
        let secret = Secret::new([7; 32]).expect("long enough");
        let router = rpc::server([shop.running.intake()], secret.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let remote = RemoteCommands::new(home.0.process("gateway"), &[service], secret).expect("lanes");
        let there = rate("over one stream", Arc::new(remote), "r").await;
        let here = rate("in process", Arc::new(shop.commands.clone()), "l").await;
        println!("over one stream / in process: {:.0} %", there / here * 100.0);
        server.abort();
        shop.close().await;
    });
}

async fn rate(name: &str, commands: Arc<dyn Commands>, prefix: &'static str) -> f64 {
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let senders: Vec<_> = (0..IN_FLIGHT)
        .map(|_| {
            let (commands, next) = (commands.clone(), next.clone());
            tokio::spawn(async move {
                let mut took = Vec::new();
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= COMMANDS {
                        return took;
                    }
                    let input = Input::SetQuantity { sku: "mango".into(), quantity: (i / 1_000 % 99) as i32 };
                    let command = command(&format!("{prefix}.{}", i % 1_000), input, &format!("{prefix}{i}"));
                    let began = Instant::now();
                    accepted(commands.ask(command).await);
                    took.push(began.elapsed());
                }
            })
        })
        .collect();
    let mut took = Vec::new();
    for sender in senders {
        took.extend(sender.await.expect("no sender fails"));
    }
    let rate = COMMANDS as f64 / began.elapsed().as_secs_f64();
    took.sort_unstable();
    let quantile = |share: f64| took[(took.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{name}, {IN_FLIGHT} in flight: {rate:.0}/s, p50 {:.2} ms, p99 {:.2} ms", quantile(0.5), quantile(0.99));
    rate
}
