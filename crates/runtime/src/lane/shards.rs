//! The shards of one kind on one lane, entity by entity: what is committed, and over it what the batch at hand would
//! make of them.
//!
//! An entity is looked for where a state is: in the overlay of the batch, among the changed ones, in a bounded cache, in
//! the lane's folder, where each has an entry of its own. So a command costs what it touches, not what the shard holds.
//! A folder that fails while a domain reads fails the batch: what was decided without it is not believed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use feira_codec::{EventSet, Opened};
use feira_decider::{At, Entities, EntitiesMut, Shard};
use feira_ids::AggregateId;
use lru::LruCache;
use serde::de::DeserializeOwned;

use super::snapshots::{Folder, FolderFault, Snapshot};
use super::states::{Decision, Limits, Prepared, ReplayFault, States, panic_text, refused};
use crate::HostedShard;

/// Parts a shard's id from the key of an entity: no id has it.
const UNDER: &str = "\0";

/// The shards of the kind that `H` hosts.
pub(crate) struct ShardStates<H: HostedShard> {
    hosted: Arc<H>,
    shards: HashMap<Arc<str>, Held<Entity<H>>>,
}

type Entity<H> = <<H as HostedShard>::Domain as Shard>::Entity;
type Event<H> = <<H as HostedShard>::Domain as Shard>::Event;

/// Entities by key; none where one was taken away or never was.
type Layer<E> = HashMap<Arc<str>, Option<Arc<E>>>;

/// One shard.
struct Held<E> {
    key: Arc<str>,
    /// The number of its committed events.
    version: u64,
    /// The same with the batch at hand.
    batch_version: u64,
    overlay: Layer<E>,
    changed: Layer<E>,
    cache: RefCell<LruCache<Arc<str>, Option<Arc<E>>>>,
}

impl<E: DeserializeOwned> Held<E> {
    fn committed(&self, key: &str, folder: &Folder) -> Result<Option<Arc<E>>, FolderFault> {
        if let Some(entity) = self.changed.get(key) {
            return Ok(entity.clone());
        }
        if let Some(entity) = self.cache.borrow_mut().get(key) {
            return Ok(entity.clone());
        }
        let place = place(&self.key, key);
        let entity = match folder.snapshot(&place)? {
            None => None,
            Some((_, json)) => {
                let entity = serde_json::from_slice(&json).map_err(|_| folder.misread(&place))?;
                Some(Arc::new(entity))
            }
        };
        self.cache.borrow_mut().put(key.into(), entity.clone());
        Ok(entity)
    }
}

/// Where an entity is in the folder.
fn place(shard: &str, entity: &str) -> String {
    [shard, UNDER, entity].concat()
}

/// A shard as a domain reads it.
struct Seen<'a, E> {
    held: &'a Held<E>,
    folder: &'a Folder,
    /// Whether what the batch at hand would make of it is seen.
    with_batch: bool,
    fault: RefCell<Option<FolderFault>>,
}

impl<'a, E> Seen<'a, E> {
    fn new(held: &'a Held<E>, folder: &'a Folder, with_batch: bool) -> Self {
        Self { held, folder, with_batch, fault: RefCell::new(None) }
    }
}

impl<E: DeserializeOwned> Entities<E> for Seen<'_, E> {
    fn get(&self, key: &str) -> Option<Arc<E>> {
        if self.with_batch
            && let Some(entity) = self.held.overlay.get(key)
        {
            return entity.clone();
        }
        self.held.committed(key, self.folder).unwrap_or_else(|fault| {
            self.fault.borrow_mut().get_or_insert(fault);
            None
        })
    }
}

/// A shard as one command's or one record's events change it.
struct Changing<'a, E> {
    seen: Seen<'a, E>,
    own: Layer<E>,
}

impl<E: DeserializeOwned> Entities<E> for Changing<'_, E> {
    fn get(&self, key: &str) -> Option<Arc<E>> {
        self.own.get(key).cloned().unwrap_or_else(|| self.seen.get(key))
    }
}

impl<E: DeserializeOwned> EntitiesMut<E> for Changing<'_, E> {
    fn put(&mut self, key: &str, entity: E) {
        self.own.insert(key.into(), Some(Arc::new(entity)));
    }

    fn remove(&mut self, key: &str) {
        self.own.insert(key.into(), None);
    }
}

impl<H: HostedShard> ShardStates<H> {
    pub fn new(hosted: Arc<H>) -> Self {
        Self { hosted, shards: HashMap::new() }
    }

    fn held(&mut self, key: &Arc<str>, folder: &Folder) -> Result<&mut Held<Entity<H>>, FolderFault> {
        if !self.shards.contains_key(key) {
            let version = folder.snapshot(key)?.map_or(0, |(version, _)| version);
            let cache = LruCache::new(NonZeroUsize::new(H::CACHE_ENTITIES).unwrap_or(NonZeroUsize::MIN));
            let held = Held {
                key: key.clone(),
                version,
                batch_version: version,
                overlay: Layer::new(),
                changed: Layer::new(),
                cache: RefCell::new(cache),
            };
            self.shards.insert(key.clone(), held);
        }
        Ok(self.shards.get_mut(key).expect("it was just put there"))
    }

    /// Ids can be asked for that no shard has: they are not kept.
    fn forget_unknown(&mut self) {
        self.shards.retain(|_, held| held.version > 0);
    }
}

