//! What is done to the platform, one thing after the other, and the judgement at the end.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use feira_event_log::Owner;
use feira_event_log_kafka::{KafkaConfig, KafkaLog};
use feira_gateway::{DevKey, Issue};
use feira_ids::{Role, TenantId};
use feira_simulation::Dice;
use futures::future::join_all;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, Producer};
use tokio::task::block_in_place;
use tokio::time::timeout;

use crate::checker::{Cart, Record, check_history, check_log};
use crate::figures::{Line, Window};
use crate::load::{LANES, MEMBER, RATE, Read, SLOWER, Shop, TENANT};
use crate::market::{Market, Place};
use crate::owners::Owners;
use crate::process::{Blow, Process};
use crate::servers::{Server, Servers};
use crate::topics;

/// How long a round may take: five minutes on two idle cores, and nobody says that they are idle.
const LIMIT: Duration = Duration::from_secs(450);
/// How long whoever is stopped is stopped: half as long again as a membership lasts.
const STOPPED: Duration = Duration::from_secs(9);
/// How few commands under way tell that nothing is left of the last fault.
const CALM: usize = RATE as usize / 4;
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// After how long it is said what is waited for.
const TELL: Duration = Duration::from_secs(20);
/// Heads every name on the broker.
const PREFIX: &str = "chaos.";

const ALL: [u32; LANES] = [0, 1, 2, 3];
/// The services that have a process each; carts have two.
const SERVICES: [&str; 4] = ["catalog", "payments", "conversation", "billing"];
/// Where the rows are.
const KEYSPACE: &str = "chaos";

/// What is done, and to whom.
#[derive(Clone, Copy)]
enum Strike {
    Owner(Blow),
    OwnerFenced,
    Services(Blow, [usize; 2]),
    Gateway(Blow),
    Broker(Blow),
    StoreKilled,
}

impl Strike {
    /// Each there is, in an order that is drawn.
    fn all(dice: &Dice) -> Vec<Self> {
        let mut strikes = vec![Self::OwnerFenced, Self::StoreKilled];
        for blow in Blow::ALL {
            strikes.extend([Self::Owner(blow), Self::Gateway(blow), Self::Broker(blow)]);
            let mut services = [0, 1, 2, 3];
            shuffle(&mut services, dice);
            let [one, two, three, four] = services;
            strikes.extend([Self::Services(blow, [one, two]), Self::Services(blow, [three, four])]);
        }
        shuffle(&mut strikes, dice);
        strikes
    }
}

fn shuffle<T>(things: &mut [T], dice: &Dice) {
    for end in (1..things.len()).rev() {
        things.swap(end, dice.below(end as u64 + 1) as usize);
    }
}

/// The platform under load.
pub struct Run {
    shop: std::sync::Arc<Shop>,
    owners: Owners,
    windows: Vec<Window>,
    dice: Dice,
    until: Instant,
    folder: PathBuf,
    market: Option<Market>,
    rounds: u32,
    // Dropped from here on: the processes before the servers, and the lock on the folder last.
    services: [Process; 4],
    carts: [Process; 2],
    gateway: Process,
    servers: Servers,
    _lock: File,
}

