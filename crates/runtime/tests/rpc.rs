//! Commands between processes: routing, credentials, owners that move, fall silent or are not there.

#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use feira_commands::cart::Input;
use feira_event_log::EventLog;
use feira_event_log::simulated::Cluster;
use feira_ids::{LaneId, ServiceName};
use feira_runtime::suite::{Home, Shop, Stalled, accepted, command, history, run};
use feira_runtime::{Answer, Command, Commands, Options, RemoteCommands, Secret, rpc};
use futures::future::join_all;
use tempfile::TempDir;
use tokio::net::TcpListener;

struct Process {
    cluster: Arc<Cluster>,
    name: &'static str,
    folder: TempDir,
}

impl Process {
    fn new(cluster: &Arc<Cluster>, name: &'static str) -> Self {
        Self { cluster: cluster.clone(), name, folder: tempfile::tempdir().unwrap() }
    }
}

impl Home for Process {
    fn open(&self) -> Arc<dyn EventLog> {
        self.cluster.process(self.name)
    }

    fn folder(&self) -> PathBuf {
        self.folder.path().join("lanes")
    }
}

fn cluster(lanes: u32) -> Arc<Cluster> {
    Cluster::new(&[(ServiceName::new("cart"), lanes)])
}

fn secret() -> Secret {
    Secret::new(*b"thirty-two bytes of a test secret").unwrap()
}

fn mango(basket: &str, key: &str) -> Command {
    command(basket, Input::AddItem { sku: "mango".into(), quantity: 1 }, key)
}

/// A process that owns lanes and takes commands at an address of its own.
struct Owner {
    shop: Shop,
    address: String,
    server: tokio::task::JoinHandle<()>,
}

impl Owner {
    async fn start(process: &Process) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shop = Shop::start_at(process.open(), process, Options::default(), &address).await;
        let router = rpc::server([shop.running.intake()], secret());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shop, address, server }
    }

    async fn ready(&self) {
        assert!(self.shop.running.wait_ready(Duration::from_secs(30)).await, "{:?}", self.shop.running.ready());
    }

    async fn close(self) {
        self.shop.close().await;
        self.server.abort();
    }
}

fn commands(cluster: &Arc<Cluster>, secret: Secret) -> RemoteCommands {
    RemoteCommands::new(cluster.process("gateway"), &[ServiceName::new("cart")], secret).unwrap()
}

fn brief(mut command: Command, wait_ms: i64) -> Command {
    command.deadline_ms += wait_ms - 30_000;
    command
}

#[test]
fn a_command_goes_to_its_owner_and_the_answer_comes_back() {
    let cluster = cluster(4);
    let process = Process::new(&cluster, "one");
    run(&process, async {
        let owner = Owner::start(&process).await;
        owner.ready().await;
        let commands = commands(&cluster, secret());
        let first = accepted(commands.ask(mango("BR.1", "k1")).await);
        assert_eq!((first.version, first.events.len(), first.repeated), (1, 1, false));
        let again = accepted(commands.ask(mango("BR.1", "k1")).await);
        assert_eq!((again.position, again.repeated), (first.position, true));
        let refused = command("BR.1", Input::AddItem { sku: "mango".into(), quantity: 99 }, "k2");
        assert!(matches!(commands.ask(refused).await, Answer::Refused { .. }));
        owner.close().await;
    });
}

#[test]
fn many_commands_are_in_flight_on_one_stream() {
    let cluster = cluster(4);
    let process = Process::new(&cluster, "one");
    run(&process, async {
        let owner = Owner::start(&process).await;
        owner.ready().await;
        let commands = commands(&cluster, secret());
        let asked = (0..2_000).map(|i| {
            let commands = commands.clone();
            tokio::spawn(async move {
                commands.ask(command(&format!("BR.{}", i % 97), Input::Undo { edit: None }, &format!("k{i}"))).await
            })
        });
        for answer in join_all(asked).await {
            accepted(answer.unwrap());
        }
        assert_eq!(history(owner.shop.log.as_ref()).count("feira.lane.v1.CommandOutcome"), 2_000);
        owner.close().await;
    });
}

#[test]
fn a_process_with_another_secret_is_turned_away() {
    let cluster = cluster(1);
    let process = Process::new(&cluster, "one");
    run(&process, async {
        let owner = Owner::start(&process).await;
        owner.ready().await;
        let commands = commands(&cluster, Secret::new([1; 32]).unwrap());
        assert_eq!(commands.ask(brief(mango("BR.1", "k1"), 300)).await, Answer::TimedOut);
        assert_eq!(owner.shop.running.metrics().commands.get(), 0);
        owner.close().await;
    });
}

