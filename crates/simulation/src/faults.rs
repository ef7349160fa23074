//! What goes wrong, as the seed draws it: processes die and sleep, lanes move, the log and the store fail.

use std::sync::Arc;
use std::time::Duration;

use feira_event_log::simulated::Fault;
use feira_ids::{LaneId, ServiceName};
use feira_runtime::pace;

use crate::dice::Dice;
use crate::history::History;
use crate::process::{Ground, Process, folder};
use crate::services::SERVICES;

/// The processes.
const NAMES: [&str; 2] = ["north", "south"];
/// After so long a process that is not heard of has no lanes any more.
const SESSION: Duration = Duration::from_secs(6);

/// Whoever does it.
pub struct Gremlin {
    ground: Ground,
    dice: Dice,
    history: Arc<History>,
    processes: Vec<Option<Process>>,
    lanes: Vec<LaneId>,
}

impl Gremlin {
    /// Starts the processes; what is done to them comes from `seed`.
    pub fn new(ground: Ground, seed: u64, history: Arc<History>) -> Self {
        let processes = NAMES.map(|name| Some(Process::start(name, &ground))).into_iter().collect();
        let lanes = SERVICES
            .iter()
            .flat_map(|(service, lanes)| (0..*lanes).map(|index| LaneId::new(&ServiceName::new(service), index)))
            .collect();
        Self { ground, dice: Dice::new(seed), history, processes, lanes }
    }

    /// All lanes.
    pub fn lanes(&self) -> &[LaneId] {
        &self.lanes
    }

    /// Does one thing, and waits until it is over.
    pub async fn strike(&mut self) {
        let who = self.dice.below(NAMES.len() as u64) as usize;
        match self.dice.below(15) {
            0 | 1 => self.kill(who).await,
            2 => self.put_to_sleep(who).await,
            3 => self.end(who).await,
            4 | 5 => self.move_a_lane(who),
            6..=8 => self.break_an_append(),
            9 | 10 => self.orphan_a_lane(who).await,
            11 => self.store_away().await,
            12 => self.log_away().await,
            _ => self.deliver(),
        }
        self.pause(1_500).await;
    }

    /// Lets everything go well from now on, and whoever is dead come back.
    pub async fn relent(&mut self) {
        self.ground.cluster.set_available(true);
        self.ground.store.set_away(false);
        self.ground.network.calm();
        for who in 0..NAMES.len() {
            self.up(who).await;
        }
        // Nobody has it when both lost their membership at one time. All others stay where they are: whoever has them
        // must find the way by itself.
        for lane in self.lanes.iter().filter(|lane| !self.ground.cluster.is_assigned(lane)) {
            self.ground.cluster.assign(lane, NAMES[self.dice.below(NAMES.len() as u64) as usize]);
        }
        self.deliver();
    }

    /// Delivers all that is under way.
    pub fn deliver(&self) {
        for lane in &self.lanes {
            self.ground.cluster.deliver(lane);
        }
    }

    fn say(&self, kind: &'static str, what: &str) {
        self.history.struck(kind, what);
    }

    async fn pause(&self, most_ms: u64) {
        tokio::time::sleep(Duration::from_millis(self.dice.below(most_ms))).await;
    }

    async fn kill(&mut self, who: usize) {
        self.say("process killed", NAMES[who]);
        if let Some(process) = self.processes[who].take() {
            process.simulant.kill();
        }
        self.ground.network.close(NAMES[who]);
        match self.dice.below(4) {
            0 => self.cut_the_power(who, 1 + self.dice.below(12) as usize),
            1 => self.cut_the_power(who, usize::MAX),
            _ => {}
        }
        if self.dice.one_in(2) {
            // Back before anybody missed it.
            self.pause(SESSION.as_millis() as u64).await;
        } else {
            tokio::time::sleep(SESSION).await;
            self.ground.cluster.lose(NAMES[who]);
            self.pause(6_000).await;
        }
        self.up(who).await;
        self.share(who);
    }

    /// What the disk of a dead process had not yet taken in is lost.
    fn cut_the_power(&self, who: usize, writes: usize) {
        self.say("snapshots lost", &format!("{writes} of {}", NAMES[who]));
        pace::lose(&folder(NAMES[who]), writes);
    }

