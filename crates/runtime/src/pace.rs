//! How the parts of a process run and wait: each on a thread of its own, or all as tasks of one thread whose time is made
//! up.
//!
//! Everywhere else waiting looks the same. Only here is it known that a thread may belong to a simulation: then nothing
//! blocks, pauses are drawn from its seed, and whoever waits is woken by whatever changes.

mod disk;

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use feira_event_log::{Assignment, LaneReader, LogError, Membership, StoredRecord};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use disk::Disk;

tokio::task_local! {
    /// The process that the task is of.
    static PROCESS: Arc<Simulant>;
}

thread_local! {
    static SIMULATED: RefCell<Option<Arc<Inner>>> = const { RefCell::new(None) };
}

/// What a lane's folder holds where there is no disk.
pub(crate) type Memory = Arc<Mutex<Disk>>;

struct Inner {
    began: Instant,
    origin_us: i64,
    random: Mutex<u64>,
    changed: Notify,
    folders: Mutex<HashMap<PathBuf, Memory>>,
}

/// A thread whose time is made up, for as long as this lives: it is that of tokio's paused clock.
pub struct Simulated(());

impl Simulated {
    /// Makes this thread one. Pauses and delays are drawn from `seed`; the clock begins at `origin_us`, microseconds since
    /// 1970.
    ///
    /// # Panics
    /// When the thread is one already.
    pub fn begin(seed: u64, origin_us: i64) -> Self {
        let inner = Inner {
            began: Instant::now(),
            origin_us,
            random: Mutex::new(seed),
            changed: Notify::new(),
            folders: Mutex::default(),
        };
        let before = SIMULATED.replace(Some(Arc::new(inner)));
        assert!(before.is_none(), "a thread has one simulation at a time");
        Self(())
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        SIMULATED.take();
    }
}

/// One process of a simulation: killed at once, or stopped where it stands.
pub struct Simulant {
    stopped: AtomicBool,
    woken: Notify,
    tasks: Mutex<Vec<AbortHandle>>,
    /// How long its steps take: mostly next to nothing, now and then up to this.
    slowest: Duration,
}

impl Simulant {
    /// A process whose steps take up to `slowest`.
    pub fn new(slowest: Duration) -> Arc<Self> {
        Arc::new(Self { stopped: AtomicBool::new(false), woken: Notify::new(), tasks: Mutex::default(), slowest })
    }

    /// Runs `work` as a part of this process: what it starts is killed and stopped with it.
    pub async fn run<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        PROCESS.scope(self.clone(), work).await
    }

    /// Begins `work` as a part of this process.
    pub fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let task = tokio::spawn(PROCESS.scope(self.clone(), work));
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.retain(|task| !task.is_finished());
        tasks.push(task.abort_handle());
    }

    /// Ends everything that it does, wherever it is.
    pub fn kill(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..).for_each(|task| task.abort());
    }

    /// Stops it where it stands: it does not know that time goes by.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.stopped.store(false, Ordering::SeqCst);
        self.woken.notify_waiters();
    }

    /// Takes a step: a little time passes, and whoever was stopped waits.
    pub async fn step(&self) {
        let most = if fraction() < 1.0 / 16.0 { self.slowest } else { self.slowest / 64 };
        tokio::time::sleep(most.mul_f64(fraction())).await;
        self.is_going().await;
    }

    async fn is_going(&self) {
        // They go on in the order in which they were stopped.
        while self.stopped.load(Ordering::SeqCst) {
            self.woken.notified().await;
        }
    }
}

fn simulation() -> Option<Arc<Inner>> {
    SIMULATED.with_borrow(Clone::clone)
}

