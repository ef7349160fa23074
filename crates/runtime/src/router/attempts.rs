//! Asking again: which answers are no answer yet, and how long to wait before the next try.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::wall_ms;
use crate::{Answer, Command, jitter};

const PAUSE_SHORTEST: Duration = Duration::from_millis(5);
const PAUSE_LONGEST: Duration = Duration::from_millis(500);

/// Whether asking again with the same id may bring another answer.
pub(crate) fn may_change(answer: &Answer) -> bool {
    match answer {
        Answer::Moved { .. }
        | Answer::NotReady
        | Answer::Overloaded
        | Answer::FactsUnavailable { .. }
        | Answer::TimedOut => true,
        Answer::Accepted(_)
        | Answer::Refused { .. }
        | Answer::Conflict { .. }
        | Answer::KeyReused
        | Answer::Invalid { .. }
        | Answer::Forbidden
        | Answer::Poison { .. } => false,
    }
}

/// Asks until there is an answer that stands, or the command's deadline has passed.
pub(crate) async fn until_answered<F>(command: Command, mut ask: impl FnMut(Command, Instant) -> F) -> Answer
where
    F: Future<Output = Answer>,
{
    let left_ms = command.deadline_ms.saturating_sub(wall_ms());
    let Ok(left_ms) = u64::try_from(left_ms) else { return Answer::TimedOut };
    let until = Instant::now() + Duration::from_millis(left_ms);
    let mut tries = 0;
    loop {
        let asked = tokio::time::timeout_at(until, ask(command.clone(), until)).await;
        match asked {
            Ok(answer) if !may_change(&answer) => return answer,
            Ok(_) => {}
            Err(_) => return Answer::TimedOut,
        }
        let pause = jitter::pause(PAUSE_SHORTEST, PAUSE_LONGEST, tries);
        if Instant::now() + pause >= until {
            tokio::time::sleep_until(until).await;
            return Answer::TimedOut;
        }
        tries += 1;
        tokio::time::sleep(pause).await;
    }
}
