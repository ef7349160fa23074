//! The shards of one kind on one lane, entity by entity: what is committed, and over it what the batch at hand would
//! make of them.
//!
//! An entity is looked for where a state is: in the overlay of the batch, among the changed ones, in a bounded cache, in
//! the lane's folder, where each has an entry of its own. So a command costs what it touches, not what the shard holds.
//! A folder that fails while a domain reads fails the batch: what was decided without it is not believed.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use feira_codec::{EventSet, Opened};
use feira_decider::{At, Entities, EntitiesMut, Found, Shard};
use feira_ids::AggregateId;
use hashbrown::HashMap;
use lru::LruCache;
use serde::de::DeserializeOwned;

use super::snapshots::{Folder, FolderFault, Snapshot};
use super::states::{Decision, Limits, Prepared, ReplayFault, States, decision, seen};
use crate::HostedShard;

/// So many entities are as much to write down as one aggregate.
const ENTITIES_TO_AN_AGGREGATE: usize = 8;

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
    /// What it has of a changed entity is out of date, and hidden until the changed one takes its place.
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

impl<E: DeserializeOwned> Seen<'_, E> {
    fn shared(&self, key: &str) -> Option<Arc<E>> {
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

impl<E: DeserializeOwned> Entities<E> for Seen<'_, E> {
    fn get(&self, key: &str) -> Option<Found<'_, E>> {
        self.shared(key).map(Found::Shared)
    }
}

/// A shard as one command's or one record's events change it.
struct Changing<'a, E> {
    seen: Seen<'a, E>,
    own: Layer<E>,
}

impl<E: DeserializeOwned> Entities<E> for Changing<'_, E> {
    fn get(&self, key: &str) -> Option<Found<'_, E>> {
        let own = self.own.get(key).cloned();
        own.unwrap_or_else(|| self.seen.shared(key)).map(Found::Shared)
    }
}

