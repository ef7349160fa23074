//! What a business used in a month, as this service's own projection holds it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use feira_billing_domain::month::Month;
use feira_billing_domain::rating::Tally;
use feira_events::FactPosition;
use feira_ids::{AggregateId, LaneId, TenantId};
use feira_projection_store::{Range, Store, StoreError, Value};
use feira_rows::USAGE_PROJECTION;
use feira_rows::billing::{USAGE_ITEMS, UsageRow, days, usage_key};
use feira_runtime::GatherError;

use crate::Gathered;

/// How many rows are read at a time.
const PAGE: usize = 1_000;

/// Where this service's own log ends.
#[async_trait]
pub trait UsageHead: Send + Sync + 'static {
    /// The lane that `usage` of `tenant` belongs to, and the sequence of that lane's last record.
    ///
    /// # Errors
    /// When the log does not answer.
    async fn head(&self, tenant: &TenantId, usage: &AggregateId) -> Result<(LaneId, u64), GatherError>;
}

/// Usage by month.
pub struct MonthUsage {
    store: Arc<dyn Store>,
    head: Arc<dyn UsageHead>,
    catch_up: Duration,
}

impl MonthUsage {
    /// Reads usage from `store`; waits `catch_up` for the rows of what stands on the log.
    pub fn new(store: Arc<dyn Store>, head: Arc<dyn UsageHead>, catch_up: Duration) -> Self {
        Self { store, head, catch_up }
    }

    /// What `tenant` used in `period`: everything that stood on the log when this was asked, and nothing that came
    /// after. A period that is no month has no usage; the domain says what is wrong with it.
    ///
    /// # Errors
    /// When the store or the log does not answer, or the projection stays behind.
    pub async fn of(&self, tenant: &TenantId, period: &str) -> Result<Gathered, GatherError> {
        let none = Gathered { tally: Tally::default(), position: FactPosition { lane: 0, lane_seq: 0 } };
        let Ok(month) = Month::parse(period) else {
            return Ok(none);
        };
        let Ok(usage) = AggregateId::new("usage", period) else {
            return Ok(none);
        };
        let (lane, end) = self.head.head(tenant, &usage).await?;
        let reached = self.store.reached(USAGE_PROJECTION, &lane.to_string(), end, self.catch_up).await;
        if !reached.map_err(unread)? {
            let source = format!("{USAGE_PROJECTION} has not come to {lane}:{end}").into();
            return Err(GatherError { what: "the latest usage is not here yet".to_owned(), source });
        }
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
