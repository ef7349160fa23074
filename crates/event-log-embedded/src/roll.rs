//! Going on in a new segment when the live one is full.
//!
//! The new segment is made and durable before the full one is sealed. So a disk without room for it leaves the log as it
//! was, and a log whose last segment is sealed has lost a file.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::thread;

use crate::disk::{refusal, sync_folder};
use crate::segment::{self, Entry, Run, SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::state::{Live, SealedRun, Shared};

/// Why there is no new segment.
pub struct RollFailure {
    /// What happened, and what to do.
    pub reason: String,
    /// The live segment is in doubt: nothing more may be written to it.
    pub stops: bool,
}

impl Shared {
    /// Begins to make the next segment's file, so that nobody waits for it once it is needed.
    pub fn prepare(&self) {
        let mut prepared = self.prepared.lock().expect("nothing panics while it holds the next file");
        if prepared.is_none() {
            let (disk, path, capacity) = (self.disk.clone(), self.next_path(), self.segment_bytes);
            let making = move || segment::make(&*disk, &path, capacity);
            // Without a thread the file is made when it is needed.
            *prepared = thread::Builder::new().name("next-segment".to_owned()).spawn(making).ok();
        }
    }

    /// Goes on in a new segment that has room for a batch of `bytes`. Only whoever set `writing` is here.
    pub fn roll(&self, bytes: u64) -> Result<(), RollFailure> {
        let live = self.state().live.clone();
        let needed = SEGMENT_HEADER_BYTES + bytes + segment::footer_bytes(1, self.lanes.len());
        let next = self.next_segment(&live, needed).map_err(|error| {
            // What there is of it takes room that others need. If it cannot be removed either, the next attempt
            // writes over it.
            let _ = fs::remove_file(self.next_path());
            RollFailure { reason: refusal(&error, &self.folder), stops: false }
        })?;
        let mut runs = self.runs();
        let footer = segment::footer(self.id, live.number, live.base, live.end, &mut runs);
        self.disk
            .write(&live.file, &footer, live.end)
            .map_err(|error| RollFailure { reason: refusal(&error, &self.folder), stops: false })?;
        let seal = || {
            self.disk.sync(&live.file)?;
            live.file.set_len(live.end + footer.len() as u64)?;
            live.file.sync_all()
        };
        seal().map_err(|error| RollFailure {
            reason: format!("a full segment could not be sealed ({error}); start the process again"),
            stops: true,
        })?;
        let mut state = self.state();
        for (run, _) in runs {
            let at = self.lanes.iter().position(|lane| lane.key == run.lane).expect("the run was made from a lane");
            state.lanes[at].live = Vec::new();
            state.lanes[at].sealed.push(SealedRun { number: live.number, base: live.base, run });
        }
        state.live = next;
        Ok(())
    }

    /// Each lane's part of the live segment.
    fn runs(&self) -> Vec<(Run, Vec<Entry>)> {
        let state = self.state();
        let lanes = self.lanes.iter().zip(&state.lanes);
        let runs = lanes.filter_map(|(lane, state)| {
            let first = state.live.first()?;
            let run = Run {
                lane: lane.key,
                batches: 0,
                first_seq: first.base_seq,
                last_seq: state.last_seq,
                last_term: state.last_term,
                index_offset: 0,
                index_crc: 0,
            };
            Some((run, state.live.clone()))
        });
        runs.collect()
    }

    fn next_segment(&self, live: &Live, needed: u64) -> io::Result<Live> {
        let capacity = needed.max(self.segment_bytes);
        let prepared = self.prepared.lock().expect("nothing panics while it holds the next file").take();
        // A file that could not be prepared is made now: there may be room again.
        let prepared = prepared.and_then(|making| making.join().ok()).and_then(Result::ok);
        let file = match prepared {
            Some(file) if capacity == self.segment_bytes => file,
            _ => segment::make(&*self.disk, &self.next_path(), capacity)?,
        };
        let (number, base) = (live.number + 1, live.base + live.end);
        let path = segment::path(&self.folder, number);
        self.disk.write(&file, &SegmentHeader { number, base, capacity }.encode(self.id), 0)?;
        self.disk.sync(&file)?;
        fs::rename(self.next_path(), &path)?;
        sync_folder(&self.folder)?;
        let file = file.into();
        Ok(Live { number, base, file, path: path.into(), capacity, end: SEGMENT_HEADER_BYTES, batches: 0 })
    }

    fn next_path(&self) -> PathBuf {
        self.folder.join("next.tmp")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The folder is left to others with the lock: nothing may be written into it after that.
        let prepared = self.prepared.get_mut().map(Option::take);
        if let Ok(Some(making)) = prepared {
            let made: Option<io::Result<File>> = making.join().ok();
            drop(made);
            let _ = fs::remove_file(self.next_path());
        }
    }
}
