//! Judges a log by the history of those who asked for what is in it. Knows nothing of how either came about.

use std::collections::{BTreeMap, HashMap};

use crate::history::{Answer, Id, Op};

/// A record as read from a lane.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its place in the lane.
    pub seq: i64,
    /// The ownership under which it was written.
    pub term: i64,
    /// The hybrid logical clock.
    pub hlc: i64,
    /// Business time.
    pub at: i64,
    /// Whether it is of the business whose history is judged. Others' are judged elsewhere.
    pub ours: bool,
    /// Its aggregate; empty for what concerns the lane alone.
    pub aggregate: String,
    /// Its place among the aggregate's events.
    pub aggregate_seq: Option<i64>,
    /// The command that was decided.
    pub command: Id,
    /// Its number among the command's records, from 0, and how many there are.
    pub part: (i32, i32),
    /// What it says.
    pub body: Body,
}

/// What a record says, as far as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// An owner began a term.
    Taken,
    /// A command was refused.
    Refused,
    /// A command changed nothing.
    Nothing,
    /// Units were put into a cart: the product, how many, how many there are now.
    Added(String, i32, i32),
    /// The units of a line were set.
    Set(String, i32),
    /// An event that is not followed here.
    Other(String),
}

/// A place in the log: lane and sequence.
pub type Place = (u32, i64);

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An acknowledged command is not in the log.
    Lost { id: Id },
    /// A command is in the log more than once.
    Twice { id: Id, places: Vec<Place> },
    /// An acknowledged command stands elsewhere than it was told.
    Elsewhere { id: Id, told: Place, found: Place },
    /// A command was answered otherwise than it was decided.
    Misreported { id: Id, told: Answer, version: Option<i64> },
    /// A command's records do not stand together, whole and in order.
    Torn { id: Id, place: Place },
    /// A record of a command that nobody sent.
    Stranger { id: Id, place: Place },
    /// A lane's sequences are not 1, 2, 3 …
    Sequence { lane: u32, after: i64, found: i64 },
    /// The term fell, or rose without an owner that takes the lane, or an owner took the lane in the same term.
    Term { place: Place, after: i64, found: i64 },
    /// The hybrid logical clock did not rise.
    Hlc { place: Place },
    /// Business time fell.
    At { place: Place },
    /// An aggregate's sequences are not 1, 2, 3 …
    Version { cart: String, after: i64, found: i64 },
    /// A line does not hold what was put in.
    Sum { cart: String, sku: String, expected: i32, found: i32 },
    /// A command that began after another had been answered stands before it.
    Order { cart: String, earlier: Id, later: Id },
}

impl Fault {
    /// The command that is lost, if that is what is wrong.
    pub fn lost(&self) -> Option<Id> {
        if let Self::Lost { id } | Self::Elsewhere { id, .. } = self { Some(*id) } else { None }
    }

    /// The command that was decided twice, if that is what is wrong.
    pub fn twice(&self) -> Option<Id> {
        if let Self::Twice { id, .. } = self { Some(*id) } else { None }
    }
}

/// A cart as the log tells it: its version, and how many units there are of each product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cart {
    /// Its version.
    pub version: i64,
    /// Units by product.
    pub lines: BTreeMap<String, i32>,
}

/// Everything that is wrong with the lanes of one service by themselves, and the carts they tell.
pub fn check_log(lanes: &[Vec<Record>]) -> (Vec<Fault>, BTreeMap<String, Cart>) {
    let mut faults = Vec::new();
    let mut carts = BTreeMap::new();
    for (lane, records) in (0..).zip(lanes) {
        check_lane(lane, records, &mut faults);
        for record in records.iter().filter(|record| record.ours) {
            fold(record, &mut carts, &mut faults);
        }
    }
    (faults, carts)
}

fn check_lane(lane: u32, records: &[Record], faults: &mut Vec<Fault>) {
    let (mut seq, mut term, mut hlc, mut at) = (0, 0, 0, 0);
    let mut open: Option<(Id, i32, i32)> = None;
    for record in records {
        let place = (lane, record.seq);
        if record.seq != seq + 1 {
            faults.push(Fault::Sequence { lane, after: seq, found: record.seq });
        }
        let follows = match record.body {
            Body::Taken => record.term > term,
            _ => record.term == term,
        };
        if !follows {
            faults.push(Fault::Term { place, after: term, found: record.term });
        }
        if record.hlc <= hlc {
            faults.push(Fault::Hlc { place });
        }
        if record.at < at {
            faults.push(Fault::At { place });
        }
        let (index, count) = record.part;
        let begun = open.unwrap_or((record.command, 0, count));
        if (record.command, index, count) != begun || index >= count {
            faults.push(Fault::Torn { id: begun.0, place });
        }
        open = (index + 1 < count).then_some((record.command, index + 1, count));
        (seq, term) = (record.seq, term.max(record.term));
        (hlc, at) = (hlc.max(record.hlc), at.max(record.at));
    }
    if let Some((id, _, _)) = open {
        faults.push(Fault::Torn { id, place: (lane, seq) });
    }
}

