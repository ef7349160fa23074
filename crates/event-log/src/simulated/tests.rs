//! The suite on the simulated log, each fault by itself, and each weakness shown to do harm.

use std::sync::Arc;
use std::time::Duration;

use feira_ids::{LaneId, ServiceName};
use proptest::prelude::*;

use super::{Cluster, Fault, Weakness};
use crate::suite::{Harness, LANES, assert_written, batch, take, take_from};
use crate::{AppendError, EventLog, Hint, LogError, Membership, Resume, StoredRecord, TakeError, Taken};

/// A cluster with a process that is started again and again.
struct Simulated(Arc<Cluster>);

impl Simulated {
    fn new() -> Self {
        Self(Cluster::new(&[(ServiceName::new("cart"), LANES)]))
    }
}

impl Harness for Simulated {
    fn open(&self) -> Arc<dyn EventLog> {
        self.0.process("one")
    }
}

mod conformance {
    use super::Simulated;

    crate::conformance!(Simulated::new());
}

fn lane() -> LaneId {
    LaneId::new(&ServiceName::new("cart"), 0)
}

/// A cluster with two processes; the first has all lanes.
fn two() -> (Arc<Cluster>, Arc<dyn Membership>, Arc<dyn Membership>) {
    let cluster = Simulated::new().0;
    let [one, two] = ["one", "two"].map(|name| cluster.process(name).join(&lane().service, name).unwrap());
    (cluster, one, two)
}

/// What a reader that begins now sees, or why it stops.
fn seen(cluster: &Arc<Cluster>) -> Result<Vec<StoredRecord>, LogError> {
    let mut reader = cluster.process("reader").reader(&lane(), Resume::START).unwrap();
    reader.read(1_000, Duration::ZERO)
}

#[track_caller]
fn assert_sound(cluster: &Arc<Cluster>, last_seq: u64) {
    let records = seen(cluster).unwrap();
    assert_eq!(records.len() as u64, last_seq);
    assert_written(&records, 0, 1);
}

fn unknown(result: Result<Hint, AppendError>) -> bool {
    matches!(result, Err(AppendError::Unknown(_)))
}

#[test]
fn a_lost_answer_leaves_a_batch_that_stands() {
    let (cluster, one, _) = two();
    let mut writer = take(&one, 0).0.writer;
    cluster.inject(&lane(), Fault::LostAnswer);
    assert!(unknown(writer.append(&batch(0, 1, 1, 2), Some("here"))));
    assert_eq!(take(&one, 0).0.last_seq, 2);
    assert_eq!(cluster.process("reader").owners().owner(&lane()).unwrap().address, "here");
    assert_sound(&cluster, 2);
}

#[test]
fn an_aborted_batch_is_never_seen() {
    let (cluster, one, _) = two();
    let mut writer = take(&one, 0).0.writer;
    cluster.inject(&lane(), Fault::Aborted);
    assert!(unknown(writer.append(&batch(0, 1, 1, 2), None)));
    assert_eq!(cluster.high_watermark(&lane()), 3);
    let mut taken = take(&one, 0).0;
    assert_eq!(taken.last_seq, 0);
    taken.writer.append(&batch(0, 1, 1, 3), None).unwrap();
    assert_sound(&cluster, 3);
}

#[test]
fn a_batch_that_timed_out_is_not_there() {
    let (cluster, one, _) = two();
    let mut writer = take(&one, 0).0.writer;
    cluster.inject(&lane(), Fault::TimedOut);
    assert!(unknown(writer.append(&batch(0, 1, 1, 2), None)));
    assert_eq!(cluster.high_watermark(&lane()), 0);
}

#[test]
fn a_writer_in_doubt_writes_no_more() {
    let (cluster, one, _) = two();
    let mut writer = take(&one, 0).0.writer;
    cluster.inject(&lane(), Fault::TimedOut);
    assert!(unknown(writer.append(&batch(0, 1, 1, 1), None)));
    assert!(unknown(writer.append(&batch(0, 1, 1, 1), None)));
    assert_eq!(cluster.high_watermark(&lane()), 0);
}

