//! Aggregates too large to be one value: a shard holds entities, each under a key of its own.
//!
//! What a shard decides and how its events add up is as pure as of any other aggregate; only the way to its state
//! differs. A decision reads the entities that it names and an event changes those that it names, so that a command
//! costs the same however many others there are. Whoever drives a shard says where entities are kept: in memory, as
//! [`Memory`] does, or in a lane's folder.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{At, Reject};

/// The entities of a shard as they stand, to be read.
pub trait Entities<E> {
    /// The entity under `key`, with all that was decided before.
    fn get(&self, key: &str) -> Option<Arc<E>>;
}

/// The entities of a shard as they stand, to be changed.
pub trait EntitiesMut<E>: Entities<E> {
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

/// Entities in memory, in the order of their keys: for specifications, replay and verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory<E>(BTreeMap<Arc<str>, Arc<E>>);

impl<E> Memory<E> {
    /// No entities.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Every entity with its key, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &E)> {
        self.0.iter().map(|(key, entity)| (&**key, &**entity))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<E> Default for Memory<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Entities<E> for Memory<E> {
    fn get(&self, key: &str) -> Option<Arc<E>> {
        self.0.get(key).cloned()
    }
}

impl<E> EntitiesMut<E> for Memory<E> {
    fn put(&mut self, key: &str, entity: E) {
        match self.0.get_mut(key) {
            Some(there) => *there = Arc::new(entity),
            None => drop(self.0.insert(key.into(), Arc::new(entity))),
        }
    }

    fn remove(&mut self, key: &str) {
        self.0.remove(key);
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
