//! Any course of appends, takes, restarts and reads agrees with the simplest log there is: a list for each lane.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use feira_event_log::suite::{self, record};
use feira_event_log::{AppendError, EventLog, Hint, Membership, Resume, StoredRecord, Taken};
use feira_event_log_embedded::{EmbeddedLog, Options};
use feira_ids::{LaneId, ServiceName};
use proptest::prelude::*;
use tempfile::TempDir;

const LANES: u32 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// The owner of a lane appends values of these lengths.
    Append(u32, Vec<usize>),
    /// A new owner takes the lane, from a place on.
    Take(u32, u64),
    /// The owner before this one tries to append.
    AppendLate(u32),
    /// A reader begins at a place.
    Read(u32, u64, usize),
    /// The process starts again.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let lane = 0..LANES;
    prop_oneof![
        8 => (lane.clone(), prop::collection::vec(0usize..600, 1..12)).prop_map(|(lane, values)| Step::Append(lane, values)),
        1 => (lane.clone(), 2_000usize..9_000).prop_map(|(lane, length)| Step::Append(lane, vec![length])),
        2 => (lane.clone(), 0u64..100).prop_map(|(lane, from)| Step::Take(lane, from)),
        1 => lane.clone().prop_map(Step::AppendLate),
        3 => (lane, 0u64..100, 1usize..50).prop_map(|(lane, from, max)| Step::Read(lane, from, max)),
        1 => Just(Step::Restart),
    ]
}

fn service() -> ServiceName {
    ServiceName::new("cart")
}

/// The log, and what it ought to hold.
struct Run<'a> {
    folder: &'a Path,
    log: Arc<dyn EventLog>,
    membership: Arc<dyn Membership>,
    owners: Vec<Taken>,
    former: Vec<Option<Taken>>,
    lanes: Vec<Vec<(u64, Bytes)>>,
}

impl<'a> Run<'a> {
    fn start(folder: &'a Path, lanes: Vec<Vec<(u64, Bytes)>>) -> Self {
        let options = Options { segment_bytes: 4 << 10 };
        let log: Arc<dyn EventLog> = EmbeddedLog::open(folder, &[(service(), LANES)], options).expect("the log opens");
        let membership = log.join(&service(), "local").expect("the service is there");
        let owners = (0..LANES).map(|lane| suite::take(&membership, lane).0).collect();
        Self { folder, log, membership, owners, former: (0..LANES).map(|_| None).collect(), lanes }
    }

    fn check(&self, lane: u32, from: u64, records: &[StoredRecord]) {
        let expected = self.lanes[lane as usize].iter().zip(1..).skip(from as usize);
        for (record, ((term, value), lane_seq)) in records.iter().zip(expected) {
            assert_eq!((record.lane_seq, record.term, &record.value), (lane_seq, *term, value));
        }
    }

    fn step(mut self, step: Step) -> Self {
        match step {
            Step::Append(lane, values) => {
                let written = &mut self.lanes[lane as usize];
                let owner = &mut self.owners[lane as usize];
                let mut batch = Vec::new();
                for length in values {
                    let value: Bytes = (0..length).map(|i| (i * 7 + written.len()) as u8).collect();
                    written.push((owner.term, value.clone()));
                    batch.push(record(lane, written.len() as u64, owner.term, value));
                }
                owner.writer.append(&batch, None).expect("the batch is taken");
            }
            Step::Take(lane, from) => {
                let length = self.lanes[lane as usize].len() as u64;
                let from = from.min(length);
                let mut replayed = Vec::new();
                let resume = Resume { next_seq: from + 1, hint: Hint(0) };
                let taken = suite::take_from(&self.membership, lane, resume, &mut replayed).expect("the lane is taken");
                assert_eq!((taken.last_seq, replayed.len() as u64), (length, length - from));
                assert!(taken.term > self.owners[lane as usize].term);
                self.check(lane, from, &replayed);
                self.former[lane as usize] = Some(std::mem::replace(&mut self.owners[lane as usize], taken));
            }
            Step::AppendLate(lane) => {
                if let Some(former) = &mut self.former[lane as usize] {
                    let next_seq = self.lanes[lane as usize].len() as u64 + 1;
                    let late = former.writer.append(&[record(lane, next_seq, former.term, "late")], None);
                    assert!(matches!(late, Err(AppendError::Fenced)), "{late:?}");
                }
            }
            Step::Read(lane, from, max) => {
                let length = self.lanes[lane as usize].len() as u64;
                let from = from.min(length);
                let resume = Resume { next_seq: from + 1, hint: Hint(0) };
                let mut reader = self.log.reader(&LaneId::new(&service(), lane), resume).expect("the lane is there");
                let mut read = Vec::new();
                while (read.len() as u64) < length - from {
                    let more = reader.read(max, Duration::ZERO).expect("the lane can be read");
                    assert!((1..=max).contains(&more.len()));
                    read.extend(more);
                }
                assert_eq!(reader.read(max, Duration::ZERO).expect("the lane can be read"), []);
                self.check(lane, from, &read);
            }
            Step::Restart => {
                let (folder, lanes) = (self.folder, std::mem::take(&mut self.lanes));
                drop(self);
                return Self::start(folder, lanes);
            }
        }
        self
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_course_of_things_agrees_with_a_list(steps in prop::collection::vec(step(), 1..60)) {
        let folder = TempDir::new().unwrap();
        let mut run = Run::start(folder.path(), vec![Vec::new(); LANES as usize]);
        for step in steps.into_iter().chain([Step::Restart]) {
            run = run.step(step);
        }
        for lane in 0..LANES {
            run = run.step(Step::Read(lane, 0, 7));
        }
    }
}
