//! Aggregates too large to be one value: a shard holds entities, each under a key of its own.
//!
//! What a shard decides and how its events add up is as pure as of any other aggregate; only the way to its state
//! differs. A decision reads the entities that it names and an event changes those that it names, so that a command
//! costs the same however many others there are. Whoever drives a shard says where entities are kept: in memory, as
//! [`Memory`] does, or in a lane's folder.

use std::fmt::Debug;
use std::hash::BuildHasher;
use std::ops::Deref;
use std::sync::Arc;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{At, Reject};

/// An entity that was found.
#[derive(Clone, Debug)]
pub enum Found<'a, E> {
    /// Where it is kept.
    Here(&'a E),
    /// Shared with whoever keeps it, for keepers that may let go of it meanwhile.
    Shared(Arc<E>),
}

impl<E: Clone> Found<'_, E> {
    /// The entity, shared.
    pub fn into_shared(self) -> Arc<E> {
        match self {
            Self::Here(entity) => Arc::new(entity.clone()),
            Self::Shared(entity) => entity,
        }
    }
}

impl<E> Deref for Found<'_, E> {
    type Target = E;

    fn deref(&self) -> &E {
        match self {
            Self::Here(entity) => entity,
            Self::Shared(entity) => entity,
        }
    }
}

/// The entities of a shard as they stand, to be read.
pub trait Entities<E> {
    /// The entity under `key`, with all that was decided before.
    fn get(&self, key: &str) -> Option<Found<'_, E>>;
}

/// The entities of a shard as they stand, to be changed.
pub trait EntitiesMut<E>: Entities<E> {
    /// The entity under `key`, to be changed where it is.
    fn get_mut(&mut self, key: &str) -> Option<&mut E>;

    /// Puts an entity under `key`, in place of the one that is there.
    fn put(&mut self, key: &str, entity: E);

    /// Takes away the entity under `key`, if there is one.
    fn remove(&mut self, key: &str);
}

/// One kind of aggregate that holds entities: how it answers commands and how its events add up.
pub trait Shard: 'static {
    /// How ids of this kind begin, as registered in `feira_ids::KINDS`.
    const KIND: &'static str;
    /// What it holds; usually an enum of several things. Serialised one by one for snapshots.
    type Entity: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// What can be asked of it, facts included.
    type Command: Debug + Send + 'static;
    /// What can happen to it.
    type Event: Clone + Debug + PartialEq + Send + 'static;
    /// Why it may say no.
    type Rejection: Reject;

    /// The events that answer `command` at business time `at`; none when nothing is to change.
    ///
    /// # Errors
    /// The rejection, when the shard refuses.
    fn decide(
        entities: &dyn Entities<Self::Entity>,
        command: Self::Command,
        at: At,
    ) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// Changes the entities that `event` speaks of. Total: an event that stands on the log is always taken in.
    fn evolve(entities: &mut dyn EntitiesMut<Self::Entity>, event: &Self::Event);
}

/// How many tables there are in memory: one for each letter that keys of one kind begin with.
const TABLES: usize = 32;

/// The longest key that lies in a table itself, in bytes.
const SHORT_BYTES_MAX: usize = 62;

/// Entities in memory: for specifications, replay and verification.
///
/// What is read at once lies together, since most of the time goes into waiting for it: entities of one kind in a table of
/// their own, and each with its key in the table itself.
#[derive(Clone, Debug)]
pub struct Memory<E> {
    tables: [HashTable<Kept<E>>; TABLES],
    hashing: DefaultHashBuilder,
}

/// An entity in a table, with the hash of its key, so that a table that grows reads no keys.
#[derive(Clone, Debug)]
struct Kept<E> {
    hash: u64,
    key: Key,
    entity: E,
}

#[derive(Clone, Debug)]
enum Key {
    Short { length: u8, bytes: [u8; SHORT_BYTES_MAX] },
    Long(Box<str>),
}

impl Key {
    fn new(key: &str) -> Self {
        let mut bytes = [0; SHORT_BYTES_MAX];
        match bytes.get_mut(..key.len()) {
            Some(place) => {
                place.copy_from_slice(key.as_bytes());
                Self::Short { length: key.len() as u8, bytes }
            }
            None => Self::Long(key.into()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => &bytes[..usize::from(*length)],
            Self::Long(key) => key.as_bytes(),
        }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("it was made of a text")
    }
}

impl<E> Kept<E> {
    fn is(&self, hash: u64, key: &str) -> bool {
        self.hash == hash && self.key.as_bytes() == key.as_bytes()
    }
}

/// The table that holds what stands under `key`.
fn table(key: &str) -> usize {
    usize::from(key.bytes().next().unwrap_or_default()) % TABLES
}

impl<E> Memory<E> {
    /// No entities.
    pub fn new() -> Self {
        Self { tables: std::array::from_fn(|_| HashTable::new()), hashing: DefaultHashBuilder::default() }
    }

