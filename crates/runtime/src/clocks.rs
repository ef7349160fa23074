//! The business clocks of tenants: everyone's, but for sandboxes whose clock was moved ahead.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use feira_ids::TenantId;
use feira_projection_store::{Store, StoreError};
use feira_rows::clock::{CLOCKS, ClockRow, clock_key};
use tokio::time::Instant;

/// How many such tenants are remembered.
const KNOWN_MAX: usize = 100_000;

/// Tells how far a tenant's clock is ahead. Cheap to clone; clones remember together.
///
/// A sandbox is asked for each time, so that a clock that was moved counts from the next command on. That a tenant has
/// no sandbox is remembered for a second, and for as long as the store does not answer: what can be decided from the log
/// alone does not wait for a store.
#[derive(Clone)]
pub struct Clocks {
    store: Arc<dyn Store>,
    ordinary: Arc<Mutex<HashMap<TenantId, Instant>>>,
}

impl Clocks {
    /// How long a tenant is believed to have no sandbox once it was seen to have none: so long after a sandbox was
    /// registered everyone knows.
    pub const BELIEVED_FOR: Duration = Duration::from_secs(1);

    /// Reads clocks from `store`. The table is made by whoever writes it, or by [`Clocks::ensure`].
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, ordinary: Arc::default() }
    }

    /// Makes the table where it is not there yet.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn ensure(&self) -> Result<(), StoreError> {
        self.store.ensure(&[&CLOCKS]).await
    }

    /// How far the clock of `tenant` is ahead, in milliseconds: what goes into
    /// [`Command::clock_offset_ms`](crate::Command::clock_offset_ms).
    ///
    /// # Errors
    /// When the store does not answer, or what it has is no clock.
    pub async fn offset_ms(&self, tenant: &TenantId) -> Result<i64, StoreError> {
        let offsets = self.offsets_ms(std::slice::from_ref(tenant)).await?;
        Ok(offsets.first().copied().unwrap_or(0))
    }

    /// The same of several tenants, in their order; one load for all that must be asked for.
    ///
    /// # Errors
    /// As [`Clocks::offset_ms`]. A store that does not answer is no error where all of them were seen to have no sandbox.
    pub async fn offsets_ms(&self, tenants: &[TenantId]) -> Result<Vec<i64>, StoreError> {
        let asked: Vec<usize> = {
            let ordinary = self.ordinary();
            let known = |tenant| ordinary.get(tenant).is_some_and(|seen| seen.elapsed() < Self::BELIEVED_FOR);
            (0..tenants.len()).filter(|&place| !known(&tenants[place])).collect()
        };
        let mut offsets = vec![0; tenants.len()];
        if asked.is_empty() {
            return Ok(offsets);
        }
        let keys: Vec<_> = asked.iter().map(|&place| clock_key(&tenants[place])).collect();
        let rows = match self.store.get_many(&CLOCKS, &keys).await {
            Ok(rows) => rows,
            Err(error @ StoreError::Unavailable { .. }) => {
                let mut ordinary = self.ordinary();
                if !asked.iter().all(|&place| ordinary.contains_key(&tenants[place])) {
                    return Err(error);
                }
                // Not every command tries a store that is away.
                for place in asked {
                    ordinary.insert(tenants[place].clone(), Instant::now());
                }
                return Ok(offsets);
            }
            Err(error) => return Err(error),
        };
        for (place, row) in asked.into_iter().zip(rows) {
            let clock = row.map(ClockRow::from_row).transpose();
            let clock = clock
                .map_err(|error| StoreError::Damaged { table: CLOCKS.name.to_owned(), reason: error.to_string() })?
                .unwrap_or_default();
            if clock.sandbox {
                offsets[place] = clock.offset_ms;
                self.ordinary().remove(&tenants[place]);
            } else {
                self.remember(&tenants[place]);
            }
        }
        Ok(offsets)
    }

    fn remember(&self, tenant: &TenantId) {
        let mut ordinary = self.ordinary();
        if ordinary.len() >= KNOWN_MAX {
            ordinary.clear();
        }
        ordinary.insert(tenant.clone(), Instant::now());
    }

    fn ordinary(&self) -> MutexGuard<'_, HashMap<TenantId, Instant>> {
        self.ordinary.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use feira_projection_store::{Checkpoint, ModelStore, Mutation, Value};
    use feira_rows::BUSINESSES_PROJECTION;

    use super::*;
    use crate::suite::Stubborn;

    const AHEAD_MS: i64 = 86_400_000;

    /// Clocks over a store that has the clock of one sandbox, `tenant("sandbox")`.
    async fn clocks() -> (Clocks, Arc<Stubborn>) {
        let store = Arc::new(Stubborn::new(Arc::new(ModelStore::new())));
        let clocks = Clocks::new(store.clone());
        clocks.ensure().await.unwrap();
        put(&store, &tenant("sandbox"), 1).await;
        (clocks, store)
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    /// As if everything remembered had been seen a second earlier.
    fn a_second_later(clocks: &Clocks) {
        clocks.ordinary().values_mut().for_each(|seen| *seen -= Clocks::BELIEVED_FOR);
    }

    /// Makes `of` a sandbox that is a day ahead.
    async fn put(store: &Stubborn, of: &TenantId, lane_seq: u64) {
        let cells = vec![(1, Some(Value::BigInt(AHEAD_MS))), (2, Some(Value::Boolean(true)))];
        let write = Mutation::Upsert { table: &CLOCKS, key: clock_key(of), cells, timestamp: 1, first: false };
        let checkpoint = Checkpoint { lane_seq, ..Checkpoint::default() };
        store.apply(vec![write], BUSINESSES_PROJECTION, "conversation/0", checkpoint).await.unwrap();
    }

    #[tokio::test]
    async fn who_was_seen_to_have_no_sandbox_has_none_while_the_store_is_away() {
        let (clocks, store) = clocks().await;
        let (shop, unseen, sandbox) = (tenant("shop"), tenant("unseen"), tenant("sandbox"));
        assert_eq!(clocks.offset_ms(&shop).await.unwrap(), 0);
        assert_eq!(clocks.offset_ms(&sandbox).await.unwrap(), AHEAD_MS);
        store.silent.store(true, Ordering::SeqCst);
        for _ in 0..3 {
            a_second_later(&clocks);
            assert_eq!(clocks.offset_ms(&shop).await.unwrap(), 0);
        }
        for unknown in [&unseen, &sandbox] {
            let answer = clocks.offset_ms(unknown).await;
            assert!(matches!(answer, Err(StoreError::Unavailable { .. })), "{answer:?}");
            assert!(clocks.offsets_ms(&[shop.clone(), unknown.clone()]).await.is_err());
        }
        store.silent.store(false, Ordering::SeqCst);
        assert_eq!(clocks.offsets_ms(&[shop, sandbox, unseen]).await.unwrap(), [0, AHEAD_MS, 0]);
    }

    #[tokio::test]
    async fn a_store_that_is_away_is_tried_once_a_second() {
        let (clocks, store) = clocks().await;
        let shop = tenant("shop");
        clocks.offset_ms(&shop).await.unwrap();
        store.silent.store(true, Ordering::SeqCst);
        for _ in 0..2 {
            a_second_later(&clocks);
            for _ in 0..10 {
                clocks.offset_ms(&shop).await.unwrap();
            }
        }
        assert_eq!(store.refused.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_tenant_that_becomes_a_sandbox_is_one_after_a_second() {
        let (clocks, store) = clocks().await;
        let shop = tenant("shop");
        assert_eq!(clocks.offset_ms(&shop).await.unwrap(), 0);
        put(&store, &shop, 2).await;
        a_second_later(&clocks);
        assert_eq!(clocks.offset_ms(&shop).await.unwrap(), AHEAD_MS);
        store.silent.store(true, Ordering::SeqCst);
        assert!(clocks.offset_ms(&shop).await.is_err(), "what it was before is not believed");
    }
}
