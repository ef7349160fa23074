//! From what happened elsewhere to an invoice that explains itself, and what is read of both.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod running;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use feira_billing_domain::invoice::{self, GRACE_MS};
use feira_billing_domain::month::Month;
use feira_billing_domain::rating::Tally;
use feira_billing_domain::usage::{self, Usage};
use feira_billing_server::processes;
use feira_billing_server::projections::{InvoiceRows, UsageRows};
use feira_billing_server::{Invoices, MonthUsage, Usages};
use feira_codec::{EventSet, Opened};
use feira_commands::billing::{Explanation, Finds, InvoiceInput, SERIES, UsageInput, Used, UsedItem, explain};
use feira_decider::{At, Decider, Do};
use feira_events::billing::{Category, Class, Document, Line, MessageUsage, PaymentFeeUsage};
use feira_events::conversation::{self, MessageDelivered, ThreadEvent};
use feira_events::{FactPosition, Meta, payments};
use feira_ids::{
    AccountId, AggregateId, CommandId, Fingerprint, LaneId, Principal, PrincipalKind, Role, ServiceName, TenantId,
};
use feira_money::Amount;
use feira_projection_store::{Checkpoint, ModelStore, ProjectionId, Range, Store};
use feira_rows::USAGE_PROJECTION;
use feira_rows::billing::{
    INVOICE_LINES, INVOICE_TOTALS, INVOICES, InvoiceRow, USAGE_ITEMS, UsageRow, days, invoice_key, lines_from_rows,
    total_from_row, usage_key,
};
use feira_runtime::{GatherError, Heads, Hosted, Projection};
use proptest::prelude::*;

const PERIOD: &str = "2026-11";

fn shop() -> TenantId {
    TenantId::new("feira-livre").unwrap()
}

fn november() -> Month {
    Month::parse(PERIOD).unwrap()
}

/// A moment in the middle of November.
fn noon() -> i64 {
    november().from() + 12 * 60 * 60 * 1_000
}

fn meta(aggregate: &str, lane: i32, lane_seq: i64, aggregate_seq: i64) -> Meta {
    let command_id = CommandId::derive(&shop(), "service:test", aggregate, &lane_seq.to_string());
    Meta {
        event_id: command_id.event(0),
        lane,
        lane_seq,
        term: 1,
        aggregate: aggregate.into(),
        aggregate_seq: Some(aggregate_seq),
        hlc: 1_795_694_400_000_000 + 2 * lane_seq,
        at: noon(),
        tenant: shop(),
        principal: "service:process-usage".into(),
        command_id,
        fingerprint: Fingerprint::default(),
        index: 0,
        count: 1,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
    }
}

fn opened(event: &impl EventSet, meta: &Meta) -> Opened {
    feira_codec::open(&feira_codec::frame(meta, &event.encode_body().unwrap()).unwrap()).unwrap()
}

fn command(aggregate: &str, input: &impl serde::Serialize) -> feira_runtime::Command {
    let input = serde_json::to_vec(input).unwrap();
    let roles = vec![Role::Admin];
    feira_runtime::Command {
        tenant: shop(),
        principal: Principal { kind: PrincipalKind::Member, id: "bia".into(), tenant: Some(shop()), roles },
        aggregate: AggregateId::parse(aggregate).unwrap(),
        operation: "billing.draft_invoice".into(),
        version: 1,
        command_id: CommandId::default(),
        fingerprint: Fingerprint::default(),
        expected_version: None,
        deadline_ms: i64::MAX,
        clock_offset_ms: 0,
        wants_view: true,
        causation_id: CommandId::default().0,
        correlation_id: CommandId::default().0,
        traceparent: None,
        input: input.into(),
    }
}

/// The state as a snapshot gives it back.
fn kept<S: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(state: S) -> S {
    let read = serde_json::from_slice(&serde_json::to_vec(&state).unwrap()).unwrap();
    assert_eq!(state, read);
    read
}