    /// It is stopped where it stands, others get its lanes, and it wakes up not knowing so.
    async fn put_to_sleep(&mut self, who: usize) {
        self.say("process stopped, then woken", NAMES[who]);
        let Some(process) = &self.processes[who] else { return };
        let simulant = process.simulant.clone();
        simulant.stop();
        self.ground.cluster.freeze(NAMES[who]);
        let long = self.dice.below(15_000);
        tokio::time::sleep(SESSION.min(Duration::from_millis(long))).await;
        if long > SESSION.as_millis() as u64 {
            self.ground.cluster.lose(NAMES[who]);
            tokio::time::sleep(Duration::from_millis(long) - SESSION).await;
        }
        simulant.go_on();
        // What became of its lanes meanwhile it hears late, or very late.
        let deaf = if self.dice.one_in(3) { 20_000 } else { 1_000 };
        self.pause(deaf).await;
        self.ground.cluster.thaw(NAMES[who]);
        if self.dice.one_in(2) {
            self.share(who);
        }
    }

    /// It is asked to end, does so in good order, and comes back.
    async fn end(&mut self, who: usize) {
        self.say("process ended in good order", NAMES[who]);
        let Some(process) = &self.processes[who] else { return };
        if !process.is_up() {
            return;
        }
        process.ask_to_end();
        for _ in 0..200 {
            if process.has_ended() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        process.simulant.kill();
        self.processes[who] = None;
        self.ground.network.close(NAMES[who]);
        self.ground.cluster.lose(NAMES[who]);
        self.pause(2_000).await;
        self.up(who).await;
        self.share(who);
    }

    fn move_a_lane(&self, to: usize) {
        let lane = self.dice.choose(&self.lanes);
        if self.processes[to].as_ref().is_some_and(Process::is_up) {
            self.say("lane moved", &format!("{lane} to {}", NAMES[to]));
            self.ground.cluster.assign(lane, NAMES[to]);
        }
    }

    /// Nobody has a lane for a while, which may be longer than anything that waits for it.
    async fn orphan_a_lane(&self, then: usize) {
        let lane = self.dice.choose(&self.lanes);
        self.say("lane without an owner", &lane.to_string());
        self.ground.cluster.revoke(lane);
        self.pause(if self.dice.one_in(2) { 60_000 } else { 5_000 }).await;
        if self.processes[then].as_ref().is_some_and(Process::is_up) {
            self.ground.cluster.assign(lane, NAMES[then]);
        }
    }

    fn break_an_append(&self) {
        const FAULTS: [(Fault, &str); 7] = [
            (Fault::LostAnswer, "append stands, its answer lost"),
            (Fault::Aborted, "append aborted, its answer lost"),
            (Fault::TimedOut, "append never arrived, its answer lost"),
            (Fault::DelayedEnd, "end of an append late, its answer lost"),
            (Fault::DuplicatedEnd, "end of an append doubled"),
            (Fault::DelayedMarker, "marker of an append late"),
            (Fault::Refused, "append refused"),
        ];
        let (lane, (fault, kind)) = (self.dice.choose(&self.lanes), *self.dice.choose(&FAULTS));
        self.say(kind, &lane.to_string());
        self.ground.cluster.inject(lane, fault);
    }

    async fn store_away(&self) {
        self.say("store away", "");
        self.ground.store.set_away(true);
        self.pause(4_000).await;
        self.ground.store.set_away(false);
    }

    async fn log_away(&self) {
        self.say("log away", "");
        self.ground.cluster.set_available(false);
        self.pause(3_000).await;
        self.ground.cluster.set_available(true);
    }

    /// Waits until it runs.
    async fn up(&mut self, who: usize) {
        self.ground.cluster.thaw(NAMES[who]);
        let process = self.processes[who].get_or_insert_with(|| Process::start(NAMES[who], &self.ground));
        process.simulant.go_on();
        while !process.is_up() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Gives it some of the lanes.
    fn share(&self, who: usize) {
        for lane in &self.lanes {
            if self.dice.one_in(2) {
                self.ground.cluster.assign(lane, NAMES[who]);
            }
        }
    }
}
