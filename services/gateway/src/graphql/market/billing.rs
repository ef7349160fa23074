//! Invoices: what a business owes the platform, and why.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use feira_commands::billing::{InvoiceInput, InvoiceView, InvoicesView, SERIES, UsageRef, Used, explain};
use feira_events::billing::{Line, Total};
use feira_money::MicroAmount;
use feira_rows::INVOICES_PROJECTION;
use feira_rows::billing::InvoiceRow;
use tokio::sync::OnceCell;

use super::mirrors::{ExplainFinds, InvoiceCategory, InvoiceClass, InvoiceComponent};
use super::{Command, count, or_refuse, payload};
use crate::auth::Scope;
use crate::error::ApiError;
use crate::graphql::products::page_cost;
use crate::graphql::scalars::{CurrencyCode, DateTime, Decimal, PositionText};
use crate::graphql::together::Share;
use crate::graphql::{Field, catch_up, field, gateway, node, scope};

/// About how many lines an invoice has, for the cost of a query.
const LINES_COST: usize = 20;

/// A month to bill.
#[derive(InputObject)]
pub(crate) struct InvoiceDraftInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    command_id: Option<String>,
    /// The month, as 2026-11.
    period: String,
}

/// A month whose draft is to become its invoice.
#[derive(InputObject)]
pub(crate) struct InvoiceIssueInput {
    /// Names this command for ever: sent again it gives the first answer. The Idempotency-Key header says the same.
    command_id: Option<String>,
    /// The month, as 2026-11.
    period: String,
}

/// A month's invoice: a draft until it has a number.
pub(crate) struct Invoice {
    scope: Scope,
    period: Arc<str>,
    number: Option<i64>,
    hash: String,
    from: i64,
    until: i64,
    card: String,
    parts: Share<Arc<str>, Arc<Parts>>,
}

/// What an invoice consists of, and, once a line is to be explained, the usage that its lines count.
struct Parts {
    totals: Vec<Total>,
    lines: Vec<Line>,
    used: OnceCell<Vec<Used>>,
}

impl Parts {
    fn new(totals: Vec<Total>, lines: Vec<Line>) -> Arc<Self> {
        Arc::new(Self { totals, lines, used: OnceCell::new() })
    }
}

impl Invoice {
    /// The invoice of a month; none while it is not drafted.
    pub(crate) async fn find(
        ctx: &Context<'_>,
        scope: Scope,
        period: &str,
        position: Option<&PositionText>,
    ) -> Result<Option<Self>, ApiError> {
        scope.reads_invoices()?;
        catch_up(ctx, position, INVOICES_PROJECTION).await?;
        let row = gateway(ctx).reads.invoice(&scope, period).await?;
        Ok(row.map(|row| Self::of_row(scope, row)))
    }

    /// An invoice that was read alone.
    fn of_row(scope: Scope, row: InvoiceRow) -> Self {
        let parts = Share::alone(row.period.clone());
        Self::with_parts(scope, row, parts)
    }

    /// Invoices that were read together.
    fn of_rows(scope: &Scope, rows: Vec<InvoiceRow>) -> Vec<Self> {
        let parts = Share::each(rows.iter().map(|row| row.period.clone()).collect());
        rows.into_iter().zip(parts).map(|(row, parts)| Self::with_parts(scope.clone(), row, parts)).collect()
    }

    fn with_parts(scope: Scope, row: InvoiceRow, parts: Share<Arc<str>, Arc<Parts>>) -> Self {
        Self {
            scope,
            period: row.period,
            number: row.number,
            hash: row.hash.to_string(),
            from: row.from,
            until: row.until,
            card: row.card.version.to_string(),
            parts,
        }
    }

    fn of_view(scope: Scope, view: InvoiceView) -> Self {
        let InvoiceView { number, document, hash } = view;
        Self {
            scope,
            parts: Share::known(document.period.clone(), Parts::new(document.totals, document.lines)),
            period: document.period,
            number,
            hash: hash.to_string(),
            from: document.from,
            until: document.until,
            card: document.card.version.to_string(),
        }
    }

    /// Read when they are first asked for; the totals and the lines are of one reading.
    async fn parts(&self, ctx: &Context<'_>) -> Result<&Arc<Parts>, ApiError> {
        let read = |periods| async move {
            let parts = gateway(ctx).reads.invoice_parts(&self.scope, periods).await?;
            Ok(parts.into_iter().map(|(totals, lines)| Parts::new(totals, lines)).collect())
        };
        self.parts.get(read).await
    }
}

/// A month's invoice: a draft until it has a number.
#[Object]
impl Invoice {
    /// The id that names it everywhere; its form is not to be relied on.
    pub(crate) async fn id(&self) -> ID {
        node::write("invoice", self.scope.tenant().as_str(), &self.period)
    }

