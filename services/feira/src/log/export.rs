//! `feira log export`: records into files, a lane each, resumable.
//!
//! Beside the files lies `export.json`: what is exported, and how far each file goes, in records and in bytes. It is
//! written after the lines that it speaks of are on disk; what a broken-off export wrote behind it is cut off.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use feira_gateway::LogQuery;
use futures::{StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Source;
use crate::cli::{LogExport, Output};
use crate::failure::Failure;

/// How many records are written before the export notes how far it is.
const NOTE_EVERY: u64 = 10_000;

/// What an export is of, and how far it is.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// The log it is of.
    log: String,
    /// What of it.
    wanted: Wanted,
    /// How far each file goes.
    lanes: BTreeMap<String, Reached>,
}

/// Which records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    service: Option<String>,
    from: Option<u64>,
    to: Option<u64>,
    since: Option<i64>,
    until: Option<i64>,
}

/// How far a lane's file goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Reached {
    /// The next record to look at.
    next_seq: u64,
    /// How many were written.
    records: u64,
    /// How long the file is.
    bytes: u64,
}

/// A lane and where it ends.
struct End {
    service: String,
    lane: u32,
    last: u64,
}

/// Writes records into files.
pub async fn export(args: LogExport, output: Output) -> Result<ExitCode, Failure> {
    let LogExport { folder, service, from, to, since, until, log } = args;
    let source = Source::of(&log).await?;
    let wanted = Wanted { service, from, to, since, until };
    let query = LogQuery { service: wanted.service.clone(), ends: true, ..LogQuery::default() };
    let ends: Vec<Value> = source.read(query).await?.try_collect().await?;
    let log = ends.first().and_then(|end| end["log"].as_str()).unwrap_or_default().to_owned();
    let ends: Vec<End> = ends.iter().filter_map(|end| read_end(end, to)).collect();
    let mut state = open(&folder, log, &wanted)?;
    let start =
        |state: &State, end: &End| state.lanes.get(&name(end)).map_or(from.unwrap_or(1).max(1), |at| at.next_seq);
    let bar = progress(ends.iter().map(|end| (end.last + 1).saturating_sub(start(&state, end))).sum(), output);
    for end in &ends {
        let first = start(&state, end);
        lane(&source, &folder, &mut state, end, first, &bar).await?;
    }
    bar.finish_and_clear();
    let records: u64 = state.lanes.values().map(|reached| reached.records).sum();
    match output {
        Output::Json => println!("{}", json!({ "folder": folder, "records": records, "files": state.lanes })),
        Output::Text => println!("{records} records in {} files in {}", state.lanes.len(), folder.display()),
    }
    Ok(ExitCode::SUCCESS)
}

async fn lane(
    source: &Source<'_>,
    folder: &Path,
    state: &mut State,
    end: &End,
    first: u64,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let mut reached = state.lanes.get(&name(end)).copied().unwrap_or_default();
    reached.next_seq = first;
    let path = folder.join(name(end));
    let mut file = continued(&path, reached.bytes).map_err(|error| unwritten(&path, error))?;
    let query = LogQuery {
        service: Some(end.service.clone()),
        lane: Some(end.lane),
        from: Some(first),
        to: Some(end.last),
        ..LogQuery::default()
    };
    let mut lines = if first <= end.last { source.read(query).await? } else { futures::stream::empty().boxed() };
    let mut since_note: u64 = 0;
    while let Some(line) = lines.next().await {
        let line = line?;
        if is_wanted(&state.wanted, &line) {
            let text = format!("{line}\n");
            file.write_all(text.as_bytes()).map_err(|error| unwritten(&path, error))?;
            reached.records += 1;
            reached.bytes += text.len() as u64;
        }
        reached.next_seq += 1;
        since_note += 1;
        bar.inc(1);
        if since_note >= NOTE_EVERY {
            since_note = 0;
            note(folder, state, end, reached, &mut file)?;
        }
    }
    note(folder, state, end, reached, &mut file)
}