#[test]
fn a_lane_that_moves_is_followed() {
    let cluster = cluster(1);
    let lane = LaneId::new(&ServiceName::new("cart"), 0);
    let (first, second) = (Process::new(&cluster, "one"), Process::new(&cluster, "two"));
    run(&first, async {
        let one = Owner::start(&first).await;
        one.ready().await;
        let two = Owner::start(&second).await;
        let commands = commands(&cluster, secret());
        for round in 0..6u64 {
            cluster.assign(&lane, if round % 2 == 0 { "one" } else { "two" });
            let answer = accepted(commands.ask(mango("BR.1", &format!("k{round}"))).await);
            assert_eq!(answer.version, round + 1);
        }
        one.close().await;
        two.close().await;
    });
}

#[test]
fn lanes_of_several_owners_are_each_asked_of_their_own() {
    let cluster = cluster(4);
    let (first, second) = (Process::new(&cluster, "one"), Process::new(&cluster, "two"));
    run(&first, async {
        let one = Owner::start(&first).await;
        let two = Owner::start(&second).await;
        for index in 0..4 {
            let owner = if index % 2 == 0 { "one" } else { "two" };
            cluster.assign(&LaneId::new(&ServiceName::new("cart"), index), owner);
        }
        let commands = commands(&cluster, secret());
        let asked = (0..100).map(|i| commands.ask(mango(&format!("BR.{i}"), &format!("k{i}"))));
        join_all(asked.collect::<Vec<_>>()).await.into_iter().for_each(|answer| drop(accepted(answer)));
        assert!(one.shop.running.metrics().accepted.get() > 0);
        assert!(two.shop.running.metrics().accepted.get() > 0);
        one.close().await;
        two.close().await;
    });
}

#[test]
fn an_owner_that_is_gone_is_asked_by_one_while_the_others_wait_for_its_successor() {
    let cluster = cluster(1);
    let lane = LaneId::new(&ServiceName::new("cart"), 0);
    let (first, second) = (Process::new(&cluster, "one"), Process::new(&cluster, "two"));
    run(&first, async {
        // An owner was announced where something takes connections and says nothing.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = silent.local_addr().unwrap().to_string();
        let gone = Shop::start_at(first.open(), &first, Options::default(), &address).await;
        assert!(gone.running.wait_ready(Duration::from_secs(30)).await);
        gone.close().await;
        let commands = commands(&cluster, secret()).with_silence(Duration::from_millis(200));
        let asked: Vec<_> = (0..50)
            .map(|i| {
                let commands = commands.clone();
                tokio::spawn(async move { commands.ask(mango("BR.1", &format!("k{i}"))).await })
            })
            .collect();
        let mut connections = Vec::new();
        let until = Instant::now() + Duration::from_secs(1);
        while let Ok(Ok((connection, _))) = tokio::time::timeout_at(until.into(), silent.accept()).await {
            connections.push(connection);
        }
        assert!((1..=15).contains(&connections.len()), "{} connections", connections.len());
        let owner = Owner::start(&second).await;
        cluster.assign(&lane, "two");
        for answer in join_all(asked).await {
            accepted(answer.unwrap());
        }
        assert_eq!(history(owner.shop.log.as_ref()).states["cart:BR.1"].1, 50);
        owner.close().await;
    });
}

#[test]
fn an_owner_without_its_log_is_asked_by_one_while_the_others_wait() {
    let cluster = cluster(1);
    let process = Process::new(&cluster, "one");
    run(&process, async {
        let owner = Owner::start(&process).await;
        owner.ready().await;
        let commands = commands(&cluster, secret());
        accepted(commands.ask(mango("BR.1", "k0")).await);
        cluster.set_available(false);
        // The first one shows the owner that its log is gone.
        assert_eq!(commands.ask(brief(mango("BR.1", "k1"), 500)).await, Answer::TimedOut);
        let before = owner.shop.running.metrics().commands.get();
        let asked = (2..202).map(|i| {
            let commands = commands.clone();
            tokio::spawn(async move { commands.ask(brief(mango(&format!("BR.{i}"), "k"), 2_000)).await })
        });
        for answer in join_all(asked).await {
            assert_eq!(answer.unwrap(), Answer::TimedOut);
        }
        let asked = owner.shop.running.metrics().commands.get() - before;
        assert!((1..=100).contains(&asked), "{asked} times");
        cluster.set_available(true);
        assert!(!accepted(commands.ask(mango("BR.1", "k2")).await).repeated);
        owner.close().await;
    });
}

