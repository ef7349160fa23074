//! Figures in tables of one form, and how a benchmark ends.

use std::process::ExitCode;
use std::time::Duration;

use crate::goal::Reached;
use crate::{Goal, Round, SHARE_MIN, Spread};

/// What the figures of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things a second: more is better.
    PerSecond,
    /// Microseconds for one thing: less is better.
    Micros,
    /// Mebibytes: less is better.
    MiB,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::PerSecond => "per second",
            Self::Micros => "µs each",
            Self::MiB => "MiB",
        }
    }

    /// How well `ours` does beside `theirs`: above 1 is better than the reference, whatever is measured.
    fn shares(self, ours: &[f64], theirs: &[f64]) -> Spread {
        match self {
            Self::PerSecond => Spread::of_shares(ours, theirs),
            Self::Micros | Self::MiB => Spread::of_shares(theirs, ours),
        }
    }

    fn of(self, round: &Round) -> f64 {
        match self {
            Self::PerSecond => round.rate(),
            Self::Micros => round.each().as_secs_f64() * 1e6,
            Self::MiB => round.count as f64,
        }
    }
}

/// One line of a table.
#[derive(Debug)]
pub struct Row<'a> {
    name: String,
    rounds: &'a [Round],
    reference: Option<&'a [Round]>,
    goals: Vec<Goal>,
}

impl<'a> Row<'a> {
    /// What was measured, without a reference or a goal so far.
    pub fn new(name: impl Into<String>, rounds: &'a [Round]) -> Self {
        Self { name: name.into(), rounds, reference: None, goals: vec![] }
    }

    /// Beside its reference of the same rounds.
    pub fn beside(self, reference: &'a [Round]) -> Self {
        Self { reference: Some(reference), ..self }
    }

    /// With a goal.
    pub fn goal(mut self, goal: Goal) -> Self {
        self.goals.push(goal);
        self
    }
}

/// All that a benchmark has to say.
#[derive(Debug, Default)]
pub struct Report {
    table: String,
    unit: Option<Unit>,
    short: Vec<String>,
    behind: Vec<String>,
}

impl Report {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a table; `reference` says what its rows stand beside.
    pub fn table(&mut self, title: &str, unit: Unit, reference: &str) {
        self.table = title.to_owned();
        self.unit = Some(unit);
        println!("\n{title}");
        if !reference.is_empty() {
            println!("reference: {reference}");
        }
        let (unit, beside) = (unit.name(), "reference");
        println!("{:<34} {unit:>32} {:>10} {:>10} {beside:>32} {:>18}  goal", "", "p50", "p99", "ratio");
    }

    /// Adds a line to the table.
    ///
    /// # Panics
    /// When there is no table yet, or there are no rounds.
    pub fn row(&mut self, row: Row<'_>) {
        let line = self.line(row);
        println!("{}", line.trim_end());
    }

    fn line(&mut self, row: Row<'_>) -> String {
        let unit = self.unit.expect("a row is of a table");
        let figures = |rounds: &[Round]| rounds.iter().map(|round| unit.of(round)).collect::<Vec<_>>();
        let ours = figures(row.rounds);
        let theirs = row.reference.map(figures);
        let share = theirs.as_ref().map(|theirs| unit.shares(&ours, theirs));
        let reached = Reached {
            figure: Spread::of(ours.iter().copied()).median,
            p50: quantile(row.rounds, 0.5),
            p99: quantile(row.rounds, 0.99),
            share: share.map(|share| share.median),
        };
        let place = format!("{}, {}", self.table, row.name);
        let goals: Vec<String> = row
            .goals
            .iter()
            .map(|goal| {
                let words = goal.words();
                if goal.is_met(&reached) {
                    return format!("{words}: met");
                }
                self.short.push(format!("{place}: {words}"));
                format!("{words}: short")
            })
            .collect();
        if let Some(share) = reached.share.filter(|share| *share < SHARE_MIN) {
            self.behind.push(format!("{place}: {share:.3}"));
        }
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        format!(
            "{:<34} {:>32} {:>10} {:>10} {:>32} {:>18}  {}",
            row.name,
            spread(Spread::of(ours)),
            or_dash(reached.p50.map(time)),
            or_dash(reached.p99.map(time)),
            or_dash(theirs.map(|theirs| spread(Spread::of(theirs)))),
            or_dash(share.map(|share| format!("{:.2} ({:.2}–{:.2})", share.median, share.min, share.max))),
            goals.join("; ")
        )
    }

