//! The one binary: the whole platform in one process, its services one by one, and what operators ask of them.
//!
//! Which log and which store are used is chosen here and nowhere else.

mod cli;
mod client;
mod failure;
mod import;
mod journal;
mod log_show;
mod telemetry;
mod token;

mod health;
mod home;
mod listen;
mod services;
mod stop;

#[cfg(feature = "embedded")]
mod run;
#[cfg(feature = "deployed")]
mod secret_file;
#[cfg(feature = "deployed")]
mod serve;
#[cfg(feature = "deployed")]
mod settings;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Import, Log, Verb};
use crate::failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    telemetry::start(cli.log_format);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::because("cannot start the process's threads", error).report(),
    };
    let done = runtime.block_on(async {
        match cli.verb {
            #[cfg(feature = "embedded")]
            Verb::Run(run) => run::run(run).await,
            #[cfg(feature = "deployed")]
            Verb::Serve(serve) => serve::serve(serve).await,
            Verb::Import { what: Import::Products(import) } => import::products(import).await,
            Verb::Log { what: Log::Show(show) } => log_show::show(show).await,
            Verb::Token(token) => token::token(token),
        }
    });
    // Threads that are in the middle of a wait for a server do not hold the process back.
    runtime.shutdown_background();
    match done {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