#[test]
fn an_owner_that_is_silent_gets_one_probe_at_a_time() {
    let cluster = cluster(1);
    let process = Process::new(&cluster, "one");
    run(&process, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let stalled = Stalled::new(process.open());
        let (stall, log) = (stalled.stall.clone(), Arc::new(stalled));
        let shop = Shop::start_at(log, &process, Options::default(), &address).await;
        assert!(shop.running.wait_ready(Duration::from_secs(30)).await);
        let router = rpc::server([shop.running.intake()], secret());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let silence = Duration::from_millis(200);
        let commands = commands(&cluster, secret()).with_silence(silence);
        // The stream is open before anything is held up.
        accepted(commands.ask(mango("BR.1", "first")).await);
        let before = shop.running.metrics().commands.get();
        let (held, wait_for_it) = std::sync::mpsc::channel::<()>();
        let holder = std::thread::spawn(move || {
            let _stall = stall.lock().unwrap();
            // The end of a test that failed lets go too.
            let _ = wait_for_it.recv();
        });
        let began = Instant::now();
        let asked: Vec<_> = (0..50)
            .map(|i| {
                let commands = commands.clone();
                tokio::spawn(async move { commands.ask(mango("BR.1", &format!("k{i}"))).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let sent = || shop.running.metrics().commands.get() - before;
        while sent() <= 50 {
            assert!(began.elapsed() < Duration::from_secs(25), "no probe was sent, only {}", sent());
            tokio::time::sleep(silence).await;
        }
        // Each of them once, and one probe after each silence, however fast the machine is.
        let (sent, silences) = (sent(), began.elapsed().as_millis() / silence.as_millis());
        assert!(u128::from(sent) <= 50 + silences + 1, "{sent} were sent in {silences} silences");
        held.send(()).unwrap();
        for answer in join_all(asked).await {
            accepted(answer.unwrap());
        }
        assert_eq!(history(shop.log.as_ref()).states["cart:BR.1"].1, 51);
        holder.join().unwrap();
        server.abort();
        shop.close().await;
    });
}

#[test]
fn a_stream_that_breaks_loses_and_doubles_nothing() {
    let cluster = cluster(1);
    let process = Process::new(&cluster, "one");
    run(&process, async {
        let owner = Owner::start(&process).await;
        owner.ready().await;
        // A door in between that slams now and then.
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let behind = owner.address.clone();
        let at_door = Process::new(&cluster, "door");
        let doorstep = door.local_addr().unwrap().to_string();
        let keeper = tokio::spawn(async move {
            loop {
                let (mut outer, _) = door.accept().await.unwrap();
                let mut inner = tokio::net::TcpStream::connect(&behind).await.unwrap();
                let open = Duration::from_millis(60);
                let _ = tokio::time::timeout(open, tokio::io::copy_bidirectional(&mut outer, &mut inner)).await;
            }
        });
        drop(at_door);
        let hints = Announced(cluster.process("gateway"), doorstep);
        let log: Arc<dyn EventLog> = Arc::new(hints);
        let commands = RemoteCommands::new(log, &[ServiceName::new("cart")], secret()).unwrap();
        for round in 0..20 {
            let asked = (0..10).map(|i| commands.ask(mango(&format!("BR.{i}"), &format!("k{round}.{i}"))));
            for answer in join_all(asked.collect::<Vec<_>>()).await {
                accepted(answer);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let standing = history(owner.shop.log.as_ref());
        assert!(standing.states.values().all(|(_, events)| *events == 20));
        keeper.abort();
        owner.close().await;
    });
}

/// A log that announces every lane at one address.
struct Announced(Arc<dyn EventLog>, String);

struct OneOwner(String);

impl feira_event_log::OwnerHints for OneOwner {
    fn owner(&self, _: &LaneId) -> Option<feira_event_log::Owner> {
        Some(feira_event_log::Owner { address: self.0.clone(), term: 1 })
    }
}

impl EventLog for Announced {
    fn log_id(&self) -> String {
        self.0.log_id()
    }
    fn lanes(&self, service: &ServiceName) -> Result<u32, feira_event_log::LogError> {
        self.0.lanes(service)
    }
    fn join(
        &self,
        service: &ServiceName,
        address: &str,
    ) -> Result<Arc<dyn feira_event_log::Membership>, feira_event_log::LogError> {
        self.0.join(service, address)
    }
    fn reader(
        &self,
        lane: &LaneId,
        resume: feira_event_log::Resume,
    ) -> Result<Box<dyn feira_event_log::LaneReader>, feira_event_log::LogError> {
        self.0.reader(lane, resume)
    }
    fn last_seq(&self, lane: &LaneId) -> Result<u64, feira_event_log::LogError> {
        self.0.last_seq(lane)
    }
    fn owners(&self) -> Arc<dyn feira_event_log::OwnerHints> {
        Arc::new(OneOwner(self.1.clone()))
    }
}

#[test]
fn garbage_is_answered_and_closes_the_stream_and_the_server_serves_on() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let cluster = cluster(1);
    let process = Process::new(&cluster, "one");
    run(&process, async {
        let owner = Owner::start(&process).await;
        owner.ready().await;
        for garbage in
            [&b"\0\0\0\0"[..], b"POST / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff"]
        {
            let mut stream = tokio::net::TcpStream::connect(&owner.address).await.unwrap();
            stream.write_all(garbage).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut answer = Vec::new();
            let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
            let _ = read.expect("the connection was closed");
        }
        let commands = commands(&cluster, secret());
        accepted(commands.ask(mango("BR.1", "k1")).await);
        owner.close().await;
    });
}
