//! What happens when a log opens: everything is checked that a former process may have left half done.
//!
//! Only the live segment, the last, is read through. Where its first bad batch lies, the log was being written when its
//! process ended, or it is damaged. Every batch says up to which position the log was durable when it was written. So a
//! later batch that knew the bad place to be durable proves that something acknowledged is gone, and the log does not
//! open; without such a proof the bad batch was never acknowledged, and it is cut together with what was being written
//! beside it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use feira_event_log::LogError;
use feira_ids::{LaneId, ServiceName};

use crate::disk::{Disk, RESTORE, damaged, failed, sync_folder};
use crate::format::{BatchHeader, LaneKey, LogId, batch};
use crate::manifest::Manifest;
use crate::segment::{self, Entry, SEGMENT_HEADER_BYTES, Sealed, SegmentHeader};
use crate::state::{LaneState, Live, SealedRun};

/// A log as it was found, or made.
pub struct Recovered {
    /// Its id and services.
    pub manifest: Manifest,
    /// Every lane, in the manifest's order.
    pub lanes: Vec<(LaneId, LaneKey, LaneState)>,
    /// The segment that is written to.
    pub live: Live,
}

/// Opens the log in `folder`, or makes it.
pub fn open(
    disk: &dyn Disk,
    folder: &Path,
    services: &[(ServiceName, u32)],
    segment_bytes: u64,
) -> Result<Recovered, LogError> {
    let mut segments = list(folder).map_err(failed("list", folder))?;
    let manifest = match Manifest::read(folder)? {
        Some(mut manifest) => {
            if manifest.add(services) {
                manifest.write(folder)?;
            }
            manifest
        }
        None => {
            discard_half_made(folder, &segments)?;
            segments = vec![1];
            make(disk, folder, services, segment_bytes)?
        }
    };
    let count = segments.len().max(1) as u64;
    if let Some(missing) = (1..=count).find(|number| segments.get(*number as usize - 1) != Some(number)) {
        return Err(damaged(&segment::path(folder, missing), 0, format!("the file is missing; {RESTORE}")));
    }
    let mut recovery = Recovery { folder, log: manifest.id, lanes: lanes(&manifest), base: 0 };
    let live = recovery.segments(disk, count)?;
    Ok(Recovered { manifest, lanes: recovery.lanes, live })
}

