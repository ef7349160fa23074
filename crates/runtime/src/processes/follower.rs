//! One process on one lane: reads its events in order, asks what follows from each, and asks what its timers ask.

use std::cell::LazyCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use feira_decider::{Ask, Do};
use feira_event_log::{EventLog, Hint, Resume, StoredRecord};
use feira_events::Meta;
use feira_ids::LaneId;
use feira_projection_store::{Checkpoint, Mutation, Range, Store};
use feira_rows::timer::{TIMERS, TimerRow, put_timer, remove_timer, timers_key};
use tokio::time::Instant;

use super::asker::{Asked, Asker, Cause};
use super::timers::{Change, Timer, TimerKey, Timers};
use super::{CHECKPOINTS, Fault, Part, ProcessOptions, Seat};
use crate::chain::Chain;
use crate::closing::Closing;
use crate::lane::panic_text;
use crate::pace::Gather;
use crate::{ProcessManager, jitter, pace};

/// The most events that one checkpoint covers.
const BATCH_MAX: usize = 64;
/// How many timers are asked at once.
const TIMERS_AT_ONCE: usize = 64;
/// How many timers are read at once.
const PAGE: usize = 1000;
/// How long a reader waits for records at a time: what a shutdown may have to wait.
const READ_WAIT: Duration = Duration::from_millis(500);
/// How long one try of what a timer asks may take: the events wait behind it.
const TIMER_TIMEOUT: Duration = Duration::from_secs(2);
const PAUSE_SHORTEST: Duration = Duration::from_millis(20);
const PAUSE_LONGEST: Duration = Duration::from_secs(5);
/// How long a timer rests that nobody answered.
const TIMER_PAUSE: Duration = Duration::from_secs(1);

/// Follows one lane for one process.
pub(crate) struct Follower {
    manager: Arc<dyn ProcessManager>,
    lane: LaneId,
    lane_name: String,
    /// What the checkpoint stands under.
    place: String,
    asker: Asker,
    log: Arc<dyn EventLog>,
    store: Arc<dyn Store>,
    options: ProcessOptions,
    seat: Arc<Seat>,
    closing: Arc<Closing>,
}

/// What follows from one record.
struct Follows {
    asked: Vec<Asked>,
    /// What becomes of timers, the last of a kind being the one that stands.
    changes: Vec<(TimerKey, Change)>,
    /// The record's hybrid time.
    hlc: i64,
}

/// How far a follower has come.
struct Standing {
    checkpoint: Checkpoint,
    /// The time of the last record, milliseconds since 1970.
    read_until_ms: i64,
    timers: Timers,
    /// When timers are looked at next.
    next_look: Instant,
}

impl Follower {
    #[allow(clippy::too_many_arguments, reason = "all of it is what a follower is made of")]
    pub fn new(
        manager: Arc<dyn ProcessManager>,
        lane: LaneId,
        asker: Asker,
        log: Arc<dyn EventLog>,
        store: Arc<dyn Store>,
        options: ProcessOptions,
        seat: Arc<Seat>,
        closing: Arc<Closing>,
    ) -> Self {
        let lane_name = lane.to_string();
        let place = super::place(manager.name(), &lane_name);
        Self { manager, lane, lane_name, place, asker, log, store, options, seat, closing }
    }

    /// Follows until told to stop.
    pub async fn run(self) {
        let mut tries = 0;
        while !self.closed() {
            let before = self.seat.at.load(Ordering::SeqCst);
            let fault = match self.follow().await {
                Ok(()) | Err(Fault::Closing) => return,
                Err(fault) => fault,
            };
            self.asker.metrics.faults.add(1);
            if self.seat.at.load(Ordering::SeqCst) > before {
                tries = 0;
            }
            self.tell(Part::Events, &fault);
            tries += 1;
            pace::rest(jitter::pause(PAUSE_SHORTEST, PAUSE_LONGEST, tries)).await;
        }
    }

