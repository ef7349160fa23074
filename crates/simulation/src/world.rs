//! One run: the market opens, clients act while everything goes wrong, all is let come to rest, and it is judged.

use std::sync::Arc;
use std::time::Duration;

use feira_event_log::simulated::Cluster;
use feira_ids::ServiceName;
use feira_projection_store::Store;
use feira_runtime::pace::{self, Simulated};

use crate::check;
use crate::dice::Dice;
use crate::faults::Gremlin;
use crate::history::{History, Seen, now};
use crate::market::{Client, Crowd};
use crate::network::Network;
use crate::process::Ground;
use crate::services::SERVICES;
use crate::store::SlowStore;
use crate::{Outcome, mutants, rest};

/// When the made-up clock begins: 2026-11-10T12:00:00Z, in microseconds.
const BEGIN_US: i64 = 1_794_312_000_000_000;
/// How many clients there are.
const CLIENTS: u64 = 6;
/// How many faults are drawn.
const STRIKES: usize = 12;
/// How long all may take to come to rest, once nothing goes wrong any more.
const REST: Duration = Duration::from_secs(15 * 60);
/// Later than anything that waits for its time: an order waits half an hour to be paid.
const LATER: Duration = Duration::from_secs(45 * 60);

/// Runs `seed`.
pub fn run(seed: u64) -> Outcome {
    let services: Vec<_> = SERVICES.iter().map(|(name, lanes)| (ServiceName::new(name), *lanes)).collect();
    let (cluster, store) = (Cluster::new(&services), SlowStore::new());
    cluster.on_change(pace::stir);
    mutants::weaken(&cluster);
    let history = Arc::new(History::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime of one thread is made");
    let ground = Ground {
        cluster: cluster.clone(),
        store: store.clone(),
        network: Network::new(seed ^ 0x6e65_7477, history.clone()),
    };
    let seconds = runtime.block_on(async {
        let _simulated = Simulated::begin(seed, BEGIN_US);
        play(seed, ground, &history).await;
        ((now() - BEGIN_US) / 1_000_000) as u64
    });
    // Whatever still runs ends here, before anything is judged.
    drop(runtime);
    let Seen { ops, wrong, trace, faults } = history.take();
    let rows: Arc<dyn Store> = store.inner();
    let found = check::judge(&cluster.process("judge"), &rows, &ops);
    let tally = found.tally(&ops, faults, seconds);
    Outcome { seed, tally, trace, faults: [wrong, found.faults].concat() }
}

async fn play(seed: u64, ground: Ground, history: &Arc<History>) {
    let dice = Dice::new(seed);
    let mut gremlin = Gremlin::new(ground.clone(), dice.next(), history.clone());
    let client = |name: &str| Client::new(name, ground.commands("gateway"), ground.store.clone(), dice.next(), history);
    client("founder").open_the_market().await;
    let crowd = Crowd::begin((0..CLIENTS).map(|number| client(&format!("client{number}"))));
    for _ in 0..STRIKES {
        gremlin.strike().await;
    }
    crowd.close();
    gremlin.relent().await;
    crowd.gone().await;
    come_to_rest(&ground, &gremlin, history).await;
    tokio::time::advance(LATER).await;
    come_to_rest(&ground, &gremlin, history).await;
}

async fn come_to_rest(ground: &Ground, gremlin: &Gremlin, history: &Arc<History>) {
    let (log, store) = (ground.cluster.process("judge"), ground.store.inner());
    let rest = rest::come_to_rest(&*log, &*store, gremlin.lanes(), REST, || gremlin.deliver());
    if let Err(behind) = rest.await {
        history.wrong(behind);
    }
}