/// Notes how far a lane's file goes, once it does.
fn note(
    folder: &Path,
    state: &mut State,
    end: &End,
    reached: Reached,
    file: &mut BufWriter<File>,
) -> Result<(), Failure> {
    let path = folder.join(name(end));
    file.flush().and_then(|()| file.get_ref().sync_data()).map_err(|error| unwritten(&path, error))?;
    state.lanes.insert(name(end), reached);
    let (path, draft) = (state_file(folder), folder.join(".export.json"));
    let text = serde_json::to_vec_pretty(state).map_err(|error| Failure::because("cannot note the export", error))?;
    let write = || {
        let mut file = File::create(&draft)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&draft, &path)
    };
    write().map_err(|error| unwritten(&path, error))
}

/// The file as far as it was noted, to be written on.
fn continued(path: &Path, bytes: u64) -> std::io::Result<BufWriter<File>> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    file.set_len(bytes)?;
    file.seek(SeekFrom::End(0))?;
    Ok(BufWriter::with_capacity(1 << 20, file))
}

/// The export in `folder` as far as it is; a new one where there is none.
fn open(folder: &Path, log: String, wanted: &Wanted) -> Result<State, Failure> {
    fs::create_dir_all(folder).map_err(|error| unwritten(folder, error))?;
    let path = state_file(folder);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(State { log, wanted: wanted.clone(), lanes: BTreeMap::new() });
        }
        Err(error) => return Err(Failure::because(format!("cannot read {}", path.display()), error)),
    };
    let state: State = serde_json::from_str(&text)
        .map_err(|error| Failure::because(format!("{} is no note of an export", path.display()), error))?;
    if state.log != log {
        return Err(Failure::new(format!("{} holds an export of another log; name another folder", folder.display())));
    }
    if state.wanted != *wanted {
        let what = format!("{} holds an export of another service or range", folder.display());
        return Err(Failure::new(format!("{what}; ask for the same, or name another folder")));
    }
    Ok(state)
}

fn is_wanted(wanted: &Wanted, line: &Value) -> bool {
    // What cannot be read has no time; it is never left out unseen.
    let Some(at) = line.pointer("/meta/at").and_then(Value::as_i64) else { return true };
    wanted.since.is_none_or(|since| at >= since) && wanted.until.is_none_or(|until| at < until)
}

fn read_end(end: &Value, to: Option<u64>) -> Option<End> {
    let last = end.get("last_seq")?.as_u64()?.min(to.unwrap_or(u64::MAX));
    let lane = u32::try_from(end.get("lane")?.as_u64()?).ok()?;
    Some(End { service: end.get("service")?.as_str()?.to_owned(), lane, last })
}

fn name(end: &End) -> String {
    format!("{}-{}.ndjson", end.service, end.lane)
}

fn state_file(folder: &Path) -> PathBuf {
    folder.join("export.json")
}

fn unwritten(path: &Path, error: std::io::Error) -> Failure {
    Failure::because(format!("cannot write {}", path.display()), error)
}

fn progress(records: u64, output: Output) -> ProgressBar {
    let bar = ProgressBar::new(records);
    if output == Output::Json {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {pos}/{len} records  {elapsed}")
        .expect("the template names what the library has");
    bar.with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_goes_on_where_it_was_noted_and_cuts_the_rest_off() {
        let folder = tempfile::tempdir().unwrap();
        let end = End { service: "cart".to_owned(), lane: 0, last: 2 };
        let path = folder.path().join(name(&end));
        let wanted = Wanted { service: Some("cart".to_owned()), ..Wanted::default() };
        let mut state = open(folder.path(), "log".to_owned(), &wanted).unwrap();
        let mut file = continued(&path, 0).unwrap();
        file.write_all(b"one\n").unwrap();
        let reached = Reached { next_seq: 2, records: 1, bytes: 4 };
        note(folder.path(), &mut state, &end, reached, &mut file).unwrap();
        file.write_all(b"tw").unwrap();
        drop(file);
        assert_eq!(open(folder.path(), "log".to_owned(), &wanted).unwrap(), state);
        let mut file = continued(&path, state.lanes[&name(&end)].bytes).unwrap();
        file.write_all(b"two\n").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert!(open(folder.path(), "another".to_owned(), &wanted).is_err());
        assert!(open(folder.path(), "log".to_owned(), &Wanted::default()).is_err());
    }
}
