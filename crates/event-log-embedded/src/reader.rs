//! Reading one lane: many batches with one call to the system, each checked before any of it is given out.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use feira_event_log::{Hint, LaneReader, LogError, StoredRecord};

use crate::disk::{RESTORE, damaged, failed};
use crate::format::{self, BATCH_HEADER_BYTES};
use crate::segment::{self, Entry};
use crate::state::{SealedRun, Shared};

/// How much is read at a time, unless one batch is larger.
const READ_BYTES: usize = 256 << 10;
/// How much of other lanes is read along rather than left out.
const GAP_BYTES: usize = 16 << 10;

/// Reads a lane of an open log.
pub struct Reader {
    log: Arc<Shared>,
    lane: usize,
    next_seq: u64,
    last_term: u64,
    /// Records that were read and not yet given out.
    ahead: VecDeque<StoredRecord>,
    /// The sealed segment that reading is in.
    sealed: Option<SealedSegment>,
}

/// A sealed segment being read.
struct SealedSegment {
    base: u64,
    path: PathBuf,
    file: File,
    entries: Vec<Entry>,
    last_seq: u64,
}

/// Where the next records lie.
enum Place {
    Sealed(SealedRun),
    Live { base: u64, path: Arc<Path>, file: Arc<File>, entries: Vec<Entry> },
}

impl Reader {
    /// A reader of the lane at a place of [`Shared::lanes`].
    pub fn new(log: Arc<Shared>, lane: usize, next_seq: u64) -> Self {
        Self { log, lane, next_seq: next_seq.max(1), last_term: 0, ahead: VecDeque::new(), sealed: None }
    }

    /// Waits until there is a next record and says where; nothing when it did not come.
    fn find(&self, wait: Duration) -> Option<Place> {
        // A wait too long for the clock is a wait without end.
        let deadline = Instant::now().checked_add(wait);
        let mut state = self.log.state();
        while state.lanes[self.lane].last_seq < self.next_seq {
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return None;
            }
            let wake = &self.log.lanes[self.lane].wake;
            state = wake.wait_timeout(state, left).expect("nothing panics while it holds the state").0;
        }
        let lane = &state.lanes[self.lane];
        if lane.live.first().is_none_or(|first| first.base_seq > self.next_seq) {
            let at = lane.sealed.partition_point(|sealed| sealed.run.last_seq < self.next_seq);
            return Some(Place::Sealed(lane.sealed[at]));
        }
        let live = &state.live;
        let entries = together(&lane.live, self.next_seq).to_vec();
        Some(Place::Live { base: live.base, path: live.path.clone(), file: live.file.clone(), entries })
    }

    fn open(&self, sealed: &SealedRun) -> Result<SealedSegment, LogError> {
        let path = segment::path(&self.log.folder, sealed.number);
        let file = File::open(&path).map_err(failed("open", &path))?;
        let entries = segment::read_index(self.log.id, &path, &file, sealed.base, &sealed.run)?;
        Ok(SealedSegment { base: sealed.base, path, file, entries, last_seq: sealed.run.last_seq })
    }

    /// Reads ahead what lies together at the next record.
    fn fill(&mut self, wait: Duration) -> Result<(), LogError> {
        let mut sealed = self.sealed.take().filter(|sealed| self.next_seq <= sealed.last_seq);
        if sealed.is_none() {
            sealed = match self.find(wait) {
                None => return Ok(()),
                Some(Place::Live { base, path, file, entries }) => return self.load(base, &path, &file, &entries),
                Some(Place::Sealed(run)) => Some(self.open(&run)?),
            };
        }
        if let Some(segment) = &sealed {
            let entries = together(&segment.entries, self.next_seq);
            self.load(segment.base, &segment.path, &segment.file, entries)?;
        }
        self.sealed = sealed;
        Ok(())
    }

    fn load(&mut self, base: u64, path: &Path, file: &File, entries: &[Entry]) -> Result<(), LogError> {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Err(damaged(path, 0, format!("its index lacks record {}; {RESTORE}", self.next_seq)));
        };
        let start = u64::from(first.offset);
        let mut bytes = vec![0; (last.offset - first.offset + last.bytes) as usize];
        match file.read_exact_at(&mut bytes, start) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(damaged(path, start, format!("the file ends before its last batch; {RESTORE}")));
            }
            Err(error) => return Err(failed("read", path)(error)),
        }
        let bytes = Bytes::from(bytes);
        for entry in entries {
            let offset = u64::from(entry.offset);
            let wrong = || damaged(path, offset, format!("the batch is not as it was written; {RESTORE}"));
            let at = (entry.offset - first.offset) as usize;
            let (header, body) = format::batch(self.log.id, base + offset, &bytes[at..]).ok_or_else(wrong)?;
            let continues = header.base_seq <= self.next_seq && header.term >= self.last_term;
            if header.lane != self.log.lanes[self.lane].key || header.base_seq != entry.base_seq || !continues {
                return Err(wrong());
            }
            let values = format::values(body, header.count).ok_or_else(wrong)?;
            for (lane_seq, value) in (header.base_seq..).zip(values) {
                // Reading began in the middle of a batch.
                if lane_seq < self.next_seq {
                    continue;
                }
                let body = at + BATCH_HEADER_BYTES;
                let value = bytes.slice(body + value.start..body + value.end);
                self.ahead.push_back(StoredRecord { lane_seq, term: header.term, value, hint: Hint(base + offset) });
                self.next_seq = lane_seq + 1;
            }
            self.last_term = header.term;
        }
        Ok(())
    }
}

impl LaneReader for Reader {
    fn read(&mut self, max: usize, wait: Duration) -> Result<Vec<StoredRecord>, LogError> {
        if self.ahead.is_empty() && max > 0 {
            self.fill(wait)?;
        }
        Ok(self.ahead.drain(..max.min(self.ahead.len())).collect())
    }
}

/// The entries from the batch that holds `seq` on that are read at once.
fn together(entries: &[Entry], seq: u64) -> &[Entry] {
    let start = entries.partition_point(|entry| entry.base_seq <= seq).saturating_sub(1);
    let entries = &entries[start..];
    let Some(first) = entries.first() else { return entries };
    let near = entries.windows(2).take_while(|pair| {
        let [before, entry] = pair else { return false };
        let gap = entry.offset - before.offset - before.bytes;
        let whole = entry.offset - first.offset + entry.bytes;
        gap as usize <= GAP_BYTES && whole as usize <= READ_BYTES
    });
    &entries[..=near.count()]
}
