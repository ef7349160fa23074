//! The log as an operator reads it: each record as JSON, or how many there are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use feira_codec::{CodecError, EventSet, Opened};
use feira_event_log::{EventLog, Hint, LogError, Resume};
use feira_events::{cart, catalog, lane};
use feira_gateway::{LogLine, LogLines, LogQuery, LogReader};
use feira_ids::{LaneId, ServiceName};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::wrappers::ReceiverStream;

use crate::services::NAMES;

/// How many records are read at a time, and how many lines wait for who takes them.
const AHEAD: usize = 256;
/// How long a record that must be there may take to be read.
const READ_WAIT: Duration = Duration::from_secs(10);

/// Reads the log that this process has open.
pub struct Journal(pub Arc<dyn EventLog>);

#[async_trait]
impl LogReader for Journal {
    async fn read(&self, query: LogQuery) -> Result<LogLines, String> {
        let asked = query.service.as_deref();
        if let Some(unknown) = asked.filter(|service| !NAMES.contains(service)) {
            return Err(format!("there is no service {unknown:?}; there are {}", NAMES.join(" and ")));
        }
        let services: Vec<ServiceName> = NAMES
            .iter()
            .filter(|name| asked.is_none_or(|asked| asked == **name))
            .map(|name| ServiceName::new(name))
            .collect();
        let (lines, received) = channel(AHEAD);
        let log = self.0.clone();
        // The log's calls may wait for a disk or a server.
        tokio::task::spawn_blocking(move || {
            if let Err(error) = read_services(&*log, &services, &query, &lines) {
                // Nobody is left to tell when the reader is gone.
                let _gone = lines.blocking_send(Err(in_words(&error)));
            }
        });
        Ok(ReceiverStream::new(received).boxed())
    }
}

type Lines = Sender<Result<LogLine, String>>;

fn read_services(
    log: &dyn EventLog,
    services: &[ServiceName],
    query: &LogQuery,
    lines: &Lines,
) -> Result<(), LogError> {
    for service in services {
        let lanes = 0..log.lanes(service)?;
        for index in lanes.filter(|index| query.lane.is_none_or(|lane| lane == *index)) {
            if !read_lane(log, &LaneId::new(service, index), query, lines)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Reads a lane up to where it ended when it was begun; answers whether anybody still listens.
fn read_lane(log: &dyn EventLog, lane: &LaneId, query: &LogQuery, lines: &Lines) -> Result<bool, LogError> {
    let (from, end) = (query.from.unwrap_or(1).max(1), log.last_seq(lane)?);
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
        // The last read may have gone past the end.
        if at >= end {
            break;
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
        let event = body(&opened)?;
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

fn body(opened: &Opened) -> Result<Value, CodecError> {
    if lane::Event::names().contains(&opened.name) {
        return Ok(match opened.decode()? {
            lane::Event::LaneTaken(event) => json!(event),
            lane::Event::CommandOutcome(event) => json!(event),
        });
    }
    if catalog::Event::names().contains(&opened.name) {
        return Ok(match opened.decode()? {
            catalog::Event::ProductListed(event) => json!(event),
            catalog::Event::ProductDescribed(event) => json!(event),
            catalog::Event::ProductPriced(event) => json!(event),
            catalog::Event::ProductWithdrawn(event) => json!(event),
        });
    }
    Ok(match opened.decode()? {
        cart::Event::ItemAdded(event) => json!(event),
        cart::Event::QuantitySet(event) => json!(event),
        cart::Event::ItemRemoved(event) => json!(event),
        cart::Event::NoteSet(event) => json!(event),
        cart::Event::EditUndone(event) => json!(event),
    })
}

fn in_words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