fn process() -> Option<Arc<Simulant>> {
    PROCESS.try_with(Clone::clone).ok()
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this thread is one whose time is made up.
pub(crate) fn is_simulated() -> bool {
    SIMULATED.with_borrow(Option::is_some)
}

/// The made-up time, microseconds since 1970; none where time is real.
pub(crate) fn simulated_us() -> Option<i64> {
    let simulation = simulation()?;
    Some(simulation.origin_us + i64::try_from(simulation.began.elapsed().as_micros()).unwrap_or(i64::MAX))
}

/// A number from 0 up to 1 from the simulation's seed; none where there is no simulation. Source: Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators".
pub(crate) fn drawn() -> Option<f64> {
    let simulation = simulation()?;
    let mut state = lock(&simulation.random);
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    Some((mixed >> 11) as f64 / (1u64 << 53) as f64)
}

/// The power is cut under the folders in `path`: each loses what was last written to it, in `writes` writes.
pub fn lose(path: &Path, writes: usize) {
    let Some(simulation) = simulation() else { return };
    for (_, folder) in lock(&simulation.folders).iter().filter(|(folder, _)| folder.starts_with(path)) {
        lock(folder).lose(writes);
    }
}

fn fraction() -> f64 {
    drawn().unwrap_or(0.0)
}

/// The folder at `path` where there is no disk: what was written there stays, whoever dies.
pub(crate) fn folder(path: &Path) -> Option<Memory> {
    let simulation = simulation()?;
    Some(lock(&simulation.folders).entry(path.to_owned()).or_default().clone())
}

/// Wakes whoever waits for something to change, in a simulation.
pub fn stir() {
    if let Some(simulation) = simulation() {
        simulation.changed.notify_waiters();
    }
}

/// Waits until something may have changed or the time is `until`, in a simulation.
pub(crate) async fn changed(until: Option<Instant>) {
    let Some(simulation) = simulation() else { return std::future::pending().await };
    let notified = simulation.changed.notified();
    match until {
        Some(until) => drop(tokio::time::timeout_at(until, notified).await),
        None => notified.await,
    }
    if let Some(process) = process() {
        process.is_going().await;
    }
}

/// A moment at which a process of a simulation may be killed or stopped, and in which time passes; nothing elsewhere.
pub async fn step() {
    if !is_simulated() {
        return;
    }
    match process() {
        Some(process) => process.step().await,
        None => tokio::task::yield_now().await,
    }
}

/// Rests for `pause`. A thread that is unparked goes on at once.
pub(crate) async fn rest(pause: Duration) {
    if !is_simulated() {
        std::thread::park_timeout(pause);
        return;
    }
    tokio::time::sleep(pause).await;
    step().await;
}

/// Whoever follows a lane and has just taken in a little waits until this has passed since: what comes meanwhile is taken
/// in together, and whoever asks has the processor.
const GATHER: Duration = Duration::from_millis(10);

/// When a follower took in records last, so that it does not do so one by one.
pub(crate) struct Gather {
    since: Instant,
    full: usize,
}

impl Gather {
    /// For a follower that takes in up to `full` records at a time.
    pub(crate) fn new(full: usize) -> Self {
        Self { since: Instant::now().checked_sub(GATHER).unwrap_or_else(Instant::now), full }
    }

    /// Rests when the last records came a moment ago.
    pub(crate) async fn rest(&self) {
        let left = GATHER.saturating_sub(self.since.elapsed());
        if !left.is_zero() {
            rest(left).await;
        }
    }

    /// So many records were taken in.
    pub(crate) fn took_in(&mut self, records: usize) {
        // Who is behind goes on at once.
        if records > 0 && records < self.full {
            self.since = Instant::now();
        }
    }
}

/// Up to `max` next records of a lane; waits up to `wait` for the first.
///
/// # Errors
/// As [`LaneReader::read`].
pub(crate) async fn read(
    reader: &mut dyn LaneReader,
    max: usize,
    wait: Duration,
) -> Result<Vec<StoredRecord>, LogError> {
    if !is_simulated() {
        return reader.read(max, wait);
    }
    let until = Instant::now() + wait;
    loop {
        let records = reader.read(max, Duration::ZERO)?;
        if !records.is_empty() || Instant::now() >= until {
            step().await;
            return Ok(records);
        }
        changed(Some(until)).await;
    }
}

/// The assignment, once its generation is above `seen` or `wait` has passed.
pub(crate) async fn assignment(membership: &dyn Membership, seen: u64, wait: Duration) -> Assignment {
    if !is_simulated() {
        return membership.assignment(seen, wait);
    }
    let until = Instant::now() + wait;
    loop {
        let assignment = membership.assignment(seen, Duration::ZERO);
        if assignment.generation > seen || Instant::now() >= until {
            step().await;
            return assignment;
        }
        changed(Some(until)).await;
    }
}

/// Does what may block, where that hinders nobody.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if is_simulated() {
        step().await;
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends: nobody is there to be answered.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Does what may block, for whoever does not wait for it.
pub(crate) fn detach(work: impl FnOnce() + Send + 'static) {
    match is_simulated().then(process).flatten() {
        Some(process) => process.clone().spawn(async move {
            process.step().await;
            work();
        }),
        None => drop(tokio::task::spawn_blocking(work)),
    }
}

/// A part of a process: a thread, or a task of a simulation.
pub(crate) enum Part {
    Thread(JoinHandle<()>),
    Task(tokio::sync::oneshot::Receiver<()>),
}

/// Begins a part of this process.
///
/// # Errors
/// When the operating system has no thread for it.
pub(crate) fn spawn(name: String, work: impl Future<Output = ()> + Send + 'static) -> std::io::Result<Part> {
    let Some(process) = is_simulated().then(process).flatten() else {
        let runtime = Handle::current();
        let thread = std::thread::Builder::new().name(name).spawn(move || runtime.block_on(work))?;
        return Ok(Part::Thread(thread));
    };
    let (done, ended) = tokio::sync::oneshot::channel();
    process.spawn(async move {
        work.await;
        let _ = done.send(());
    });
    Ok(Part::Task(ended))
}

impl Part {
    /// Lets it go on at once if it rests.
    pub fn unpark(&self) {
        match self {
            Self::Thread(thread) => thread.thread().unpark(),
            Self::Task(_) => stir(),
        }
    }
}

/// Waits for parts to end; says how many failed in the program.
pub(crate) async fn join(parts: Vec<Part>) -> usize {
    let mut failed = 0;
    let mut threads = Vec::new();
    for part in parts {
        match part {
            Part::Thread(thread) => threads.push(thread),
            Part::Task(ended) => failed += usize::from(ended.await.is_err()),
        }
    }
    if threads.is_empty() {
        return failed;
    }
    failed + blocking(move || threads.into_iter().map(JoinHandle::join).filter(Result::is_err).count()).await
}
