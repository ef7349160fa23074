//! How batches lie on the disk, byte for byte.
//!
//! All numbers are little-endian; everything begins at a multiple of eight bytes. A checksum covers, beside the bytes
//! themselves, the log's id and the place they were written for: bytes from another log, an old segment or a record's
//! value that looks like a batch are never taken for one.

use feira_event_log::NewRecord;

/// The length of a [`BatchHeader`].
pub const BATCH_HEADER_BYTES: usize = 48;
/// The largest batch, header included.
pub const BATCH_BYTES_MAX: usize = 256 << 20;
/// How batches begin.
const BATCH_MAGIC: [u8; 4] = *b"FBat";

/// The name of a log, drawn when it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogId(pub [u8; 16]);

/// A lane as the manifest numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneKey {
    /// The service's place in the manifest.
    pub service: u16,
    /// The lane within the service.
    pub index: u16,
}

/// What precedes a batch's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// The length of the whole batch, header and padding included.
    pub bytes: u32,
    /// The checksum of what follows the header.
    pub body_crc: u32,
    /// Where it belongs.
    pub lane: LaneKey,
    /// How many records.
    pub count: u32,
    /// The first record's sequence.
    pub base_seq: u64,
    /// The term of all of them.
    pub term: u64,
    /// Everything before this position of the log was durable when the batch was written: damage there is no torn write.
    pub durable_before: u64,
}

impl BatchHeader {
    /// Writes the header of a batch that lies at `position` of the log.
    pub fn encode(&self, log: LogId, position: u64, out: &mut [u8]) {
        let mut fields = Writer { out: &mut out[8..BATCH_HEADER_BYTES] };
        fields.u32(self.bytes);
        fields.u32(self.body_crc);
        fields.u16(self.lane.service);
        fields.u16(self.lane.index);
        fields.u32(self.count);
        fields.u64(self.base_seq);
        fields.u64(self.term);
        fields.u64(self.durable_before);
        let crc = seal(log, position, &out[8..BATCH_HEADER_BYTES]);
        out[..4].copy_from_slice(&BATCH_MAGIC);
        out[4..8].copy_from_slice(&crc.to_le_bytes());
    }

    /// The header at `position` of the log, if `bytes` begin with an intact one.
    pub fn decode(log: LogId, position: u64, bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..BATCH_HEADER_BYTES)?;
        if bytes[..4] != BATCH_MAGIC || bytes[4..8] != seal(log, position, &bytes[8..]).to_le_bytes() {
            return None;
        }
        let mut fields = Reader { bytes: &bytes[8..] };
        let header = Self {
            bytes: fields.u32()?,
            body_crc: fields.u32()?,
            lane: LaneKey { service: fields.u16()?, index: fields.u16()? },
            count: fields.u32()?,
            base_seq: fields.u64()?,
            term: fields.u64()?,
            durable_before: fields.u64()?,
        };
        let whole = header.bytes as usize >= BATCH_HEADER_BYTES && header.bytes.is_multiple_of(8);
        (whole && header.count > 0).then_some(header)
    }

    /// The last record's sequence.
    pub fn last_seq(&self) -> u64 {
        self.base_seq + u64::from(self.count) - 1
    }
}

/// An intact batch: its header and what follows it.
pub fn batch(log: LogId, position: u64, bytes: &[u8]) -> Option<(BatchHeader, &[u8])> {
    let header = BatchHeader::decode(log, position, bytes)?;
    let body = bytes.get(BATCH_HEADER_BYTES..header.bytes as usize)?;
    (crc32c::crc32c(body) == header.body_crc).then_some((header, body))
}

/// The bytes of a batch, with room for the header at the front, and the checksum of what follows it. None when it is
/// larger than [`BATCH_BYTES_MAX`].
pub fn encode_batch(records: &[NewRecord]) -> Option<(Vec<u8>, u32)> {
    let content: usize = records.iter().map(|record| 4 + record.value.len()).sum();
    let bytes = (BATCH_HEADER_BYTES + content).next_multiple_of(8);
    if bytes > BATCH_BYTES_MAX {
        return None;
    }
    let mut out = Vec::with_capacity(bytes);
    out.resize(BATCH_HEADER_BYTES, 0);
    for record in records {
        out.extend_from_slice(&(record.value.len() as u32).to_le_bytes());
        out.extend_from_slice(&record.value);
    }
    out.resize(bytes, 0);
    let crc = crc32c::crc32c(&out[BATCH_HEADER_BYTES..]);
    Some((out, crc))
}