#[test]
fn a_refused_batch_costs_nothing() {
    let (cluster, one, _) = two();
    let mut writer = take(&one, 0).0.writer;
    cluster.inject(&lane(), Fault::Refused);
    assert!(matches!(writer.append(&batch(0, 1, 1, 1), None), Err(AppendError::Refused { .. })));
    writer.append(&batch(0, 1, 1, 1), None).unwrap();
    assert_sound(&cluster, 1);
}

#[test]
fn a_delayed_end_holds_readers_up_until_it_comes() {
    let (cluster, one, _) = two();
    let mut writer = take(&one, 0).0.writer;
    cluster.inject(&lane(), Fault::DelayedEnd);
    assert!(unknown(writer.append(&batch(0, 1, 1, 2), Some("here"))));
    assert_eq!((cluster.last_stable_offset(&lane()), cluster.high_watermark(&lane())), (0, 2));
    let owners = cluster.process("reader").owners();
    assert_eq!((seen(&cluster).unwrap().len(), owners.owner(&lane())), (0, None));
    assert_eq!(cluster.deliver(&lane()), 1);
    assert_eq!(owners.owner(&lane()).unwrap().address, "here");
    assert_sound(&cluster, 2);
}

/// A former owner's end of transaction comes after its successor took over.
fn an_end_after_the_successor(cluster: &Arc<Cluster>, one: &Arc<dyn Membership>, two: &Arc<dyn Membership>) -> usize {
    let mut former = take(one, 0).0;
    cluster.inject(&lane(), Fault::DelayedEnd);
    assert!(unknown(former.writer.append(&batch(0, 1, former.term, 2), None)));
    cluster.assign(&lane(), "two");
    let mut owner = take(two, 0).0;
    assert_eq!(owner.last_seq, 0);
    owner.writer.append(&batch(0, 1, owner.term, 3), None).unwrap();
    cluster.deliver(&lane())
}

#[test]
fn an_end_that_comes_after_the_successor_is_refused() {
    let (cluster, one, two) = two();
    assert_eq!(an_end_after_the_successor(&cluster, &one, &two), 0);
    assert_sound(&cluster, 3);
}

#[test]
fn without_an_epoch_a_late_end_revives_what_was_aborted() {
    let (cluster, one, two) = two();
    cluster.weaken(Weakness::AcceptsLateEnd);
    assert_eq!(an_end_after_the_successor(&cluster, &one, &two), 1);
    assert!(matches!(seen(&cluster), Err(LogError::Damaged { .. })));
}

/// An end of transaction comes twice, the second time into the next batch.
fn an_end_that_comes_twice(cluster: &Arc<Cluster>, one: &Arc<dyn Membership>) -> Result<Hint, AppendError> {
    let mut taken = take(one, 0).0;
    cluster.inject(&lane(), Fault::DuplicatedEnd);
    taken.writer.append(&batch(0, 1, taken.term, 2), None).unwrap();
    let second = taken.writer.append(&batch(0, 3, taken.term, 4), None);
    assert_eq!(cluster.deliver(&lane()), 0);
    second
}

#[test]
fn an_end_that_comes_twice_is_applied_once() {
    let (cluster, one, _) = two();
    an_end_that_comes_twice(&cluster, &one).unwrap();
    assert_sound(&cluster, 6);
}

#[test]
fn without_a_number_for_each_transaction_a_repeated_end_tears_the_next() {
    let (cluster, one, _) = two();
    cluster.weaken(Weakness::AcceptsDuplicatedEnd);
    assert!(unknown(an_end_that_comes_twice(&cluster, &one)));
    assert_eq!(seen(&cluster).unwrap().len(), 4, "half of the second batch is visible");
}

