//! Segments: files of a fixed length that fill up with batches and are then sealed with an index.
//!
//! A segment is filled with zeros when it is made, so that appending never changes the file's length or its map of
//! blocks: one `fdatasync` then writes data and nothing else. A sealed segment never changes again. Its footer holds,
//! for each lane, where the lane's batches lie; a short summary of that is read when the log opens, the rest when a
//! reader comes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use feira_event_log::LogError;

use crate::disk::{Disk, RESTORE, damaged, failed};
use crate::format::{LaneKey, LogId, Reader, Writer, seal};

/// The length of a segment's header; batches begin after it.
pub const SEGMENT_HEADER_BYTES: u64 = 64;
const SEGMENT_MAGIC: [u8; 8] = *b"FeiraSeg";
const TRAILER_MAGIC: [u8; 8] = *b"FeiraEnd";
const TRAILER_BYTES: usize = 64;
const SUMMARY_BYTES: usize = 48;
const ENTRY_BYTES: usize = 16;
/// How much is zeroed at a time: small enough that a batch's own write does not wait long behind it.
const ZERO_BYTES: usize = 1 << 20;

/// Where one batch of a lane lies in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The batch's first sequence.
    pub base_seq: u64,
    /// Where it begins in the file.
    pub offset: u32,
    /// How long it is.
    pub bytes: u32,
}

/// What a segment's first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Segments are numbered from 1 without a gap.
    pub number: u64,
    /// The position in the log of the file's first byte.
    pub base: u64,
    /// How long the file was made.
    pub capacity: u64,
}

impl SegmentHeader {
    /// The header as bytes.
    pub fn encode(&self, log: LogId) -> [u8; SEGMENT_HEADER_BYTES as usize] {
        let mut out = [0; SEGMENT_HEADER_BYTES as usize];
        let mut fields = Writer { out: &mut out[16..] };
        fields.u64(self.number);
        fields.u64(self.base);
        fields.u64(self.capacity);
        let crc = seal(log, 0, &out[16..]);
        out[..8].copy_from_slice(&SEGMENT_MAGIC);
        out[8..12].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// The header that `bytes` begin with, if it is intact and this log's.
    pub fn decode(log: LogId, bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..SEGMENT_HEADER_BYTES as usize)?;
        let mut fields = Reader { bytes: &bytes[16..] };
        let header = Self { number: fields.u64()?, base: fields.u64()?, capacity: fields.u64()? };
        (header.encode(log) == bytes).then_some(header)
    }
}

/// A lane's part of a sealed segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The lane.
    pub lane: LaneKey,
    /// How many batches of it the segment has.
    pub batches: u32,
    /// The first of them begins with this sequence.
    pub first_seq: u64,
    /// The last of them ends with this sequence.
    pub last_seq: u64,
    /// The last one's term.
    pub last_term: u64,
    /// Where in the file its entries lie.
    pub index_offset: u64,
    /// Their checksum.
    pub index_crc: u32,
}

/// A sealed segment, as its footer's summary tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its number.
    pub number: u64,
    /// The position in the log of the file's first byte.
    pub base: u64,
    /// Where its batches end.
    pub end: u64,
    /// The lanes in it.
    pub runs: Vec<Run>,
}

/// The file of segment `number`.
pub fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:016}.log"))
}

/// The number of the segment that a file holds, if it holds one.
pub fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".log")?;
    (name.len() == 16).then(|| name.parse().ok()).flatten()
}

/// How long the footer of a segment with so many batches is at most.
pub fn footer_bytes(batches: u64, lanes: usize) -> u64 {
    batches * ENTRY_BYTES as u64 + (lanes * SUMMARY_BYTES + TRAILER_BYTES) as u64
}

/// Makes a file of zeros, durable when this returns.
pub fn make(disk: &dyn Disk, path: &Path, capacity: u64) -> io::Result<File> {
    let file = disk.create(path)?;
    let zeros = vec![0; ZERO_BYTES.min(capacity as usize)];
    let mut offset = 0;
    while offset < capacity {
        let bytes = zeros.len().min((capacity - offset) as usize);
        disk.write(&file, &zeros[..bytes], offset)?;
        disk.sync(&file)?;
        offset += bytes as u64;
    }
    file.sync_all()?;
    Ok(file)
}

