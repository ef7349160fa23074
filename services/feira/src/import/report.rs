//! What the gateway says of an import, as it comes, for people or for machines.

use std::io::{self, Write};

use indicatif::ProgressBar;
use serde_json::Value;

use crate::cli::Output;
use crate::failure::Failure;

/// Tells what comes of an import.
pub struct Report {
    output: Output,
    bar: ProgressBar,
    rows_refused: u64,
    done: Option<Value>,
    failed: Option<String>,
}

impl Report {
    /// Nothing has come yet.
    pub fn new(output: Output, bar: ProgressBar) -> Self {
        Self { output, bar, rows_refused: 0, done: None, failed: None }
    }

    /// Takes a line of the gateway's answer in. What a later gateway says and this one does not know is passed over.
    pub fn take(&mut self, line: &Value) {
        if let Some(progress) = line.get("progress") {
            self.bar.set_message(format!("{} rows", count(progress, "rows")));
            return;
        }
        if let Some(error) = line.get("error") {
            self.rows_refused += 1;
            self.say(line, &row(error));
        } else if let Some(done) = line.get("done") {
            self.done = Some(done.clone());
            self.bar.finish_and_clear();
            self.say(line, &summary(done));
        } else if let Some(failed) = line.get("failed") {
            let reason = failed.get("reason").and_then(Value::as_str).unwrap_or("the gateway did not say why");
            self.failed = Some(reason.to_owned());
        }
    }

    /// How many rows were refused, once the import is over.
    pub fn end(self) -> Result<u64, Failure> {
        self.bar.finish_and_clear();
        let again = "start it again, it goes on under the same run";
        match (self.done, self.failed) {
            (Some(_), None) => Ok(self.rows_refused),
            (_, Some(reason)) => Err(Failure::new(format!("the import broke off: {reason}; {again}"))),
            (None, None) => Err(Failure::new(format!("the import broke off; {again}"))),
        }
    }

    fn say(&self, line: &Value, text: &str) {
        let mut out = io::stdout();
        // An import goes on when nobody reads what it says any more, as behind `head`.
        let _unread = self.bar.suspend(|| match self.output {
            Output::Text => writeln!(out, "{text}"),
            Output::Json => writeln!(out, "{line}"),
        });
    }
}

fn count(object: &Value, key: &str) -> u64 {
    object.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn row(error: &Value) -> String {
    let reason = error.get("reason").and_then(Value::as_str).unwrap_or("refused");
    match error.get("column").and_then(Value::as_str) {
        Some(column) => format!("line {}, column {column}: {reason}", count(error, "line")),
        None => format!("line {}: {reason}", count(error, "line")),
    }
}

fn summary(done: &Value) -> String {
    let of = |key| count(done, key);
    format!(
        "{} rows: {} accepted ({} changed, {} as they were), {} refused",
        of("rows"),
        of("accepted"),
        of("changed"),
        of("unchanged"),
        of("refused"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report() -> Report {
        Report::new(Output::Json, ProgressBar::hidden())
    }

    #[test]
    fn refused_rows_are_counted_and_the_rest_is_done() {
        let mut report = report();
        report.take(&json!({"progress": {"rows": 1}}));
        report.take(&json!({"error": {"line": 3, "column": "price", "reason": "is missing"}}));
        report.take(&json!({"later": {}}));
        report.take(&json!({"done": {"rows": 2, "accepted": 1, "refused": 1}}));
        assert_eq!(report.end().unwrap(), 1);
    }

    #[test]
    fn an_answer_that_ends_too_soon_is_no_success() {
        let mut report = report();
        report.take(&json!({"progress": {"rows": 1}}));
        assert!(report.end().unwrap_err().to_string().contains("start it again"));
    }

    #[test]
    fn a_row_is_named_by_line_column_and_reason() {
        let error = json!({"line": 3, "column": "price", "reason": "is missing"});
        assert_eq!(row(&error), "line 3, column price: is missing");
    }
}
