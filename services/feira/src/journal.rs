//! The log as an operator reads it: each record as JSON, or how many there are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use feira_codec::{CodecError, Opened};
use feira_event_log::{EventLog, Hint, LogError, Resume};
use feira_gateway::{LogLine, LogLines, LogQuery, LogReader};
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::Store;
use feira_runtime::Chain;
use feira_verify::Progress;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::services;

/// How many records are read at a time, and how many lines wait for who takes them.
const AHEAD: usize = 256;
/// How long a record that must be there may take to be read.
const READ_WAIT: Duration = Duration::from_secs(10);
/// How long one that may come is waited for at a time: what leaving may take.
const FOLLOW_WAIT: Duration = Duration::from_millis(500);

/// Reads the log that this process has open.
pub struct Journal {
    log: Arc<dyn EventLog>,
    /// Whoever follows is let go when this is cancelled.
    stop: CancellationToken,
    /// The rows, where they are at hand and can be verified.
    rows: Option<Arc<dyn Store>>,
}

impl Journal {
    /// A window on `log`.
    pub fn new(log: Arc<dyn EventLog>, stop: CancellationToken) -> Self {
        Self { log, stop, rows: None }
    }

    /// The window of a process that has the rows at hand as well.
    pub fn with_rows(self, store: Arc<dyn Store>) -> Self {
        Self { rows: Some(store), ..self }
    }
}

#[async_trait]
impl LogReader for Journal {
    async fn read(&self, query: LogQuery) -> Result<LogLines, String> {
        let asked = query.service.as_deref();
        if let Some(unknown) = asked.filter(|service| services::known(service).is_none()) {
            let names: Vec<_> = services::names().collect();
            return Err(format!("there is no service {unknown:?}; there are {}", names.join(", ")));
        }
        let services: Vec<_> =
            services::names().filter(|name| asked.is_none_or(|asked| asked == *name)).map(ServiceName::new).collect();
        let (lines, received) = channel(AHEAD);
        let (log, stop) = (self.log.clone(), self.stop.clone());
        // The log's calls may wait for a disk or a server.
        tokio::task::spawn_blocking(move || {
            if let Err(error) = read_services(&log, &services, &query, &lines, &stop) {
                // Nobody is left to tell when the reader is gone.
                let _gone = lines.blocking_send(Err(Chain(&error).to_string()));
            }
        });
        Ok(ReceiverStream::new(received).boxed())
    }

    async fn verify(&self) -> Result<LogLines, String> {
        let Some(store) = &self.rows else {
            return Err("this process cannot verify: it has no rows at hand".to_owned());
        };
        let (lines, received) = channel(AHEAD);
        let (parts, stop) = (services::verified(self.log.clone(), store.clone()), self.stop.clone());
        tokio::spawn(async move {
            let told = lines.clone();
            let tell = move |progress: Progress| {
                // One that is not taken in time is no loss; who has left wants no more.
                let line = json!({ "progress": { "read": progress.read, "of": progress.of } });
                let _full = told.try_send(Ok(line));
                !told.is_closed() && !stop.is_cancelled()
            };
            let last = match feira_verify::verify(parts, feira_verify::Options::default(), tell).await {
                Ok(report) => Ok(json!({ "report": report })),
                Err(error) => Err(Chain(&error).to_string()),
            };
            let _gone = lines.send(last).await;
        });
        Ok(ReceiverStream::new(received).boxed())
    }
}

type Lines = Sender<Result<LogLine, String>>;

