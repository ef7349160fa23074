//! What must hold afterwards, judged from the log by what the scenario was told.

use std::collections::HashMap;

use serde_json::Value;

use crate::platform::Platform;
use crate::scenario::Scenario;

/// What held, and what did not.
#[derive(Default)]
pub struct Held {
    /// What was looked at.
    pub checked: Vec<String>,
    /// What does not hold.
    pub broken: Vec<String>,
}

/// Exports the log and looks for everything that was acknowledged: it stands there, once, in the order in which it was
/// acknowledged. Then the platform proves the rest itself: sums, sequences, rows.
pub async fn check(platform: &Platform, scenario: &dyn Scenario) -> Result<Held, String> {
    let mut held = Held::default();
    let folder = tempfile::tempdir().map_err(|error| format!("no folder can be made: {error}"))?;
    let to = folder.path().join("log");
    let exported = platform.run(&["log", "export", &to.display().to_string(), "--output", "json"])?;
    if !exported.status.success() {
        return Err(format!("the log cannot be exported: {}", String::from_utf8_lossy(&exported.stderr)));
    }
    let claims = scenario.claims();
    let mut seen: HashMap<(String, String), u64> = HashMap::new();
    let mut threads: HashMap<String, Vec<String>> = HashMap::new();
    let files = std::fs::read_dir(&to).map_err(|error| error.to_string())?.filter_map(Result::ok);
    for file in files.filter(|file| file.path().extension().is_some_and(|ending| ending == "ndjson")) {
        let text = std::fs::read_to_string(file.path()).map_err(|error| error.to_string())?;
        for line in text.lines() {
            let record: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let name = record["type"].as_str().unwrap_or_default().to_owned();
            let Some((_, pointer)) = claims.events.iter().find(|(event, _)| *event == name) else { continue };
            let Some(id) = record["event"].pointer(pointer).and_then(Value::as_str) else { continue };
            *seen.entry((name, id.to_owned())).or_default() += 1;
            let thread = format!("{} {}", record["meta"]["tenant"], record["meta"]["aggregate"]);
            threads.entry(thread).or_default().push(id.to_owned());
        }
    }
    for (event, _) in &claims.events {
        let acknowledged = claims.acknowledged.iter().filter(|(of, _)| of == event);
        let (mut count, mut lost) = (0, 0);
        for (of, id) in acknowledged {
            count += 1;
            lost += u64::from(!seen.contains_key(&((*of).to_owned(), id.clone())));
        }
        if lost > 0 {
            held.broken.push(format!("{lost} of {count} acknowledged {event} are not on the log"));
        }
        held.checked.push(format!("{count} acknowledged {event} are on the log"));
    }
    let twice = seen.values().filter(|count| **count > 1).count();
    if twice > 0 {
        held.broken.push(format!("{twice} stand on the log more than once"));
    }
    held.checked.push(format!("{} events stand on it once", seen.len()));
    let mut ordered = 0;
    for told in &claims.ordered {
        let of = threads.values().find(|thread| told.first().is_some_and(|first| thread.contains(first)));
        let mut places = told.iter().map(|id| of.and_then(|thread| thread.iter().position(|there| there == id)));
        let places: Option<Vec<usize>> = places.by_ref().collect();
        match places {
            Some(places) if places.is_sorted() => ordered += 1,
            _ => held.broken.push(format!("a thread does not have its {} messages in the order told", told.len())),
        }
    }
    if !claims.ordered.is_empty() {
        held.checked.push(format!("{ordered} threads are in the order told"));
    }
    let verified = platform.run(&["verify"])?;
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    match verified.status.success() {
        true => held.checked.push("verify: no gap, nothing twice, zero sum, rows as a replay gives them".to_owned()),
        false => {
            let faults = text.lines().filter(|line| line.starts_with("FAULT")).map(str::to_owned);
            held.broken.extend(faults.take(10));
            held.broken.push(format!("verify: {}", String::from_utf8_lossy(&verified.stderr).trim()));
        }
    }
    Ok(held)
}
