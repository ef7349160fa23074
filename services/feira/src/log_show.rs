//! `feira log show`: the records of the log, or how many there are.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use feira_calendar::format_rfc3339;
use feira_event_log::EventLog;
use feira_gateway::{LogQuery, LogReader};
use feira_ids::Role;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::Value;

use crate::cli::{LogShow, Output};
use crate::client::Lines;
use crate::failure::Failure;
use crate::journal::Journal;
use crate::{client, token};

/// Shows records, or how many there are.
pub async fn show(args: LogShow) -> Result<ExitCode, Failure> {
    let query = LogQuery { service: args.service.clone(), lane: args.lane, from: args.from, count: args.count };
    let mut lines = match log(&args).await? {
        Some(log) => {
            let lines = Journal(log).read(query).await.map_err(Failure::new)?;
            lines.map_err(Failure::new).boxed()
        }
        None => ask(&args, &query).await?,
    };
    let mut counts = Counts::default();
    let mut out = io::stdout().lock();
    while let Some(line) = lines.next().await {
        let line = line?;
        if let Some(reason) = line.pointer("/failed/reason").and_then(Value::as_str) {
            return Err(Failure::new(reason));
        }
        let written = if args.count {
            counts.take(&line);
            Ok(())
        } else {
            match args.output {
                Output::Json => writeln!(out, "{line}"),
                Output::Text => writeln!(out, "{}", record(&line)),
            }
        };
        if let Err(error) = written {
            return closed(error);
        }
    }
    if args.count {
        let written = match args.output {
            Output::Json => writeln!(out, "{}", serde_json::json!(counts.0)),
            Output::Text => counts.write(&mut out),
        };
        if let Err(error) = written {
            return closed(error);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whoever reads has seen enough, as `head` does.
fn closed(error: io::Error) -> Result<ExitCode, Failure> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Failure::because("cannot write", error))
    }
}

/// The log itself, where no running process has to be asked.
async fn log(args: &LogShow) -> Result<Option<Arc<dyn EventLog>>, Failure> {
    #[cfg(feature = "deployed")]
    if let Some(config) = &args.config {
        let settings = crate::settings::Settings::read(config)?;
        let patience = std::time::Duration::from_secs(30);
        let log = crate::home::connect_log(settings.kafka, patience).await;
        return log.map(Some).map_err(|error| Failure::because("cannot use Kafka", error));
    }
    #[cfg(feature = "embedded")]
    if args.at.token.is_none() {
        if !args.at.data.join("log").is_dir() {
            let what = format!("there is no log in {}", args.at.data.display());
            return Err(Failure::new(format!("{what}; name the folder of `feira run` with --data, or give a --token")));
        }
        return match crate::home::open_log(&args.at.data) {
            Ok(log) => Ok(Some(log)),
            Err(feira_event_log::LogError::Locked { .. }) => Ok(None),
            Err(error) => Err(Failure::because(format!("cannot open the log in {}", args.at.data.display()), error)),
        };
    }
    Ok(None)
}

async fn ask(args: &LogShow, query: &LogQuery) -> Result<Lines, Failure> {
    let token = token::to_ask(&args.at, Role::Operator, None)?;
    let mut url = format!("{}/v1/operator/log?count={}", args.at.url.trim_end_matches('/'), query.count);
    let numbers = [("lane", query.lane.map(u64::from)), ("from", query.from)];
    let service = query.service.iter().map(|service| ("service", service.clone()));
    for (name, value) in service.chain(numbers.into_iter().filter_map(|(name, n)| Some((name, n?.to_string())))) {
        url.push_str(&format!("&{name}={value}"));
    }
    let answer = reqwest::Client::new().get(&url).bearer_auth(token).send().await;
    client::lines(&args.at.url, answer).await
}

/// A record on one line, for people.
fn record(line: &Value) -> String {
    let text = |pointer: &str| match line.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    if let Some(reason) = line.get("unreadable") {
        return format!("{}/{}:{}  unreadable: {reason}", text("/service"), text("/lane"), text("/lane_seq"));
    }
    let at =
        line.pointer("/meta/at").and_then(Value::as_i64).and_then(|at| format_rfc3339(at).ok()).unwrap_or_default();
    let place = format!("{}/{}:{}", text("/service"), text("/meta/lane"), text("/meta/lane_seq"));
    let aggregate = match text("/meta/aggregate_seq") {
        seq if seq.is_empty() => text("/meta/aggregate"),
        seq => format!("{}#{seq}", text("/meta/aggregate")),
    };
    let who = format!("{} {}", text("/meta/tenant"), text("/meta/principal"));
    format!("{place:<14} {at}  {}  {aggregate}  {who}  {}", text("/type"), text("/event"))
}

/// How many records each service has.
#[derive(Default)]
struct Counts(BTreeMap<String, Count>);

/// How many records a service has. The same form as the reader in `schemas/python` prints.
#[derive(Default, Serialize)]
struct Count {
    events: u64,
    by_type: BTreeMap<String, u64>,
    lanes: BTreeMap<String, u64>,
}

impl Counts {
    fn take(&mut self, line: &Value) {
        let service = line.get("service").and_then(Value::as_str).unwrap_or_default();
        let count = self.0.entry(service.to_owned()).or_default();
        let records = line.get("records").and_then(Value::as_u64).unwrap_or(0);
        count.events += records;
        let lane = line.get("lane").map(ToString::to_string).unwrap_or_default();
        *count.lanes.entry(lane).or_default() += records;
        for (name, number) in line.get("by_type").and_then(Value::as_object).into_iter().flatten() {
            *count.by_type.entry(name.clone()).or_default() += number.as_u64().unwrap_or(0);
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for (service, count) in &self.0 {
            writeln!(out, "{service:<40} {:>12}", count.events)?;
            for (lane, records) in &count.lanes {
                writeln!(out, "  {:<38} {records:>12}", format!("lane {lane}"))?;
            }
            for (name, records) in &count.by_type {
                writeln!(out, "  {name:<38} {records:>12}")?;
            }
        }
        Ok(())
    }
}