/// The logs end where the test says.
struct Ends {
    billing: AtomicU64,
    conversation: u64,
}

impl Ends {
    fn at(billing: u64, conversation: u64) -> Arc<Self> {
        Arc::new(Self { billing: billing.into(), conversation })
    }
}

#[async_trait]
impl Heads for Ends {
    async fn head(&self, _tenant: &TenantId, _usage: &AggregateId) -> Result<(LaneId, u64), GatherError> {
        Ok((lane(), self.billing.load(Ordering::SeqCst)))
    }

    async fn heads(&self, service: &ServiceName) -> Result<Vec<(LaneId, u64)>, GatherError> {
        let end = if service.as_str() == "conversation" { self.conversation } else { 0 };
        Ok(vec![(LaneId::new(service, 0), 0), (LaneId::new(service, 1), end)])
    }
}

/// Usage in `store`, where all is entered that was used, and billing's lane ends at `billing`.
fn month_usage(store: &Arc<ModelStore>, billing: u64) -> MonthUsage {
    MonthUsage::new(store.clone(), Ends::at(billing, 0), Duration::from_secs(5))
}

/// Billing's lane in these tests.
fn lane() -> LaneId {
    LaneId::new(&ServiceName::new("billing"), 1)
}

/// Billing on one lane: what it was asked is decided, written down and projected.
struct Billing {
    store: Arc<ModelStore>,
    lane_seq: i64,
    usage: BTreeMap<String, usage::State>,
    invoices: (u64, invoice::State),
}

impl Billing {
    fn new() -> Self {
        Self { store: Arc::new(ModelStore::new()), lane_seq: 0, usage: BTreeMap::new(), invoices: Default::default() }
    }

    async fn project(&self, projection: &dyn Projection, record: &Opened) {
        let writes = projection.apply(&lane(), record).unwrap();
        let checkpoint = Checkpoint { lane_seq: self.lane_seq as u64, hint: 0 };
        self.store.apply(writes, projection.id(), "billing/1", checkpoint).await.unwrap();
    }

    async fn record(&mut self, month: &AggregateId, input: UsageInput) {
        let state = self.usage.entry(month.key().to_owned()).or_default().clone();
        let asked = Usages.command(month, input, ());
        for event in Usage::decide(&state, asked, At(0)).unwrap() {
            self.lane_seq += 1;
            let record = opened(&event, &meta(month.as_str(), 1, self.lane_seq, 1));
            self.project(&UsageRows, &record).await;
            self.project(&InvoiceRows, &record).await;
            let state = kept(Usage::evolve(state.clone(), &event));
            self.usage.insert(month.key().to_owned(), state);
        }
    }

    /// What an invoice is answered at `at`, its events written down.
    async fn invoice(&mut self, input: InvoiceInput, at: i64) -> Result<Vec<invoice::Event>, invoice::Rejection> {
        let usage = month_usage(&self.store, self.lane_seq as u64);
        let host = Invoices::new(usage);
        let series = AggregateId::new("invoice", SERIES).unwrap();
        let facts = host.gather(&command(series.as_str(), &input), &input).await.unwrap();
        let (version, state) = &self.invoices;
        let events = invoice::Invoices::decide(state, host.command(&series, input.clone(), facts), At(at))?;
        let (mut version, mut state) = (*version, state.clone());
        for event in &events {
            self.lane_seq += 1;
            version += 1;
            let record = opened(event, &meta(series.as_str(), 1, self.lane_seq, version as i64));
            self.project(&InvoiceRows, &record).await;
            self.project(&UsageRows, &record).await;
            state = kept(invoice::Invoices::evolve(state, event));
        }
        let view = host.view(&series, version, &state);
        assert_eq!((view.version, view.issued), (version, state.number));
        self.invoices = (version, state);
        Ok(events)
    }

