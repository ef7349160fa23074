//! Reading what a purchase in chat is made of. As everywhere: within a scope.

use std::collections::BTreeSet;
use std::iter;
use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError};

use feira_commands::billing::Used;
use feira_commands::conversation::thread_key;
use feira_events::billing::{Line, Total};
use feira_events::order::OrderLine;
use feira_ids::AccountId;
use feira_projection_store::{Range, Row, Value};
use feira_rows::RowError;
use feira_rows::billing::{
    INVOICE_LINES, INVOICE_TOTALS, INVOICES, InvoiceRow, USAGE_ITEMS, UsageRow, days, invoice_key, invoices_key,
    lines_from_rows, total_from_row, usage_key,
};
use feira_rows::conversation::{
    BUSINESSES, BusinessRow, INBOX, InboxRow, MESSAGES, MessageRow, THREADS, ThreadRow, business_key, message_bucket,
    messages_key, tenant_key, thread_row_key,
};
use feira_rows::order::{CUSTOMER_ORDERS, DAY_ORDERS, ORDER_LINES, ORDERS, OrderRow, customer_key, day_key, order_key};
use feira_rows::payments::{
    ACCOUNTS, AccountRow, INTENTS, IntentRow, REQUESTS, RequestRow, TRANSFERS, TransferRow, intent_key, owner_key,
};
use feira_rows::stock::{STOCK, StockRow, stock_key};

use super::{ScopedReads, row_error, store_error};
use crate::auth::Scope;
use crate::error::ApiError;

/// More lines than an invoice, an order or a day of usage is read with at a time.
const ROWS_AT_ONCE: usize = 1_000;

/// Places of a thread, from the first to the one behind the last.
pub(crate) struct Stretch {
    pub sender: Arc<str>,
    pub customer: Arc<str>,
    pub from: i64,
    pub until: i64,
}

impl Stretch {
    /// The buckets in which its messages stand.
    fn buckets(&self) -> RangeInclusive<i64> {
        if self.from >= self.until {
            return RangeInclusive::new(1, 0);
        }
        message_bucket(self.from.max(1))..=message_bucket((self.until - 1).max(1))
    }
}

fn each<T>(rows: Vec<Row>, read: impl FnMut(Row) -> Result<T, RowError>) -> Result<Vec<T>, ApiError> {
    rows.into_iter().map(read).collect::<Result<_, _>>().map_err(row_error)
}

impl ScopedReads {
    /// The business itself; none while it is not registered.
    pub(crate) async fn business(&self, scope: &Scope) -> Result<Option<BusinessRow>, ApiError> {
        scope.reads_profile()?;
        let row = self.store.get(&BUSINESSES, &business_key(scope.tenant())).await.map_err(store_error)?;
        row.map(BusinessRow::from_row).transpose().map_err(row_error)
    }

    /// A customer's thread with a sender of the business.
    pub(crate) async fn thread(
        &self,
        scope: &Scope,
        sender: &str,
        customer: &str,
    ) -> Result<Option<ThreadRow>, ApiError> {
        Ok(self.threads_of(scope, iter::once((sender, customer))).await?.pop().flatten())
    }

    /// Many threads in one load, in the order asked, each named by its sender and its customer.
    pub(crate) async fn threads_of<'a>(
        &self,
        scope: &Scope,
        named: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Result<Vec<Option<ThreadRow>>, ApiError> {
        let key =
            |(sender, customer)| Ok(thread_row_key(scope.tenant(), sender, &scope.correspondent(Some(customer))?));
        let keys = named.map(key).collect::<Result<Vec<_>, ApiError>>()?;
        let rows = self.store.get_many(&THREADS, &keys).await.map_err(store_error)?;
        rows.into_iter().map(|row| row.map(ThreadRow::from_row).transpose().map_err(row_error)).collect()
    }

    /// The threads of the business that were written in last.
    pub(crate) async fn threads(&self, scope: &Scope, count: usize) -> Result<Vec<ThreadRow>, ApiError> {
        scope.reads_inbox()?;
        let range = Range { limit: count, ..Range::default() };
        let page = self.store.scan(&INBOX, &tenant_key(scope.tenant()), range).await.map_err(store_error)?;
        let inbox = each(page.rows, InboxRow::from_row)?;
        let keys: Vec<_> =
            inbox.iter().map(|entry| thread_row_key(scope.tenant(), &entry.sender, &entry.customer)).collect();
        let rows = self.store.get_many(&THREADS, &keys).await.map_err(store_error)?;
        each(rows.into_iter().flatten().collect(), ThreadRow::from_row)
    }

