//! The aggregates of one kind on one lane: what is committed, and over it what the batch at hand would make of them.
//!
//! A state is in one of four places, looked for in this order: the overlay of the batch, which is dropped when the
//! batch is not committed; the changed ones, committed but not yet in the lane's folder; a bounded cache; the folder.
//! Only what the folder has is ever evicted, since only the third place is bounded.

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use feira_codec::{CodecError, EncodedBody, EventSet, Opened};
use feira_decider::{At, Decider, Reject};
use feira_ids::AggregateId;
use hashbrown::HashMap;
use lru::LruCache;

use super::snapshots::{Folder, FolderFault, Snapshot};
use crate::Hosted;
use crate::chain::Chain;

/// A domain's command, its type known only to its kind.
pub(crate) type Prepared = Box<dyn Any + Send>;

/// What a domain made of a command.
pub(crate) enum Decision {
    /// It answered with events.
    Events {
        /// Them, encoded.
        bodies: Vec<EncodedBody>,
        /// The aggregate's version before them.
        before: u64,
    },
    /// There was nothing to change.
    Nothing {
        /// The aggregate's version.
        version: u64,
    },
    /// It refused.
    Refused {
        /// Its stable code.
        code: Arc<str>,
        /// The field of the input.
        field: Option<Arc<str>>,
        /// In words.
        message: Arc<str>,
        /// The aggregate's version.
        version: u64,
    },
    /// Its events are more than a command may leave.
    TooMuch(String),
    /// The program failed on it, or its events cannot be written.
    Poison(String),
}

/// What one command may leave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Events.
    pub events: usize,
    /// Bytes of one event's body.
    pub body_bytes: usize,
    /// Bytes of all of them.
    pub bytes: usize,
}

impl Limits {
    /// What of them `bodies` exceed, in words.
    pub fn exceeded(&self, bodies: &[EncodedBody]) -> Option<String> {
        let largest = bodies.iter().map(|body| body.bytes.len()).max().unwrap_or(0);
        let all: usize = bodies.iter().map(|body| body.bytes.len()).sum();
        if bodies.len() > self.events {
            return Some(format!(
                "the command would leave {} events; at most {} are allowed",
                bodies.len(),
                self.events
            ));
        }
        if largest > self.body_bytes {
            let most = self.body_bytes;
            return Some(format!("the command would leave an event of {largest} bytes; at most {most} are allowed"));
        }
        (all > self.bytes).then(|| format!("the command would leave {all} bytes; at most {} are allowed", self.bytes))
    }
}

/// Why a record of the log could not be folded in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayFault {
    /// It cannot be decoded.
    #[error("a {event_type} cannot be read")]
    Unreadable {
        event_type: &'static str,
        #[source]
        source: CodecError,
    },
    /// The aggregate's events do not follow each other.
    #[error("event {found} of {key} follows event {last}: the log is damaged")]
    Gap { key: String, last: u64, found: i64 },
    /// No kind of this service.
    #[error("{aggregate} is of no kind that this service hosts")]
    UnknownKind { aggregate: String },
    /// The lane's records do not follow each other.
    #[error("record {found} follows record {last}: the log is damaged")]
    LaneGap { last: u64, found: u64 },
    /// The folder failed.
    #[error(transparent)]
    Folder(#[from] FolderFault),
}

/// The aggregates of one kind, whatever its types are.
pub(crate) trait States: Send {
    /// The version of an aggregate, the batch at hand included.
    fn version(&mut self, key: &Arc<str>, folder: &Folder) -> Result<u64, FolderFault>;

    /// Decides a command and folds its events into the overlay.
    fn decide(
        &mut self,
        key: &Arc<str>,
        command: Prepared,
        at: At,
        limits: Limits,
        folder: &Folder,
    ) -> Result<Decision, FolderFault>;

    /// The batch stands.
    fn commit(&mut self);

    /// The batch does not stand.
    fn discard(&mut self);

    /// Folds in an event from the log.
    fn replay(&mut self, key: &Arc<str>, event: &Opened, folder: &Folder) -> Result<u64, ReplayFault>;

    /// An aggregate as clients see it who asked `input`.
    fn view(
        &mut self,
        key: &Arc<str>,
        aggregate: &AggregateId,
        input: &[u8],
        folder: &Folder,
    ) -> Result<Bytes, FolderFault>;

