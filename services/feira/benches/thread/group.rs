//! Appends with group commit: one thread writes all that wait, syncs once, then answers all of them. A second thread keeps
//! what readers would see of them: for each entry a row of its own and the newest of whatever it was for.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use fjall::{Database, KeyspaceCreateOptions};
use tokio::sync::oneshot;

/// How long one entry is, in bytes.
pub const ENTRY_BYTES: usize = 512;
/// How long the file is; it is written again from its beginning, so that a sync never waits for it to grow.
pub const FILE_BYTES: u64 = 64 << 20;
/// The most that is written with one sync.
const GROUP_MAX: usize = 4_096;

/// An entry, what it is for, and the id it came under.
struct Entry {
    bytes: [u8; ENTRY_BYTES],
    to: Box<str>,
    id: Box<str>,
}

struct Waiting {
    entry: Entry,
    done: oneshot::Sender<u64>,
}

/// The way to the thread.
pub struct Group(Sender<Waiting>);

impl Group {
    /// Makes the file at `path`, as long as it will be, and rows beside it, and starts the threads.
    pub fn start(path: &Path) -> io::Result<Self> {
        let file = file(path)?;
        let rows = path.with_extension("rows");
        let (sender, receiver) = channel();
        let (followed, follow) = channel();
        std::thread::spawn(move || write(&file, &receiver, &followed));
        std::thread::spawn(move || keep(&rows, &follow));
        Ok(Self(sender))
    }

    /// Appends an entry for `to` that holds `what`; answers its place, from 1, once it is on the disk. What comes again
    /// under an `id` is answered with the first place.
    pub async fn append(&self, to: &str, what: &str, id: &str) -> u64 {
        let mut bytes = [0; ENTRY_BYTES];
        let texts = [to, what, id].into_iter().flat_map(str::bytes);
        bytes.iter_mut().zip(texts).for_each(|(place, byte)| *place = byte);
        let (done, answer) = oneshot::channel();
        let entry = Entry { bytes, to: to.into(), id: id.into() };
        self.0.send(Waiting { entry, done }).expect("the thread runs as long as the server");
        answer.await.expect("the thread answers")
    }
}

/// A file that is as long as it will be.
pub fn file(path: &Path) -> io::Result<File> {
    let file = File::create(path)?;
    for offset in (0..FILE_BYTES).step_by(1 << 20) {
        file.write_all_at(&vec![0; 1 << 20], offset)?;
    }
    file.sync_all()?;
    Ok(file)
}

fn write(file: &File, receiver: &Receiver<Waiting>, followed: &Sender<(u64, Entry)>) {
    let (mut last, mut offset) = (0, 0);
    let mut known: HashMap<Box<str>, u64> = HashMap::new();
    while let Ok(first) = receiver.recv() {
        let group: Vec<Waiting> = std::iter::once(first).chain(receiver.try_iter().take(GROUP_MAX - 1)).collect();
        let (repeated, group): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|waiting| known.contains_key(&waiting.entry.id));
        let bytes: Vec<u8> = group.iter().flat_map(|waiting| waiting.entry.bytes).collect();
        if offset + bytes.len() as u64 > FILE_BYTES {
            offset = 0;
        }
        file.write_all_at(&bytes, offset).expect("the file can be written");
        file.sync_data().expect("the file can be synced");
        offset += bytes.len() as u64;
        for Waiting { entry, done } in group {
            last += 1;
            known.insert(entry.id.clone(), last);
            // Who asked may have gone.
            let _ = done.send(last);
            followed.send((last, entry)).expect("the rows are kept as long as the server runs");
        }
        for waiting in repeated {
            let _ = waiting.done.send(known[&waiting.entry.id]);
        }
    }
}

fn keep(path: &Path, follow: &Receiver<(u64, Entry)>) {
    let database = Database::builder(path).open().expect("there is room for rows");
    let rows = database.keyspace("rows", KeyspaceCreateOptions::default).expect("there is room for rows");
    while let Ok(first) = follow.recv() {
        let mut batch = database.batch();
        for (place, entry) in std::iter::once(first).chain(follow.try_iter().take(GROUP_MAX - 1)) {
            batch.insert(&rows, [b"entry/", &place.to_be_bytes()[..]].concat(), &entry.bytes[..]);
            batch.insert(&rows, [b"newest/", entry.to.as_bytes()].concat(), &entry.bytes[..]);
        }
        batch.commit().expect("the rows can be written");
    }
}
