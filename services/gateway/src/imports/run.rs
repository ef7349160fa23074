//! One import from its first row to its last: reads, sends, waits, reports, and reads on no faster than that goes.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use feira_commands::stock;
use feira_ids::AggregateId;
use feira_runtime::{Answer, Command, Position};
use futures::stream::{BoxStream, FuturesUnordered};
use futures::{FutureExt, StreamExt, future::BoxFuture};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::Sender;
use uuid::Uuid;

use super::columns::Column;
use super::report::{self, Counts};
use super::rows::{Fault, GoodRow, Row, RowReader};
use crate::auth::Scope;
use crate::error::ApiError;
use crate::gateway::Gateway;
use crate::graphql::UserError;
use crate::send::{Addressed, Named, Outcome, outcome};

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// How much longer a row is tried than a command that somebody waits for, in milliseconds: a lane that changes hands, or
/// a broker that starts again, must not break an import off.
const PATIENCE_MS: i64 = 60_000;

/// The feed as it comes in.
pub(super) struct Incoming {
    bytes: BoxStream<'static, Result<Bytes, axum::Error>>,
    silence_max: Duration,
    ended: bool,
}

impl Incoming {
    pub(super) fn new(bytes: BoxStream<'static, Result<Bytes, axum::Error>>, silence_max: Duration) -> Self {
        Self { bytes, silence_max, ended: false }
    }

    /// Gives the reader what comes next; false when that was the end.
    pub(super) async fn read_into(&mut self, reader: &mut RowReader) -> Result<bool, ApiError> {
        if self.ended {
            return Ok(false);
        }
        match tokio::time::timeout(self.silence_max, self.bytes.next()).await {
            Ok(Some(Ok(bytes))) => {
                reader.push(&bytes);
                Ok(true)
            }
            Ok(Some(Err(_))) => Err(ApiError::BadInput("the feed broke off".to_owned())),
            Ok(None) => {
                self.ended = true;
                reader.end();
                Ok(false)
            }
            Err(_) => Err(ApiError::BadInput("the feed fell silent".to_owned())),
        }
    }
}

/// One import.
pub(super) struct Run {
    gateway: Arc<Gateway>,
    scope: Scope,
    run: Uuid,
    lines: Sender<Bytes>,
    counts: Counts,
    position: Position,
    /// The first twelve bytes of the hash of each id that went in.
    seen: BTreeSet<[u8; 12]>,
    told: Instant,
}

/// Why an import stops before its end.
enum Stop {
    /// Nobody reads the answer any more.
    ClientGone,
    /// It cannot go on.
    Failed(ApiError),
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

/// A row on its way: its line, its id, and what came of each thing that was asked for it.
type OnItsWay = BoxFuture<'static, (u64, String, Vec<Answer>)>;
type InFlight = FuturesUnordered<OnItsWay>;

impl Run {
    pub(super) fn new(gateway: Arc<Gateway>, scope: Scope, run: Uuid, lines: Sender<Bytes>) -> Self {
        let (counts, position) = (Counts::default(), Position::default());
        Self { gateway, scope, run, lines, counts, position, seen: BTreeSet::new(), told: Instant::now() }
    }

    pub(super) async fn drive(mut self, reader: RowReader, incoming: Incoming) {
        let (tenant, run) = (self.scope.tenant().clone(), self.run);
        let last = match self.read_and_send(reader, incoming).await {
            Ok(()) => {
                let Counts { rows, changed, refused, .. } = self.counts;
                tracing::info!(tenant.id = %tenant, import.run = %run, rows, changed, refused, "import done");
                report::done(&self.counts, &self.position.to_string())
            }
            Err(Stop::ClientGone) => {
                tracing::info!(tenant.id = %tenant, import.run = %run, rows = self.counts.rows, "import broke off");
                return;
            }
            Err(Stop::Failed(error)) => {
                tracing::warn!(tenant.id = %tenant, import.run = %run, rows = self.counts.rows, %error, "import stopped");
                report::failed(&self.counts, error.code(), &error.to_string())
            }
        };
        // Who has gone by now does not want the last line either.
        let _ = self.tell(last).await;
    }

