//! What one more message costs in a thread of a thousand messages and in one of ten million, each alone on a log of its own:
//! the two should cost the same. Durable on the embedded log, sent in this process.
//!
//! `cargo bench -p feira-conversation-server`. `FEIRA_BENCH_MESSAGES` sets how long the long thread is (10,000,000 need
//! 5 GiB of disk beside the build), `FEIRA_BENCH_SECONDS` how long a round takes. The thread is written straight to the
//! log; then the service takes the lane over from nothing, which is measured, too.

mod history;
mod market;

use std::process::ExitCode;

use feira_bench::{Goal, Report, Round, Row, Unit, in_turns, turn};
use market::Market;

/// How long the short thread is.
const SHORT: u64 = 1_000;
/// How long the long one is, where nothing else is said.
const LONG: u64 = 10_000_000;
/// How many messages are sent at once.
const AT_ONCE: [usize; 2] = [1, 64];
/// The most that taking over should cost an event, as a rate.
const REPLAY: Goal = Goal::AtLeast(500_000.0);

fn main() -> ExitCode {
    let set = std::env::var("FEIRA_BENCH_MESSAGES").ok();
    let messages = set.map_or(LONG, |text| text.parse().expect("FEIRA_BENCH_MESSAGES is a number"));
    let (short, long) = (Market::open(SHORT), Market::open(messages));
    let mut report = Report::new();
    println!("the long thread: {messages} messages, {} MiB on the log", long.log_mib);
    report.table("Taking a thread over from the log, empty folder, events", Unit::PerSecond, "");
    report.row(Row::new(format!("{messages} messages"), &[Round::of(messages, long.taken_over)]).goal(REPLAY));

    let title = format!("One more message, durable: thread and log of {messages} messages");
    report.table(&title, Unit::PerSecond, &format!("the same in a thread and log of {SHORT}"));
    for at_once in AT_ONCE {
        let (ours, theirs) = in_turns(|| long.send(at_once, turn(1.0)), || short.send(at_once, turn(1.0)));
        let name = format!("{at_once} at once");
        // A tenth is what rounds of one thing differ by.
        report.row(Row::new(name, &ours).beside(&theirs).goal(Goal::Share(0.9)));
    }
    short.close();
    long.close();
    report.end()
}
