//! The business clocks of tenants: everyone's, but for sandboxes whose clock was moved ahead.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use feira_ids::TenantId;
use feira_projection_store::{Store, StoreError};
use feira_rows::clock::{CLOCKS, ClockRow, clock_key};

/// How many such tenants are remembered.
const KNOWN_MAX: usize = 100_000;

/// Tells how far a tenant's clock is ahead. Cheap to clone; clones remember together.
///
/// A sandbox is asked for each time, so that a clock that was moved counts from the next command on. That a tenant has
/// no sandbox is remembered for a second.
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
    /// As [`Clocks::offset_ms`].
    pub async fn offsets_ms(&self, tenants: &[TenantId]) -> Result<Vec<i64>, StoreError> {
        let asked: Vec<usize> = {
            let ordinary = self.ordinary.lock().unwrap_or_else(PoisonError::into_inner);
            let known = |tenant| ordinary.get(tenant).is_some_and(|seen: &Instant| seen.elapsed() < Self::BELIEVED_FOR);
            (0..tenants.len()).filter(|&place| !known(&tenants[place])).collect()
        };
        let mut offsets = vec![0; tenants.len()];
        if asked.is_empty() {
            return Ok(offsets);
        }
        let keys: Vec<_> = asked.iter().map(|&place| clock_key(&tenants[place])).collect();
        let rows = self.store.get_many(&CLOCKS, &keys).await?;
        for (place, row) in asked.into_iter().zip(rows) {
            let clock = row.map(ClockRow::from_row).transpose();
            let clock = clock
                .map_err(|error| StoreError::Damaged { table: CLOCKS.name.to_owned(), reason: error.to_string() })?
                .unwrap_or_default();
            if clock.sandbox {
                offsets[place] = clock.offset_ms;
            } else {
                self.remember(&tenants[place]);
            }
        }
        Ok(offsets)
    }

    fn remember(&self, tenant: &TenantId) {
        let mut ordinary = self.ordinary.lock().unwrap_or_else(PoisonError::into_inner);
        if ordinary.len() >= KNOWN_MAX {
            ordinary.clear();
        }
        ordinary.insert(tenant.clone(), Instant::now());
    }
}