    /// The invoice of `period` as rows have it.
    async fn read(&self, period: &str) -> (InvoiceRow, Document) {
        let key = invoice_key(&shop(), period);
        let all = Range { limit: 10_000, ..Range::default() };
        let invoice = InvoiceRow::from_row(self.store.get(&INVOICES, &key).await.unwrap().unwrap()).unwrap();
        let lines = self.store.scan(&INVOICE_LINES, &key, all.clone()).await.unwrap().rows;
        let totals = self.store.scan(&INVOICE_TOTALS, &key, all).await.unwrap().rows;
        let totals = totals.into_iter().map(|row| total_from_row(row).unwrap()).collect();
        let document = invoice.document(lines_from_rows(lines).unwrap(), totals);
        (invoice, document)
    }

    /// A line explained from rows alone, as the gateway does it.
    async fn explain(&self, line: &Line) -> Explanation {
        let mut used = vec![];
        for day in days(line.used_from, line.used_until) {
            let all = Range { limit: 10_000, ..Range::default() };
            let rows = self.store.scan(&USAGE_ITEMS, &usage_key(&shop(), day), all).await.unwrap().rows;
            used.extend(rows.into_iter().map(|row| UsageRow::from_row(row).unwrap().used));
        }
        explain(line, &used).unwrap()
    }
}

fn delivered(
    message: &str,
    country: &str,
    class: conversation::Class,
    category: conversation::Category,
) -> ThreadEvent {
    ThreadEvent::MessageDelivered(MessageDelivered {
        message: message.into(),
        seq: 1,
        sender: "main".into(),
        customer: "CC.1".into(),
        country: country.into(),
        category,
        class,
        reason: conversation::ClassReason::Template,
        policy: "feira-1".into(),
        sent_at: noon() - 1_000,
        delivered_at: noon(),
    })
}

fn captured(order: &str, minor: i64, fee: i64, fee_micro: i64) -> payments::Event {
    let intent = payments::Intent {
        intent: order.into(),
        business: shop().as_str().into(),
        order: order.into(),
        customer: "CC.1".into(),
        account: AccountId::parse("3/biz/feira-livre").unwrap(),
        amount: reais(minor),
    };
    payments::Event::IntentCaptured(payments::IntentCaptured {
        intent,
        transfer: "t-1".into(),
        payer: AccountId::parse("2/person/ana").unwrap(),
        fee: reais(fee),
        fee_micro,
        fee_bp: 399,
        net: reais(minor - fee),
        postings: vec![],
        balances: vec![],
    })
}

/// What the process manager asks about an event on lane 3 of its service.
fn asked(event: &impl EventSet, lane_seq: i64) -> Option<(AggregateId, UsageInput)> {
    let record = opened(event, &meta("thread:main/CC.1", 3, lane_seq, lane_seq));
    match &processes::usage().react(&record).unwrap()[..] {
        [] => None,
        [Do::Ask(ask)] => Some((ask.aggregate.clone(), serde_json::from_str(&ask.input).unwrap())),
        other => panic!("{other:?}"),
    }
}

fn reais(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse().unwrap())
}

fn charged(seq: i64, country: &str, delivered_at: i64) -> MessageUsage {
    MessageUsage {
        seq,
        event_id: CommandId::default().event(seq as u32),
        thread: "main/CC.1".into(),
        message: format!("m-{seq}").into(),
        class: Class::Charged,
        category: Category::Utility,
        country: country.into(),
        policy: "feira-1".into(),
        sent_at: delivered_at,
        delivered_at,
    }
}

fn fee(seq: i64, minor: i64, fee: i64, fee_micro: i64, captured_at: i64) -> PaymentFeeUsage {
    PaymentFeeUsage {
        seq,
        event_id: CommandId::default().event(seq as u32),
        intent: format!("o-{seq}").into(),
        order: format!("o-{seq}").into(),
        amount: reais(minor),
        fee: reais(fee),
        fee_micro,
        rate_bp: 399,
        captured_at,
    }
}