/// Where in a batch's body each of its `count` values lies. None when they do not fill it: a mistake of the writer,
/// since the checksum was right.
pub fn values(body: &[u8], count: u32) -> Option<Vec<std::ops::Range<usize>>> {
    let mut at = 0;
    let mut values = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let length = Reader { bytes: body.get(at..)? }.u32()? as usize;
        let start = at + 4;
        at = start.checked_add(length).filter(|end| *end <= body.len())?;
        values.push(start..at);
    }
    (body.len() - at < 8).then_some(values)
}

/// The checksum of bytes written for `position` of a log.
pub fn seal(log: LogId, position: u64, bytes: &[u8]) -> u32 {
    let crc = crc32c::crc32c(&log.0);
    let crc = crc32c::crc32c_append(crc, &position.to_le_bytes());
    crc32c::crc32c_append(crc, bytes)
}

/// Fills a slice with numbers. The callers know their lengths: the slice always has room.
pub struct Writer<'a> {
    /// What is left to fill.
    pub out: &'a mut [u8],
}

impl Writer<'_> {
    /// Puts raw bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        let (head, rest) = std::mem::take(&mut self.out).split_at_mut(bytes.len());
        head.copy_from_slice(bytes);
        self.out = rest;
    }

    /// Puts a number of 16 bits.
    pub fn u16(&mut self, number: u16) {
        self.put(&number.to_le_bytes());
    }

    /// Puts a number of 32 bits.
    pub fn u32(&mut self, number: u32) {
        self.put(&number.to_le_bytes());
    }

    /// Puts a number of 64 bits.
    pub fn u64(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }
}

/// Takes numbers off a slice.
pub struct Reader<'a> {
    /// What is left to read.
    pub bytes: &'a [u8],
}

impl Reader<'_> {
    /// Takes raw bytes.
    pub fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*head)
    }

    /// Takes a number of 16 bits.
    pub fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    /// Takes a number of 32 bits.
    pub fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    /// Takes a number of 64 bits.
    pub fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use feira_event_log::suite;
    use proptest::prelude::*;

    use super::*;

    const LOG: LogId = LogId([7; 16]);

    fn written(position: u64, count: u64) -> Vec<u8> {
        let (mut bytes, body_crc) = encode_batch(&suite::batch(1, 5, 2, count)).unwrap();
        let header = BatchHeader {
            bytes: bytes.len() as u32,
            body_crc,
            lane: LaneKey { service: 0, index: 1 },
            count: count as u32,
            base_seq: 5,
            term: 2,
            durable_before: 64,
        };
        header.encode(LOG, position, &mut bytes);
        bytes
    }

    #[test]
    fn a_batch_is_intact_only_in_its_log_and_its_place() {
        let bytes = written(128, 3);
        let (header, body) = batch(LOG, 128, &bytes).unwrap();
        assert_eq!((header.base_seq, header.last_seq(), header.term, header.durable_before), (5, 7, 2, 64));
        let values: Vec<_> = values(body, 3).unwrap().into_iter().map(|range| body[range].to_vec()).collect();
        assert_eq!(values, [suite::value(1, 5, 2), suite::value(1, 6, 2), suite::value(1, 7, 2)]);
        assert_eq!(batch(LOG, 136, &bytes), None);
        assert_eq!(batch(LogId([8; 16]), 128, &bytes), None);
    }

    #[test]
    fn no_bit_of_a_batch_can_change_unseen() {
        let bytes = written(128, 3);
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(batch(LOG, 128, &changed), None, "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert_eq!(batch(LOG, 128, &bytes[..length]), None, "cut at {length}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0u32..9) {
            let _ = batch(LOG, 0, &bytes);
            let _ = values(&bytes, count);
        }
    }
}
