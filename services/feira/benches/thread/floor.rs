//! What the disk allows: a bare loop of write and `fdatasync`.

use std::os::unix::fs::FileExt;
use std::time::Duration;

use feira_bench::{Round, rounds};

use crate::group::{ENTRY_BYTES, FILE_BYTES, file};

/// Writes an entry at a time into a file that is there already, each synced before the next.
pub fn fdatasync(turn: Duration) -> Vec<Round> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let file = file(&folder.path().join("floor")).expect("a file can be made");
    let mut offset = 0;
    rounds(|| {
        Round::repeat(turn, 1, || {
            file.write_all_at(&[7; ENTRY_BYTES], offset).expect("the file can be written");
            file.sync_data().expect("the file can be synced");
            offset = (offset + ENTRY_BYTES as u64) % FILE_BYTES;
        })
    })
}
