//! The deployed platform while its processes and servers are killed, stopped and fenced under a steady load.
//!
//! The real binary runs as four processes on a Kafka and a Cassandra of this test's own. Commands come at a steady rate
//! and wait for nobody. What they were answered is judged against the topics, read from outside: nothing acknowledged is
//! lost, nothing is decided twice, every order holds. `docs/reliability.md` has the figures.

mod checker;
mod faults;
mod figures;
mod history;
mod load;
mod owners;
#[path = "../common/ports.rs"]
mod ports;
mod process;
mod servers;
mod teeth;
mod topics;

mod deployed {
    use crate::faults::Run;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_acknowledged_is_there_once_whatever_dies() {
        let mut run = Run::start().await;
        run.owner_killed().await;
        run.owner_stopped().await;
        run.owner_fenced().await;
        run.owner_asked_to_end().await;
        run.gateway_killed().await;
        run.broker_killed().await;
        run.store_killed().await;
        run.judge().await;
    }
}
