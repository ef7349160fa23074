//! The way between processes: slow now and then, losing and doubling what it carries.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use feira_ids::kind;
use feira_runtime::pace::{self, Simulant};
use feira_runtime::rpc::{Link, LinkFault};
use feira_runtime::{Answer, Command, Intake};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::dice::Dice;
use crate::history::History;

/// All processes that can be reached, by address.
pub struct Network {
    peers: Mutex<BTreeMap<String, Peer>>,
    dice: Mutex<Dice>,
    history: Arc<History>,
    /// Whether it carries everything, at once and once.
    calm: Mutex<bool>,
}

#[derive(Clone)]
struct Peer {
    process: Arc<Simulant>,
    intakes: BTreeMap<String, Intake>,
}

impl Network {
    /// A network that does to what it carries what `seed` draws.
    pub fn new(seed: u64, history: Arc<History>) -> Arc<Self> {
        Arc::new(Self { peers: Mutex::default(), dice: Mutex::new(Dice::new(seed)), history, calm: Mutex::new(false) })
    }

    /// Lets commands for `address` be taken by `intakes`, as a part of `process`.
    pub fn open(&self, address: &str, process: &Arc<Simulant>, intakes: Vec<Intake>) {
        let intakes = intakes.into_iter().map(|intake| (intake.service().to_string(), intake)).collect();
        lock(&self.peers).insert(address.to_owned(), Peer { process: process.clone(), intakes });
    }

    /// Nobody is at `address` any more.
    pub fn close(&self, address: &str) {
        lock(&self.peers).remove(address);
    }

    /// Carries everything from now on, at once and once.
    pub fn calm(&self) {
        *lock(&self.calm) = true;
    }

    /// The link to `address`.
    pub fn dial(self: &Arc<Self>, address: &str) -> Arc<dyn Link> {
        Arc::new(Wire { network: self.clone(), address: address.to_owned() })
    }

    /// Whether this happens now, which it does once in `many` times.
    fn strikes(&self, kind: &'static str, many: u64) -> bool {
        let now = !*lock(&self.calm) && lock(&self.dice).one_in(many);
        if now {
            self.history.struck(kind, "");
        }
        now
    }

    /// How long a way takes: a millisecond or so, a second now and then, and ten very seldom.
    fn delay(&self) -> Duration {
        let most = match () {
            () if self.strikes("message late by up to 10 s", 400) => 10_000,
            () if self.strikes("message late by up to 1 s", 40) => 1_000,
            () => 2,
        };
        Duration::from_micros(lock(&self.dice).below(most * 1_000))
    }
}

struct Wire {
    network: Arc<Network>,
    address: String,
}

#[async_trait]
impl Link for Wire {
    async fn ask(&self, command: Command, _: Duration, _: Instant) -> Result<Answer, LinkFault> {
        let lost = || LinkFault::Lost { address: self.address.clone() };
        tokio::time::sleep(self.network.delay()).await;
        let peer = lock(&self.network.peers).get(&self.address).cloned().ok_or_else(lost)?;
        if self.network.strikes("command lost", 60) {
            return Err(lost());
        }
        let service = kind(command.aggregate.kind_name()).map_or("", |kind| kind.service);
        let intake = peer.intakes.get(service).cloned().ok_or_else(lost)?;
        if self.network.strikes("command doubled", 30) {
            // It arrives a second time, later, and nobody waits for what comes of it.
            let (intake, command, late) = (intake.clone(), command.clone(), self.network.delay() * 50);
            peer.process.spawn(async move {
                tokio::time::sleep(late).await;
                drop(intake.ask(command).await);
            });
        }
        let (answer, answered) = oneshot::channel();
        peer.process.spawn(async move {
            pace::step().await;
            let said = intake.ask(command).await;
            pace::step().await;
            let _ = answer.send(said);
        });
        let answer = answered.await.map_err(|_| lost())?;
        tokio::time::sleep(self.network.delay()).await;
        if self.network.strikes("answer lost", 60) {
            return Err(lost());
        }
        Ok(answer)
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