/// The numbers of the segments that are there, rising.
fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        numbers.extend(segment::number(&entry?.path()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The manifest is written last when a log is made: without one, an empty first segment is all there can be.
fn discard_half_made(folder: &Path, segments: &[u64]) -> Result<(), LogError> {
    let path = segment::path(folder, 1);
    match segments {
        [] => Ok(()),
        [1] if is_empty(&path)? => fs::remove_file(&path).map_err(failed("remove", &path)),
        _ => Err(damaged(&folder.join("manifest"), 0, format!("the file is missing; {RESTORE}"))),
    }
}

fn make(
    disk: &dyn Disk,
    folder: &Path,
    services: &[(ServiceName, u32)],
    segment_bytes: u64,
) -> Result<Manifest, LogError> {
    let mut manifest = Manifest::new().map_err(failed("name", folder))?;
    manifest.add(services);
    let path = segment::path(folder, 1);
    let first = || {
        let file = segment::make(disk, &path, segment_bytes)?;
        let header = SegmentHeader { number: 1, base: 0, capacity: segment_bytes };
        disk.write(&file, &header.encode(manifest.id), 0)?;
        disk.sync(&file)?;
        sync_folder(folder)
    };
    first().map_err(failed("make", &path))?;
    manifest.write(folder)?;
    Ok(manifest)
}

fn lanes(manifest: &Manifest) -> Vec<(LaneId, LaneKey, LaneState)> {
    let mut lanes = Vec::new();
    for (number, (service, count)) in manifest.services.iter().enumerate() {
        for index in 0..*count {
            let key = LaneKey { service: number as u16, index: index as u16 };
            lanes.push((LaneId::new(service, index), key, LaneState::default()));
        }
    }
    lanes
}

/// Whether a segment holds nothing behind its header.
fn is_empty(path: &Path) -> Result<bool, LogError> {
    let bytes = fs::read(path).map_err(failed("read", path))?;
    Ok(bytes.iter().skip(SEGMENT_HEADER_BYTES as usize).all(|byte| *byte == 0))
}

struct Recovery<'a> {
    folder: &'a Path,
    log: LogId,
    lanes: Vec<(LaneId, LaneKey, LaneState)>,
    /// Where the next segment begins.
    base: u64,
}

impl Recovery<'_> {
    /// Takes in all segments, of which there are `count`; gives the one to write to.
    fn segments(&mut self, disk: &dyn Disk, count: u64) -> Result<Live, LogError> {
        for number in 1..count {
            let path = segment::path(self.folder, number);
            match segment::open_sealed(self.log, &path)? {
                Ok(sealed) => self.sealed(&path, number, sealed)?,
                Err(byte) => {
                    // The next segment is made before this one is sealed: a process may have ended between the two.
                    let next = segment::path(self.folder, number + 1);
                    if number + 1 < count || !is_empty(&next)? {
                        let reason = format!("a sealed segment's end is not as it was written; {RESTORE}");
                        return Err(damaged(&path, byte, reason));
                    }
                    fs::remove_file(&next).map_err(failed("remove", &next))?;
                    sync_folder(self.folder).map_err(failed("sync", self.folder))?;
                    return self.live(disk, number);
                }
            }
        }
        let last = segment::path(self.folder, count);
        if segment::open_sealed(self.log, &last)?.is_ok() {
            let next = segment::path(self.folder, count + 1);
            return Err(damaged(&next, 0, format!("the file is missing; {RESTORE}")));
        }
        self.live(disk, count)
    }

    fn sealed(&mut self, path: &Path, number: u64, sealed: Sealed) -> Result<(), LogError> {
        let wrong = |what: &str| damaged(path, sealed.end, format!("its footer {what}; {RESTORE}"));
        if (sealed.number, sealed.base) != (number, self.base) {
            return Err(wrong("does not follow the segment before"));
        }
        for run in &sealed.runs {
            let lane = lane_mut(&mut self.lanes, run.lane).ok_or_else(|| wrong("names a lane that is not there"))?;
            if run.first_seq != lane.last_seq + 1 || run.last_seq < run.first_seq || run.last_term < lane.last_term {
                return Err(wrong("does not continue a lane"));
            }
            lane.last_seq = run.last_seq;
            lane.last_term = run.last_term;
            lane.sealed.push(SealedRun { number, base: sealed.base, run: *run });
        }
        self.base = sealed.base + sealed.end;
        Ok(())
    }

    fn live(&mut self, disk: &dyn Disk, number: u64) -> Result<Live, LogError> {
        let path = segment::path(self.folder, number);
        let file = File::options().read(true).write(true).open(&path).map_err(failed("open", &path))?;
        let bytes = fs::read(&path).map_err(failed("read", &path))?;
        let Some(header) = SegmentHeader::decode(self.log, &bytes).filter(|header| header.number == number) else {
            return Err(damaged(&path, 0, format!("the segment's header is not as it was written; {RESTORE}")));
        };
        if header.base != self.base {
            return Err(damaged(&path, 0, format!("it does not follow the segment before; {RESTORE}")));
        }
        if (bytes.len() as u64) < header.capacity {
            let reason = format!("the file was made {} bytes long, the rest is gone; {RESTORE}", header.capacity);
            return Err(damaged(&path, bytes.len() as u64, reason));
        }
        let (end, batches, durable) = self.scan(&path, header.base, &bytes)?;
        self.mend(disk, &path, &file, &bytes, end, durable)?;
        let capacity = bytes.len() as u64;
        Ok(Live { number, base: header.base, file: file.into(), path: path.into(), capacity, end: end as u64, batches })
    }

    /// Takes in the live segment's intact batches. Gives where they end, how many they are, and where what was being
    /// written with the last of them began.
    fn scan(&mut self, path: &Path, base: u64, bytes: &[u8]) -> Result<(usize, u64, usize), LogError> {
        let mut end = SEGMENT_HEADER_BYTES as usize;
        let mut durable = end;
        let mut batches = 0;
        while let Some((header, _)) = batch(self.log, base + end as u64, &bytes[end..]) {
            let wrong = |what: &str| damaged(path, end as u64, format!("the batch {what}; {RESTORE}"));
            let lane = lane_mut(&mut self.lanes, header.lane).ok_or_else(|| wrong("names a lane that is not there"))?;
            if header.base_seq != lane.last_seq + 1 || header.term < lane.last_term {
                return Err(wrong("does not continue its lane"));
            }
            lane.last_seq = header.last_seq();
            lane.last_term = header.term;
            lane.live.push(Entry { base_seq: header.base_seq, offset: end as u32, bytes: header.bytes });
            batches += 1;
            durable = header.durable_before.saturating_sub(base).clamp(SEGMENT_HEADER_BYTES, end as u64) as usize;
            end += header.bytes as usize;
        }
        self.refuse_if_acknowledged(path, base, bytes, end)?;
        Ok((end, batches, durable))
    }

    /// Refuses when a batch behind `end` proves that what lay there had been acknowledged.
    fn refuse_if_acknowledged(&self, path: &Path, base: u64, bytes: &[u8], end: usize) -> Result<(), LogError> {
        let later = (end + 8..bytes.len()).step_by(8);
        let headers = later.filter_map(|at| Some((at, BatchHeader::decode(self.log, base + at as u64, &bytes[at..])?)));
        for (at, header) in headers {
            if header.durable_before > base + end as u64 {
                let reason = format!(
                    "acknowledged records are not as they were written, the batch at byte {at} followed them; \
                     {RESTORE}, or give up everything from byte {end} on by overwriting the file with zeros from there"
                );
                return Err(damaged(path, end as u64, reason));
            }
        }
        Ok(())
    }

    /// Cuts what follows the last intact batch, and makes that one durable for certain: the process that wrote it may
    /// have ended before it was, or its sync may have failed, after which the system believes its cache to be on the
    /// disk although it is not.
    fn mend(
        &self,
        disk: &dyn Disk,
        path: &Path,
        file: &File,
        bytes: &[u8],
        end: usize,
        durable: usize,
    ) -> Result<(), LogError> {
        let dirty = bytes[end..].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if dirty > 0 {
            tracing::warn!("cut {dirty} bytes at the end of {}, byte {end}: never acknowledged", path.display());
        }
        let write = || {
            disk.write(file, &bytes[durable..end], durable as u64)?;
            disk.write(file, &vec![0; dirty], end as u64)?;
            disk.sync(file)
        };
        write().map_err(failed("mend the end of", path))
    }
}

fn lane_mut(lanes: &mut [(LaneId, LaneKey, LaneState)], key: LaneKey) -> Option<&mut LaneState> {
    let at = lanes.binary_search_by_key(&key, |(_, key, _)| *key).ok()?;
    Some(&mut lanes[at].2)
}