impl Run {
    /// Starts the processes first and the servers beside them, lists the products, opens the market, and begins the load.
    pub async fn start() -> Self {
        let rounds = set("FEIRA_CHAOS_ROUNDS").unwrap_or(1) as u32;
        let until = Instant::now() + LIMIT * (rounds + 1);
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs();
        let seed = set("FEIRA_CHAOS_SEED").unwrap_or_else(now);
        println!("FEIRA_CHAOS_SEED={seed}, {rounds} rounds");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("chaos");
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        let lock = File::create(folder.with_extension("lock")).expect("the lock can be made");
        lock.try_lock().expect("another run of this test is at work on the same target folder");
        let (servers, mut starting) = block_in_place(|| Servers::begin(&folder));
        let process = |name: &'static str| {
            let service = name.split('-').next().expect("a name has a beginning");
            // What a run before this one has left.
            let _ = std::fs::remove_dir_all(folder.join(name));
            for ending in ["log", "out"] {
                let _ = std::fs::remove_file(folder.join(format!("{name}.{ending}")));
            }
            Process::new(name, service, folder.clone())
        };
        let mut services = SERVICES.map(process);
        let mut carts = ["cart-a", "cart-b"].map(process);
        let mut gateway = process("gateway");
        let kafka = write_settings(&folder, &servers, &services, &carts[0], &gateway);
        services.iter_mut().chain(&mut carts).for_each(Process::start);
        gateway.start();
        let shop = Shop::new(&gateway.address, &token(&folder));
        // Until the servers are there, whoever follows them would only say so.
        block_in_place(|| await_started(&mut starting, until));
        let log = block_in_place(|| KafkaLog::connect(kafka.clone(), LIMIT)).expect("the broker is there");
        let owners = Owners(log);
        let dice = Dice::new(seed);
        let (windows, market) = (Vec::new(), None);
        let mut run = Self {
            shop,
            owners,
            windows,
            dice,
            until,
            folder,
            market,
            rounds,
            services,
            carts,
            gateway,
            servers,
            _lock: lock,
        };
        while let Err(reason) = run.shop.list_products().await {
            run.look(&format!("the catalog, which says {reason}")).await;
        }
        run.all_ready().await;
        let (folder, cql) = (run.folder.clone(), run.servers.cql());
        let place = Place { folder: &folder, kafka, cql, keyspace: KEYSPACE };
        run.market = Some(timeout(LIMIT, Market::open(place, seed)).await.expect("the market opens in time"));
        run.shop.warm_up(seed).await;
        run.shop.begin(seed);
        run.settled("the load", 0).await;
        run.window("no fault", &ALL);
        let quiet = run.shop.now() + 3_000_000;
        run.until("three seconds without a fault", |run| run.shop.now() > quiet).await;
        run
    }

    /// Does all there is to do, in an order that the seed draws, as often as there are rounds.
    pub async fn strike_all(&mut self) {
        for _ in 0..self.rounds {
            for strike in Strike::all(&self.dice) {
                match strike {
                    Strike::Owner(Blow::Kill) => self.owner_killed().await,
                    Strike::Owner(Blow::Stop) => self.owner_stopped().await,
                    Strike::Owner(Blow::Term) => self.owner_asked_to_end().await,
                    Strike::OwnerFenced => self.owner_fenced().await,
                    Strike::Services(blow, both) => self.services_struck(blow, both).await,
                    Strike::Gateway(blow) => self.gateway_struck(blow).await,
                    Strike::Broker(Blow::Stop) => self.broker_stopped().await,
                    Strike::Broker(blow) => self.broker_ended(blow).await,
                    Strike::StoreKilled => self.store_killed().await,
                }
            }
        }
    }

    /// The owner of a lane is killed; later it is started afresh.
    async fn owner_killed(&mut self) {
        let (who, lanes) = self.some_owner();
        let moment = self.window("kill -9 of an owner", &lanes);
        self.carts[who].kill();
        self.until("the lanes of the dead owner", |run| run.shop.answered_since(moment, &ALL)).await;
        self.calm().await;
        let moment = self.window("  it is started again", &ALL);
        self.carts[who].start();
        self.settled("the owner that was killed", moment).await;
    }

    /// An owner is stopped for twice its session, and wakes up as if nothing had happened.
    async fn owner_stopped(&mut self) {
        let (who, lanes) = self.some_owner();
        let moment = self.window("stop for 9 s of an owner", &lanes);
        self.carts[who].pause();
        tokio::time::sleep(STOPPED).await;
        self.carts[who].wake();
        let woken = self.shop.now();
        self.until("the lanes of the stopped owner", |run| run.shop.answered_since(moment, &ALL)).await;
        self.settled("the owner that was stopped", woken).await;
    }

    /// Someone takes a lane's transactional id away from the owner that the group means.
    async fn owner_fenced(&mut self) {
        let lane = self.dice.below(LANES as u64) as u32;
        let Owner { address, term } = self.owners.of(lane).expect("the lane has an owner");
        let moment = self.window("fence of a true owner", &[lane]);
        block_in_place(|| {
            let producer: BaseProducer = ClientConfig::new()
                .set("bootstrap.servers", self.servers.kafka())
                .set("transactional.id", format!("{PREFIX}cart.lane.{lane}"))
                .create()
                .expect("a producer is made");
            producer.init_transactions(Duration::from_secs(20)).expect("the owner is fenced");
        });
        let taken = |run: &Self| run.owners.of(lane).is_some_and(|now| now.term > term);
        self.until("a new term of the fenced owner", |run| taken(run)).await;
        self.settled("the fenced owner", moment).await;
        let now = self.owners.of(lane).expect("the lane has an owner");
        assert_eq!(now.address, address, "lane {lane} was not retaken by its true owner");
    }

    /// An owner is asked to end, does, and is started again.
    async fn owner_asked_to_end(&mut self) {
        let (who, lanes) = self.some_owner();
        let moment = self.window("SIGTERM of an owner", &lanes);
        self.carts[who].ask_to_end();
        let status = loop {
            match self.carts[who].ended() {
                Some(status) => break status,
                None => self.look("the end of an owner that was asked to").await,
            }
        };
        assert!(status.success(), "an owner that was asked to end ended with {status}");
        self.until("the lanes of the owner that left", |run| run.shop.answered_since(moment, &ALL)).await;
        self.calm().await;
        let moment = self.window("  it is started again", &ALL);
        self.carts[who].start();
        self.settled("the owner that had left", moment).await;
    }

    /// Two services lose their only process at nearly one time.
    async fn services_struck(&mut self, blow: Blow, both: [usize; 2]) {
        let names = both.map(|who| SERVICES[who]);
        self.window(&format!("{} of {} and {}", blow.name(), names[0], names[1]), &[]);
        for who in both {
            self.services[who].begin(blow);
            tokio::time::sleep(Duration::from_millis(self.dice.below(1_000))).await;
        }
        if blow == Blow::Stop {
            tokio::time::sleep(STOPPED).await;
        }
        for who in both {
            while !self.services[who].end(blow) {
                self.look(&format!("the end of {}", SERVICES[who])).await;
            }
        }
        self.all_ready().await;
        self.market_answered().await;
        self.settled(&names.join(" and "), 0).await;
    }

    /// The gateway is struck.
    async fn gateway_struck(&mut self, blow: Blow) {
        let moment = self.window(&format!("{} of the gateway", blow.name()), &ALL);
        self.gateway.begin(blow);
        if blow == Blow::Stop {
            tokio::time::sleep(STOPPED).await;
        }
        while !self.gateway.end(blow) {
            self.look("the end of the gateway").await;
        }
        self.settled("the gateway that was struck", moment).await;
    }

    /// The broker is stopped under load.
    async fn broker_stopped(&mut self) {
        self.window(&format!("{} of the broker", Blow::Stop.name()), &ALL);
        self.shop.slow_down(SLOWER);
        self.servers.pause(Server::Kafka);
        tokio::time::sleep(STOPPED).await;
        self.servers.wake(Server::Kafka);
        self.recovered("the broker that was stopped").await;
    }

    /// Waits until all is as it was before a server was struck.
    async fn recovered(&mut self, what: &str) {
        let moment = self.shop.now();
        self.settled(what, moment).await;
        self.all_ready().await;
        self.market_answered().await;
        self.shop.slow_down(1);
    }

    /// Waits until the market has answers to all that was asked before.
    async fn market_answered(&mut self) {
        let moment = Market::now();
        self.until("answers in the market", |run| run.market.as_ref().is_none_or(|market| market.ended_before(moment)))
            .await;
    }

    /// The broker is killed, or asked to end, and started again, with everything waiting for it.
    ///
    /// Meanwhile every process says that it waits for it. It ends between two transactions: a broker without others that
    /// dies in the middle of one may never end it, and one that is asked to end gives up its partitions before it has
    /// written that a transaction is committed, takes them to be deleted, and aborts when it is back what it had called
    /// committed. The lane then waits for an operator.
    async fn broker_ended(&mut self, blow: Blow) {
        self.shop.slow_down(0);
        self.market_paused(true);
        self.until("an answer to every command", |run| run.shop.under_way() == 0).await;
        self.market_answered().await;
        let kafka = self.servers.kafka();
        // What follows from the last commands is over when nothing is open twice running.
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.until("the end of all transactions", |_| {
                let at_rest = |service: &str| topics::at_rest(&kafka, &format!("{PREFIX}{service}.events.v1"));
                block_in_place(|| SERVICES.iter().chain(&["cart"]).all(|service| at_rest(service)))
            })
            .await;
        }
        self.window(&format!("{} of the broker", blow.name()), &ALL);
        block_in_place(|| match blow {
            Blow::Kill => self.servers.kill(Server::Kafka),
            Blow::Stop | Blow::Term => self.servers.end(Server::Kafka),
        });
        self.market_paused(false);
        self.shop.slow_down(SLOWER);
        self.all_wait_for("Kafka").await;
        let mut starting = self.servers.begin_again(Server::Kafka);
        block_in_place(|| await_started(&mut starting, self.until));
        self.recovered("the broker that ended").await;
    }

    fn market_paused(&self, paused: bool) {
        if let Some(market) = &self.market {
            market.pause(paused);
        }
    }

    /// The store is killed; what needs only the log is decided meanwhile, and reads say that they cannot be answered.
    async fn store_killed(&mut self) {
        self.window("kill -9 of the store", &ALL);
        self.shop.slow_down(SLOWER);
        block_in_place(|| self.servers.kill(Server::Cassandra));
        let dead = self.shop.now();
        let decided = |run: &Self| {
            let seen = run.shop.seen();
            ALL.iter().all(|lane| {
                seen.answered
                    .iter()
                    .any(|answered| answered.lane == *lane && answered.log_only && answered.began > dead)
            })
        };
        self.until("commands that need only the log, without a store", |run| decided(run)).await;
        let said = |run: &Self| run.shop.seen().reads.iter().any(|(began, read)| *began > dead && *read == Read::Typed);
        self.until("a read that says why it cannot be answered", |run| said(run)).await;
        self.all_wait_for("the CQL store").await;
        let mut starting = self.servers.begin_again(Server::Cassandra);
        block_in_place(|| await_started(&mut starting, self.until));
        self.recovered("the store that was killed").await;
    }

    /// Ends the load, reads the log and every cart, and says what came of it all.
    pub async fn judge(&mut self) {
        self.shop.end();
        self.until("an answer to every command", |run| run.shop.under_way() == 0).await;
        self.close_window();
        let market = self.market.take().expect("the market is open");
        let (tally, market, wrong_in_market) =
            timeout(LIMIT, market.judge()).await.expect("the market is judged in time");
        let kafka = self.servers.kafka();
        let read = |service| block_in_place(|| topics::read(&kafka, &format!("{PREFIX}{service}.events.v1")));
        let (catalog, lanes) = (read("catalog"), read("cart"));
        let (mut faults, _) = check_log(&catalog);
        let (more, carts) = check_log(&lanes);
        faults.extend(more);
        let seen = std::mem::take(&mut *self.shop.seen());
        faults.extend(check_history(&lanes, &seen.ops));
        let wrong = self.read_carts(&carts, &lanes).await;
        println!("{}", totals(&seen, &lanes));
        println!("market: {tally}");
        let line = |window| Line::of(window, &seen, &market.ops, &faults);
        let lines: Vec<Line> = self.windows.iter().map(line).collect();
        lines.iter().for_each(|line| println!("{line}"));
        println!("sent again: {:?}", seen.again);
        println!("{} carts read through GraphQL equal the fold of the log", carts.len() - wrong.len());
        let some = &faults[..faults.len().min(20)];
        assert!(
            some.is_empty(),
            "{} faults in the log; what was printed is in {:?}: {some:#?}",
            faults.len(),
            self.folder
        );
        assert_eq!(wrong_in_market, Vec::<String>::new(), "what is wrong in the market");
        assert_eq!(wrong, Vec::<String>::new(), "carts as read are not the fold of the log");
        assert_eq!(seen.odd, Vec::<String>::new(), "answers that nobody should get");
        assert_eq!(lines.iter().map(|line| line.stale).sum::<usize>(), 0, "reads that hid what was acknowledged");
        let odd = std::mem::take(&mut self.shop.seen().odd);
        assert_eq!(odd, Vec::<String>::new(), "answers that nobody should get");
    }

    /// Reads every cart at the end of the log; what differs from `carts` is answered.
    async fn read_carts(&mut self, carts: &BTreeMap<String, Cart>, lanes: &[Vec<Record>]) -> Vec<String> {
        let ends = (0..).zip(lanes).map(|(lane, records)| format!("cart/{lane}:{}", records.len()));
        let position = ends.collect::<Vec<_>>().join(",");
        let mut left: Vec<(&String, &Cart)> = carts.iter().collect();
        let mut wrong = Vec::new();
        while !left.is_empty() {
            let reads = left.iter().map(|(name, _)| self.shop.cart(name.trim_start_matches("cart:"), &position));
            let answers = join_all(reads).await;
            let mut late = Vec::new();
            for ((name, cart), answer) in left.into_iter().zip(answers) {
                match answer {
                    Ok((version, lines)) if version == cart.version && lines == cart.lines => {}
                    Ok(found) => wrong.push(format!("{name} reads {found:?} and the log says {cart:?}")),
                    Err(_) => late.push((name, cart)),
                }
            }
            left = late;
            if !left.is_empty() {
                self.look(&format!("{} carts that could not be read yet", left.len())).await;
            }
        }
        wrong
    }

    /// Waits until every process says that it cannot serve, and that this is for want of `server`.
    async fn all_wait_for(&mut self, server: &str) {
        for address in self.addresses() {
            while !health(&address).await.is_some_and(|(status, said)| status == 503 && said.contains(server)) {
                self.look(&format!("{address} to say that it waits for {server}")).await;
            }
        }
    }

    /// Waits until every process says that it can serve.
    async fn all_ready(&mut self) {
        for address in self.addresses() {
            while health(&address).await.is_none_or(|(status, _)| status != 200) {
                self.look(&format!("{address} to say that it is ready")).await;
            }
        }
    }

    fn addresses(&self) -> Vec<String> {
        let processes = self.services.iter().chain(&self.carts).chain([&self.gateway]);
        processes.map(|process| process.address.clone()).collect()
    }

    /// One of the two owners, and its lanes.
    fn some_owner(&mut self) -> (usize, Vec<u32>) {
        let who = self.dice.below(2) as usize;
        (who, self.owners.lanes_of(&self.carts[who].address))
    }

    /// Begins a window, and answers when.
    fn window(&mut self, name: &str, lanes: &[u32]) -> u64 {
        let began = self.close_window();
        println!("{:>3} s: {name}, lanes {lanes:?}", began / 1_000_000);
        let (name, began_us) = (name.to_owned(), Market::now());
        self.windows.push(Window { name, began, ended: u64::MAX, lanes: lanes.to_vec(), began_us });
        began
    }

    fn close_window(&mut self) -> u64 {
        let now = self.shop.now();
        if let Some(last) = self.windows.last_mut() {
            last.ended = now;
        }
        now
    }

    /// Waits until every lane answers what began after `moment`, both processes own lanes again, and nothing is left
    /// over.
    async fn settled(&mut self, what: &str, moment: u64) {
        let whole = |run: &Self| run.carts.iter().all(|cart| !run.owners.lanes_of(&cart.address).is_empty());
        self.until(&format!("lanes at both owners after {what}"), |run| whole(run)).await;
        // Lanes may have moved last: what counts is an answer of the owners that there are now.
        let since = moment.max(self.shop.now());
        self.until(&format!("all lanes after {what}"), |run| run.shop.answered_since(since, &ALL)).await;
        self.calm().await;
    }

    async fn calm(&mut self) {
        self.until("the end of what waited", |run| run.shop.under_way() < CALM).await;
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let mut said = Instant::now();
        while !holds(self) {
            self.look(what).await;
            if said.elapsed() > TELL {
                let (now, under_way) = (self.shop.now() / 1_000_000, self.shop.under_way());
                println!("{now:>3} s:   still waits for {what}; {under_way} commands are under way");
                said = Instant::now();
            }
        }
    }

    /// Looks whether all are still there, and lets a little time pass.
    async fn look(&mut self, what: &str) {
        assert!(Instant::now() < self.until, "{}", self.in_vain(what));
        for process in self.services.iter_mut().chain(&mut self.carts).chain([&mut self.gateway]) {
            if let Some(status) = process.ended_by_itself() {
                panic!(
                    "{} ended by itself with {status} while waiting for {what}; see {:?}",
                    process.name, self.folder
                );
            }
        }
        tokio::time::sleep(LOOK).await;
    }

    fn in_vain(&self, what: &str) -> String {
        let (under_way, seen) = (self.shop.under_way(), self.shop.seen());
        let owners: Vec<_> = ALL.iter().map(|lane| self.owners.of(*lane)).collect();
        format!(
            "waited in vain for {what}; {under_way} commands under way, sent again {:?}, odd {:?}, owners {owners:?}; what \
             the processes printed is in {:?}",
            seen.again, seen.odd, self.folder
        )
    }
}

