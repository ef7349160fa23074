//! What a business used in a month, as this service's own projection holds it.

use std::sync::Arc;
use std::time::Duration;

use feira_billing_domain::month::Month;
use feira_billing_domain::rating::Tally;
use feira_events::FactPosition;
use feira_ids::{AggregateId, TenantId};
use feira_projection_store::{Range, Store, StoreError, Value};
use feira_rows::USAGE_PROJECTION;
use feira_rows::billing::{USAGE_ITEMS, UsageRow, days, usage_key};
use feira_runtime::{GatherError, Heads, Latest};

use crate::{Gathered, processes};

/// How many rows are read at a time.
const PAGE: usize = 1_000;

/// Usage by month.
pub struct MonthUsage {
    store: Arc<dyn Store>,
    latest: Latest,
}

impl MonthUsage {
    /// Reads usage from `store`; waits `catch_up` for what stands on the log to be entered, and for its rows.
    pub fn new(store: Arc<dyn Store>, heads: Arc<dyn Heads>, catch_up: Duration) -> Self {
        Self { latest: Latest::new(store.clone(), heads, catch_up), store }
    }

    /// What `tenant` used in `period`: everything that had happened when this was asked, in the services that it comes
    /// from too, and nothing that was entered after. A period that is no month has no usage; the domain says what is
    /// wrong with it.
    ///
    /// # Errors
    /// When the store or the log does not answer, or what enters usage or its projection stays behind.
    pub async fn of(&self, tenant: &TenantId, period: &str) -> Result<Gathered, GatherError> {
        let none = Gathered { tally: Tally::default(), position: FactPosition { lane: 0, lane_seq: 0 } };
        let Ok(month) = Month::parse(period) else {
            return Ok(none);
        };
        let Ok(usage) = AggregateId::new("usage", period) else {
            return Ok(none);
        };
        // What is still on its way here would be on no invoice.
        let entering = processes::usage();
        self.latest.followed(entering.name(), &entering.sources()).await?;
        let (lane, end) = self.latest.taken_in(USAGE_PROJECTION, tenant, &usage).await?;
        let position = FactPosition { lane: lane.index as i32, lane_seq: end as i64 };
        let mut tally = Tally::default();
        for day in days(month.from(), month.until()) {
            self.add_day(tenant, day, position, &mut tally).await?;
        }
        Ok(Gathered { tally, position })
    }

    async fn add_day(
        &self,
        tenant: &TenantId,
        day: i32,
        until: FactPosition,
        tally: &mut Tally,
    ) -> Result<(), GatherError> {
        let partition = usage_key(tenant, day);
        let mut after: Option<Vec<Value>> = None;
        loop {
            let range = Range { after: after.take(), limit: PAGE, ..Range::default() };
            let page = self.store.scan(&USAGE_ITEMS, &partition, range).await.map_err(unread)?;
            for row in page.rows {
                let row = UsageRow::from_row(row).map_err(|source| GatherError {
                    what: "an item of usage cannot be read".to_owned(),
                    source: source.into(),
                })?;
                let (lane, seq) = (row.used.source_lane.clone(), row.used.item.seq());
                // Rows go on coming while these are read.
                if row.position.lane_seq <= until.lane_seq {
                    tally.add(&row.used).map_err(|source| GatherError {
                        what: "the usage cannot be added up".to_owned(),
                        source: source.into(),
                    })?;
                }
                after = Some(vec![Value::Text(lane), Value::BigInt(seq)]);
            }
            if !page.more {
                return Ok(());
            }
        }
    }
}

fn unread(source: StoreError) -> GatherError {
    GatherError { what: "usage cannot be read".to_owned(), source: source.into() }
}