    /// Every entity with its key, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &E)> {
        let mut entities: Vec<_> = self.kept().map(|kept| (kept.key.as_str(), &kept.entity)).collect();
        entities.sort_unstable_by_key(|(key, _)| *key);
        entities.into_iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.tables.iter().map(HashTable::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(HashTable::is_empty)
    }

    fn kept(&self) -> impl Iterator<Item = &Kept<E>> {
        self.tables.iter().flatten()
    }

    fn find(&self, key: &str) -> Option<&E> {
        let hash = self.hashing.hash_one(key);
        Some(&self.tables[table(key)].find(hash, |kept| kept.is(hash, key))?.entity)
    }
}

impl<E> Default for Memory<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: PartialEq> PartialEq for Memory<E> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.kept().all(|kept| other.find(kept.key.as_str()).is_some_and(|entity| *entity == kept.entity))
    }
}

impl<E: Eq> Eq for Memory<E> {}

impl<E> Entities<E> for Memory<E> {
    fn get(&self, key: &str) -> Option<Found<'_, E>> {
        self.find(key).map(Found::Here)
    }
}

impl<E> EntitiesMut<E> for Memory<E> {
    fn get_mut(&mut self, key: &str) -> Option<&mut E> {
        let hash = self.hashing.hash_one(key);
        Some(&mut self.tables[table(key)].find_mut(hash, |kept| kept.is(hash, key))?.entity)
    }

    fn put(&mut self, key: &str, entity: E) {
        let (hash, table) = (self.hashing.hash_one(key), &mut self.tables[table(key)]);
        match table.entry(hash, |kept| kept.is(hash, key), |kept| kept.hash) {
            Entry::Occupied(mut there) => there.get_mut().entity = entity,
            Entry::Vacant(free) => drop(free.insert(Kept { hash, key: Key::new(key), entity })),
        }
    }

    fn remove(&mut self, key: &str) {
        let hash = self.hashing.hash_one(key);
        if let Ok(kept) = self.tables[table(key)].find_entry(hash, |kept| kept.is(hash, key)) {
            kept.remove();
        }
    }
}

/// The entities after all of `events`, from the beginning.
pub fn fold_shard<'a, S: Shard>(events: impl IntoIterator<Item = &'a S::Event>) -> Memory<S::Entity> {
    let mut memory = Memory::new();
    for event in events {
        S::evolve(&mut memory, event);
    }
    memory
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_whole_however_long_they_are() {
        let keys: Vec<String> = (0..2 * SHORT_BYTES_MAX).map(|length| "k".repeat(length)).collect();
        let mut memory = Memory::new();
        keys.iter().for_each(|key| memory.put(key, key.len()));
        assert!(
            memory.iter().map(|(key, entity)| (key.len(), *entity)).eq((0..keys.len()).map(|length| (length, length)))
        );
    }

    /// What is done to the entity under a key.
    #[derive(Clone, Debug)]
    enum Step {
        Put(u32),
        Add(u32),
        Remove,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![any::<u32>().prop_map(Step::Put), any::<u32>().prop_map(Step::Add), Just(Step::Remove)]
    }

    proptest! {
        #[test]
        fn memory_is_a_map_whatever_is_done_to_it(steps in prop::collection::vec(("[a-f]{0,2}", step()), 0..200)) {
            let (mut memory, mut map) = (Memory::new(), BTreeMap::<String, u32>::new());
            for (key, step) in steps {
                match step {
                    Step::Put(entity) => {
                        memory.put(&key, entity);
                        map.insert(key.clone(), entity);
                    }
                    Step::Add(more) => {
                        let (ours, theirs) = (memory.get_mut(&key), map.get_mut(&key));
                        prop_assert_eq!(ours.is_some(), theirs.is_some());
                        ours.into_iter().chain(theirs).for_each(|entity| *entity = entity.wrapping_add(more));
                    }
                    Step::Remove => {
                        memory.remove(&key);
                        map.remove(&key);
                    }
                }
                prop_assert_eq!(memory.get(&key).map(|entity| *entity), map.get(&key).copied());
            }
            prop_assert!(memory.iter().eq(map.iter().map(|(key, entity)| (key.as_str(), entity))));
            let mut again = Memory::new();
            map.iter().rev().for_each(|(key, entity)| again.put(key, *entity));
            prop_assert_eq!((&again, again.len(), again.is_empty()), (&memory, map.len(), map.is_empty()));
            again.put("other", 0);
            prop_assert_ne!(again, memory);
        }
    }
}