    /// Whether what clients see depends on what they asked.
    fn view_is_of_input(&self) -> bool;

    /// How much has changed since the last flush, in aggregates: a shard counts by its entities.
    fn changes(&self) -> usize;

    /// Gives what has changed since the last flush.
    fn changed(&self, into: &mut Vec<Snapshot>) -> Result<(), serde_json::Error>;

    /// What was given is in the folder.
    fn flushed(&mut self);
}

#[derive(Default)]
struct Versioned<S> {
    version: u64,
    state: S,
}

/// The aggregates of the kind that `H` hosts.
pub(crate) struct StatesOf<H: Hosted> {
    hosted: Arc<H>,
    overlay: HashMap<Arc<str>, Versioned<State<H>>>,
    changed: HashMap<Arc<str>, Versioned<State<H>>>,
    cache: LruCache<Arc<str>, Versioned<State<H>>>,
    /// What an aggregate without events is: looked up anew each time, since one that is asked something mostly has events
    /// right after.
    empty: Versioned<State<H>>,
}

type State<H> = <<H as Hosted>::Domain as Decider>::State;
type Event<H> = <<H as Hosted>::Domain as Decider>::Event;

impl<H: Hosted> StatesOf<H> {
    pub fn new(hosted: Arc<H>, cache: usize) -> Self {
        let cache = LruCache::new(NonZeroUsize::new(cache).unwrap_or(NonZeroUsize::MIN));
        Self { hosted, overlay: HashMap::new(), changed: HashMap::new(), cache, empty: Versioned::default() }
    }

    /// The state now, the batch at hand included.
    fn current(&mut self, key: &Arc<str>, folder: &Folder) -> Result<&Versioned<State<H>>, FolderFault> {
        if self.overlay.contains_key(key) {
            return Ok(&self.overlay[key]);
        }
        self.committed(key, folder)
    }

    fn committed(&mut self, key: &Arc<str>, folder: &Folder) -> Result<&Versioned<State<H>>, FolderFault> {
        if self.changed.contains_key(key) {
            return Ok(&self.changed[key]);
        }
        if !self.cache.contains(key) {
            let Some((version, json)) = folder.snapshot(key)? else { return Ok(&self.empty) };
            let state = serde_json::from_slice(&json).map_err(|_| folder.misread(key))?;
            self.cache.put(key.clone(), Versioned { version, state });
        }
        Ok(self.cache.get(key).expect("it was just looked for, or put there"))
    }
}

impl<H: Hosted> States for StatesOf<H> {
    fn version(&mut self, key: &Arc<str>, folder: &Folder) -> Result<u64, FolderFault> {
        Ok(self.current(key, folder)?.version)
    }

    fn decide(
        &mut self,
        key: &Arc<str>,
        command: Prepared,
        at: At,
        limits: Limits,
        folder: &Folder,
    ) -> Result<Decision, FolderFault> {
        let Ok(command) = command.downcast::<<H::Domain as Decider>::Command>() else {
            return Ok(Decision::Poison("the command is of another kind".to_owned()));
        };
        let current = self.current(key, folder)?;
        let version = current.version;
        // The state is cloned before it is folded on, so that a fold that fails leaves the one that stands.
        let outcome = catch_unwind(AssertUnwindSafe(|| match H::Domain::decide(&current.state, *command, at) {
            Err(rejection) => Ok(Err(rejection)),
            Ok(events) if events.is_empty() => Ok(Ok(None)),
            Ok(events) => {
                let bodies = events.iter().map(EventSet::encode_body).collect::<Result<Vec<_>, _>>()?;
                let state = events.iter().fold(current.state.clone(), H::Domain::evolve);
                Ok(Ok(Some((bodies, state))))
            }
        }));
        Ok(decision(outcome, version, limits, |version, state| {
            self.overlay.insert(key.clone(), Versioned { version, state });
        }))
    }

    fn commit(&mut self) {
        for (key, versioned) in self.overlay.drain() {
            self.cache.pop(&key);
            self.changed.insert(key, versioned);
        }
    }

    fn discard(&mut self) {
        self.overlay.clear();
    }

