//! The lines of an import's answer.

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

use super::rows::Fault;

/// How far an import has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// Rows read.
    pub rows: u64,
    /// Rows that went in: what they say is what stands now.
    pub accepted: u64,
    /// Of those, the ones that changed something.
    pub changed: u64,
    /// Of those, the ones that said what stood already.
    pub unchanged: u64,
    /// Rows that did not go in, each told of in a line of its own.
    pub refused: u64,
}

fn line(value: &serde_json::Value) -> Bytes {
    Bytes::from(format!("{value}\n"))
}

/// The columns that are passed over.
pub(super) fn header(ignored: &[String]) -> Bytes {
    line(&json!({ "header": { "ignored": ignored } }))
}

pub(super) fn progress(counts: &Counts) -> Bytes {
    line(&json!({ "progress": counts }))
}

pub(super) fn error(fault: &Fault) -> Bytes {
    let Fault { line: at, column, code, reason, id } = fault;
    line(&json!({ "error": { "line": at, "column": column, "code": code, "reason": reason, "id": id } }))
}

/// The last line of an import that read its feed to the end.
pub(super) fn done(counts: &Counts, position: &str) -> Bytes {
    let mut done = json!(counts);
    done["position"] = json!(position);
    line(&json!({ "done": done }))
}

/// The last line of an import that could not go on. Sent again with the same run it takes up where it stood.
pub(super) fn failed(counts: &Counts, code: &str, reason: &str) -> Bytes {
    let mut failed = json!(counts);
    failed["code"] = json!(code);
    failed["reason"] = json!(reason);
    line(&json!({ "failed": failed }))
}