/// A batch is acknowledged, its marker is late, and a successor takes over; gives where that one believes the end is.
fn a_take_before_the_marker(cluster: &Arc<Cluster>, one: &Arc<dyn Membership>, two: &Arc<dyn Membership>) -> u64 {
    let mut former = take(one, 0).0;
    former.writer.append(&batch(0, 1, former.term, 1), None).unwrap();
    cluster.inject(&lane(), Fault::DelayedMarker);
    former.writer.append(&batch(0, 2, former.term, 2), None).unwrap();
    assert_eq!(seen(cluster).unwrap().len(), 1);
    cluster.assign(&lane(), "two");
    let mut owner = take(two, 0).0;
    owner.writer.append(&batch(0, owner.last_seq + 1, owner.term, 1), None).unwrap();
    cluster.deliver(&lane());
    owner.last_seq
}

#[test]
fn a_take_waits_for_what_is_decided_but_not_marked() {
    let (cluster, one, two) = two();
    assert_eq!(a_take_before_the_marker(&cluster, &one, &two), 3);
    assert_sound(&cluster, 4);
}

#[test]
fn a_take_to_the_last_stable_offset_loses_what_was_acknowledged() {
    let (cluster, one, two) = two();
    cluster.weaken(Weakness::RecoversToLastStable);
    assert_eq!(a_take_before_the_marker(&cluster, &one, &two), 1);
    assert!(matches!(seen(&cluster), Err(LogError::Damaged { .. })));
}

/// A former owner writes on after its successor took over.
fn a_former_owner_writes_on(cluster: &Arc<Cluster>, one: &Arc<dyn Membership>, two: &Arc<dyn Membership>) -> bool {
    let mut former = take(one, 0).0;
    former.writer.append(&batch(0, 1, former.term, 1), None).unwrap();
    cluster.assign(&lane(), "two");
    let mut owner = take(two, 0).0;
    let fenced = matches!(former.writer.append(&batch(0, 2, former.term, 1), None), Err(AppendError::Fenced));
    owner.writer.append(&batch(0, 2, owner.term, 1), None).unwrap();
    fenced
}

#[test]
fn a_former_owner_in_another_process_is_fenced() {
    let (cluster, one, two) = two();
    assert!(a_former_owner_writes_on(&cluster, &one, &two));
    assert_sound(&cluster, 2);
}

#[test]
fn without_a_fence_two_owners_write_the_same_sequence() {
    let (cluster, one, two) = two();
    cluster.weaken(Weakness::TakesWithoutFence);
    assert!(!a_former_owner_writes_on(&cluster, &one, &two));
    assert!(matches!(seen(&cluster), Err(LogError::Damaged { .. })));
}

/// A process that slept through a change takes the lane it believes to be its own.
fn a_sleeper_wakes(
    cluster: &Arc<Cluster>,
    one: &Arc<dyn Membership>,
    two: &Arc<dyn Membership>,
) -> (Option<TakeError>, Result<Hint, AppendError>) {
    cluster.freeze("one");
    cluster.assign(&lane(), "two");
    let mut owner = take(two, 0).0;
    assert!(one.assignment(0, Duration::ZERO).lanes.contains(&0));
    let sleeper = take_from(one, 0, Resume::START, &mut Vec::new()).err();
    (sleeper, owner.writer.append(&batch(0, 1, owner.term, 1), None))
}

#[test]
fn a_sleeper_that_wakes_cannot_prove_its_assignment() {
    let (cluster, one, two) = two();
    let (sleeper, owner) = a_sleeper_wakes(&cluster, &one, &two);
    assert!(matches!(sleeper, Some(TakeError::NotAssigned)));
    owner.unwrap();
    cluster.thaw("one");
    assert!(!one.assignment(0, Duration::ZERO).lanes.contains(&0));
}

#[test]
fn without_a_proof_a_sleeper_fences_the_true_owner() {
    let (cluster, one, two) = two();
    cluster.weaken(Weakness::TakesWithoutProof);
    let (sleeper, owner) = a_sleeper_wakes(&cluster, &one, &two);
    assert!(sleeper.is_none());
    assert!(matches!(owner, Err(AppendError::Fenced)));
}

