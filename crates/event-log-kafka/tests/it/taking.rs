//! Who has a lane: taking over from the dead, the stopped and the woken, and what an open transaction hides.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use feira_event_log::{AppendError, EventLog, Resume, suite};
use feira_event_log_kafka::{GroupProtocol, KafkaConfig};
use rdkafka::producer::Producer;

use crate::cluster::{
    PATIENCE, await_lanes, brokers, connect, eventually, fresh, join, lane, leave_open, owner_id, producer, read_all,
    take,
};

const ALL: fn(usize) -> bool = |lanes| lanes == suite::LANES as usize;

#[test]
fn a_former_owner_with_an_open_transaction_is_fenced_and_its_records_are_never_seen() {
    let config = fresh();
    let log = connect(&config);
    let membership = join(&log, ALL);
    let former = producer(&owner_id(&config, 0), 60_000);
    leave_open(&former, &config, 0);
    let began = Instant::now();
    let (mut owner, replayed) = take(&membership, 0).unwrap();
    println!("took a lane with an open transaction in {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(20), "the open transaction was waited out");
    assert_eq!(replayed, []);
    owner.writer.append(&suite::batch(0, 1, owner.term, 2), None).unwrap();
    let late = former.commit_transaction(Duration::from_secs(10)).unwrap_err();
    println!("the former owner was told: {late}");
    suite::assert_written(&read_all(&log, 0, 2), 0, 1);
    owner.writer.append(&suite::batch(0, 3, owner.term, 1), None).expect("the owner is not disturbed");
}

#[test]
fn a_take_waits_for_what_an_open_transaction_hides() {
    let config = fresh();
    let log = connect(&config);
    let membership = join(&log, ALL);
    let (mut taken, _) = take(&membership, 0).unwrap();
    // A transaction that the lane's own id does not end: the broker does, once it is too old.
    let stranger = producer(&format!("{}stranger", config.prefix), 3_000);
    leave_open(&stranger, &config, 0);
    taken.writer.append(&suite::batch(0, 1, taken.term, 5), None).unwrap();
    assert_eq!(connect(&config).last_seq(&lane(0)).unwrap(), 0, "the records are hidden from everybody else");
    // Whoever judged the lane's end by what is visible would begin at sequence 1 again.
    let (mut taken, replayed) = take(&membership, 0).unwrap();
    assert_eq!((taken.last_seq, replayed.len()), (5, 5));
    taken.writer.append(&suite::batch(0, 6, taken.term, 1), None).unwrap();
    suite::assert_written(&read_all(&log, 0, 6), 0, 1);
}

#[test]
fn a_fenced_owner_that_is_still_a_member_takes_its_lane_back() {
    let config = fresh();
    let log = connect(&config);
    let membership = join(&log, ALL);
    let (mut taken, _) = take(&membership, 0).unwrap();
    taken.writer.append(&suite::batch(0, 1, taken.term, 2), None).unwrap();
    let intruder = producer(&owner_id(&config, 0), 10_000);
    let late = taken.writer.append(&suite::batch(0, 3, taken.term, 1), None);
    assert!(matches!(late, Err(AppendError::Fenced)), "{late:?}");
    let (mut again, replayed) = take(&membership, 0).unwrap();
    assert_eq!(replayed.len(), 2);
    assert!(again.term > taken.term);
    again.writer.append(&suite::batch(0, 3, again.term, 1), None).unwrap();
    intruder.begin_transaction().and_then(|()| intruder.commit_transaction(Duration::from_secs(5))).ok();
    again.writer.append(&suite::batch(0, 4, again.term, 1), None).unwrap();
    suite::assert_written(&read_all(&log, 0, 4), 0, 1);
}

#[test]
fn lanes_are_shared_with_who_joins_and_come_back_from_who_leaves() {
    for protocol in [GroupProtocol::Consumer, GroupProtocol::Classic] {
        let mut config = fresh();
        config.protocol = protocol;
        let (here, there) = (connect(&config), connect(&config));
        let first = join(&here, ALL);
        let mut owned = take(&first, 0).unwrap().0;
        owned.writer.append(&suite::batch(0, 1, owned.term, 3), None).unwrap();
        let second = join(&there, |lanes| lanes == 2);
        let theirs = second.assignment(0, Duration::ZERO).lanes;
        for lane in &theirs {
            take(&second, *lane).expect("what is assigned can be taken");
        }
        let refused = take(&first, *theirs.first().unwrap());
        assert!(refused.is_err(), "{protocol:?}: what others have was taken");
        drop(owned);
        let began = Instant::now();
        first.leave();
        await_lanes(&second, ALL);
        println!("{protocol:?}: lanes came back in {:?}", began.elapsed());
        let (mut owned, replayed) = take(&second, 0).unwrap();
        assert_eq!(replayed.len(), 3);
        owned.writer.append(&suite::batch(0, 4, owned.term, 1), None).unwrap();
        suite::assert_written(&read_all(&there, 0, 4), 0, 1);
    }
}

#[test]
fn the_lanes_of_a_killed_process_go_on_elsewhere_with_all_it_acknowledged() {
    let config = fresh();
    let log = connect(&config);
    let mut process = Process::start(&config);
    process.await_line("wrote 0 20 ");
    process.signal("KILL");
    let killed = Instant::now();
    let membership = join(&log, ALL);
    let assigned = killed.elapsed();
    for lane in 0..suite::LANES {
        let written = process.lines_so_far().iter().filter(|line| line.starts_with(&format!("wrote {lane} "))).count();
        let (mut taken, replayed) = take(&membership, lane).unwrap();
        assert!(replayed.len() >= written, "{written} were acknowledged, {} are there", replayed.len());
        suite::assert_written(&replayed, lane, 1);
        taken.writer.append(&suite::batch(lane, taken.last_seq + 1, taken.term, 1), None).unwrap();
    }
    println!("lanes of a killed process: assigned after {assigned:?}, all served after {:?}", killed.elapsed());
}

#[test]
fn a_stopped_process_that_wakes_up_does_not_fence_the_owner_that_came_after_it() {
    let config = fresh();
    let log = connect(&config);
    let mut process = Process::start(&config);
    process.await_line("wrote 3 5 ");
    process.signal("STOP");
    let membership = join(&log, ALL);
    let mut owned: Vec<_> = (0..suite::LANES).map(|lane| take(&membership, lane).unwrap().0).collect();
    process.signal("CONT");
    let mut awake = false;
    eventually("the woken process finds out", || {
        for (lane, owned) in (0..).zip(&mut owned) {
            let outcome = owned.writer.append(&suite::batch(lane, owned.last_seq + 1, owned.term, 1), None);
            assert!(outcome.is_ok(), "the owner of lane {lane} was disturbed: {outcome:?}");
            owned.last_seq += 1;
        }
        let lines = process.lines_so_far();
        awake |= lines.iter().any(|line| line.starts_with("refused"));
        lines.iter().any(|line| line == "back") || process.has_ended()
    });
    assert!(awake, "the process did not try: {:?}", process.lines_so_far().iter().rev().take(5).collect::<Vec<_>>());
    for (lane, owned) in (0..).zip(owned) {
        suite::assert_written(&read_all(&log, lane, owned.last_seq as usize), lane, 1);
    }
}

#[test]
fn a_take_from_a_snapshot_reads_only_what_came_after() {
    let config = fresh();
    let log = connect(&config);
    let membership = join(&log, ALL);
    let (mut taken, _) = take(&membership, 0).unwrap();
    let mut hint = None;
    for n in 0..30 {
        hint = Some(taken.writer.append(&suite::batch(0, n * 100 + 1, taken.term, 100), None).unwrap());
    }
    let mut replayed = Vec::new();
    let resume = Resume::after(2_990, hint.unwrap());
    let taken = suite::take_from(&membership, 0, resume, &mut replayed).unwrap();
    assert_eq!((taken.last_seq, replayed.len()), (3_000, 10));
    suite::assert_written(&replayed, 0, 2_991);
}

/// The example `member` as a process of its own.
struct Process {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Process {
    fn start(config: &KafkaConfig) -> Self {
        let mut path = std::env::current_exe().unwrap();
        path.pop();
        path.pop();
        path.push("examples/member");
        assert!(path.exists(), "{} is missing: run cargo test without --test, or with --examples", path.display());
        let mut child = Command::new(path)
            .args([brokers(), config.prefix.clone()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the example runs");
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { child, lines, seen: Vec::new() }
    }

    fn await_line(&mut self, start: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.seen.iter().any(|line| line.starts_with(start)) {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| {
                panic!("no line {start:?}; the last: {:?}", self.seen.iter().rev().take(8).collect::<Vec<_>>())
            });
            self.seen.push(line);
        }
    }

    fn lines_so_far(&mut self) -> &[String] {
        self.seen.extend(self.lines.try_iter());
        &self.seen
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
