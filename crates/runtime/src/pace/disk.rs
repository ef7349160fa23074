//! What a lane's folder holds where there is no disk: rows, and the way back to what they were.
//!
//! As on a disk whose writes are not synced, what survives a power cut is what stood there after some earlier write.

use std::collections::BTreeMap;

/// One change of a row: its key, and its value, or none where it is taken away.
pub(crate) type Change = (Vec<u8>, Option<Vec<u8>>);

/// How many writes can be lost one by one; who loses more loses everything.
const UNSYNCED_MAX: usize = 32;

/// The rows of one folder.
#[derive(Default)]
pub(crate) struct Disk {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What takes the last writes back, the latest last.
    unsynced: Vec<Vec<Change>>,
}

impl Disk {
    /// The value at a key.
    pub fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.rows.get(key).cloned()
    }

    /// Makes changes, all of them or none.
    pub fn write(&mut self, changes: Vec<Change>) {
        let mut back: Vec<Change> = changes.into_iter().map(|change| self.change(change)).collect();
        back.reverse();
        self.unsynced.push(back);
        if self.unsynced.len() > UNSYNCED_MAX {
            self.unsynced.remove(0);
        }
    }

    /// Takes everything away.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The last `writes` are lost.
    pub fn lose(&mut self, writes: usize) {
        if writes > UNSYNCED_MAX {
            return self.clear();
        }
        let kept = self.unsynced.len().saturating_sub(writes);
        for back in self.unsynced.split_off(kept).into_iter().rev() {
            for change in back {
                self.change(change);
            }
        }
    }

    /// Makes one change, and gives the one that takes it back.
    fn change(&mut self, (key, value): Change) -> Change {
        let before = match value {
            Some(value) => self.rows.insert(key.clone(), value),
            None => self.rows.remove(&key),
        };
        (key, before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &str, value: &str) -> Change {
        (key.into(), Some(value.into()))
    }

    #[test]
    fn what_is_lost_are_the_last_writes_whole() {
        let mut disk = Disk::default();
        disk.write(vec![put("a", "1"), put("b", "1")]);
        disk.write(vec![put("a", "2"), ("b".into(), None), put("a", "3")]);
        disk.write(vec![put("c", "4")]);
        assert_eq!((disk.get(b"a"), disk.get(b"b"), disk.get(b"c")), (Some("3".into()), None, Some("4".into())));
        disk.lose(2);
        assert_eq!((disk.get(b"a"), disk.get(b"b"), disk.get(b"c")), (Some("1".into()), Some("1".into()), None));
        disk.lose(usize::MAX);
        assert_eq!(disk.get(b"a"), None);
    }
}
