//! Looks for each mutant, seed by seed, until a run catches it.
//!
//! Arguments: the most seeds for each, and the names of mutants where not all are wanted. Ends with 1 when one is not
//! caught.

use std::process::ExitCode;
use std::time::Instant;

use feira_simulation::{Mutant, choose, simulate};

/// The most seeds for each mutant.
const SEEDS: u64 = 2_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (numbers, names): (Vec<_>, Vec<_>) = arguments.iter().partition(|argument| argument.parse::<u64>().is_ok());
    let seeds = numbers.first().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    if let Some(unknown) = names.iter().find(|name| !Mutant::ALL.iter().any(|mutant| mutant.name() == name.as_str())) {
        let known: Vec<_> = Mutant::ALL.iter().map(|mutant| mutant.name()).collect();
        eprintln!("{unknown} is no mutant: they are {}", known.join(", "));
        return ExitCode::from(2);
    }
    let wanted = |mutant: &Mutant| names.is_empty() || names.iter().any(|name| name.as_str() == mutant.name());
    let mut missed = 0;
    for mutant in Mutant::ALL.into_iter().filter(wanted) {
        missed += u64::from(!is_caught(mutant, seeds));
    }
    println!("{missed} not caught");
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn is_caught(mutant: Mutant, seeds: u64) -> bool {
    choose(Some(mutant));
    let began = Instant::now();
    for seed in 1..=seeds {
        let outcome = simulate(seed);
        if let Some(fault) = outcome.faults.first() {
            let took = began.elapsed().as_secs_f64();
            println!("{mutant:24} caught by seed {seed} ({took:.1} s): {fault}");
            return true;
        }
    }
    println!("{mutant:24} NOT CAUGHT by {seeds} seeds ({:.1} s)", began.elapsed().as_secs_f64());
    false
}
