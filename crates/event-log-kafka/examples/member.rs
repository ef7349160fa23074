//! A process that serves every lane it is assigned with one record after another, and says each thing that happens.
//!
//! `member BROKERS PREFIX`. It is what the tests kill, stop and wake; run by hand it shows lanes moving between
//! processes. After its first fence it only tries to take that lane back, until it is a member again; then it ends.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use feira_event_log::{AppendError, EventLog, Membership, Resume, TakeError, Taken, suite};
use feira_event_log_kafka::{KafkaConfig, KafkaLog};
use feira_ids::ServiceName;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [brokers, prefix] = arguments.as_slice() else {
        eprintln!("usage: member BROKERS PREFIX");
        return ExitCode::FAILURE;
    };
    let config = KafkaConfig::new(brokers, prefix).with_service("cart", suite::LANES);
    let log = KafkaLog::connect(config, Duration::from_secs(60)).expect("the log is there");
    let membership = log.join(&ServiceName::new("cart"), "local").expect("joining works");
    let mut taken: BTreeMap<u32, Taken> = BTreeMap::new();
    // Orphaned by a failing test, it ends by itself.
    let end = Instant::now() + Duration::from_secs(180);
    while Instant::now() < end {
        let assignment = membership.assignment(0, Duration::from_millis(5));
        taken.retain(|lane, _| assignment.lanes.contains(lane));
        for lane in assignment.lanes {
            match taken.get_mut(&lane) {
                Some(owned) => {
                    if let Some(fenced) = write(lane, owned) {
                        println!("{fenced} {lane}");
                        insist(&*membership, lane, assignment.generation);
                        return ExitCode::SUCCESS;
                    }
                }
                None => match membership.take(lane, Resume::START, &mut |_| Ok(()), &|| false) {
                    Ok(owned) => {
                        println!("took {lane} {} {}", owned.term, owned.last_seq);
                        taken.insert(lane, owned);
                    }
                    Err(error) => println!("refused {lane} {error}"),
                },
            }
        }
    }
    ExitCode::SUCCESS
}

/// Appends one record; answers what went wrong, if anything did.
fn write(lane: u32, owned: &mut Taken) -> Option<&'static str> {
    let next = owned.last_seq + 1;
    match owned.writer.append(&suite::batch(lane, next, owned.term, 1), Some("local")) {
        Ok(_) => {
            owned.last_seq = next;
            println!("wrote {lane} {next} {}", owned.term);
            None
        }
        Err(AppendError::Fenced) => Some("fenced"),
        Err(_) => Some("doubt"),
    }
}

/// Tries to take a lane back, as a process does that does not know yet that it was expelled.
fn insist(membership: &dyn Membership, lane: u32, generation: u64) {
    loop {
        match membership.take(lane, Resume::START, &mut |_| Ok(()), &|| false) {
            Ok(owned) => println!("took {lane} {} {}", owned.term, owned.last_seq),
            Err(TakeError::NotAssigned) => println!("refused {lane}"),
            Err(error) => println!("failed {lane} {error}"),
        }
        let now = membership.assignment(generation, Duration::from_millis(20));
        if now.generation > generation && !now.lost {
            println!("back");
            return;
        }
    }
}