    /// The month, as 2026-11.
    async fn period(&self) -> &str {
        &self.period
    }

    /// Its number, without a gap among the business's invoices; none while it is a draft.
    async fn number(&self) -> Option<i64> {
        self.number
    }

    /// The hash of what it says.
    async fn hash(&self) -> &str {
        &self.hash
    }

    /// When the month begins.
    async fn from(&self) -> DateTime {
        DateTime(self.from)
    }

    /// When the month ends.
    async fn until(&self) -> DateTime {
        DateTime(self.until)
    }

    /// The rate card that messages were priced from.
    async fn card(&self) -> &str {
        &self.card
    }

    /// What it comes to, by currency.
    async fn totals(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<InvoiceTotal>> {
        let parts = self.parts(ctx).await.map_err(ApiError::into_graphql)?;
        Ok(parts.totals.iter().map(InvoiceTotal::of).collect())
    }

    /// Its lines.
    #[graphql(complexity = "LINES_COST * child_complexity + 1")]
    async fn lines(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<InvoiceLine>> {
        let parts = self.parts(ctx).await.map_err(ApiError::into_graphql)?;
        let line = |line: &Line| InvoiceLine { scope: self.scope.clone(), line: line.clone(), parts: parts.clone() };
        Ok(parts.lines.iter().map(line).collect())
    }
}

/// What an invoice comes to in one currency.
#[derive(SimpleObject)]
pub(crate) struct InvoiceTotal {
    /// The currency.
    currency: CurrencyCode,
    /// The sum of the lines that are not paid yet.
    charged: Decimal,
    /// What rounding left over before and has come to whole units now.
    carried: Decimal,
    /// What is to be paid.
    due: Decimal,
    /// What was taken already, when payments were captured.
    collected: Decimal,
}

impl InvoiceTotal {
    fn of(total: &Total) -> Self {
        Self {
            currency: CurrencyCode(total.due.currency.code().to_owned()),
            charged: Decimal(total.charged.to_major()),
            carried: Decimal(total.carried.to_major()),
            due: Decimal(total.due.to_major()),
            collected: Decimal(total.collected.to_major()),
        }
    }
}

/// One line of an invoice: everything that was used under one rule.
pub(crate) struct InvoiceLine {
    scope: Scope,
    line: Line,
    /// The invoice's.
    parts: Arc<Parts>,
}

/// One line of an invoice: everything that was used under one rule.
#[Object]
impl InvoiceLine {
    /// Its name: the same rule in the same month has the same.
    async fn id(&self) -> ID {
        self.line.line_id.to_string().into()
    }

    /// What it is for.
    async fn component(&self) -> InvoiceComponent {
        self.line.component.into()
    }

    /// Whether that is charged.
    async fn class(&self) -> InvoiceClass {
        self.line.class.into()
    }

    /// To which country messages went.
    async fn country(&self) -> Option<&str> {
        self.line.country.as_deref()
    }

    /// What kind of messages.
    async fn category(&self) -> Option<InvoiceCategory> {
        self.line.category.map(Into::into)
    }

    /// How many.
    async fn quantity(&self) -> i64 {
        self.line.quantity
    }

    /// The price of one, exact; none where each has its own.
    async fn unit_price(&self) -> Option<Decimal> {
        let currency = self.line.amount.currency;
        self.line.unit_price_micro.map(|micro| Decimal(MicroAmount::new(micro, currency).to_major()))
    }

    /// The rate in percent, where the line is a share of payments.
    async fn rate_percent(&self) -> Option<Decimal> {
        self.line.rate_bp.map(|bp| Decimal(format!("{}.{:02}", bp / 100, bp % 100)))
    }

    /// What it comes to, exact.
    async fn exact(&self) -> Decimal {
        Decimal(MicroAmount::new(self.line.exact_micro, self.line.amount.currency).to_major())
    }

    /// What it comes to in whole units.
    async fn amount(&self) -> Decimal {
        Decimal(self.line.amount.to_major())
    }

    /// Its currency.
    async fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.line.amount.currency.code().to_owned())
    }

    /// Whether it is paid already.
    async fn collected(&self) -> bool {
        self.line.collected
    }

    /// Who says what it costs, and how sure that is.
    async fn source(&self) -> Option<String> {
        self.line.rule.as_ref().map(|rule| format!("{} (confidence: {})", rule.source, rule.confidence))
    }

