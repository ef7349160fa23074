//! The one binary: the whole platform in one process, its services one by one, and what operators ask of them.
//!
//! Which log and which store are used is chosen here and nowhere else.

mod cli;
mod client;
mod demo;
mod failure;
mod import;
mod journal;
mod log;
mod telemetry;
mod token;
mod verify;

mod health;
mod home;
mod listen;
mod services;
mod stop;

#[cfg(feature = "deployed")]
mod config_check;
#[cfg(feature = "embedded")]
mod run;
#[cfg(feature = "deployed")]
mod secret_file;
#[cfg(feature = "deployed")]
mod serve;
#[cfg(feature = "deployed")]
mod settings;
#[cfg(feature = "simulate")]
mod simulate;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::cli::{Cli, Import, Log, Verb};
use crate::failure::Failure;

/// Gives memory back that is no longer used; how, is set in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    telemetry::start(cli.log_format, cli.verb.logs());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::because("cannot start the process's threads", error).report(),
    };
    let output = cli.output;
    let done = runtime.block_on(async {
        match cli.verb {
            #[cfg(feature = "embedded")]
            Verb::Run(run) => run::run(run, output).await,
            #[cfg(feature = "deployed")]
            Verb::Serve(serve) => serve::serve(serve, output).await,
            Verb::Import { what: Import::Products(import) } => import::products(import, output).await,
            Verb::Log { what: Log::Show(show) } => log::show(show, output).await,
            Verb::Log { what: Log::Tail(tail) } => log::tail(tail, output).await,
            Verb::Log { what: Log::Export(export) } => log::export(export, output).await,
            Verb::Verify(verify) => verify::verify(verify, output).await,
            Verb::Demo(demo) => demo::demo(demo, output).await,
            #[cfg(feature = "simulate")]
            Verb::Simulate(simulate) => simulate::simulate(simulate, output).await,
            #[cfg(feature = "deployed")]
            Verb::Config { what: cli::Config::Check { config } } => config_check::check(&config, output),
            Verb::Token(token) => token::token(token, output),
            Verb::Completions { shell } => {
                clap_complete::generate(shell, &mut Cli::command(), "feira", &mut std::io::stdout());
                Ok(ExitCode::SUCCESS)
            }
        }
    });
    // Threads that are in the middle of a wait for a server do not hold the process back.
    runtime.shutdown_background();
    match done {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
