//! The deployed platform while its processes and servers are killed, stopped, asked to end and fenced under load.
//!
//! The real binary runs as seven processes on a Kafka and a Cassandra of this test's own. Commands to carts come at a
//! steady rate and wait for nobody; beside them a market buys, pays and writes. What they were answered is judged against
//! the topics, read from outside: nothing acknowledged is lost, nothing is decided twice, every order holds, what has begun
//! comes to its end. `docs/reliability.md` has the figures.
//!
//! The order of the faults is drawn from a seed, which is printed; `FEIRA_CHAOS_SEED` sets it. `FEIRA_CHAOS_ROUNDS` is how
//! often each is done: once, when nothing else is said.

mod checker;
mod faults;
mod figures;
mod history;
mod load;
mod market;
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
        run.strike_all().await;
        run.judge().await;
    }
}
