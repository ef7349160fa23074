//! Load tests of a running platform: arrivals at a fixed rate, each delay measured from the intended start.
//!
//! A scenario is bounded in time, keeps to this machine, ends with a checker of what must hold, and says by the exit code
//! whether its thresholds were met: 0 they were; 1 one was not, or something does not hold; 2 the command line is not
//! understood.

mod asks;
mod check;
mod pace;
mod platform;
mod report;
mod scenario;
mod speaker;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::pace::Pace;
use crate::platform::Platform;
use crate::report::{Report, Thresholds};
use crate::scenario::{Chat, Purchase, Scenario};

/// Load tests of a platform on this machine.
#[derive(Debug, Parser)]
#[command(name = "feira-load", max_term_width = 110)]
struct Options {
    /// What is done over and over.
    #[arg(value_enum)]
    scenario: Which,
    /// How many times a second it begins, whatever became of those before.
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// For how many seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How many people take part.
    #[arg(long, default_value_t = 64)]
    people: usize,
    /// The 99th of 100 delays may be so many milliseconds.
    #[arg(long, default_value_t = 1_000)]
    p99_ms: u64,
    /// So many of 1,000 may fail.
    #[arg(long, default_value_t = 0)]
    failed_permille: u64,
    /// The binary of the platform.
    #[arg(long, default_value = "target/release/feira")]
    feira: PathBuf,
    /// A platform that runs already, on this machine; without it, one is started on a folder of its own.
    #[arg(long, requires = "data")]
    url: Option<String>,
    /// The data folder of the platform at --url.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where to write the report as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Which {
    /// A customer writes, the business answers, the customer has read it.
    Chat,
    /// A cart is filled, checked out, paid, and the order confirmed.
    Purchase,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("feira-load: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<bool, String> {
    let platform = match (&options.url, &options.data) {
        (Some(url), Some(data)) => Platform::there(&options.feira, url, data)?,
        _ => Platform::start(&options.feira)?,
    };
    let pace = Pace { rate: options.rate, lasts: Duration::from_secs(options.seconds) };
    let scenario: Box<dyn Scenario> = match options.scenario {
        Which::Chat => Box::new(Chat::set_up(&platform, options.people).await?),
        Which::Purchase => Box::new(Purchase::set_up(&platform, options.people).await?),
    };
    let scenario: std::sync::Arc<dyn Scenario> = scenario.into();
    eprintln!("{} a second for {} s", options.rate, options.seconds);
    let taken = pace::run(pace, scenario.clone()).await;
    eprintln!("checking");
    let held = check::check(&platform, &*scenario).await?;
    let thresholds =
        Thresholds { p99: Duration::from_millis(options.p99_ms), failed_permille: options.failed_permille };
    let report = Report::new(scenario.name(), pace, taken, thresholds, held);
    println!("{report}");
    if let Some(path) = &options.json {
        std::fs::write(path, report.json().to_string()).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(report.is_good())
}
