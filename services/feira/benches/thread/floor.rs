//! What the disk allows: a bare loop of write and `fdatasync`.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// What the loop did.
pub struct Floor {
    /// Durable writes a second.
    pub rate: f64,
    /// The middle one, in microseconds.
    pub p50_us: u128,
}

/// Writes 512 bytes at a time into a file that is there already, each synced before the next.
pub fn fdatasync(turn: Duration) -> Floor {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
    let file = File::create(folder.path().join("floor")).expect("a file can be made");
    file.write_all_at(&vec![0; 16 << 20], 0).expect("the file can be written");
    file.sync_all().expect("the file can be synced");
    let mut times = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < turn {
        let one = Instant::now();
        let offset = (times.len() as u64 * 512) % (16 << 20);
        file.write_all_at(&[7; 512], offset).expect("the file can be written");
        file.sync_data().expect("the file can be synced");
        times.push(one.elapsed());
    }
    let rate = times.len() as f64 / begun.elapsed().as_secs_f64();
    times.sort_unstable();
    Floor { rate, p50_us: times[times.len() / 2].as_micros() }
}