fn fold(record: &Record, carts: &mut BTreeMap<String, Cart>, faults: &mut Vec<Fault>) {
    let Some(version) = record.aggregate_seq else { return };
    let cart = carts.entry(record.aggregate.clone()).or_default();
    if version != cart.version + 1 {
        faults.push(Fault::Version { cart: record.aggregate.clone(), after: cart.version, found: version });
    }
    cart.version = version;
    match &record.body {
        Body::Added(sku, added, now) => {
            let expected = cart.lines.get(sku).copied().unwrap_or(0) + added;
            if *now != expected {
                let (cart, sku) = (record.aggregate.clone(), sku.clone());
                faults.push(Fault::Sum { cart, sku, expected, found: *now });
            }
            cart.lines.insert(sku.clone(), *now);
        }
        Body::Set(sku, now) => {
            cart.lines.insert(sku.clone(), *now);
        }
        Body::Taken | Body::Refused | Body::Nothing | Body::Other(_) => {}
    }
}

/// Everything that is wrong between the lanes and what their callers saw.
pub fn check_history(lanes: &[Vec<Record>], ops: &[Op]) -> Vec<Fault> {
    let mut found: HashMap<Id, Vec<(Place, &Record)>> = HashMap::new();
    for (lane, records) in (0..).zip(lanes) {
        for record in records.iter().filter(|record| record.ours && record.body != Body::Taken) {
            found.entry(record.command).or_default().push(((lane, record.seq), record));
        }
    }
    let mut faults = Vec::new();
    let mut changes: BTreeMap<&str, Vec<Change>> = BTreeMap::new();
    for op in ops {
        let records = found.remove(&op.id).unwrap_or_default();
        if records.iter().filter(|(_, record)| record.part.0 == 0).count() > 1 {
            faults.push(Fault::Twice { id: op.id, places: records.iter().map(|(place, _)| *place).collect() });
        }
        match records.last() {
            Some((place, last)) => {
                judge_answers(op, &records, *place, last, &mut faults);
                if let Some(version) = last.aggregate_seq {
                    let change = Change { id: op.id, began: op.began, ended: op.ended(), version };
                    changes.entry(&op.cart).or_default().push(change);
                }
            }
            None if !op.answers.is_empty() => faults.push(Fault::Lost { id: op.id }),
            None => {}
        }
    }
    for (id, records) in found {
        faults.push(Fault::Stranger { id, place: records[0].0 });
    }
    for (cart, changes) in changes {
        check_order(cart, changes, &mut faults);
    }
    faults
}

fn judge_answers(op: &Op, records: &[(Place, &Record)], place: Place, last: &Record, faults: &mut Vec<Fault>) {
    for answer in &op.answers {
        let told = (answer.lane, answer.seq);
        if !records.iter().any(|(place, _)| *place == told) {
            faults.push(Fault::Elsewhere { id: op.id, told, found: place });
            continue;
        }
        let as_decided = answer.refused == (last.body == Body::Refused)
            && match (answer.version, last.aggregate_seq) {
                // A repeat is told what the command made it the first time.
                (Some(told), Some(version)) => told == version,
                (told, None) => told.is_none() || last.body == Body::Nothing,
                (None, Some(_)) => false,
            };
        if !as_decided || op.cart != last.aggregate {
            faults.push(Fault::Misreported { id: op.id, told: *answer, version: last.aggregate_seq });
        }
    }
}

/// A change of a cart: when it was asked for, when it was known, and the version it made.
#[derive(Clone, Copy)]
struct Change {
    id: Id,
    began: u64,
    ended: Option<u64>,
    version: i64,
}

/// With the versions given, a cart is linearizable if no change that was answered before another began comes after it.
fn check_order(cart: &str, mut changes: Vec<Change>, faults: &mut Vec<Fault>) {
    let mut answered: Vec<(u64, i64, Id)> =
        changes.iter().filter_map(|change| change.ended.map(|ended| (ended, change.version, change.id))).collect();
    answered.sort_unstable();
    changes.sort_unstable_by_key(|change| change.began);
    let mut answered = answered.into_iter().peekable();
    let mut highest: Option<(i64, Id)> = None;
    for change in changes {
        while let Some((_, version, id)) = answered.next_if(|(ended, _, _)| *ended < change.began) {
            highest = highest.max(Some((version, id)));
        }
        if let Some((_, earlier)) = highest.filter(|(version, _)| *version >= change.version) {
            faults.push(Fault::Order { cart: cart.to_owned(), earlier, later: change.id });
        }
    }
}
