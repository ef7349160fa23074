//! `feira verify`: what the log proves, told to people or machines.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use feira_verify::{Options, Parts, Progress, Report, verify as judge};
use futures::StreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::cli::{LogAt, Output, Verify};
use crate::failure::Failure;
use crate::log::{Source, ask};
use crate::services;

/// For how many events' rows there is memory where nothing else is said.
pub const EVENTS_A_PASS: u64 = 250_000;

/// Verifies, and says what was found.
pub async fn verify(args: Verify, output: Output) -> Result<ExitCode, Failure> {
    let bar = progress(output);
    let found = found(&args, &bar).await;
    bar.finish_and_clear();
    tell(&found?, output)
}

/// The report of a verification, wherever log and rows are.
pub async fn found(args: &Verify, bar: &ProgressBar) -> Result<Value, Failure> {
    let options = Options { events_a_pass: args.events_a_pass, catch_up: Duration::from_secs(10) };
    let Some(parts) = parts(&args.log).await? else {
        return through(&args.log, bar).await;
    };
    let shown = bar.clone();
    let tell = move |progress: Progress| {
        shown.set_length(progress.of);
        shown.set_position(progress.read);
        true
    };
    let report: Report = judge(parts, options, tell).await.map_err(|error| Failure::because("cannot verify", error))?;
    serde_json::to_value(report).map_err(|error| Failure::because("cannot write the report", error))
}

/// Log and rows, where this process reads them itself.
async fn parts(at: &LogAt) -> Result<Option<Parts>, Failure> {
    #[cfg(feature = "deployed")]
    if let Some(config) = &at.config {
        let settings = crate::settings::Settings::read(config)?;
        // What a process keeps in its folder is not looked at.
        let (home, _) = crate::home::Home::deployed(&settings, std::path::Path::new(".")).await?;
        return Ok(Some(services::verified(home.log, home.store)));
    }
    match Source::of(at).await? {
        #[cfg(feature = "embedded")]
        Source::Here(log, _) => {
            let store = crate::home::open_store(&at.at.data)?;
            Ok(Some(services::verified(log, store)))
        }
        #[cfg(not(feature = "embedded"))]
        Source::Here(..) => Ok(None),
        Source::Running(_) => Ok(None),
    }
}

/// The report of the running process.
async fn through(at: &LogAt, bar: &ProgressBar) -> Result<Value, Failure> {
    let mut lines = ask(&at.at, "verify").await?;
    while let Some(line) = lines.next().await {
        let line = line?;
        if let Some(progress) = line.get("progress") {
            let number = |key| progress.get(key).and_then(Value::as_u64).unwrap_or(0);
            bar.set_length(number("of"));
            bar.set_position(number("read"));
        } else if let Some(report) = line.get("report") {
            return Ok(report.clone());
        }
    }
    Err(Failure::new("the verification broke off; ask again"))
}

/// Writes a report; the exit code says whether all is as it must be.
fn tell(report: &Value, output: Output) -> Result<ExitCode, Failure> {
    let sound = is_sound(report);
    let mut out = io::stdout().lock();
    let written = match output {
        Output::Json => writeln!(out, "{}", json!({ "sound": sound, "report": report })),
        Output::Text => writeln!(out, "{}", text(report)),
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::because("cannot write", error)),
        _ => Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
    }
}

/// Whether a report has no fault.
pub fn is_sound(report: &Value) -> bool {
    report["faults_by_check"].as_object().is_some_and(serde_json::Map::is_empty)
}

/// A report for people.
pub fn text(report: &Value) -> String {
    match serde_json::from_value::<Report>(report.clone()) {
        Ok(report) => report.to_string(),
        // A later release's report has what this one does not know.
        Err(_) => format!("{report:#}"),
    }
}

/// How far it is, on standard error where a person looks on.
pub fn progress(output: Output) -> ProgressBar {
    let bar = ProgressBar::new(0);
    if output == Output::Json {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {pos}/{len} records  {elapsed}")
        .expect("the template names what the library has");
    bar.with_style(style)
}