/// Acknowledged records vanish, and an owner comes whose snapshot has them.
fn a_take_of_a_shorter_log(cluster: &Arc<Cluster>, one: &Arc<dyn Membership>) -> Result<u64, TakeError> {
    let mut taken = take(one, 0).0;
    for lane_seq in 1..4 {
        taken.writer.append(&batch(0, lane_seq, taken.term, 1), None).unwrap();
    }
    cluster.truncate(&lane(), 2);
    take_from(one, 0, Resume { next_seq: 4, hint: Hint(0) }, &mut Vec::new()).map(|taken| taken.last_seq)
}

#[test]
fn a_log_that_became_shorter_is_damaged() {
    let (cluster, one, _) = two();
    assert!(matches!(a_take_of_a_shorter_log(&cluster, &one), Err(TakeError::Log(LogError::Damaged { .. }))));
}

#[test]
fn without_a_look_at_the_end_a_lost_sequence_is_given_again() {
    let (cluster, one, _) = two();
    cluster.weaken(Weakness::AcceptsShorterLog);
    assert_eq!(a_take_of_a_shorter_log(&cluster, &one).unwrap(), 2);
}

#[test]
fn a_reader_of_the_uncommitted_sees_what_never_stood() {
    let (cluster, one, _) = two();
    let mut writer = take(&one, 0).0.writer;
    cluster.inject(&lane(), Fault::Aborted);
    assert!(unknown(writer.append(&batch(0, 1, 1, 2), None)));
    assert_sound(&cluster, 0);
    cluster.weaken(Weakness::ReadsUncommitted);
    assert_eq!(seen(&cluster).unwrap().len(), 2);
}

#[test]
fn assignments_follow_joining_leaving_and_loss() {
    let (cluster, one, two) = two();
    assert_eq!(one.assignment(0, Duration::ZERO).lanes.len(), LANES as usize);
    let before = two.assignment(0, Duration::ZERO);
    assert!(before.lanes.is_empty() && before.generation > 0);
    cluster.lose("one");
    let lost = one.assignment(0, Duration::ZERO);
    assert!(lost.lost && lost.lanes.is_empty());
    let after = two.assignment(before.generation, Duration::from_secs(60));
    assert_eq!(after.lanes.len(), LANES as usize);
    cluster.assign(&lane(), "one");
    let again = one.assignment(lost.generation, Duration::ZERO);
    assert!(!again.lost && again.lanes.contains(&0));
    cluster.revoke(&lane());
    assert!(one.assignment(again.generation, Duration::ZERO).lanes.is_empty());
    two.leave();
    assert_eq!(one.assignment(0, Duration::ZERO).lanes.len(), LANES as usize - 1, "lane 0 was revoked and has nobody");
}

#[test]
fn a_process_that_starts_again_takes_its_former_place() {
    let (cluster, one, _) = two();
    let restarted = cluster.process("one").join(&lane().service, "one").unwrap();
    assert_eq!(restarted.assignment(0, Duration::ZERO).lanes.len(), LANES as usize);
    assert!(matches!(take_from(&one, 0, Resume::START, &mut Vec::new()), Err(TakeError::NotAssigned)));
    take(&restarted, 0);
}

#[test]
fn a_log_that_does_not_answer_says_so() {
    let (cluster, one, _) = two();
    let mut writer = take(&one, 0).0.writer;
    cluster.set_available(false);
    assert!(matches!(seen_when_down(&cluster), Err(LogError::Unavailable { .. })));
    assert!(unknown(writer.append(&batch(0, 1, 1, 1), None)));
    let result = take_from(&one, 0, Resume::START, &mut Vec::new());
    assert!(matches!(result, Err(TakeError::Log(LogError::Unavailable { .. }))));
    cluster.set_available(true);
    let mut taken = take(&one, 0).0;
    taken.writer.append(&batch(0, 1, taken.term, 1), None).unwrap();
    assert_sound(&cluster, 1);
}