    /// Names what missed its goal and what fell behind its reference; the latter is a failure.
    pub fn end(self) -> ExitCode {
        println!();
        self.short.iter().for_each(|what| println!("short: {what}"));
        self.behind.iter().for_each(|what| println!("below {SHARE_MIN} of its reference: {what}"));
        if self.behind.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The median over the rounds of what so large a share took at most.
fn quantile(rounds: &[Round], share: f64) -> Option<Duration> {
    let each: Option<Vec<f64>> =
        rounds.iter().map(|round| Some(round.latencies.as_ref()?.at(share).as_secs_f64())).collect();
    each.map(|each| Duration::from_secs_f64(Spread::of(each).median))
}

fn spread(spread: Spread) -> String {
    format!("{} ({}–{})", number(spread.median), number(spread.min), number(spread.max))
}

/// A figure as people read it: thousands parted, three digits at least.
pub(crate) fn number(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut parted = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    parted
}

/// A time in milliseconds, or in microseconds where it is short.
pub(crate) fn time(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 0.1 { format!("{:.1} µs", ms * 1e3) } else { format!("{ms:.2} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rates(rates: [u64; 5]) -> Vec<Round> {
        rates.iter().map(|rate| Round::of(*rate, SECOND)).collect()
    }

    fn report(unit: Unit) -> Report {
        Report { table: "carts".to_owned(), unit: Some(unit), ..Report::default() }
    }

    #[test]
    fn a_line_has_the_figure_its_spread_the_reference_and_the_ratio() {
        let (ours, theirs) = (rates([900, 1_000, 1_100, 950, 1_050]), rates([2_000; 5]));
        let line = report(Unit::PerSecond).line(Row::new("64 connections", &ours).beside(&theirs));
        let words: Vec<&str> = line.split_whitespace().collect();
        let expected = "64 connections 1,000 (900–1,100) – – 2,000 (2,000–2,000) 0.50 (0.45–0.55)";
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn below_its_reference_a_benchmark_fails_and_says_where() {
        let mut report = report(Unit::PerSecond);
        report.line(Row::new("1", &rates([39; 5])).beside(&rates([100; 5])));
        report.line(Row::new("2", &rates([40; 5])).beside(&rates([100; 5])));
        assert_eq!(report.behind, ["carts, 1: 0.390"]);
        assert_eq!(report.end(), ExitCode::FAILURE);
    }

    #[test]
    fn a_missed_goal_is_told_and_no_failure() {
        let mut report = report(Unit::PerSecond);
        let line = report.line(Row::new("1", &rates([9; 5])).goal(Goal::AtLeast(10.0)).goal(Goal::AtMost(10.0)));
        assert!(line.ends_with("≥ 10.0: short; ≤ 10.0: met"), "{line}");
        assert_eq!(report.short, ["carts, 1: ≥ 10.0"]);
        assert_eq!(report.end(), ExitCode::SUCCESS);
    }

    #[test]
    fn of_time_less_is_better() {
        let mut report = report(Unit::Micros);
        let (ours, theirs) = (rates([100; 5]), rates([1_000; 5]));
        let line = report.line(Row::new("1", &ours).beside(&theirs));
        assert!(line.contains("0.10 (0.10–0.10)"), "{line}");
        assert_eq!(report.behind.len(), 1);
    }

    #[test]
    fn quantiles_are_the_median_of_the_rounds() {
        let ms = Duration::from_millis;
        let of = |took: u64| Round::timed(Duration::ZERO, 1, || ms(took));
        let found = quantile(&[of(3), of(90), of(4), of(2), of(5)], 0.99).unwrap();
        assert!((found.as_secs_f64() - 0.004).abs() < 0.000_01, "{found:?}");
        assert_eq!(quantile(&[of(3), Round::of(1, SECOND)], 0.5), None);
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        let written = [0.064, 4.25, 12.34, 123.4, 1_234.5, 1_234_567.0].map(number);
        assert_eq!(written, ["0.06", "4.25", "12.3", "123", "1,234", "1,234,567"]);
        assert_eq!(time(Duration::from_nanos(1_500)), "1.5 µs");
        assert_eq!(time(Duration::from_micros(420)), "0.42 ms");
    }
}
