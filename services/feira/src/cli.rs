//! What can be said on the command line.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Commerce in conversation, on an event log.
///
/// Exit codes: 0 done; 1 failed, and standard error says why, or `verify` found faults, each named on standard output;
/// 2 the command line is not understood; 3 done, but rows of a feed were refused, each named on standard output.
#[derive(Debug, Parser)]
#[command(name = "feira", version, max_term_width = 110)]
pub struct Cli {
    /// How log lines look on standard error. What is logged is set by FEIRA_LOG, as in `info,feira_runtime=debug`.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = "FEIRA_LOG_FORMAT")]
    pub log_format: LogFormat,
    /// How results look on standard output.
    #[arg(long, global = true, value_enum, default_value_t = Output::Text, env = "FEIRA_OUTPUT")]
    pub output: Output,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// How results look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For machines: one JSON object on each line.
    Json,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the whole platform in this process, on a log and store of its own, for this machine only.
    #[cfg(feature = "embedded")]
    Run(Run),
    /// Serve some of the services in this process, on Kafka and CQL.
    #[cfg(feature = "deployed")]
    Serve(Serve),
    /// Bring something in.
    Import {
        /// What.
        #[command(subcommand)]
        what: Import,
    },
    /// Look at the event log.
    Log {
        /// How.
        #[command(subcommand)]
        what: Log,
    },
    /// Prove from the log that it is whole, that money adds up, and that the rows are what a replay gives.
    ///
    /// The last record of each lane is pinned first, and all is judged up to there while the platform goes on. A folder
    /// that no process has open is read itself; otherwise the running process does it, as an operator asks. Progress
    /// goes to standard error, the report to standard output.
    ///
    /// Exit codes: 0 all is as it must be; 1 something is not, and each fault is named with lane, sequence and row, or it
    /// could not be found out, and standard error says why; 2 the command line is not understood.
    Verify(Verify),
    /// Play two purchases in two countries, from the first word to the issued invoice, and verify what they left.
    ///
    /// It speaks GraphQL to a running platform with the development key of --data. Each command's id is kept there in
    /// demo.json before it is sent: broken off and started again it finishes what was begun, and played again it changes
    /// nothing. Progress goes to standard error, what came of it to standard output.
    ///
    /// Exit codes: 0 it was played and all is as it must be; 1 it was not, and standard error says why; 2 the command
    /// line is not understood.
    Demo(Demo),
    /// Run the whole platform in one thread on a made-up clock, with everything going wrong that may, seed by seed.
    ///
    /// Processes die and sleep, lanes move, the network loses and doubles, the log and the store fail, as each seed draws
    /// it; what is on the log then is judged against what clients were told. A seed gives the same run each time. Each
    /// seed with which something is wrong is told with what it is and how to run it again; a table of all faults and
    /// commands comes last. Progress goes to standard error, all else to standard output; what the processes log is told
    /// only where FEIRA_LOG asks for it.
    ///
    /// Exit codes: 0 nothing is wrong with any seed; 1 something is; 2 the command line is not understood.
    #[cfg(feature = "simulate")]
    Simulate(Simulate),
    /// Look at the settings.
    #[cfg(feature = "deployed")]
    Config {
        /// How.
        #[command(subcommand)]
        what: Config,
    },
    /// Sign a token with the development key of a data folder. Such tokens are good on this machine only.
    Token(Token),
    /// Print what a shell needs to complete this command: `feira completions bash > /etc/bash_completion.d/feira`.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

impl Verb {
    /// What is logged where FEIRA_LOG says nothing else.
    pub fn logs(&self) -> &'static str {
        match self {
            // Thousands of processes that die tell thousands of times that they did.
            #[cfg(feature = "simulate")]
            Self::Simulate(_) => "off",
            _ => crate::telemetry::USUAL,
        }
    }
}

/// Prove that log and rows are sound.
#[derive(Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    pub log: LogAt,
    /// For how many events' rows there is memory, 2 KiB or so each: a longer log is replayed in several passes. It goes
    /// for what this process reads itself.
    #[arg(long, default_value_t = crate::verify::EVENTS_A_PASS, value_parser = clap::value_parser!(u64).range(1..))]
    pub events_a_pass: u64,
}

