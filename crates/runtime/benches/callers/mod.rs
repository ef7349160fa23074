//! Callers that have 256 commands in flight between them, each waiting for its answer before it asks again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use feira_bench::{Latencies, Round, turn};
use feira_commands::cart::Input;
use feira_runtime::Command;
use feira_runtime::suite::command;

/// How many are in flight.
pub const IN_FLIGHT: usize = 256;
/// How many baskets there are.
const BASKETS: usize = 1_000;
/// How many commands there are in a round for each second that it should take.
const COMMANDS_A_SECOND: f64 = 50_000.0;

/// The commands of a round, made before the clock runs. Each leaves one event.
pub fn commands() -> Arc<Vec<Command>> {
    let count = (turn(1.0).as_secs_f64() * COMMANDS_A_SECOND) as usize;
    let one = |i: usize| {
        let input = Input::SetQuantity { sku: "mango".into(), quantity: (i / BASKETS % 99) as i32 };
        let mut command = command(&format!("BR.{}", i % BASKETS), input, &format!("k{i}"));
        command.deadline_ms += 600_000;
        command
    };
    Arc::new((0..count).map(one).collect())
}

/// Asks all of `commands`. What `ask` is given must have been accepted when it comes back.
pub async fn call<A, F>(commands: &Arc<Vec<Command>>, ask: A) -> Round
where
    A: Fn(Command) -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let callers: Vec<_> = (0..IN_FLIGHT)
        .map(|_| {
            let (commands, next, ask) = (commands.clone(), next.clone(), ask.clone());
            tokio::spawn(async move {
                let mut latencies = Latencies::default();
                while let Some(command) = commands.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    ask(command.clone()).await;
                    latencies.record(began.elapsed());
                }
                latencies
            })
        })
        .collect();
    let mut all = Vec::new();
    for caller in callers {
        all.push(caller.await.expect("no caller fails"));
    }
    Round::side_by_side(all, began.elapsed())
}