/// The footer of a segment whose batches end at `end`: entries, a summary of each lane, a trailer. The runs come with
/// their entries and learn where those lie.
pub fn footer(log: LogId, number: u64, base: u64, end: u64, lanes: &mut [(Run, Vec<Entry>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (run, entries) in lanes.iter_mut() {
        let start = out.len();
        for entry in entries.iter() {
            out.extend_from_slice(&entry.base_seq.to_le_bytes());
            out.extend_from_slice(&entry.offset.to_le_bytes());
            out.extend_from_slice(&entry.bytes.to_le_bytes());
        }
        run.batches = entries.len() as u32;
        run.index_offset = end + start as u64;
        run.index_crc = seal(log, base + run.index_offset, &out[start..]);
    }
    let summaries = out.len();
    for (run, _) in lanes.iter() {
        let mut summary = [0; SUMMARY_BYTES];
        let mut fields = Writer { out: &mut summary };
        fields.u16(run.lane.service);
        fields.u16(run.lane.index);
        fields.u32(run.batches);
        fields.u64(run.first_seq);
        fields.u64(run.last_seq);
        fields.u64(run.last_term);
        fields.u64(run.index_offset);
        fields.u32(run.index_crc);
        out.extend_from_slice(&summary);
    }
    let mut trailer = [0; TRAILER_BYTES];
    let mut fields = Writer { out: &mut trailer[16..] };
    fields.u64(number);
    fields.u64(base);
    fields.u64(end);
    fields.u32(lanes.len() as u32);
    fields.u32(seal(log, base + end, &out[summaries..]));
    let crc = seal(log, base, &trailer[16..]);
    trailer[..8].copy_from_slice(&TRAILER_MAGIC);
    trailer[8..12].copy_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&trailer);
    out
}

/// Reads the summary of a segment that should be sealed. The inner error is the byte of the file from which on it is not
/// what a sealed segment's is.
pub fn open_sealed(log: LogId, path: &Path) -> Result<Result<Sealed, u64>, LogError> {
    let file = File::open(path).map_err(failed("open", path))?;
    read_sealed(log, &file).map_err(failed("read", path))
}

fn read_sealed(log: LogId, file: &File) -> io::Result<Result<Sealed, u64>> {
    let length = file.metadata()?.len();
    if length < SEGMENT_HEADER_BYTES + TRAILER_BYTES as u64 {
        return Ok(Err(length));
    }
    let trailer_at = length - TRAILER_BYTES as u64;
    let mut trailer = [0; TRAILER_BYTES];
    file.read_exact_at(&mut trailer, trailer_at)?;
    let Some((number, base, end, lanes, summary_crc)) = decode_trailer(log, &trailer) else {
        return Ok(Err(trailer_at));
    };
    let summary_bytes = u64::from(lanes) * SUMMARY_BYTES as u64;
    let Some(summary_at) = trailer_at.checked_sub(summary_bytes).filter(|at| *at >= end) else {
        return Ok(Err(trailer_at));
    };
    let mut summaries = vec![0; summary_bytes as usize];
    file.read_exact_at(&mut summaries, summary_at)?;
    if seal(log, base + end, &summaries) != summary_crc {
        return Ok(Err(summary_at));
    }
    let mut header = [0; SEGMENT_HEADER_BYTES as usize];
    file.read_exact_at(&mut header, 0)?;
    if SegmentHeader::decode(log, &header).is_none_or(|header| (header.number, header.base) != (number, base)) {
        return Ok(Err(0));
    }
    let runs: Option<Vec<Run>> = summaries.chunks_exact(SUMMARY_BYTES).map(decode_summary).collect();
    Ok(runs.map(|runs| Sealed { number, base, end, runs }).ok_or(summary_at))
}

fn decode_trailer(log: LogId, bytes: &[u8; TRAILER_BYTES]) -> Option<(u64, u64, u64, u32, u32)> {
    let mut fields = Reader { bytes: &bytes[16..] };
    let trailer = (fields.u64()?, fields.u64()?, fields.u64()?, fields.u32()?, fields.u32()?);
    let crc = seal(log, trailer.1, &bytes[16..]).to_le_bytes();
    (bytes[..8] == TRAILER_MAGIC && bytes[8..12] == crc && bytes[12..16] == [0; 4]).then_some(trailer)
}

fn decode_summary(bytes: &[u8]) -> Option<Run> {
    let mut fields = Reader { bytes };
    Some(Run {
        lane: LaneKey { service: fields.u16()?, index: fields.u16()? },
        batches: fields.u32()?,
        first_seq: fields.u64()?,
        last_seq: fields.u64()?,
        last_term: fields.u64()?,
        index_offset: fields.u64()?,
        index_crc: fields.u32()?,
    })
}

/// Reads a lane's entries of a sealed segment.
pub fn read_index(log: LogId, path: &Path, file: &File, base: u64, run: &Run) -> Result<Vec<Entry>, LogError> {
    let mut bytes = vec![0; run.batches as usize * ENTRY_BYTES];
    file.read_exact_at(&mut bytes, run.index_offset).map_err(failed("read", path))?;
    if seal(log, base + run.index_offset, &bytes) != run.index_crc {
        let reason = format!("the index of a sealed segment is not as it was written; {RESTORE}");
        return Err(damaged(path, run.index_offset, reason));
    }
    let entry = |bytes: &[u8]| {
        let mut fields = Reader { bytes };
        Some(Entry { base_seq: fields.u64()?, offset: fields.u32()?, bytes: fields.u32()? })
    };
    Ok(bytes.chunks_exact(ENTRY_BYTES).filter_map(entry).collect())
}
