//! The market of the simulation on the real platform: its clients keep shops, buy, pay and write over the network by which
//! the platform's processes ask each other, and its judge reads the topics and the rows.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use feira_event_log::EventLog;
use feira_event_log_kafka::{KafkaConfig, KafkaLog};
use feira_ids::LaneId;
use feira_projection_store::Store;
use feira_projection_store_cql::{CqlConfig, CqlStore};
use feira_runtime::{Clock, RemoteCommands, Secret, SystemClock};
use feira_simulation::{Client, Crowd, Dice, History, Seen, Tally, come_to_rest, judge, names};
use tokio::task::spawn_blocking;

/// How many clients there are.
const CLIENTS: u64 = 6;
/// How long log and rows are waited for.
const START: Duration = Duration::from_secs(60);
/// How long all may take to come to rest, once nothing goes wrong any more.
const REST: Duration = Duration::from_secs(180);
/// The longest that units stay put aside at a counter.
const FORGOTTEN: Duration = Duration::from_secs(25);

/// Where everything is.
pub struct Place<'a> {
    /// The folder of the settings and of the secret.
    pub folder: &'a Path,
    /// The settings for Kafka.
    pub kafka: KafkaConfig,
    /// Where CQL is asked.
    pub cql: String,
    /// The keyspace.
    pub keyspace: &'a str,
}

/// The clients, and what they saw.
pub struct Market {
    history: Arc<History>,
    crowd: Crowd,
    log: Arc<dyn EventLog>,
    store: Arc<dyn Store>,
    began: Instant,
}

impl Market {
    /// Brings in shops, products and accounts, and lets the clients begin; the same `seed` asks for the same.
    pub async fn open(place: Place<'_>, seed: u64) -> Self {
        let kafka = place.kafka;
        let log = spawn_blocking(move || KafkaLog::connect(kafka, START)).await.expect("it does not panic");
        let log: Arc<dyn EventLog> = log.expect("the log is there");
        let store = CqlStore::connect(CqlConfig::new([place.cql], place.keyspace)).await;
        let store: Arc<dyn Store> = store.expect("the store is there");
        let secret = std::fs::read_to_string(place.folder.join("rpc-secret")).expect("the processes have made it");
        let secret = Secret::new(secret.trim().as_bytes()).expect("it is a secret");
        let asked = log.clone();
        let commands = spawn_blocking(move || RemoteCommands::new(asked, &names(), secret)).await;
        let commands = commands.expect("it does not panic").expect("the services have lanes");
        let (history, dice) = (Arc::new(History::default()), Dice::new(seed));
        let client = |name: &str| Client::new(name, commands.clone(), store.clone(), dice.next(), &history);
        client("founder").open_the_market().await;
        let crowd = Crowd::begin((0..CLIENTS).map(|number| client(&format!("client{number}"))));
        Self { history, crowd, log, store, began: Instant::now() }
    }

    /// Whether nobody waits for an answer to what was sent before `moment` ([`Market::now`]).
    pub fn ended_before(&self, moment: i64) -> bool {
        self.history.ended_before(moment)
    }

    /// The time as clients take it down.
    pub fn now() -> i64 {
        SystemClock.now_us()
    }

    /// Lets clients end what they do and then wait, or go on.
    pub fn pause(&self, paused: bool) {
        self.crowd.pause(paused);
    }

    /// Lets the clients leave and everything come to rest. Gives what happened, what was seen, and what is wrong.
    pub async fn judge(self) -> (Tally, Seen, Vec<String>) {
        self.crowd.close();
        for mut client in self.crowd.gone().await {
            client.leave().await;
        }
        tokio::time::sleep(FORGOTTEN).await;
        let lanes = |service| {
            let count = self.log.lanes(&service).expect("the service has lanes");
            (0..count).map(move |index| LaneId::new(&service, index))
        };
        let lanes: Vec<LaneId> = names().into_iter().flat_map(lanes).collect();
        let rested = come_to_rest(&*self.log, &*self.store, &lanes, REST, || ()).await;
        let seen = self.history.take();
        let (log, store, ops) = (self.log, self.store, seen.ops.clone());
        let found = spawn_blocking(move || judge(&log, &store, &ops)).await.expect("it does not panic");
        let tally = found.tally(&seen.ops, seen.faults.clone(), self.began.elapsed().as_secs());
        let wrong = rested.err().into_iter().chain(seen.wrong.iter().cloned()).chain(found.faults).collect();
        (tally, seen, wrong)
    }
}