fn month_of(period: &str) -> AggregateId {
    AggregateId::new("usage", period).unwrap()
}

fn draft() -> InvoiceInput {
    InvoiceInput::Draft { period: PERIOD.into() }
}

fn issue() -> InvoiceInput {
    InvoiceInput::Issue { period: PERIOD.into() }
}

#[tokio::test]
async fn a_months_messages_and_payments_become_an_invoice_that_explains_itself() {
    let mut billing = Billing::new();
    let free = delivered("m-1", "BR", conversation::Class::Free, conversation::Category::Service);
    let brazil = delivered("m-2", "BR", conversation::Class::Charged, conversation::Category::Utility);
    let india = delivered("m-3", "IN", conversation::Class::Charged, conversation::Category::Utility);
    for (event, seq) in [(&free, 1), (&brazil, 2), (&india, 3), (&brazil, 2), (&free, 1)] {
        let (month, input) = asked(event, seq).unwrap();
        billing.record(&month, input).await;
    }
    // 3.99 % of 100.00 is 3.99; of 0.10 it is 0.00399, and nothing is taken.
    for (event, seq) in [(captured("o-1", 10_000, 399, 3_990_000), 4), (captured("o-2", 10, 0, 3_990), 6)] {
        let (month, input) = asked(&event, seq).unwrap();
        billing.record(&month, input).await;
    }

    billing.invoice(draft(), noon()).await.unwrap();
    let (row, document) = billing.read(PERIOD).await;
    assert_eq!((row.number, row.usage.count), (None, 5));
    let shown: Vec<_> = document
        .lines
        .iter()
        .map(|line| (line.country.as_deref(), line.quantity, line.exact_micro, line.amount.to_string()))
        .collect();
    let expected = [
        (Some("BR"), 1, 0, "0.00 USD".to_owned()),
        (Some("BR"), 1, 6_800, "0.01 USD".to_owned()),
        (Some("IN"), 1, 1_400, "0.00 USD".to_owned()),
        (None, 2, 3_993_990, "3.99 BRL".to_owned()),
    ];
    assert_eq!(shown, expected);
    let totals: Vec<_> =
        document.totals.iter().map(|total| (total.due.to_string(), total.collected.to_string())).collect();
    // 0.0068 and 0.0014 are 0.0082, of which 0.01 is due.
    let expected = [("0.00 BRL", "3.99 BRL"), ("0.01 USD", "0.00 USD")];
    assert_eq!(totals, expected.map(|(due, collected)| (due.to_owned(), collected.to_owned())));
    for line in &document.lines {
        let explanation = billing.explain(line).await;
        assert_eq!(explanation.usage.len() as i64, line.quantity);
        assert!(explanation.steps.iter().any(|step| step.finds == Finds::Exact));
    }

    // It can be issued once November is over, and stays as it is.
    let early = billing.invoice(issue(), noon()).await.unwrap_err();
    assert!(matches!(early, invoice::Rejection::PeriodNotOver { .. }), "{early}");
    let later = november().until() + GRACE_MS;
    let events = billing.invoice(issue(), later).await.unwrap();
    let [invoice::Event::InvoiceIssued(issued)] = &events[..] else { panic!("{events:?}") };
    let (row, read) = billing.read(PERIOD).await;
    assert_eq!((row.number, &row.hash, &read), (Some(1), &issued.document_hash, &issued.document));
    assert_eq!(billing.invoice(issue(), later).await.unwrap(), []);
}

#[tokio::test]
async fn what_does_not_bear_on_usage_is_passed_over() {
    let read = ThreadEvent::MessageRead(conversation::MessageRead { message: "m-1".into(), seq: 1, read_at: noon() });
    assert_eq!(asked(&read, 1), None);
    let resumed = payments::RegimeResumed { regime: "BR-trial-2020".into() };
    assert_eq!(asked(&payments::Event::RegimeResumed(resumed), 1), None);
    let sources: Vec<_> = processes::usage().sources().iter().map(ToString::to_string).collect();
    assert_eq!(sources, ["conversation", "payments"]);
}

