//! Reading what a purchase in chat is made of. As everywhere: within a scope.

use std::collections::BTreeSet;
use std::sync::Arc;

use feira_commands::billing::Used;
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
        let customer = scope.correspondent(Some(customer))?;
        let key = thread_row_key(scope.tenant(), sender, &customer);
        let row = self.store.get(&THREADS, &key).await.map_err(store_error)?;
        row.map(ThreadRow::from_row).transpose().map_err(row_error)
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

    /// Messages of a thread by their places: those in `from..until`, the last `count` of them.
    pub(crate) async fn messages(
        &self,
        scope: &Scope,
        (sender, customer): (&str, &str),
        (from, until): (i64, i64),
        last: bool,
        count: usize,
    ) -> Result<Vec<MessageRow>, ApiError> {
        let customer = scope.correspondent(Some(customer))?;
        let thread = format!("{sender}/{customer}");
        let (first, end) = (message_bucket(from.max(1)), message_bucket((until - 1).max(1)));
        let mut buckets: Vec<i64> = (first..=end).collect();
        if last {
            buckets.reverse();
        }
        let mut rows = Vec::new();
        for bucket in buckets {
            if rows.len() >= count {
                break;
            }
            let place = |seq: i64| Some(vec![Value::BigInt(seq)]);
            let range =
                Range { after: place(from - 1), before: place(until), reverse: last, limit: count - rows.len() };
            let key = messages_key(scope.tenant(), &thread, bucket);
            rows.extend(self.store.scan(&MESSAGES, &key, range).await.map_err(store_error)?.rows);
        }
        let mut messages = each(rows, MessageRow::from_row)?;
        if last {
            messages.reverse();
        }
        Ok(messages)
    }

    /// One order, if the caller may see it.
    pub(crate) async fn order(&self, scope: &Scope, id: &str) -> Result<Option<OrderRow>, ApiError> {
        scope.customer(scope.own().or(Some("any")))?;
        let row = self.store.get(&ORDERS, &order_key(scope.tenant(), id)).await.map_err(store_error)?;
        let row = row.map(OrderRow::from_row).transpose().map_err(row_error)?;
        Ok(row.filter(|order| scope.owns(&order.customer)))
    }

    /// The lines of an order.
    pub(crate) async fn order_lines(&self, scope: &Scope, id: &str) -> Result<Vec<OrderLine>, ApiError> {
        let range = Range { limit: ROWS_AT_ONCE, ..Range::default() };
        let page = self.store.scan(&ORDER_LINES, &order_key(scope.tenant(), id), range).await.map_err(store_error)?;
        each(page.rows, feira_rows::order::line_from_row)
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

    /// What a month's invoice comes to, and its lines.
    pub(crate) async fn invoice_parts(&self, scope: &Scope, period: &str) -> Result<(Vec<Total>, Vec<Line>), ApiError> {
        scope.reads_invoices()?;
        let range = || Range { limit: ROWS_AT_ONCE, ..Range::default() };
        let key = invoice_key(scope.tenant(), period);
        let totals = self.store.scan(&INVOICE_TOTALS, &key, range()).await.map_err(store_error)?;
        let lines = self.store.scan(&INVOICE_LINES, &key, range()).await.map_err(store_error)?;
        Ok((each(totals.rows, total_from_row)?, lines_from_rows(lines.rows).map_err(row_error)?))
    }

    /// All that the lines of an invoice may count.
    pub(crate) async fn used(&self, scope: &Scope, lines: &[Line]) -> Result<Vec<Used>, ApiError> {
        scope.reads_invoices()?;
        let mut used = Vec::new();
        for day in lines.iter().flat_map(|line| days(line.used_from, line.used_until)).collect::<BTreeSet<_>>() {
            let mut after = None;
            loop {
                let range = Range { after: after.take(), limit: ROWS_AT_ONCE, ..Range::default() };
                let key = usage_key(scope.tenant(), day);
                let page = self.store.scan(&USAGE_ITEMS, &key, range).await.map_err(store_error)?;
                let rows = each(page.rows, UsageRow::from_row)?;
                let last = rows.last().map(|row| (row.used.source_lane.clone(), row.used.item.seq()));
                used.extend(rows.into_iter().map(|row| row.used));
                match last {
                    Some((lane, seq)) if page.more => after = Some(vec![Value::Text(lane), Value::BigInt(seq)]),
                    _ => break,
                }
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