    /// Goes on from the checkpoint.
    async fn follow(&self) -> Result<(), Fault> {
        let checkpoint = self.wait_for(self.store.checkpoint(CHECKPOINTS, &self.place)).await??;
        let last = self.log.last_seq(&self.lane)?;
        if checkpoint.lane_seq > last {
            return Err(Fault::AheadOfLog { at: checkpoint.lane_seq, last });
        }
        let mut standing = Standing {
            checkpoint,
            read_until_ms: i64::MIN,
            timers: self.stored_timers().await?,
            next_look: Instant::now(),
        };
        self.show(&standing, last);
        let mut reader = self.log.reader(&self.lane, Resume::after(checkpoint.lane_seq, Hint(checkpoint.hint)))?;
        let mut gather = Gather::new(BATCH_MAX);
        while !self.closed() {
            if standing.checkpoint.lane_seq >= last {
                self.seat.caught_up.store(true, Ordering::SeqCst);
            }
            self.ask_what_is_due(&mut standing).await?;
            let wait = standing.next_look.saturating_duration_since(Instant::now()).min(READ_WAIT);
            gather.rest().await;
            let records = pace::read(reader.as_mut(), BATCH_MAX, wait).await?;
            gather.took_in(records.len());
            let Some(newest) = records.last() else { continue };
            let end = if records.len() < BATCH_MAX { newest.lane_seq } else { self.log.last_seq(&self.lane)? };
            self.show(&standing, end);
            self.take_in(&records, &mut standing).await?;
            self.show(&standing, end);
        }
        Ok(())
    }

    /// The timers that are set.
    async fn stored_timers(&self) -> Result<Timers, Fault> {
        let mut timers = Timers::default();
        let partition = timers_key(self.manager.name(), &self.lane_name);
        let mut after = None;
        loop {
            let range = Range { after, limit: PAGE, ..Range::default() };
            let page = self.wait_for(self.store.scan(&TIMERS, &partition, range)).await??;
            let mut last = None;
            for row in page.rows {
                let row = TimerRow::from_row(row)
                    .map_err(|error| Fault::Timer { timer: "of some id".to_owned(), reason: error.to_string() })?;
                last = Some(vec![row.tenant.as_ref().into(), row.timer.as_ref().into()]);
                timers.put(Timer::read(row)?);
            }
            if !page.more || last.is_none() {
                return Ok(timers);
            }
            after = last;
        }
    }

    /// Asks what follows from `records`, as far as it is answered, and notes how far that is.
    ///
    /// What several records have asked of one aggregate is asked in their order; the rest need not wait for each other.
    async fn take_in(&self, records: &[StoredRecord], standing: &mut Standing) -> Result<(), Fault> {
        let mut fault = None;
        let mut followed = Vec::new();
        let mut asked = Vec::new();
        for (place, record) in records.iter().enumerate() {
            match self.follows(place, record) {
                Ok(follows) => {
                    asked.extend(follows.asked);
                    followed.push((record, follows.changes, follows.hlc));
                }
                Err(error) => {
                    fault = Some(error);
                    break;
                }
            }
        }
        if !asked.is_empty() {
            let outcome = self.wait_for(self.asker.ask_all(asked, self.options.ask_timeout)).await?;
            if let Some((first, unanswered)) = outcome.faults.into_iter().min_by_key(|(place, _)| *place) {
                followed.truncate(first);
                fault = Some(unanswered);
            }
        }
        if let Some(&(record, _, hlc)) = followed.last() {
            self.asker.metrics.followed.add(followed.len() as u64);
            let changes = standing.timers.changed_by(followed.into_iter().flat_map(|(_, changes, _)| changes));
            let checkpoint = Checkpoint { lane_seq: record.lane_seq, hint: record.hint.0 };
            let writes = changes.iter().map(|(key, change)| self.written(key, change)).collect();
            self.apply(writes, checkpoint).await?;
            standing.checkpoint = checkpoint;
            standing.read_until_ms = hlc / 1000;
            if !changes.is_empty() {
                standing.timers.take_in(changes);
                standing.next_look = Instant::now();
            }
        }
        match fault {
            Some(fault) => Err(fault),
            None => {
                self.recovered(Part::Events);
                Ok(())
            }
        }
    }

