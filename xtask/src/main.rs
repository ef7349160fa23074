//! The project's own tool: `cargo xtask tidy` checks that everything is in its place, `cargo xtask test` runs all tests,
//! `cargo xtask mutants` tries the simulation, `cargo xtask new-service` makes a service.

mod bench;
mod mutants;
mod scaffold;
mod servers;
mod test;
mod tidy;
mod tokens;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  tidy    checks the arrows between packages, the purity of domains, and every file's form
  test    runs all tests on every home, log and store, and says how many ran for each
  mutants takes out one protection after the other, and looks for a seed of the simulation that misses it: all, or
          those named: cargo xtask mutants no-fence
  bench   runs all benchmarks, or those of the packages named: cargo xtask bench feira-codec

  new-service <name>   makes a service in the form of the others: it builds, runs in both homes and passes the suites
  try-new-service      makes one in a copy of the tree, builds it and runs its tests; `test` does this too
";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => tidy(),
        ["bench", packages @ ..] => bench::run(&workspace::root(), packages),
        ["new-service", name] => scaffold::run(&workspace::root(), name),
        ["try-new-service"] => scaffold::trial(&workspace::root()),
        ["mutants", names @ ..] => mutants::run(&workspace::root(), names),
        ["test"] => test::run(&workspace::root()),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn tidy() -> ExitCode {
    match tidy::check(&workspace::root()) {
        Ok(findings) if findings.is_empty() => {
            println!("everything is in its place");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            findings.iter().for_each(|finding| println!("{finding}"));
            println!("{} out of place", findings.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
