//! `feira log show`: the records of the log, or how many there are.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use feira_gateway::LogQuery;
use futures::StreamExt;
use serde::Serialize;
use serde_json::Value;

use super::{Source, closed, record};
use crate::cli::{LogShow, Output};
use crate::failure::Failure;

/// Shows records, or how many there are.
pub async fn show(args: LogShow, output: Output) -> Result<ExitCode, Failure> {
    let LogShow { service, lane, from, count, log } = args;
    let query = LogQuery { service, lane, from, count, ..LogQuery::default() };
    let mut lines = Source::of(&log).await?.read(query).await?;
    let mut counts = Counts::default();
    let mut out = io::stdout().lock();
    while let Some(line) = lines.next().await {
        let line = line?;
        let written = if count {
            counts.take(&line);
            Ok(())
        } else {
            match output {
                Output::Json => writeln!(out, "{line}"),
                Output::Text => writeln!(out, "{}", record(&line)),
            }
        };
        if let Err(error) = written {
            return closed(error);
        }
    }
    if count {
        let written = match output {
            Output::Json => writeln!(out, "{}", serde_json::json!(counts.0)),
            Output::Text => counts.write(&mut out),
        };
        if let Err(error) = written {
            return closed(error);
        }
    }
    Ok(ExitCode::SUCCESS)
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