    /// What follows from one record, the one at `place` of those at hand.
    fn follows(&self, place: usize, record: &StoredRecord) -> Result<Follows, Fault> {
        let lane_seq = record.lane_seq;
        let opened = feira_codec::open(&record.value).map_err(|source| Fault::Unreadable { lane_seq, source })?;
        // A thread that ended here would end unseen, and what follows from its lane with it.
        let what = catch_unwind(AssertUnwindSafe(|| self.manager.react(&opened)))
            .map_err(|panic| Fault::Failed { lane_seq, reason: panic_text(&*panic) })?
            .map_err(|source| Fault::Unreadable { lane_seq, source })?;
        let meta = &opened.meta;
        let event = meta.event_id.0;
        // Nothing follows from most records.
        let cause = LazyCell::new(|| {
            let (correlation, traceparent) = (meta.correlation_id, meta.traceparent.clone());
            Arc::new(Cause { event, correlation, traceparent, path: event.to_string() })
        });
        let mut follows = Follows { asked: vec![], changes: vec![], hlc: meta.hlc };
        for what in what {
            match what {
                Do::Ask(ask) => follows.asked.push(Asked { place, cause: Arc::clone(&cause), ask }),
                Do::At { timer, due, then } => {
                    let timer = set(meta, timer, due, *then);
                    follows.changes.push((timer.key(), Change::Set(Box::new(timer))));
                }
                Do::Forget { timer } => {
                    let tenant = Arc::from(meta.tenant.as_str());
                    follows.changes.push(((tenant, timer.into()), Change::Forget(meta.hlc)));
                }
            }
        }
        Ok(follows)
    }

    /// Asks what the timers ask that are due, and takes away those that are answered.
    ///
    /// A timer waits until the lane was read to its end or past the time it is due: an event that forgets it may stand
    /// there already.
    async fn ask_what_is_due(&self, standing: &mut Standing) -> Result<(), Fault> {
        if Instant::now() < standing.next_look {
            return Ok(());
        }
        let tenants = standing.timers.tenants();
        let offsets = self.wait_for(self.asker.clocks.offsets_ms(&tenants)).await??;
        let margin = i64::try_from(self.options.timer_margin.as_millis()).unwrap_or(i64::MAX);
        let wall = (self.options.clock.now_us() / 1000).saturating_sub(margin);
        let mut due = Vec::new();
        let mut soonest = self.options.look_every;
        for (tenant, offset) in tenants.iter().zip(offsets) {
            let now = wall.saturating_add(offset);
            let (ready, next) = standing.timers.due(tenant, now, TIMERS_AT_ONCE);
            let read_until = standing.read_until_ms.saturating_add(offset);
            due.extend(ready.into_iter().map(|timer| (timer.row.due.saturating_sub(offset), read_until, timer)));
            if let Some(left_ms) = next.and_then(|next| u64::try_from(next.saturating_sub(now)).ok()) {
                soonest = soonest.min(Duration::from_millis(left_ms));
            }
        }
        standing.next_look = Instant::now() + soonest;
        if due.is_empty() {
            return Ok(());
        }
        let at_end = standing.checkpoint.lane_seq >= self.log.last_seq(&self.lane)?;
        due.retain(|(_, read_until, timer)| at_end || timer.row.due <= *read_until);
        due.sort_by_key(|(due, ..)| *due);
        let mut due: Vec<_> = due.into_iter().map(|(.., timer)| timer).collect();
        due.truncate(TIMERS_AT_ONCE);
        if due.len() == TIMERS_AT_ONCE {
            standing.next_look = Instant::now();
        }
        self.ask_timers(due, standing).await
    }

