//! The table of sandbox clocks: how far a tenant's business time is ahead of everyone's.
//!
//! It is written from the events of conversation, and read by whoever sends commands.

use feira_events::Meta;
use feira_ids::TenantId;
use feira_projection_store::{Column, ColumnType, Mutation, Row, Table, Value};

use crate::column::{Cells, Writes};
use crate::{RowError, tenant_cell};

/// The clocks of sandboxes.
pub static CLOCKS: Table = Table {
    name: "clocks_v1",
    columns: &[
        Column { name: "tenant", kind: ColumnType::Text },
        Column { name: "offset_ms", kind: ColumnType::BigInt },
        Column { name: "sandbox", kind: ColumnType::Boolean },
    ],
    partition: 1,
    clustering: &[],
    doc: "How far the business time of a sandbox is ahead, in milliseconds; a business without a row has no sandbox.",
};

/// The clock of a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockRow {
    /// How far its business time is ahead of everyone's, in milliseconds.
    pub offset_ms: i64,
    /// Whether it is a sandbox, whose clock may be moved.
    pub sandbox: bool,
}

/// The primary key of a tenant's clock.
pub fn clock_key(tenant: &TenantId) -> Vec<Value> {
    vec![tenant_cell(tenant)]
}

/// Writes the clock of the event's tenant. Only sandboxes have one.
pub fn put_clock(meta: &Meta, clock: ClockRow) -> Mutation {
    Writes::new(&CLOCKS, clock_key(&meta.tenant), meta.hlc)
        .bigint("offset_ms", clock.offset_ms)
        .boolean("sandbox", clock.sandbox)
        .upsert()
}

impl ClockRow {
    /// Reads a row of [`CLOCKS`].
    ///
    /// # Errors
    /// [`RowError`] when a cell has no meaning.
    pub fn from_row(row: Row) -> Result<Self, RowError> {
        let mut cells = Cells::new(&CLOCKS, row);
        cells.text()?;
        Ok(Self { offset_ms: cells.bigint()?, sandbox: cells.boolean()? })
    }
}