/// Play two purchases.
#[derive(Debug, Args)]
pub struct Demo {
    /// Play another instead of finishing the last.
    #[arg(long)]
    pub new: bool,
    #[command(flatten)]
    pub log: LogAt,
}

/// Run many seeds.
#[cfg(feature = "simulate")]
#[derive(Debug, Args)]
pub struct Simulate {
    /// How many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    pub from: u64,
}

/// How to look at the settings.
#[cfg(feature = "deployed")]
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Read the settings as `serve` does, and print them: the file, and the environment over it. Secrets are masked.
    ///
    /// Exit codes: 0 they can be used; 1 they cannot, and standard error says why: a key that nothing reads is an error.
    Check {
        /// The settings, as TOML.
        #[arg(long, value_name = "FILE", env = "FEIRA_CONFIG")]
        config: PathBuf,
    },
}

/// Run the whole platform in this process.
#[cfg(feature = "embedded")]
#[derive(Debug, Args)]
pub struct Run {
    /// The folder for everything that is kept; made where there is none.
    #[arg(long, default_value = "data", env = "FEIRA_DATA")]
    pub data: PathBuf,
    /// Where to listen; an address of this machine only, because the tokens are for development.
    #[arg(long, default_value = "127.0.0.1:8080", env = "FEIRA_LISTEN")]
    pub listen: std::net::SocketAddr,
}

/// Serve some of the services in this process.
#[cfg(feature = "deployed")]
#[derive(Debug, Args)]
pub struct Serve {
    /// Which.
    #[arg(required = true, value_parser = served())]
    pub services: Vec<String>,
    /// The settings, as TOML. FEIRA_<SECTION>_<KEY> in the environment overrides a key: FEIRA_KAFKA_BROKERS.
    #[arg(long, value_name = "FILE", env = "FEIRA_CONFIG")]
    pub config: PathBuf,
    /// The folder for what this process keeps; no two processes share one. Overrides `folder` in the settings.
    #[arg(long, env = "FEIRA_FOLDER")]
    pub folder: Option<PathBuf>,
}

/// What serves clients, and has no lanes.
#[cfg(feature = "deployed")]
pub const GATEWAY: &str = "gateway";

/// What a process can serve.
#[cfg(feature = "deployed")]
fn served() -> PossibleValuesParser {
    let gateway = PossibleValue::new(GATEWAY).help("GraphQL and the rest of what clients see");
    services().chain([gateway]).collect::<Vec<_>>().into()
}

/// The services that have a log to look at.
fn logged() -> PossibleValuesParser {
    services().collect::<Vec<_>>().into()
}

fn services() -> impl Iterator<Item = PossibleValue> {
    crate::services::ALL.iter().map(|known| PossibleValue::new(known.name).help(known.about))
}

/// What can be brought in.
#[derive(Debug, Subcommand)]
pub enum Import {
    /// Products of a feed: TSV, CSV or JSON Lines with the columns of Google Merchant and Meta feeds.
    ///
    /// Good rows go in; each of the others is named with line, column and reason. A row that changes nothing makes no
    /// event. Broken off and started again, the same file goes on under the same run and ends in the same state.
    ///
    /// Exit codes: 0 all rows are in; 1 broken off, start it again; 2 the command line is not understood; 3 done, but
    /// rows were refused.
    Products(ImportProducts),
}

/// Products of a feed.
#[derive(Debug, Args)]
pub struct ImportProducts {
    /// The feed; its name ends in .tsv, .txt, .csv, .jsonl or .ndjson.
    pub file: PathBuf,
    #[command(flatten)]
    pub at: At,
    /// The business whose feed it is. Without a token, one is signed with the development key.
    #[arg(long, env = "FEIRA_TENANT")]
    pub tenant: Option<String>,
}

/// Where a gateway is, and with what to ask it.
#[derive(Debug, Args)]
pub struct At {
    /// The gateway.
    #[arg(long, default_value = "http://127.0.0.1:8080", env = "FEIRA_URL")]
    pub url: String,
    /// The token to ask with; best given in the environment, where other users of the machine do not see it.
    #[arg(long, env = "FEIRA_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// The data folder, whose development key signs a token where none is given.
    #[arg(long, default_value = "data", env = "FEIRA_DATA")]
    pub data: PathBuf,
}