fn read_services(
    log: &Arc<dyn EventLog>,
    services: &[ServiceName],
    query: &LogQuery,
    lines: &Lines,
    stop: &CancellationToken,
) -> Result<(), LogError> {
    let mut following = Vec::new();
    for service in services {
        let lanes = 0..log.lanes(service)?;
        for index in lanes.filter(|index| query.lane.is_none_or(|lane| lane == *index)) {
            let lane = LaneId::new(service, index);
            if query.ends {
                let end = json!({
                    "service": service.as_str(), "lane": index, "last_seq": log.last_seq(&lane)?, "log": log.log_id(),
                });
                if lines.blocking_send(Ok(end)).is_err() {
                    return Ok(());
                }
            } else if query.follow {
                let (log, lines, stop) = (log.clone(), lines.clone(), stop.clone());
                let from = query.from.unwrap_or(log.last_seq(&lane)? + 1).max(1);
                let name = format!("follow-{lane}");
                let follow = move || {
                    if let Err(error) = follow_lane(&*log, &lane, from, &lines, &stop) {
                        let _gone = lines.blocking_send(Err(Chain(&error).to_string()));
                    }
                };
                let thread = std::thread::Builder::new().name(name).spawn(follow);
                following.push(thread.map_err(|source| LogError::Unavailable {
                    what: "no thread can be started to follow a lane".to_owned(),
                    source: Some(Box::new(source)),
                })?);
            } else if !read_lane(&**log, &lane, query, lines)? {
                return Ok(());
            }
        }
    }
    for thread in following {
        if thread.join().is_err() {
            tracing::error!("following a lane failed in the program");
        }
    }
    Ok(())
}

/// Gives a lane's records from `from` on as they come, until nobody listens or the process ends.
fn follow_lane(
    log: &dyn EventLog,
    lane: &LaneId,
    from: u64,
    lines: &Lines,
    stop: &CancellationToken,
) -> Result<(), LogError> {
    let mut reader = log.reader(lane, Resume { next_seq: from, hint: Hint(0) })?;
    while !lines.is_closed() && !stop.is_cancelled() {
        for record in reader.read(AHEAD, FOLLOW_WAIT)? {
            if lines.blocking_send(Ok(line(lane, record.lane_seq, feira_codec::open(&record.value)))).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Reads a lane up to where it ended when it was begun; answers whether anybody still listens.
fn read_lane(log: &dyn EventLog, lane: &LaneId, query: &LogQuery, lines: &Lines) -> Result<bool, LogError> {
    let end = log.last_seq(lane)?.min(query.to.unwrap_or(u64::MAX));
    let from = query.from.unwrap_or(1).max(1);
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    let mut at = from - 1;
    let mut reader = log.reader(lane, Resume { next_seq: from, hint: Hint(0) })?;
    while at < end {
        let records = reader.read(AHEAD, READ_WAIT)?;
        if records.is_empty() {
            return Err(LogError::Unavailable {
                what: format!("record {} of lane {lane} did not come", at + 1),
                source: None,
            });
        }
        for record in records.into_iter().take_while(|record| record.lane_seq <= end) {
            at = record.lane_seq;
            let opened = feira_codec::open(&record.value);
            if query.count {
                let name = opened.map_or_else(|_| "unreadable".to_owned(), |opened| opened.name.to_owned());
                *counted.entry(name).or_default() += 1;
            } else if lines.blocking_send(Ok(line(lane, record.lane_seq, opened))).is_err() {
                return Ok(false);
            }
        }
    }
    if query.count {
        let records: u64 = counted.values().sum();
        let count =
            json!({ "service": lane.service.as_str(), "lane": lane.index, "records": records, "by_type": counted });
        return Ok(lines.blocking_send(Ok(count)).is_ok());
    }
    Ok(true)
}

/// A record as an operator sees it. What is sealed stays sealed.
fn line(lane: &LaneId, lane_seq: u64, opened: Result<Opened, CodecError>) -> Value {
    let read = opened.and_then(|opened| {
        let event = opened.to_json()?;
        Ok((opened, event))
    });
    match read {
        Ok((opened, event)) => json!({
            "service": lane.service.as_str(),
            "type": opened.name,
            "version": opened.version,
            "meta": opened.meta,
            "event": event,
        }),
        Err(error) => json!({
            "service": lane.service.as_str(),
            "lane": lane.index,
            "lane_seq": lane_seq,
            "unreadable": error.to_string(),
        }),
    }
}