    async fn read_and_send(&mut self, mut reader: RowReader, mut incoming: Incoming) -> Result<(), Stop> {
        self.tell(report::header(reader.ignored())).await?;
        let mut waiting: VecDeque<Row> = reader.take_rows().into();
        let mut in_flight = InFlight::new();
        let in_flight_max = self.gateway.config.import_in_flight_max.max(1);
        loop {
            // A sandbox's clock may be moved meanwhile; that a business has none is remembered.
            let ahead_ms = match waiting.front() {
                Some(_) => self.gateway.clock_offset_ms(self.scope.tenant()).await?,
                None => 0,
            };
            while in_flight.len() < in_flight_max
                && let Some(row) = waiting.pop_front()
            {
                self.counts.rows += 1;
                match row.and_then(|row| self.first_of_its_id(row)) {
                    Ok(row) => in_flight.push(self.send(row, ahead_ms)?),
                    Err(fault) => self.refuse(&fault).await?,
                }
            }
            if waiting.is_empty() && !incoming.ended {
                let client = self.lines.clone();
                tokio::select! {
                    biased;
                    () = client.closed() => return Err(Stop::ClientGone),
                    Some((line, id, answers)) = in_flight.next() => self.take(line, id, answers).await?,
                    more = incoming.read_into(&mut reader) => {
                        more?;
                        waiting.extend(reader.take_rows());
                    }
                }
            } else if let Some((line, id, answers)) = in_flight.next().await {
                self.take(line, id, answers).await?;
            } else if waiting.is_empty() {
                return Ok(());
            }
            // What has been decided meanwhile is taken without going round for each.
            while let Some(Some((line, id, answers))) = in_flight.next().now_or_never() {
                self.take(line, id, answers).await?;
            }
            if self.told.elapsed() >= PROGRESS_EVERY {
                self.told = Instant::now();
                self.tell(report::progress(&self.counts)).await?;
            }
        }
    }

    /// The row, unless an earlier one has its id.
    fn first_of_its_id(&mut self, row: GoodRow) -> Row {
        let mut key = [0; 12];
        key.copy_from_slice(&Sha256::digest(row.id.as_bytes())[..12]);
        if self.seen.insert(key) {
            return Ok(row);
        }
        let reason = "an earlier row of this feed has this id: only the first of them is considered";
        Err(Fault { id: Some(row.id), ..Fault::new(row.line, Some(Column::Id), "DOUBLED_ID", reason) })
    }

    fn send(&self, row: GoodRow, ahead_ms: i64) -> Result<OnItsWay, ApiError> {
        let GoodRow { line, id, input, on_hand } = row;
        let in_its_time = |command: Command| Command { clock_offset_ms: ahead_ms, wants_view: false, ..command };
        let put = in_its_time(self.command("product", input.operation(), line, &id, &input)?);
        let set = on_hand.map(|on_hand| {
            let input = stock::Input::Set { on_hand };
            self.command("stock", input.operation(), line, &id, &input).map(in_its_time)
        });
        let set = set.transpose()?;
        let commands = self.gateway.commands.clone();
        let sent = async move {
            let mut answers = vec![commands.ask(put).await];
            // What is no product has no stock.
            if let (Some(set), Some(Answer::Accepted(_))) = (set, answers.first()) {
                answers.push(commands.ask(set).await);
            }
            (line, id, answers)
        };
        Ok(sent.boxed())
    }

    /// What a row asks, under an id that the same row of the same run has again.
    fn command(
        &self,
        kind: &str,
        operation: &'static str,
        line: u64,
        id: &str,
        input: &impl Serialize,
    ) -> Result<Command, ApiError> {
        let key = format!("import:{}:{line}", self.run);
        let named = Named::new(&self.scope, operation, id, Some(&key))?;
        let named = named.map_err(|error| ApiError::BadInput(error.message))?;
        let aggregate = AggregateId::new(kind, id).map_err(|error| ApiError::BadInput(error.to_string()))?;
        let addressed = Addressed { scope: &self.scope, aggregate, operation, expected_version: None };
        let mut command = self.gateway.command(addressed, named, input, None)?;
        command.deadline_ms = command.deadline_ms.saturating_add(PATIENCE_MS);
        Ok(command)
    }

    /// Counts a row by what came of it: it is in once all that it asked for is.
    async fn take(&mut self, line: u64, id: String, answers: Vec<Answer>) -> Result<(), Stop> {
        let mut changed = false;
        for answer in answers {
            let refusal = match outcome(answer) {
                Ok(Outcome::Accepted(accepted)) => {
                    changed |= !accepted.events.is_empty();
                    self.position.merge(&accepted.position);
                    continue;
                }
                Ok(Outcome::Refused { error, position }) => {
                    position.iter().for_each(|position| self.position.merge(position));
                    error
                }
                Err(error @ (ApiError::BadInput(_) | ApiError::Internal { .. })) => {
                    UserError::new(error.code(), None, error.to_string())
                }
                Err(error) => return Err(Stop::Failed(error)),
            };
            let column = refusal.field.as_deref().and_then(Column::of_field);
            return self
                .refuse(&Fault { line, column, code: refusal.code, reason: refusal.message, id: Some(id) })
                .await;
        }
        self.counts.accepted += 1;
        if changed {
            self.counts.changed += 1
        } else {
            self.counts.unchanged += 1
        }
        Ok(())
    }

    async fn refuse(&mut self, fault: &Fault) -> Result<(), Stop> {
        self.counts.refused += 1;
        self.tell(report::error(fault)).await
    }

    /// Gives the client a line of the report. Who sends rows and reads nothing for as long counts as gone: else the two
    /// would wait for each other for ever.
    async fn tell(&self, line: Bytes) -> Result<(), Stop> {
        let silence_max = self.gateway.config.import_silence_max();
        match tokio::time::timeout(silence_max, self.lines.send(line)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Stop::ClientGone),
        }
    }
}