/// How to look at the event log.
#[derive(Debug, Subcommand)]
pub enum Log {
    /// Show records, or how many there are.
    ///
    /// A folder that no process has open is read itself; otherwise the running process is asked for it, as an operator.
    Show(LogShow),
    /// Show the last records, and go on with each new one until interrupted.
    ///
    /// A folder that no process has open grows no more: its last records are shown, and that is all.
    Tail(LogTail),
    /// Write records into files, one for each lane, a JSON object on each line.
    ///
    /// An export that was broken off goes on where it ended when it is started again; one that is complete takes in what
    /// came since. Which services and which range are kept with it: others need a folder of their own.
    Export(LogExport),
}

/// Show records, or how many there are.
#[derive(Debug, Args)]
pub struct LogShow {
    /// Only of this service.
    #[arg(long, value_parser = logged())]
    pub service: Option<String>,
    /// Only of this lane.
    #[arg(long)]
    pub lane: Option<u32>,
    /// Only from this place in each lane on.
    #[arg(long)]
    pub from: Option<u64>,
    /// Only how many there are, by service, lane and type.
    #[arg(long)]
    pub count: bool,
    #[command(flatten)]
    pub log: LogAt,
}

/// Show the last records, and go on with each new one.
#[derive(Debug, Args)]
pub struct LogTail {
    /// Only of this service.
    #[arg(long, value_parser = logged())]
    pub service: Option<String>,
    /// Only of this lane.
    #[arg(long)]
    pub lane: Option<u32>,
    /// How many of the last records of each lane to begin with.
    #[arg(long, default_value_t = 5)]
    pub last: u64,
    #[command(flatten)]
    pub log: LogAt,
}

/// Write records into files.
#[derive(Debug, Args)]
pub struct LogExport {
    /// The folder to write into; made where there is none.
    pub folder: PathBuf,
    /// Only of this service.
    #[arg(long, value_parser = logged())]
    pub service: Option<String>,
    /// Only from this place in each lane on.
    #[arg(long)]
    pub from: Option<u64>,
    /// Only up to this place in each lane.
    #[arg(long)]
    pub to: Option<u64>,
    /// Only what happened at or after this time, such as 2026-11-01T00:00:00Z.
    #[arg(long, value_parser = moment)]
    pub since: Option<i64>,
    /// Only what happened before this time.
    #[arg(long, value_parser = moment)]
    pub until: Option<i64>,
    #[command(flatten)]
    pub log: LogAt,
}

/// Which log.
#[derive(Debug, Args)]
pub struct LogAt {
    #[command(flatten)]
    pub at: At,
    /// Read the log on Kafka that these settings speak of.
    #[cfg(feature = "deployed")]
    #[arg(long, value_name = "FILE", env = "FEIRA_CONFIG")]
    pub config: Option<PathBuf>,
}

/// A time as milliseconds since 1970.
fn moment(text: &str) -> Result<i64, String> {
    feira_calendar::parse_rfc3339(text).map_err(|error| error.to_string())
}

/// Sign a token with the development key of a data folder.
#[derive(Debug, Args)]
pub struct Token {
    /// The data folder.
    #[arg(long, default_value = "data", env = "FEIRA_DATA")]
    pub data: PathBuf,
    /// What may be done with it.
    #[arg(long, value_enum)]
    pub role: RoleChoice,
    /// The business acted for; an agent, admin or analyst needs one, nobody else has one.
    #[arg(long)]
    pub tenant: Option<String>,
    /// Who: a person's or member's own id.
    #[arg(long, default_value = "dev")]
    pub subject: String,
    /// A consumer's country, two letters.
    #[arg(long, default_value = "BR")]
    pub country: String,
    /// For how many hours it is good.
    #[arg(long, default_value_t = 24)]
    pub hours: u32,
}

/// A role that a token can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleChoice {
    /// Shops.
    Consumer,
    /// Answers customers for a business.
    Agent,
    /// Sets a business up.
    Admin,
    /// Reads a business's figures.
    Analyst,
    /// Runs the platform.
    Operator,
}