#[tokio::test]
async fn usage_that_comes_while_an_invoice_is_made_is_on_the_next_draft() {
    let mut billing = Billing::new();
    for seq in 1..=3 {
        let messages = vec![charged(seq, "BR", noon())];
        let source_lane = "conversation/0".into();
        let input = UsageInput::Record { source_lane, from_seq: seq, to_seq: seq, messages, payment_fees: vec![] };
        billing.record(&month_of(PERIOD), input).await;
    }
    // The log ended at 2 when it was asked, and rows went on.
    let usage = month_usage(&billing.store, 2);
    let gathered = usage.of(&shop(), PERIOD).await.unwrap();
    assert_eq!((gathered.tally.count(), gathered.position), (2, FactPosition { lane: 1, lane_seq: 2 }));
    assert_eq!(usage.of(&TenantId::new("mumbai-bazaar").unwrap(), PERIOD).await.unwrap().tally.count(), 0);
    assert_eq!(usage.of(&shop(), "november").await.unwrap().tally.count(), 0);
}

#[tokio::test]
async fn a_projection_that_stays_behind_makes_no_invoice_smaller() {
    let usage = MonthUsage::new(Arc::new(ModelStore::new()), Ends::at(9, 0), Duration::from_millis(20));
    let error = usage.of(&shop(), PERIOD).await.unwrap_err();
    assert_eq!(error.to_string(), "the latest events of billing/1 are not here yet");
}

#[tokio::test]
async fn usage_of_a_moment_ago_is_waited_for() {
    let store = Arc::new(ModelStore::new());
    let usage = month_usage(&store, 1);
    let asked = tokio::spawn(async move { usage.of(&shop(), PERIOD).await });
    tokio::task::yield_now().await;
    store.apply(vec![], USAGE_PROJECTION, "billing/1", Checkpoint { lane_seq: 1, hint: 0 }).await.unwrap();
    assert_eq!(asked.await.unwrap().unwrap().tally.count(), 0);
}

#[tokio::test]
async fn what_is_delivered_and_not_entered_yet_makes_no_invoice_smaller() {
    let usage = MonthUsage::new(Arc::new(ModelStore::new()), Ends::at(0, 9), Duration::from_millis(20));
    let error = usage.of(&shop(), PERIOD).await.unwrap_err();
    assert_eq!(error.to_string(), "what follows from conversation/1 is not done yet");
}

#[tokio::test]
async fn what_was_delivered_a_moment_ago_is_on_the_invoice() {
    let store = Arc::new(ModelStore::new());
    let ends = Ends::at(0, 1);
    let usage = MonthUsage::new(store.clone(), ends.clone(), Duration::from_secs(5));
    let asked = tokio::spawn(async move { usage.of(&shop(), PERIOD).await });
    tokio::task::yield_now().await;
    // It is entered, and then noted as followed.
    let mut billing = Billing { store: store.clone(), ..Billing::new() };
    let messages = vec![charged(1, "BR", noon())];
    let source_lane = "conversation/1".into();
    let input = UsageInput::Record { source_lane, from_seq: 1, to_seq: 1, messages, payment_fees: vec![] };
    billing.record(&month_of(PERIOD), input).await;
    ends.billing.store(1, Ordering::SeqCst);
    let processes = ProjectionId { name: "processes", version: 1 };
    let checkpoint = Checkpoint { lane_seq: 1, hint: 0 };
    store.apply(vec![], processes, "usage:conversation/1", checkpoint).await.unwrap();
    let gathered = asked.await.unwrap().unwrap();
    assert_eq!((gathered.tally.count(), gathered.position.lane_seq), (1, 1));
}