/// Whether the process at `address` says that it is ready: the status, and what it says.
async fn health(address: &str) -> Option<(u16, String)> {
    let answer = reqwest::get(format!("http://{address}/health/ready")).await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

fn totals(seen: &crate::load::Seen, lanes: &[Vec<Record>]) -> String {
    let answers: usize = seen.ops.iter().map(|op| op.answers.len()).sum();
    let acknowledged = seen.ops.iter().filter(|op| !op.answers.is_empty()).count();
    let records: usize = lanes.iter().map(Vec::len).sum();
    let terms: Vec<i64> = lanes.iter().map(|lane| lane.last().map_or(0, |record| record.term)).collect();
    format!(
        "{} commands, {acknowledged} acknowledged, {answers} answers; {records} records in {} lanes, terms {terms:?}",
        seen.ops.len(),
        lanes.len(),
    )
}

fn await_started(starting: &mut Child, until: Instant) {
    loop {
        if let Some(status) = starting.try_wait().expect("a child can be looked at") {
            assert!(status.success(), "a server did not start: run deploy/local/up.sh by hand to see why");
            return;
        }
        assert!(Instant::now() < until, "a server was not ready in time");
        std::thread::sleep(LOOK);
    }
}

/// A number that whoever runs the test has set.
fn set(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

/// Writes the settings of all processes, and gives those for Kafka.
fn write_settings(
    folder: &Path,
    servers: &Servers,
    services: &[Process; 4],
    cart: &Process,
    gateway: &Process,
) -> KafkaConfig {
    let (kafka, cql, keys) = (servers.kafka(), servers.cql(), folder.display());
    let listening = services.iter().chain([cart, gateway]);
    let listening: String =
        listening.map(|process| format!("[{}]\nlisten = \"{}\"\n", process.service, process.address)).collect();
    // A service that has no process here has a lane, so that whoever looks for it finds it.
    let known: toml::Table =
        include_str!("../../../../deploy/local/feira.toml").parse().expect("the settings for one machine are TOML");
    let known = known["kafka"]["lanes"].as_table().expect("they say how many lanes a service has");
    let lanes_of = |service: &str| match service {
        "cart" => LANES,
        "payments" => 4,
        "catalog" | "conversation" => 2,
        _ => 1,
    };
    let lanes: Vec<String> = known.keys().map(|service| format!("{service} = {}", lanes_of(service))).collect();
    let kafka = format!(
        r#"
        brokers = "{kafka}"
        prefix = "{PREFIX}"
        lanes = {{ {} }}
        "#,
        lanes.join(", ")
    );
    let text = format!(
        r#"
        [kafka]
        {kafka}
        [cql]
        nodes = ["{cql}"]
        keyspace = "{KEYSPACE}"
        [auth]
        development_folder = "{keys}"
        {listening}
        "#
    );
    std::fs::write(folder.join("feira.toml"), text).expect("the settings can be written");
    toml::from_str(&kafka).expect("the settings for Kafka are whole")
}

/// A token of someone who sets the business up, and answers its customers.
fn token(folder: &Path) -> String {
    let tenant = TenantId::new(TENANT).expect("it names a business");
    let key = DevKey::load_or_create(folder).expect("there is a key");
    let valid_for = Duration::from_secs(3_600);
    let issue = Issue { sub: MEMBER, tenant: Some(&tenant), roles: &[Role::Admin], country: None, valid_for };
    key.issue(&issue).expect("a token is signed")
}