    /// Worked out again from the usage it counts. An error when that comes to something else.
    async fn explain(&self, ctx: &Context<'_>) -> async_graphql::Result<InvoiceExplanation> {
        let explained = async {
            let read = || gateway(ctx).reads.used(&self.scope, &self.parts.lines);
            explain(&self.line, self.parts.used.get_or_try_init(read).await?)
                .map_err(|error| ApiError::internal("a line is not what its usage comes to", &error))
        };
        let explained = explained.await.map_err(ApiError::into_graphql)?;
        let step = |step: feira_commands::billing::Step| ExplainStep {
            finds: step.finds.into(),
            how: step.how.to_string(),
            value: step.value.to_string(),
        };
        Ok(InvoiceExplanation {
            usage: explained.usage.into_iter().map(ExplainUsage::of).collect(),
            steps: explained.steps.into_iter().map(step).collect(),
        })
    }
}

/// How a line comes about.
#[derive(SimpleObject)]
pub(crate) struct InvoiceExplanation {
    /// The events that it counts.
    usage: Vec<ExplainUsage>,
    /// The arithmetic, step by step.
    steps: Vec<ExplainStep>,
}

/// An event that a line counts.
#[derive(SimpleObject)]
pub(crate) struct ExplainUsage {
    /// The lane of the log on which it stands.
    lane: String,
    /// Its place there.
    seq: i64,
}

impl ExplainUsage {
    fn of(usage: UsageRef) -> Self {
        Self { lane: usage.source_lane.to_string(), seq: usage.seq }
    }
}

/// A step of the arithmetic.
#[derive(SimpleObject)]
pub(crate) struct ExplainStep {
    /// What it finds.
    finds: ExplainFinds,
    /// How.
    how: String,
    /// What it found.
    value: String,
}

payload! {
    /// What a change of an invoice answers.
    InvoicePayload,
    /// The invoice after it; none when it was refused.
    invoice: Invoice
}

pub(crate) struct BillingQuery;

/// What can be read of invoices.
#[Object]
impl BillingQuery {
    /// The invoices of the caller's business, the newest month first.
    #[graphql(complexity = "page_cost(first, None) * child_complexity + 1")]
    async fn invoices(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 when none is given.")] first: Option<i32>,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> async_graphql::Result<Vec<Invoice>> {
        let found = async {
            let scope = scope(ctx, None)?;
            let count = count(first)?;
            catch_up(ctx, position.as_ref(), INVOICES_PROJECTION).await?;
            let rows = gateway(ctx).reads.invoices(&scope, count).await?;
            Ok(Invoice::of_rows(&scope, rows))
        };
        found.await.map_err(ApiError::into_graphql)
    }

    /// A month's invoice of the caller's business; none while it is not drafted.
    async fn invoice(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The month, as 2026-11.")] period: String,
        #[graphql(desc = "See at least what had happened by then.")] position: Option<PositionText>,
    ) -> Field<Invoice> {
        let found = async {
            let scope = scope(ctx, None)?;
            Invoice::find(ctx, scope, &period, position.as_ref()).await
        };
        found.await.map_err(ApiError::into_graphql).transpose()
    }
}

pub(crate) struct BillingMutation;

/// What can be changed of invoices.
#[Object]
impl BillingMutation {
    /// Works out what a month comes to by now. A draft can be made anew until it is issued.
    async fn invoice_draft(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The month.")] input: InvoiceDraftInput,
    ) -> Field<InvoicePayload> {
        let InvoiceDraftInput { command_id, period } = input;
        field(change(ctx, command_id, InvoiceInput::Draft { period: period.into() }).await)
    }

    /// Makes a month's draft its invoice, which never changes again. Once the month is over.
    async fn invoice_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The month.")] input: InvoiceIssueInput,
    ) -> Field<InvoicePayload> {
        let InvoiceIssueInput { command_id, period } = input;
        field(change(ctx, command_id, InvoiceInput::Issue { period: period.into() }).await)
    }
}

async fn change(
    ctx: &Context<'_>,
    command_id: Option<String>,
    input: InvoiceInput,
) -> Result<InvoicePayload, ApiError> {
    let scope = scope(ctx, None)?;
    let command = Command::new(ctx, &scope, ("invoice", SERIES, "period"), input.operation(), command_id);
    let (view, rest) = or_refuse!(command, InvoicePayload).ask::<InvoicesView>(ctx, &input).await?;
    let (InvoiceInput::Draft { period } | InvoiceInput::Issue { period }) = &input;
    let latest = view.and_then(|view| view.latest).filter(|latest| latest.document.period == *period);
    let invoice = match latest {
        Some(latest) => Some(Invoice::of_view(scope.clone(), latest)),
        // Another month was drafted or issued since: this one is read.
        None if rest.user_errors.is_empty() => {
            let row = gateway(ctx).reads.invoice(&scope, period).await?;
            row.map(|row| Invoice::of_row(scope.clone(), row))
        }
        None => None,
    };
    Ok(InvoicePayload::of(invoice, rest))
}