fn seen_when_down(cluster: &Arc<Cluster>) -> Result<u64, LogError> {
    cluster.process("reader").last_seq(&lane())
}

/// One thing that happens to two processes that compete for a lane. Processes are 0 and 1.
#[derive(Clone, Debug)]
enum Event {
    Take(usize),
    Append(usize, u64, Option<Fault>),
    Assign(usize),
    Freeze(usize),
    Thaw(usize),
    Lose(usize),
    Deliver,
}

fn event() -> impl Strategy<Value = Event> {
    use Fault::{Aborted, DelayedEnd, DelayedMarker, DuplicatedEnd, LostAnswer, Refused, TimedOut};
    let fault = prop_oneof![
        6 => Just(None),
        4 => prop::sample::select(vec![
            Aborted, DelayedEnd, DelayedMarker, DuplicatedEnd, LostAnswer, Refused, TimedOut,
        ]).prop_map(Some),
    ];
    let process = 0usize..2;
    prop_oneof![
        4 => process.clone().prop_map(Event::Take),
        8 => (process.clone(), 1u64..5, fault).prop_map(|(process, count, fault)| Event::Append(process, count, fault)),
        2 => process.clone().prop_map(Event::Assign),
        1 => process.clone().prop_map(Event::Freeze),
        1 => process.clone().prop_map(Event::Thaw),
        1 => process.prop_map(Event::Lose),
        2 => Just(Event::Deliver),
    ]
}

/// Lets events happen to processes that follow the rules: who is fenced or in doubt drops its writer. Gives what was
/// acknowledged: the last sequence of each batch and its term.
fn let_happen(cluster: &Arc<Cluster>, memberships: &[Arc<dyn Membership>; 2], events: Vec<Event>) -> Vec<(u64, u64)> {
    let names = ["one", "two"];
    let mut owners: [Option<(Taken, u64)>; 2] = [None, None];
    let mut acknowledged = Vec::new();
    for event in events {
        match event {
            Event::Take(process) => {
                let taken = take_from(&memberships[process], 0, Resume::START, &mut Vec::new());
                owners[process] = taken.ok().map(|taken| {
                    let last_seq = taken.last_seq;
                    (taken, last_seq)
                });
            }
            Event::Append(process, count, fault) => {
                let Some((owner, last_seq)) = &mut owners[process] else { continue };
                fault.into_iter().for_each(|fault| cluster.inject(&lane(), fault));
                match owner.writer.append(&batch(0, *last_seq + 1, owner.term, count), None) {
                    Ok(_) => {
                        *last_seq += count;
                        acknowledged.push((*last_seq, owner.term));
                    }
                    Err(AppendError::Refused { .. }) => {}
                    Err(AppendError::Fenced | AppendError::Unknown(_)) => owners[process] = None,
                    Err(AppendError::Invalid { reason }) => panic!("{reason}"),
                }
            }
            Event::Assign(process) => cluster.assign(&lane(), names[process]),
            Event::Freeze(process) => cluster.freeze(names[process]),
            Event::Thaw(process) => cluster.thaw(names[process]),
            Event::Lose(process) => cluster.lose(names[process]),
            Event::Deliver => {
                cluster.deliver(&lane());
            }
        }
    }
    acknowledged
}

proptest! {
    #[test]
    fn whatever_happens_what_was_acknowledged_stands_once_and_in_order(events in prop::collection::vec(event(), 0..80)) {
        let (cluster, one, two) = two();
        let acknowledged = let_happen(&cluster, &[one, two.clone()], events);
        cluster.assign(&lane(), "two");
        let (taken, replayed) = take(&two, 0);
        cluster.deliver(&lane());
        assert_sound(&cluster, taken.last_seq);
        prop_assert_eq!(replayed.len() as u64, taken.last_seq);
        for (last_seq, term) in acknowledged {
            let record = replayed.get(last_seq as usize - 1);
            prop_assert_eq!(record.map(|record| record.term), Some(term), "record {} was acknowledged", last_seq);
        }
    }
}