/// Items of two months from two lanes, at the edges of days too.
fn any_items() -> impl Strategy<Value = Vec<(UsedItem, &'static str)>> {
    let time = prop_oneof![
        november().from() - 86_400_000..november().until(),
        Just(november().from()),
        Just(november().from() - 1),
        Just(november().until() - 1),
    ];
    let message = (prop::sample::select(&["BR", "IN", "US"][..]), time.clone())
        .prop_map(|(country, at)| (UsedItem::Message(charged(0, country, at)), "conversation/0"));
    let fee = (0i64..1_000_000, time)
        .prop_map(|(minor, at)| (UsedItem::PaymentFee(fee(0, minor, minor / 25, minor * 399, at)), "payments/1"));
    prop::collection::vec(prop_oneof![message, fee], 1..25)
}

async fn check(items: Vec<(UsedItem, &'static str)>) {
    let mut billing = Billing::new();
    let mut all: BTreeMap<String, Vec<Used>> = BTreeMap::new();
    for ((item, source), seq) in items.into_iter().zip(1..) {
        let (mut messages, mut payment_fees) = (vec![], vec![]);
        let item = match item {
            UsedItem::Message(message) => UsedItem::Message(MessageUsage { seq, ..message }),
            UsedItem::PaymentFee(fee) => UsedItem::PaymentFee(PaymentFeeUsage { seq, ..fee }),
        };
        let period = Month::of(item.at()).unwrap().to_string();
        all.entry(period.clone()).or_default().push(Used { source_lane: source.into(), item: item.clone() });
        match item {
            UsedItem::Message(message) => messages.push(message),
            UsedItem::PaymentFee(fee) => payment_fees.push(fee),
        }
        let source_lane = source.into();
        let input = UsageInput::Record { source_lane, from_seq: seq, to_seq: seq, messages, payment_fees };
        billing.record(&month_of(&period), input).await;
    }
    for (period, used) in all {
        let tally = Tally::of(&used).unwrap();
        let usage = month_usage(&billing.store, billing.lane_seq as u64);
        assert_eq!(usage.of(&shop(), &period).await.unwrap().tally, tally);
        let state = &billing.usage[&period];
        assert_eq!((state.count, state.fingerprint), (tally.count(), tally.fingerprint()));
        // Drafted, used on, drafted again, issued: rows are what the last event says, and nothing of the first is left.
        billing.invoice(InvoiceInput::Draft { period: period.as_str().into() }, noon()).await.unwrap();
        let at = Month::parse(&period).unwrap().until() - 1;
        let messages = vec![charged(1_000, "DE", at)];
        let source_lane = "conversation/0".into();
        let (from_seq, to_seq) = (1_000, 1_000);
        let input = UsageInput::Record { source_lane, from_seq, to_seq, messages, payment_fees: vec![] };
        billing.record(&month_of(&period), input).await;
        let later = november().until() + GRACE_MS;
        let stale = billing.invoice(InvoiceInput::Issue { period: period.as_str().into() }, later).await.unwrap_err();
        assert!(matches!(stale, invoice::Rejection::DraftStale { .. }), "{stale}");
        for input in [
            InvoiceInput::Draft { period: period.as_str().into() },
            InvoiceInput::Issue { period: period.as_str().into() },
        ] {
            let events = billing.invoice(input, later).await.unwrap();
            let (number, document) = match &events[0] {
                invoice::Event::InvoiceDrafted(drafted) => (None, &drafted.document),
                invoice::Event::InvoiceIssued(issued) => (Some(issued.number), &issued.document),
            };
            let (row, read) = billing.read(&period).await;
            assert_eq!((row.number, &read), (number, document));
            for line in &read.lines {
                assert_eq!(billing.explain(line).await.usage.len() as i64, line.quantity);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_rows_of_usage_and_invoices_are_what_their_events_say(items in any_items()) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(check(items));
    }
}
