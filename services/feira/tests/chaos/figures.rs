//! What a fault cost, as one line: how many commands there were, what became of them, how long nothing was answered.

use std::collections::HashMap;
use std::fmt;

use feira_simulation::Op;

use crate::checker::Fault;
use crate::history::Id;
use crate::load::{LANES, Read, Seen};

/// The time from one fault to the next.
#[derive(Clone, Debug)]
pub struct Window {
    /// What was done.
    pub name: String,
    /// When, in microseconds of the run.
    pub began: u64,
    /// When the next thing was done.
    pub ended: u64,
    /// The lanes of carts that it was done to.
    pub lanes: Vec<u32>,
    /// When it began, as clients of the market take time down.
    pub began_us: i64,
}

/// What came of it.
pub struct Line {
    name: String,
    commands: usize,
    acknowledged: usize,
    unknown: usize,
    /// Acknowledged commands that are not where they were said to be.
    pub lost: usize,
    /// Commands that were decided more than once.
    pub twice: usize,
    /// Commands of the market, and the longest that one of them waited for its answer.
    market: (usize, i64),
    stall_ms: u64,
    others_ms: Option<u64>,
    reads: [usize; 3],
    /// Reads that showed less than what had been acknowledged, as if it were all.
    pub stale: usize,
}

impl Line {
    /// What came of `window`, by the history and what the checker found.
    pub fn of(window: &Window, seen: &Seen, market: &[Op], faults: &[Fault]) -> Self {
        let within = |moment: u64| (window.began..window.ended).contains(&moment);
        let ops: HashMap<Id, bool> =
            seen.ops.iter().filter(|op| within(op.began)).map(|op| (op.id, !op.answers.is_empty())).collect();
        let count = |of: fn(&Fault) -> Option<Id>| {
            faults
                .iter()
                .filter_map(of)
                .filter(|id| ops.contains_key(id))
                .collect::<std::collections::HashSet<_>>()
                .len()
        };
        let acknowledged = ops.values().filter(|answered| **answered).count();
        let others: Vec<u32> = (0..LANES as u32).filter(|lane| !window.lanes.contains(lane)).collect();
        let span = window.began_us..window.began_us + (window.ended - window.began) as i64;
        let waits = market.iter().filter(|op| span.contains(&op.began)).map(|op| match op.answers.first() {
            Some((at, _)) => (at - op.began) / 1_000,
            None => i64::MAX,
        });
        let waits: Vec<i64> = waits.collect();
        let read = |kind| seen.reads.iter().filter(|(began, read)| within(*began) && *read == kind).count();
        Self {
            name: window.name.clone(),
            commands: ops.len(),
            acknowledged,
            unknown: ops.len() - acknowledged,
            lost: count(Fault::lost),
            twice: count(Fault::twice),
            market: (waits.len(), waits.iter().copied().max().unwrap_or(0)),
            stall_ms: longest_gap_ms(window, seen, &window.lanes),
            others_ms: (!others.is_empty()).then(|| longest_gap_ms(window, seen, &others)),
            reads: [Read::Fresh, Read::Typed, Read::Away].map(read),
            stale: read(Read::Stale),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<42} commands {:>5}, acknowledged {:>5}, unknown {}, lost {}, twice {}, stall {:>5} ms",
            self.name, self.commands, self.acknowledged, self.unknown, self.lost, self.twice, self.stall_ms
        )?;
        if let Some(others) = self.others_ms {
            write!(f, " (other lanes {others} ms)")?;
        }
        let [fresh, typed, away] = self.reads;
        let (commands, longest) = self.market;
        write!(f, "; market {commands} commands, longest wait {longest} ms")?;
        write!(f, "; reads {fresh}, late and said so {typed}, no gateway {away}")
    }
}

/// The longest time within the window in which one of `lanes` answered nothing.
fn longest_gap_ms(window: &Window, seen: &Seen, lanes: &[u32]) -> u64 {
    let longest = |lane: &u32| {
        let mut times: Vec<u64> =
            seen.answered.iter().filter(|answered| answered.lane == *lane).map(|answered| answered.at).collect();
        times.retain(|at| (window.began..window.ended).contains(at));
        times.extend([window.began, window.ended]);
        times.sort_unstable();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    };
    lanes.iter().map(longest).max().unwrap_or(0) / 1_000
}