impl<E: Clone + DeserializeOwned> EntitiesMut<E> for Changing<'_, E> {
    fn get_mut(&mut self, key: &str) -> Option<&mut E> {
        if !self.own.contains_key(key) {
            let entity = self.seen.shared(key)?;
            self.own.insert(key.into(), Some(entity));
        }
        // The one that is seen is the batch's or the lane's own: it is changed in a copy.
        self.own.get_mut(key)?.as_mut().map(Arc::make_mut)
    }

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
            Ok(events) if events.is_empty() => Ok(Ok(None)),
            Ok(events) => {
                let bodies = events.iter().map(EventSet::encode_body).collect::<Result<Vec<_>, _>>()?;
                events.iter().for_each(|event| H::Domain::evolve(&mut changing, event));
                Ok(Ok(Some((bodies, ()))))
            }
        }));
        let Changing { seen, own } = changing;
        // First of all: what was made of a folder that failed, a panic included, says nothing.
        if let Some(fault) = seen.fault.into_inner() {
            return Err(fault);
        }
        Ok(decision(outcome, version, limits, |version, ()| {
            held.batch_version = version;
            held.overlay.extend(own);
        }))
    }

    fn commit(&mut self) {
        for held in self.shards.values_mut() {
            held.changed.extend(held.overlay.drain());
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
        held.changed.extend(own);
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
        let entities = Seen::new(held, folder, false);
        let made = catch_unwind(AssertUnwindSafe(|| {
            let input = serde_json::from_slice(input)?;
            serde_json::to_vec(&hosted.view(aggregate, version, &input, &entities))
        }));
        if let Some(fault) = entities.fault.into_inner() {
            return Err(fault);
        }
        Ok(seen(made, H::Domain::KIND))
    }

    fn view_is_of_input(&self) -> bool {
        true
    }

    fn changes(&self) -> usize {
        self.shards.values().map(|held| held.changed.len()).sum::<usize>() / ENTITIES_TO_AN_AGGREGATE
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use feira_codec::{EncodedBody, frame};
    use feira_commands::cart::Input;
    use feira_decider::{Memory, fold_shard};
    use feira_events::Meta;
    use feira_events::cart::Event;
    use proptest::prelude::*;

    use super::*;
    use crate::lane::snapshots::Standing;
    use crate::suite::basket::View;
    use crate::suite::bins::{Bin, Bins, HostedBins};
    use crate::suite::{command, tenant};

    const LIMITS: Limits = Limits { events: 1000, body_bytes: 1 << 20, bytes: 1 << 20 };

    /// The shards of a lane with its folder, and beside them the events that are committed.
    struct Bench {
        folder: Option<Folder>,
        states: ShardStates<HostedBins>,
        events: Vec<(EncodedBody, Event)>,
        /// How many of them the folder has.
        flushed: usize,
        batch: Vec<(EncodedBody, Event)>,
    }

    fn states() -> ShardStates<HostedBins> {
        ShardStates::new(Arc::new(HostedBins))
    }

    fn key() -> Arc<str> {
        "feira-livre/cart:BR.1".into()
    }

    impl Bench {
        fn new(path: &Path) -> Self {
            let folder = Folder::open(path, "log", "cart.1").unwrap().0;
            Self { folder: Some(folder), states: states(), events: vec![], flushed: 0, batch: vec![] }
        }

        fn folder(&self) -> &Folder {
            self.folder.as_ref().unwrap()
        }

        fn decide(&mut self, input: Input) -> Decision {
            let folder = self.folder.as_ref().unwrap();
            let decision = self.states.decide(&key(), Box::new(input), At(0), LIMITS, folder).unwrap();
            if let Decision::Events { bodies, before } = &decision {
                assert_eq!(*before, (self.events.len() + self.batch.len()) as u64);
                for body in bodies {
                    let event = opened(body, 1).decode().unwrap();
                    self.batch.push((body.clone(), event));
                }
            }
            decision
        }

        fn commit(&mut self) {
            self.states.commit();
            self.events.append(&mut self.batch);
        }

        fn discard(&mut self) {
            self.states.discard();
            self.batch.clear();
        }

        fn flush(&mut self) -> usize {
            let mut snapshots = vec![];
            self.states.changed(&mut snapshots).unwrap();
            self.folder().write(&snapshots, &[], &Standing::default()).unwrap();
            self.states.flushed();
            self.flushed = self.events.len();
            snapshots.len()
        }

        /// As after a crash: what memory held is gone, the rest is read from the log.
        fn crash(&mut self) {
            self.batch.clear();
            self.states = states();
            let folder = self.folder.as_ref().unwrap();
            for (place, (body, _)) in self.events.iter().enumerate().skip(self.flushed) {
                let version = self.states.replay(&key(), &opened(body, place + 1), folder).unwrap();
                assert_eq!(version, place as u64 + 1);
            }
        }

        fn seen(&mut self, sku: &str) -> (u64, Option<i32>) {
            let input = serde_json::to_vec(&Input::RemoveItem { sku: sku.into() }).unwrap();
            let aggregate = AggregateId::parse("cart:BR.1").unwrap();
            let json = self.states.view(&key(), &aggregate, &input, self.folder.as_ref().unwrap()).unwrap();
            let view: View = serde_json::from_slice(&json).unwrap();
            (view.version, view.units.get(sku).copied())
        }

        /// What the whole history adds up to.
        fn naive(&self) -> Memory<Bin> {
            fold_shard::<Bins>(self.events.iter().map(|(_, event)| event))
        }

        fn assert_adds_up(&mut self) {
            let naive = self.naive();
            for sku in 0..6 {
                let sku = format!("sku-{sku}");
                let expected = naive.get(&sku).map(|bin| bin.units);
                assert_eq!(self.seen(&sku), (self.events.len() as u64, expected), "{sku}");
            }
        }
    }

    fn opened(body: &EncodedBody, aggregate_seq: usize) -> Opened {
        let command = command("BR.1", Input::Undo { edit: None }, "k");
        let meta = Meta {
            event_id: command.command_id.event(0),
            lane: 0,
            lane_seq: 1,
            term: 1,
            aggregate: command.aggregate.as_str().into(),
            aggregate_seq: Some(aggregate_seq as i64),
            hlc: 1,
            at: 1,
            tenant: tenant(),
            principal: "member:rosa".into(),
            command_id: command.command_id,
            fingerprint: command.fingerprint,
            index: 0,
            count: 1,
            causation_id: command.causation_id,
            correlation_id: command.correlation_id,
            traceparent: None,
        };
        feira_codec::open(&frame(&meta, body).unwrap()).unwrap()
    }

    #[derive(Clone, Debug)]
    enum Step {
        Ask(Input),
        Commit,
        Discard,
        Flush,
        Crash,
    }

    fn step() -> impl Strategy<Value = Step> {
        let sku = || (0..6).prop_map(|sku| Arc::<str>::from(format!("sku-{sku}")));
        let input = prop_oneof![
            (sku(), 1..60).prop_map(|(sku, quantity)| Input::AddItem { sku, quantity }),
            (sku(), 0..99).prop_map(|(sku, quantity)| Input::SetQuantity { sku, quantity }),
            sku().prop_map(|sku| Input::RemoveItem { sku }),
        ];
        prop_oneof![
            8 => input.prop_map(Step::Ask),
            4 => Just(Step::Commit),
            1 => Just(Step::Discard),
            2 => Just(Step::Flush),
            1 => Just(Step::Crash),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn a_shard_is_what_its_events_add_up_to(steps in prop::collection::vec(step(), 1..80)) {
            let place = tempfile::tempdir().unwrap();
            let mut bench = Bench::new(place.path());
            for step in steps {
                match step {
                    Step::Ask(input) => {
                        // What one command sees, the batch before it included, is decided on the whole as well.
                        let mut whole = bench.naive();
                        bench.batch.iter().for_each(|(_, event)| Bins::evolve(&mut whole, event));
                        let expected = Bins::decide(&whole, input.clone(), At(0));
                        let before = bench.batch.len();
                        match (bench.decide(input), expected) {
                            (Decision::Refused { .. }, Err(_)) => {}
                            (Decision::Nothing { .. }, Ok(events)) => prop_assert!(events.is_empty()),
                            (Decision::Events { .. }, Ok(events)) => {
                                let decided = bench.batch[before..].iter().map(|(_, event)| event);
                                prop_assert!(decided.eq(&events));
                            }
                            (_, expected) => prop_assert!(false, "expected {expected:?}"),
                        }
                    }
                    Step::Commit => bench.commit(),
                    Step::Discard => bench.discard(),
                    // A lane flushes between batches.
                    Step::Flush => {
                        bench.commit();
                        bench.flush();
                    }
                    Step::Crash => bench.crash(),
                }
                bench.assert_adds_up();
            }
        }
    }

    /// How many values a command on a cold lane looks for in the folder, and how many are written for it.
    fn cost(entities: usize) -> (usize, usize) {
        let place = tempfile::tempdir().unwrap();
        let mut bench = Bench::new(place.path());
        for i in 0..entities {
            bench.decide(Input::AddItem { sku: format!("thing-{i}").into(), quantity: 1 });
        }
        bench.commit();
        assert_eq!(bench.flush(), entities + 1);
        bench.crash();
        let before = bench.folder().reads.get();
        bench.decide(Input::AddItem { sku: "thing-0".into(), quantity: 1 });
        bench.commit();
        let reads = bench.folder().reads.get() - before;
        (reads, bench.flush())
    }

    #[test]
    fn a_command_costs_the_same_however_much_the_shard_holds() {
        assert_eq!(cost(1), (2, 2));
        assert_eq!(cost(5_000), (2, 2));
    }

    #[test]
    fn an_entity_that_was_taken_away_is_gone_from_the_folder_too() {
        let place = tempfile::tempdir().unwrap();
        let mut bench = Bench::new(place.path());
        bench.decide(Input::AddItem { sku: "mango".into(), quantity: 1 });
        bench.commit();
        bench.flush();
        bench.decide(Input::RemoveItem { sku: "mango".into() });
        bench.commit();
        bench.flush();
        assert!(bench.folder().snapshot(&place_of("mango")).unwrap().is_none());
        bench.crash();
        assert_eq!(bench.seen("mango"), (2, None));
    }

    fn place_of(sku: &str) -> String {
        place(&key(), sku)
    }

    #[test]
    fn a_folder_that_fails_under_a_decision_fails_the_batch() {
        let place = tempfile::tempdir().unwrap();
        let mut bench = Bench::new(place.path());
        let broken = Snapshot { key: place_of("mango").into(), version: 1, state: Some(b"?".to_vec()) };
        bench.folder().write(&[broken], &[], &Standing::default()).unwrap();
        let input = Input::AddItem { sku: "mango".into(), quantity: 1 };
        let folder = bench.folder.as_ref().unwrap();
        let decided = bench.states.decide(&key(), Box::new(input.clone()), At(0), LIMITS, folder);
        assert!(matches!(decided, Err(FolderFault::Damaged { .. })));
        let aggregate = AggregateId::parse("cart:BR.1").unwrap();
        let viewed = bench.states.view(&key(), &aggregate, &serde_json::to_vec(&input).unwrap(), folder);
        assert!(matches!(viewed, Err(FolderFault::Damaged { .. })));
    }

    #[test]
    fn events_that_do_not_follow_each_other_are_not_folded() {
        let place = tempfile::tempdir().unwrap();
        let mut bench = Bench::new(place.path());
        bench.decide(Input::AddItem { sku: "mango".into(), quantity: 1 });
        let body = bench.batch[0].0.clone();
        bench.discard();
        let folder = bench.folder.as_ref().unwrap();
        assert!(matches!(bench.states.replay(&key(), &opened(&body, 2), folder), Err(ReplayFault::Gap { .. })));
    }

    #[test]
    fn shards_that_never_were_are_not_remembered() {
        let place = tempfile::tempdir().unwrap();
        let mut bench = Bench::new(place.path());
        for i in 0..100 {
            let folder = bench.folder.as_ref().unwrap();
            assert_eq!(bench.states.version(&format!("feira-livre/cart:{i}").into(), folder).unwrap(), 0);
        }
        bench.commit();
        assert!(bench.states.shards.is_empty());
    }
}