    /// Messages of threads by their places: of each stretch the first `count` of them, or the last.
    pub(crate) async fn messages(
        &self,
        scope: &Scope,
        stretches: &[Stretch],
        last: bool,
        count: usize,
    ) -> Result<Vec<Vec<MessageRow>>, ApiError> {
        let threads = stretches.iter().map(|of| Ok(thread_key(&of.sender, &scope.correspondent(Some(&of.customer))?)));
        let threads = threads.collect::<Result<Vec<_>, ApiError>>()?;
        let mut left: Vec<RangeInclusive<i64>> = stretches.iter().map(Stretch::buckets).collect();
        let mut rows: Vec<Vec<Row>> = stretches.iter().map(|_| Vec::new()).collect();
        // The first bucket of every stretch at once, then the next of those that are not full.
        loop {
            let (mut of, mut scans) = (Vec::new(), Vec::new());
            for (index, stretch) in stretches.iter().enumerate().filter(|(index, _)| rows[*index].len() < count) {
                let bucket = if last { left[index].next_back() } else { left[index].next() };
                let Some(bucket) = bucket else { continue };
                let place = |seq: i64| Some(vec![Value::BigInt(seq)]);
                let (after, before) = (place(stretch.from - 1), place(stretch.until));
                let range = Range { after, before, reverse: last, limit: count - rows[index].len() };
                scans.push((messages_key(scope.tenant(), &threads[index], bucket), range));
                of.push(index);
            }
            if scans.is_empty() {
                break;
            }
            let pages = self.store.scan_many(&MESSAGES, &scans).await.map_err(store_error)?;
            of.into_iter().zip(pages).for_each(|(index, page)| rows[index].extend(page.rows));
        }
        if last {
            rows.iter_mut().for_each(|rows| rows.reverse());
        }
        rows.into_iter().map(|rows| each(rows, MessageRow::from_row)).collect()
    }

    /// One order, if the caller may see it.
    pub(crate) async fn order(&self, scope: &Scope, id: &str) -> Result<Option<OrderRow>, ApiError> {
        Ok(self.orders_by_id(scope, iter::once(id)).await?.pop().flatten())
    }

    /// Many orders in one load, in the order asked: none in place of what the caller may not see.
    pub(crate) async fn orders_by_id<'a>(
        &self,
        scope: &Scope,
        ids: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<Option<OrderRow>>, ApiError> {
        scope.customer(scope.own().or(Some("any")))?;
        let keys: Vec<_> = ids.map(|id| order_key(scope.tenant(), id)).collect();
        let rows = self.store.get_many(&ORDERS, &keys).await.map_err(store_error)?;
        let read = |row: Option<Row>| {
            let row = row.map(OrderRow::from_row).transpose().map_err(row_error)?;
            Ok(row.filter(|order| scope.owns(&order.customer)))
        };
        rows.into_iter().map(read).collect()
    }

    /// The lines of orders.
    pub(crate) async fn order_lines(&self, scope: &Scope, ids: &[Arc<str>]) -> Result<Vec<Vec<OrderLine>>, ApiError> {
        let keys = ids.iter().map(|id| order_key(scope.tenant(), id)).collect();
        let orders = self.partitions(&ORDER_LINES, keys, ROWS_AT_ONCE).await?;
        orders.into_iter().map(|rows| each(rows, feira_rows::order::line_from_row)).collect()
    }

    /// Orders of a customer, or of the business on the day of `day`, the newest first.
    pub(crate) async fn orders(
        &self,
        scope: &Scope,
        customer: Option<&str>,
        day: i64,
        count: usize,
    ) -> Result<Vec<OrderRow>, ApiError> {
        let range = Range { limit: count, ..Range::default() };
        let (table, key) = match scope.own().or(customer) {
            Some(customer) => {
                let customer = scope.customer(Some(customer))?;
                (&CUSTOMER_ORDERS, customer_key(scope.tenant(), &customer))
            }
            None => {
                scope.reads_orders()?;
                (&DAY_ORDERS, day_key(scope.tenant(), day))
            }
        };
        let page = self.store.scan(table, &key, range).await.map_err(store_error)?;
        let placed = each(page.rows, |row| feira_rows::order::placed_from_row(table, row))?;
        let keys: Vec<_> = placed.iter().map(|(_, id)| order_key(scope.tenant(), id)).collect();
        let rows = self.store.get_many(&ORDERS, &keys).await.map_err(store_error)?;
        each(rows.into_iter().flatten().collect(), OrderRow::from_row)
    }

    /// What is left of a product.
    pub(crate) async fn stock(&self, scope: &Scope, sku: &str) -> Result<Option<StockRow>, ApiError> {
        scope.reads_catalog()?;
        let row = self.store.get(&STOCK, &stock_key(scope.tenant(), sku)).await.map_err(store_error)?;
        row.map(StockRow::from_row).transpose().map_err(row_error)
    }

    /// The account of an owner; none while none is open.
    pub(crate) async fn account(&self, owner: &str) -> Result<Option<AccountRow>, ApiError> {
        let range = Range { limit: 1, ..Range::default() };
        let page = self.store.scan(&ACCOUNTS, &owner_key(owner), range).await.map_err(store_error)?;
        Ok(each(page.rows, AccountRow::from_row)?.pop())
    }

    /// The id of an owner's account; none while none is open.
    pub(crate) async fn account_id(&self, owner: &str) -> Result<Option<AccountId>, ApiError> {
        let remembered = || self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = remembered().get(owner) {
            return Ok(Some(known.clone()));
        }
        let found = self.account(owner).await?.map(|row| row.balance.account);
        if let Some(found) = &found {
            remembered().put(owner.into(), found.clone());
        }
        Ok(found)
    }

