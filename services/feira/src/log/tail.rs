//! `feira log tail`: the last records, and each new one as it comes.

use std::io::{self, Write};
use std::process::ExitCode;

use feira_gateway::LogQuery;
use futures::stream::{FuturesUnordered, SelectAll};
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;

use super::{Source, closed, record};
use crate::cli::{LogTail, Output};
use crate::failure::Failure;

/// Shows the last records, and new ones until interrupted.
pub async fn tail(args: LogTail, output: Output) -> Result<ExitCode, Failure> {
    let source = Source::of(&args.log).await?;
    let follow = match &source {
        Source::Here(_, shared) => *shared,
        Source::Running(_) => true,
    };
    let asked = LogQuery { service: args.service.clone(), lane: args.lane, ..LogQuery::default() };
    let ends: Vec<Value> = source.read(LogQuery { ends: true, ..asked.clone() }).await?.try_collect().await?;
    // Each lane has an end of its own, so each is asked for by itself.
    let lanes = ends.iter().filter_map(|end| {
        let service = end.get("service")?.as_str()?.to_owned();
        let lane = u32::try_from(end.get("lane")?.as_u64()?).ok()?;
        Some((service, lane, end.get("last_seq")?.as_u64()?))
    });
    let reads: FuturesUnordered<_> = lanes
        .map(|(service, lane, last)| {
            let from = Some((last + 1).saturating_sub(args.last));
            let to = (!follow).then_some(last);
            source.read(LogQuery { service: Some(service), lane: Some(lane), from, to, follow, ..LogQuery::default() })
        })
        .collect();
    let streams: Vec<_> = reads.try_collect().await?;
    let mut lines: SelectAll<_> = streams.into_iter().collect();
    let mut out = io::stdout().lock();
    loop {
        let line = tokio::select! {
            line = lines.next() => line,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.map_err(|error| Failure::because("cannot wait for an interrupt", error))?;
                None
            }
        };
        let Some(line) = line else { return Ok(ExitCode::SUCCESS) };
        let line = line?;
        let written = match output {
            Output::Json => writeln!(out, "{line}"),
            Output::Text => writeln!(out, "{}", record(&line)),
        };
        if let Err(error) = written.and_then(|()| out.flush()) {
            return closed(error);
        }
    }
}