impl<H: HostedShard> States for ShardStates<H> {
    fn version(&mut self, key: &Arc<str>, folder: &Folder) -> Result<u64, FolderFault> {
        Ok(self.held(key, folder)?.batch_version)
    }

    fn decide(
        &mut self,
        key: &Arc<str>,
        command: Prepared,
        at: At,
        limits: Limits,
        folder: &Folder,
    ) -> Result<Decision, FolderFault> {
        let Ok(command) = command.downcast::<<H::Domain as Shard>::Command>() else {
            return Ok(Decision::Poison("the command is of another kind".to_owned()));
        };
        let held = self.held(key, folder)?;
        let version = held.batch_version;
        let mut changing = Changing { seen: Seen::new(held, folder, true), own: Layer::new() };
        let outcome = catch_unwind(AssertUnwindSafe(|| match H::Domain::decide(&changing.seen, *command, at) {
            Err(rejection) => Ok(Err(rejection)),
            Ok(events) => {
                let bodies = events.iter().map(EventSet::encode_body).collect::<Result<Vec<_>, _>>()?;
                events.iter().for_each(|event| H::Domain::evolve(&mut changing, event));
                Ok::<_, feira_codec::CodecError>(Ok(bodies))
            }
        }));
        let Changing { seen, own } = changing;
        // First of all: what was made of a folder that failed, a panic included, says nothing.
        if let Some(fault) = seen.fault.into_inner() {
            return Err(fault);
        }
        Ok(match outcome {
            Err(panic) => Decision::Poison(panic_text(&*panic)),
            Ok(Err(fault)) => Decision::Poison(crate::chain::Chain(&fault).to_string()),
            Ok(Ok(Err(rejection))) => refused(&rejection, version),
            Ok(Ok(Ok(bodies))) if bodies.is_empty() => Decision::Nothing { version },
            Ok(Ok(Ok(bodies))) => {
                if let Some(excess) = limits.exceeded(&bodies) {
                    return Ok(Decision::TooMuch(excess));
                }
                held.batch_version = version + bodies.len() as u64;
                held.overlay.extend(own);
                Decision::Events { bodies, before: version }
            }
        })
    }

    fn commit(&mut self) {
        for held in self.shards.values_mut() {
            let cache = held.cache.get_mut();
            for (key, entity) in held.overlay.drain() {
                cache.pop(&key);
                held.changed.insert(key, entity);
            }
            held.version = held.batch_version;
        }
        self.forget_unknown();
    }

    fn discard(&mut self) {
        for held in self.shards.values_mut() {
            held.overlay.clear();
            held.batch_version = held.version;
        }
        self.forget_unknown();
    }

    fn replay(&mut self, key: &Arc<str>, event: &Opened, folder: &Folder) -> Result<u64, ReplayFault> {
        let decoded: Event<H> =
            event.decode().map_err(|source| ReplayFault::Unreadable { event_type: event.name, source })?;
        let held = self.held(key, folder)?;
        let found = event.meta.aggregate_seq.unwrap_or(0);
        if u64::try_from(found) != Ok(held.version + 1) {
            return Err(ReplayFault::Gap { key: key.to_string(), last: held.version, found });
        }
        let mut changing = Changing { seen: Seen::new(held, folder, false), own: Layer::new() };
        H::Domain::evolve(&mut changing, &decoded);
        let Changing { seen, own } = changing;
        if let Some(fault) = seen.fault.into_inner() {
            return Err(fault.into());
        }
        let cache = held.cache.get_mut();
        for (key, entity) in own {
            cache.pop(&key);
            held.changed.insert(key, entity);
        }
        held.version += 1;
        held.batch_version = held.version;
        Ok(held.version)
    }

    fn view(
        &mut self,
        key: &Arc<str>,
        aggregate: &AggregateId,
        input: &[u8],
        folder: &Folder,
    ) -> Result<Bytes, FolderFault> {
        let hosted = self.hosted.clone();
        let held = self.held(key, folder)?;
        let version = held.version;
        let seen = Seen::new(held, folder, false);
        let made = catch_unwind(AssertUnwindSafe(|| {
            let input = serde_json::from_slice(input)?;
            serde_json::to_vec(&hosted.view(aggregate, version, &input, &seen))
        }));
        if let Some(fault) = seen.fault.into_inner() {
            return Err(fault);
        }
        Ok(super::states::seen(made, H::Domain::KIND))
    }

    fn view_is_of_input(&self) -> bool {
        true
    }

    fn changed(&self, into: &mut Vec<Snapshot>) -> Result<(), serde_json::Error> {
        for held in self.shards.values().filter(|held| !held.changed.is_empty()) {
            let version = held.version;
            // The shard itself is its version alone.
            into.push(Snapshot { key: held.key.clone(), version, state: Some(Vec::new()) });
            for (key, entity) in &held.changed {
                let state = entity.as_ref().map(|entity| serde_json::to_vec(&**entity)).transpose()?;
                into.push(Snapshot { key: place(&held.key, key).into(), version, state });
            }
        }
        Ok(())
    }

    fn flushed(&mut self) {
        for held in self.shards.values_mut() {
            let cache = held.cache.get_mut();
            for (key, entity) in held.changed.drain() {
                cache.put(key, entity);
            }
        }
    }
}