    fn replay(&mut self, key: &Arc<str>, event: &Opened, folder: &Folder) -> Result<u64, ReplayFault> {
        let decoded: Event<H> =
            event.decode().map_err(|source| ReplayFault::Unreadable { event_type: event.name, source })?;
        self.committed(key, folder)?;
        let taken = self.changed.remove(key).or_else(|| self.cache.pop(key));
        let Versioned { version, state } = taken.unwrap_or_default();
        let found = event.meta.aggregate_seq.unwrap_or(0);
        if u64::try_from(found) != Ok(version + 1) {
            return Err(ReplayFault::Gap { key: key.to_string(), last: version, found });
        }
        let state = H::Domain::evolve(state, &decoded);
        self.changed.insert(key.clone(), Versioned { version: version + 1, state });
        Ok(version + 1)
    }

    fn view(
        &mut self,
        key: &Arc<str>,
        aggregate: &AggregateId,
        input: &[u8],
        folder: &Folder,
    ) -> Result<Bytes, FolderFault> {
        let hosted = self.hosted.clone();
        let current = self.committed(key, folder)?;
        let made = catch_unwind(AssertUnwindSafe(|| {
            let Versioned { version, state } = current;
            serde_json::to_vec(&if H::VIEW_IS_OF_INPUT {
                hosted.view_of_asked(aggregate, *version, state, &serde_json::from_slice(input)?)
            } else {
                hosted.view(aggregate, *version, state)
            })
        }));
        Ok(seen(made, H::Domain::KIND))
    }

    fn view_is_of_input(&self) -> bool {
        H::VIEW_IS_OF_INPUT
    }

    fn changes(&self) -> usize {
        self.changed.len()
    }

    fn changed(&self, into: &mut Vec<Snapshot>) -> Result<(), serde_json::Error> {
        // Thousands at once, of much the same size: each has room from the start for the longest so far.
        let mut longest = 0;
        for (key, versioned) in &self.changed {
            let mut state = Vec::with_capacity(longest);
            serde_json::to_writer(&mut state, &versioned.state)?;
            longest = longest.max(state.len());
            into.push(Snapshot { key: key.clone(), version: versioned.version, state: Some(state) });
        }
        Ok(())
    }

    fn flushed(&mut self) {
        for (key, versioned) in self.changed.drain() {
            self.cache.put(key, versioned);
        }
    }
}

/// What became of a command in a domain: it failed, its events cannot be written, it refused, it had nothing to change,
/// or here are its events, encoded, and what they leave.
pub(crate) type Decided<K, R> = std::thread::Result<Result<Result<Option<(Vec<EncodedBody>, K)>, R>, CodecError>>;

/// The decision that this comes to at `version`. What the events leave is kept, with the version after them, when they
/// are no more than a command may leave, and not otherwise.
pub(crate) fn decision<K, R: Reject>(
    decided: Decided<K, R>,
    version: u64,
    limits: Limits,
    keep: impl FnOnce(u64, K),
) -> Decision {
    match decided {
        Err(panic) => Decision::Poison(panic_text(&*panic)),
        Ok(Err(fault)) => Decision::Poison(Chain(&fault).to_string()),
        Ok(Ok(Err(rejection))) => refused(&rejection, version),
        Ok(Ok(Ok(None))) => Decision::Nothing { version },
        Ok(Ok(Ok(Some((bodies, left))))) => {
            if let Some(excess) = limits.exceeded(&bodies) {
                return Decision::TooMuch(excess);
            }
            keep(version + bodies.len() as u64, left);
            Decision::Events { bodies, before: version }
        }
    }
}

/// A domain's refusal, written down.
fn refused(rejection: &impl Reject, version: u64) -> Decision {
    Decision::Refused {
        code: rejection.code().into(),
        field: rejection.field().map(Into::into),
        message: rejection.to_string().into(),
        version,
    }
}

/// A view that was made, or nothing. The command stands on the log: whoever asked gets its answer, if not the picture of
/// what came of it.
pub(crate) fn seen(made: std::thread::Result<Result<Vec<u8>, serde_json::Error>>, kind: &str) -> Bytes {
    match made {
        Ok(Ok(json)) => json.into(),
        Ok(Err(error)) => {
            tracing::error!(%error, kind, "a view cannot be written as JSON");
            Bytes::from_static(b"null")
        }
        Err(panic) => {
            tracing::error!(error = panic_text(&*panic), kind, "a view failed");
            Bytes::from_static(b"null")
        }
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "the program failed".to_owned())
}
