//! `feira log`: the records of a log, wherever it is.

mod export;
mod show;
mod tail;

pub use export::export;
pub use show::show;
pub use tail::tail;

use std::io;
use std::process::ExitCode;
use std::sync::Arc;

use feira_calendar::format_rfc3339;
use feira_event_log::EventLog;
use feira_gateway::{LogQuery, LogReader};
use feira_ids::Role;
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::cli::{At, LogAt};
use crate::client::Lines;
use crate::failure::Failure;
use crate::journal::Journal;
use crate::{client, token};

/// Where a log is read.
pub enum Source<'a> {
    /// In this process; whether others may be writing it meanwhile.
    Here(Arc<dyn EventLog>, bool),
    /// Through the running process that has it open.
    Running(&'a At),
}

impl<'a> Source<'a> {
    /// Finds out where: settings name servers, a folder that another process has open is read through it.
    pub async fn of(at: &'a LogAt) -> Result<Self, Failure> {
        #[cfg(feature = "deployed")]
        if let Some(config) = &at.config {
            let settings = crate::settings::Settings::read(config)?;
            let patience = std::time::Duration::from_secs(30);
            let log = crate::home::connect_log(settings.kafka, patience).await;
            let log = log.map_err(|error| Failure::because("cannot use Kafka", error))?;
            return Ok(Self::Here(log, true));
        }
        #[cfg(feature = "embedded")]
        if at.at.token.is_none() {
            if !at.at.data.join("log").is_dir() {
                let what = format!("there is no log in {}", at.at.data.display());
                let hint = "name the folder of `feira run` with --data, or give a --token";
                return Err(Failure::new(format!("{what}; {hint}")));
            }
            return match crate::home::open_log(&at.at.data) {
                Ok(log) => Ok(Self::Here(log, false)),
                Err(feira_event_log::LogError::Locked { .. }) => Ok(Self::Running(&at.at)),
                Err(error) => Err(Failure::because(format!("cannot open the log in {}", at.at.data.display()), error)),
            };
        }
        Ok(Self::Running(&at.at))
    }

    /// The lines for `query`.
    pub async fn read(&self, query: LogQuery) -> Result<Lines, Failure> {
        match self {
            Self::Here(log, _) => {
                let journal = Journal::new(log.clone(), CancellationToken::new());
                let lines = journal.read(query).await.map_err(Failure::new)?;
                Ok(lines.map_err(Failure::new).boxed())
            }
            Self::Running(at) => {
                let LogQuery { service, lane, from, to, count, ends, follow } = query;
                let mut path = format!("log?count={count}&ends={ends}&follow={follow}");
                let numbers = [("lane", lane.map(u64::from)), ("from", from), ("to", to)];
                let numbers = numbers.into_iter().filter_map(|(name, number)| Some((name, number?.to_string())));
                for (name, value) in service.map(|service| ("service", service)).into_iter().chain(numbers) {
                    path.push_str(&format!("&{name}={value}"));
                }
                ask(at, &path).await
            }
        }
    }
}

/// Asks the running process as an operator; what it says of a failure is one here.
pub async fn ask(at: &At, path: &str) -> Result<Lines, Failure> {
    let token = token::to_ask(at, Role::Operator, None)?;
    let url = format!("{}/v1/operator/{path}", at.url.trim_end_matches('/'));
    let answer = reqwest::Client::new().get(&url).bearer_auth(token).send().await;
    let lines = client::lines(&at.url, answer).await?;
    let failed = |line: &Value| line.pointer("/failed/reason").and_then(Value::as_str).map(Failure::new);
    Ok(lines.map(move |line| line.and_then(|line| failed(&line).map_or(Ok(line), Err))).boxed())
}

/// Whoever reads has seen enough, as `head` does.
pub fn closed(error: io::Error) -> Result<ExitCode, Failure> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Failure::because("cannot write", error))
    }
}

/// A record on one line, for people.
pub fn record(line: &Value) -> String {
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
