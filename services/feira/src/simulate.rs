//! `feira simulate`: the platform on a made-up clock under the faults of many seeds, told to people or machines.

use std::io::{self, Write};
use std::process::ExitCode;

use feira_simulation::{Outcome, Tally};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::cli::{Output, Simulate};
use crate::failure::Failure;

/// Runs the seeds one after the other, and says what was seen.
pub async fn simulate(args: Simulate, output: Output) -> Result<ExitCode, Failure> {
    // A run has a thread of its own, and its own time on it.
    let done = tokio::task::spawn_blocking(move || run(&args, output)).await;
    done.map_err(|error| Failure::because("the simulation itself failed", error))?
}

fn run(args: &Simulate, output: Output) -> Result<ExitCode, Failure> {
    let bar = progress(args.seeds, output);
    let (mut total, mut wrong) = (Tally::default(), Vec::new());
    for seed in args.from..args.from.saturating_add(args.seeds) {
        let outcome = feira_simulation::simulate(seed);
        total.add(&outcome.tally);
        if !outcome.faults.is_empty() {
            bar.suspend(|| tell(&outcome, output))?;
            wrong.push(seed);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    sum_up(args, &total, &wrong, output)?;
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A seed with which something is wrong.
fn tell(outcome: &Outcome, output: Output) -> Result<(), Failure> {
    let Outcome { seed, faults, .. } = outcome;
    let again = format!("feira simulate --seeds 1 --from {seed}");
    match output {
        Output::Json => print(&json!({ "seed": seed, "faults": faults, "again": again }).to_string()),
        Output::Text => {
            let faults: String = faults.iter().map(|fault| format!("\n  {fault}")).collect();
            print(&format!("WRONG  seed {seed}:{faults}\n  again: {again}"))
        }
    }
}

fn sum_up(args: &Simulate, total: &Tally, wrong: &[u64], output: Output) -> Result<(), Failure> {
    if output == Output::Json {
        return print(&json!({ "seeds": args.seeds, "from": args.from, "wrong": wrong, "total": total }).to_string());
    }
    let mut lines = vec!["faults injected".to_owned()];
    lines.extend(total.faults.iter().map(|(kind, count)| format!("{count:>12}  {kind}")));
    let Tally { commands, accepted, refused, unknown, lost, twice, records, longest_ms, seconds, .. } = total;
    lines.push("seen by clients".to_owned());
    let figures = [
        (commands, "commands sent"),
        (accepted, "acknowledged as accepted"),
        (refused, "acknowledged as refused"),
        (unknown, "given up without an answer"),
        (lost, "acknowledged and lost"),
        (twice, "decided twice"),
        (records, "records on the log"),
        (longest_ms, "ms of simulated time was the longest stall of a command"),
        (seconds, "s of simulated time altogether"),
    ];
    lines.extend(figures.into_iter().map(|(count, what)| format!("{count:>12}  {what}")));
    let seeds = args.seeds;
    lines.push(match wrong {
        [] => format!("{seeds} seeds from {}: nothing is wrong with any", args.from),
        wrong => format!("{seeds} seeds from {}: something is wrong with {}", args.from, wrong.len()),
    });
    print(&lines.join("\n"))
}

fn print(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::because("cannot write", error)),
        _ => Ok(()),
    }
}

/// How far it is, on standard error where a person looks on.
fn progress(seeds: u64, output: Output) -> ProgressBar {
    let bar = ProgressBar::new(seeds);
    if output == Output::Json {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {pos}/{len} seeds  {elapsed}")
        .expect("the template names what the library has");
    bar.with_style(style)
}