    /// Asks what `due` ask: of one aggregate in the order they are due, of several at once.
    async fn ask_timers(&self, due: Vec<Timer>, standing: &mut Standing) -> Result<(), Fault> {
        let asked = due.iter().enumerate().map(|(place, timer)| {
            let cause = Arc::new(come_due(timer));
            Asked { place, cause, ask: timer.ask.clone() }
        });
        let outcome = self.wait_for(self.asker.ask_all(asked.collect(), TIMER_TIMEOUT)).await?;
        let mut removals = Vec::new();
        for place in outcome.answered {
            let (tenant, id) = due[place].key();
            let hlc = due[place].row.set_hlc;
            removals.push(remove_timer(self.manager.name(), &self.lane_name, &tenant, &id, hlc));
            standing.timers.take(&(tenant, id));
        }
        let mut failed = None;
        for (place, fault) in outcome.faults {
            standing.timers.put_off(&due[place].key(), Instant::now() + TIMER_PAUSE);
            failed = Some(fault);
        }
        let count = removals.len() as u64;
        if count > 0 {
            self.apply(removals, standing.checkpoint).await?;
            self.asker.metrics.timers.add(count);
            self.seat.timers.store(standing.timers.len() as u64, Ordering::SeqCst);
        }
        match failed {
            // The events go on: whoever does not answer a timer may answer them.
            Some(fault) => {
                self.asker.metrics.faults.add(1);
                self.tell(Part::Timers, &fault);
            }
            None => self.recovered(Part::Timers),
        }
        Ok(())
    }

    fn written(&self, key: &TimerKey, change: &Change) -> Mutation {
        let process = self.manager.name();
        match change {
            Change::Set(timer) => put_timer(process, &self.lane_name, &timer.row),
            Change::Forget(hlc) => remove_timer(process, &self.lane_name, &key.0, &key.1, *hlc),
        }
    }

    async fn apply(&self, writes: Vec<Mutation>, checkpoint: Checkpoint) -> Result<(), Fault> {
        Ok(self.wait_for(self.store.apply(writes, CHECKPOINTS, &self.place, checkpoint)).await??)
    }

    /// What comes of `work`, unless the process is told to stop meanwhile.
    async fn wait_for<T>(&self, work: impl Future<Output = T>) -> Result<T, Fault> {
        tokio::select! {
            // What is done counts, even if it is done in the last moment; and a simulation must not draw lots here.
            biased;
            done = work => Ok(done),
            () = self.closing.wait() => Err(Fault::Closing),
        }
    }

    fn show(&self, standing: &Standing, end: u64) {
        self.seat.at.store(standing.checkpoint.lane_seq, Ordering::SeqCst);
        self.seat.end.store(end, Ordering::SeqCst);
        self.seat.timers.store(standing.timers.len() as u64, Ordering::SeqCst);
    }

    /// Tells the first of a row of like faults.
    fn tell(&self, of: Part, fault: &Fault) {
        let text: Arc<str> = Chain(fault).to_string().into();
        if !self.seat.trouble(of, Some(text.clone())) {
            return;
        }
        let process = self.manager.name();
        match fault {
            Fault::Log(_) | Fault::Store(_) | Fault::Unanswered { .. } | Fault::Closing => {
                tracing::warn!(process, lane = %self.lane, error = %text, "process waits and tries again");
            }
            Fault::Unreadable { .. } | Fault::Failed { .. } | Fault::Timer { .. } | Fault::AheadOfLog { .. } => {
                tracing::error!(process, lane = %self.lane, error = %text, "process stands still");
            }
        }
    }

    fn recovered(&self, of: Part) {
        if self.seat.trouble(of, None) {
            tracing::info!(process = self.manager.name(), lane = %self.lane, "process goes on");
        }
    }

    fn closed(&self) -> bool {
        self.closing.is_said()
    }
}

/// The timer that an event sets.
fn set(meta: &Meta, timer: String, due: i64, ask: Ask) -> Timer {
    let asks = serde_json::to_string(&ask).expect("what is asked is plain fields");
    let row = TimerRow {
        tenant: meta.tenant.as_str().into(),
        timer: timer.into(),
        due,
        set_hlc: meta.hlc,
        event: meta.event_id.0,
        correlation: meta.correlation_id,
        asks: asks.into(),
    };
    Timer { row, ask, again: None }
}

/// A timer that has come due as a cause. The event that set it is part of its name: a timer that is set again, even for
/// the same time, is another one.
fn come_due(timer: &Timer) -> Cause {
    let TimerRow { timer, due, event, correlation, .. } = &timer.row;
    Cause { event: *event, correlation: *correlation, traceparent: None, path: format!("{event}/{timer}@{due}") }
}