    /// An owner's transfers, the newest first.
    pub(crate) async fn transfers(&self, owner: &str, count: usize) -> Result<Vec<TransferRow>, ApiError> {
        let range = Range { limit: count, ..Range::default() };
        let page = self.store.scan(&TRANSFERS, &owner_key(owner), range).await.map_err(store_error)?;
        each(page.rows, TransferRow::from_row)
    }

    /// An owner's requests for money, those that end last first.
    pub(crate) async fn requests(&self, owner: &str, count: usize) -> Result<Vec<RequestRow>, ApiError> {
        let range = Range { limit: count, ..Range::default() };
        let page = self.store.scan(&REQUESTS, &owner_key(owner), range).await.map_err(store_error)?;
        each(page.rows, RequestRow::from_row)
    }

    /// One of an owner's requests.
    pub(crate) async fn request(&self, owner: &str, expires: i64, id: &str) -> Result<Option<RequestRow>, ApiError> {
        let mut key = owner_key(owner);
        key.extend([Value::BigInt(expires), id.into()]);
        let row = self.store.get(&REQUESTS, &key).await.map_err(store_error)?;
        row.map(RequestRow::from_row).transpose().map_err(row_error)
    }

    /// What is to be paid for an order.
    pub(crate) async fn intent(&self, scope: &Scope, id: &str) -> Result<Option<IntentRow>, ApiError> {
        let row = self.store.get(&INTENTS, &intent_key(scope.tenant().as_str(), id)).await.map_err(store_error)?;
        row.map(IntentRow::from_row).transpose().map_err(row_error)
    }

    /// The business's invoices, the newest month first.
    pub(crate) async fn invoices(&self, scope: &Scope, count: usize) -> Result<Vec<InvoiceRow>, ApiError> {
        scope.reads_invoices()?;
        let range = Range { limit: count, ..Range::default() };
        let page = self.store.scan(&INVOICES, &invoices_key(scope.tenant()), range).await.map_err(store_error)?;
        each(page.rows, InvoiceRow::from_row)
    }

    /// A month's invoice.
    pub(crate) async fn invoice(&self, scope: &Scope, period: &str) -> Result<Option<InvoiceRow>, ApiError> {
        scope.reads_invoices()?;
        let row = self.store.get(&INVOICES, &invoice_key(scope.tenant(), period)).await.map_err(store_error)?;
        row.map(InvoiceRow::from_row).transpose().map_err(row_error)
    }

    /// What the invoices of months come to, and their lines.
    pub(crate) async fn invoice_parts(
        &self,
        scope: &Scope,
        periods: &[Arc<str>],
    ) -> Result<Vec<(Vec<Total>, Vec<Line>)>, ApiError> {
        scope.reads_invoices()?;
        let keys: Vec<_> = periods.iter().map(|period| invoice_key(scope.tenant(), period)).collect();
        let totals = self.partitions(&INVOICE_TOTALS, keys.clone(), ROWS_AT_ONCE).await?;
        let lines = self.partitions(&INVOICE_LINES, keys, ROWS_AT_ONCE).await?;
        let read = |(totals, lines)| Ok((each(totals, total_from_row)?, lines_from_rows(lines).map_err(row_error)?));
        totals.into_iter().zip(lines).map(read).collect()
    }

    /// All that the lines of an invoice may count.
    pub(crate) async fn used(&self, scope: &Scope, lines: &[Line]) -> Result<Vec<Used>, ApiError> {
        scope.reads_invoices()?;
        let all: BTreeSet<_> = lines.iter().flat_map(|line| days(line.used_from, line.used_until)).collect();
        let scan =
            |day, after| (usage_key(scope.tenant(), day), Range { after, limit: ROWS_AT_ONCE, ..Range::default() });
        let mut wanted: Vec<_> = all.into_iter().map(|day| (day, scan(day, None))).collect();
        let mut used = Vec::new();
        // All days at once; those that have more than that, together, again.
        while !wanted.is_empty() {
            let (of, scans): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
            let pages = self.store.scan_many(&USAGE_ITEMS, &scans).await.map_err(store_error)?;
            wanted = Vec::new();
            for (day, page) in of.into_iter().zip(pages) {
                let rows = each(page.rows, UsageRow::from_row)?;
                if let Some(last) = rows.last().filter(|_| page.more) {
                    let place = vec![Value::Text(last.used.source_lane.clone()), Value::BigInt(last.used.item.seq())];
                    wanted.push((day, scan(day, Some(place))));
                }
                used.extend(rows.into_iter().map(|row| row.used));
            }
        }
        Ok(used)
    }
}

/// The owner of an account, as rows name them.
pub(crate) fn owner(kind: &str, name: &str) -> String {
    format!("{kind}/{name}")
}

/// The account that `text` names, if it is one of a person or a business.
pub(crate) fn owned_account(text: &str) -> Option<AccountId> {
    AccountId::parse(Arc::<str>::from(text)).ok().filter(|account| matches!(account.kind(), "person" | "biz"))
}
