//! `cargo xtask new-service`: a service made whole in the form of the others, with one aggregate, command, event and row.
//!
//! Everything is read and thought out before anything is written, and either all files are written or none. Nothing of
//! another service changes: beside its own files a service has one marked place in each list that says which there are.

mod changes;
mod golden;
mod lists;
mod lock;
mod name;
mod trial;

pub use trial::trial;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use changes::{Change, Unwritten};
use golden::Released;
use name::{BadName, Name};

use crate::workspace::Package;

/// The files of a new service and what they say, by the name that stands in them.
const FILES: &[(&str, &str)] = &[
    ("services/__name__/domain/Cargo.toml", include_str!("templates/domain/manifest.toml")),
    ("services/__name__/domain/src/lib.rs", include_str!("templates/domain/lib.rs")),
    ("services/__name__/domain/src/__name__/mod.rs", include_str!("templates/domain/mod.rs")),
    ("services/__name__/domain/src/__name__/command.rs", include_str!("templates/domain/command.rs")),
    ("services/__name__/domain/src/__name__/rejection.rs", include_str!("templates/domain/rejection.rs")),
    ("services/__name__/domain/src/__name__/state.rs", include_str!("templates/domain/state.rs")),
    ("services/__name__/domain/src/__name__/decide.rs", include_str!("templates/domain/decide.rs")),
    ("services/__name__/domain/src/__name__/evolve.rs", include_str!("templates/domain/evolve.rs")),
    ("services/__name__/domain/src/__name__/tests.rs", include_str!("templates/domain/tests.rs")),
    ("services/__name__/server/Cargo.toml", include_str!("templates/server/manifest.toml")),
    ("services/__name__/server/src/lib.rs", include_str!("templates/server/lib.rs")),
    ("services/__name__/server/src/config.rs", include_str!("templates/server/config.rs")),
    ("services/__name__/server/src/__name__.rs", include_str!("templates/server/hosted.rs")),
    ("services/__name__/server/src/projections/mod.rs", include_str!("templates/server/projections/mod.rs")),
    ("services/__name__/server/src/projections/__name__.rs", include_str!("templates/server/projections/rows.rs")),
    ("services/__name__/server/tests/it/main.rs", include_str!("templates/server/tests.rs")),
    ("schemas/events/src/__name__.rs", include_str!("templates/schemas/events.rs")),
    ("schemas/commands/src/__name__.rs", include_str!("templates/schemas/commands.rs")),
    ("schemas/rows/src/__name__.rs", include_str!("templates/schemas/rows.rs")),
    ("schemas/cql/__name___v1.cql", include_str!("templates/schemas/table.cql")),
    ("schemas/codec/tests/it/samples/__name__.rs", include_str!("templates/schemas/samples.rs")),
];

/// The schema of the one event, and what its record says of itself.
const SCHEMA: &str = include_str!("templates/schemas/event.avsc");
const DOC: &str = "It was given a title.";

const INDEX: &str = "schemas/avro/index.json";
const ASYNCAPI: &str = "schemas/asyncapi.yaml";
const LOCK: &str = "Cargo.lock";
const KINDS: &str = "crates/ids/src/aggregate.rs";
const ROWS: &str = "schemas/rows/src/lib.rs";

/// Why no service was made. Nothing is changed.
#[derive(Debug, thiserror::Error)]
enum Refused {
    /// It cannot be called that.
    #[error(transparent)]
    Name(#[from] BadName),
    /// Something has that name already.
    #[error("there is {what} called {name} already: {place}")]
    Taken {
        /// What.
        what: &'static str,
        /// The name.
        name: String,
        /// Where it is.
        place: String,
    },
    /// A list cannot be read.
    #[error("cannot read {file}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A list has no place for a new service.
    #[error("cannot enter the service in {file}: {what}")]
    Form {
        /// The file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// Files could not be given their form.
    #[error("cannot run rustfmt, which gives new files their form")]
    NoRustfmt(#[source] io::Error),
    /// A file could not be given its form.
    #[error("rustfmt does not take {file}: {what}")]
    Unformatted {
        /// The file.
        file: String,
        /// What it says.
        what: String,
    },
    /// A file could not be written.
    #[error(transparent)]
    Unwritten(#[from] Unwritten),
}

/// Makes the service and says what was made and what to do next.
pub fn run(root: &Path, name: &str) -> ExitCode {
    match make(root, name) {
        Ok((name, changes)) => {
            print!("{}", said(&name, &changes));
            ExitCode::SUCCESS
        }
        Err(refused) => {
            eprint!("{refused}");
            let mut cause = std::error::Error::source(&refused);
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

fn make(root: &Path, name: &str) -> Result<(Name, Vec<Change>), Refused> {
    let name = Name::parse(name)?;
    let changes = plan(root, &name)?;
    changes::write(root, &changes)?;
    Ok((name, changes))
}

/// Everything that a new service writes.
fn plan(root: &Path, name: &Name) -> Result<Vec<Change>, Refused> {
    refuse_taken(root, name)?;
    let mut new: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (file, template) in FILES {
        new.insert(name.fill(file), name.fill(template).into_bytes());
    }
    let mut lists = lists(root, name)?;
    publish(root, name, &mut new, &mut lists)?;
    let manifest = |part: &str| {
        let (file, template) = FILES.iter().find(|(file, _)| file.ends_with(&format!("{part}/Cargo.toml")))?;
        Package::parse(&name.fill(file), &name.fill(template)).ok().flatten()
    };
    let (domain, server) = (manifest("domain"), manifest("server"));
    let (domain, server) = (domain.expect("a template is a manifest"), server.expect("a template is a manifest"));
    let locked = lock::with_service(&read(root, LOCK)?, name, &domain, &server);
    lists.insert(LOCK.to_owned(), locked.map_err(|what| Refused::Form { file: LOCK.to_owned(), what })?);

    if let Some(file) = new.keys().find(|file| root.join(file).exists()) {
        return Err(taken("a file", name, file));
    }
    let mut changes = Vec::new();
    for (file, after) in new {
        let after = if file.ends_with(".rs") { formatted(root, &file, &after)? } else { after };
        changes.push(Change { file, before: None, after });
    }
    for (file, after) in lists {
        let before = Some(read(root, &file)?.into_bytes());
        let after = if file.ends_with(".rs") { formatted(root, &file, after.as_bytes())? } else { after.into_bytes() };
        changes.push(Change { file, before, after });
    }
    Ok(changes)
}

fn taken(what: &'static str, name: &Name, place: &str) -> Refused {
    Refused::Taken { what, name: name.as_str().to_owned(), place: place.to_owned() }
}

/// Refuses a name under which something else is known.
fn refuse_taken(root: &Path, name: &Name) -> Result<(), Refused> {
    let folder = name.fill("services/__name__");
    if root.join(&folder).exists() {
        return Err(taken("a service", name, &folder));
    }
    if read(root, KINDS)?.contains(&name.fill("Kind { name: \"__name__\"")) {
        return Err(taken("a kind of aggregate", name, KINDS));
    }
    if read(root, ROWS)?.contains(&name.fill("ProjectionId { name: \"__name__\"")) {
        return Err(taken("a projection", name, ROWS));
    }
    Ok(())
}

/// The lists with their new entries.
fn lists(root: &Path, name: &Name) -> Result<BTreeMap<String, String>, Refused> {
    let mut lists: BTreeMap<String, String> = BTreeMap::new();
    for entry in lists::ENTRIES {
        let list = match lists.remove(entry.file) {
            Some(list) => list,
            None => read(root, entry.file)?,
        };
        let form = |what| Refused::Form { file: entry.file.to_owned(), what };
        lists.insert(entry.file.to_owned(), entry.enter(&list, name).map_err(form)?);
    }
    Ok(lists)
}

/// What is published of the one event.
fn publish(
    root: &Path,
    name: &Name,
    new: &mut BTreeMap<String, Vec<u8>>,
    lists: &mut BTreeMap<String, String>,
) -> Result<(), Refused> {
    let form = |file: &str| {
        let file = file.to_owned();
        move |what| Refused::Form { file: file.clone(), what }
    };
    let index = read(root, INDEX)?;
    let released = golden::index(&index).map_err(form(INDEX))?;
    let (event, title) = (name.fill("feira.__name__.v1.__Name__Titled"), name.fill("__Name__Titled"));
    // On the page of topics messages are known by their short names.
    if let Some(other) = released.iter().find(|other| other.name.rsplit('.').next() == Some(&title)) {
        return Err(taken("an event of something", name, &other.name));
    }
    let (id, stem) = (golden::next_id(&released), format!("{event}.1"));
    let this = Released { id, name: event, file: format!("{stem}.avsc"), stem };
    let model = released.last().expect("an index that was read has an entry");
    let model_file = format!("schemas/avro/{}", model.file);
    let schema = golden::schema(SCHEMA, &read(root, &model_file)?, name).map_err(form(&model_file))?;
    let twin = read(root, &format!("schemas/golden/{}.json", model.stem))?;
    let body = serde_json::json!({ "id": "main", "title": "Feira da manhã" });
    let file = format!("schemas/avro/{}", this.file);
    let golden = golden::bytes(&schema, id, &twin, &name.fill("__name__:main"), &body);
    let (bytes, twin) = golden.map_err(form(&file))?;

    lists.insert(INDEX.to_owned(), golden::indexed(&index, name.as_str(), &this, &schema).map_err(form(INDEX))?);
    let page = golden::asyncapi(&read(root, ASYNCAPI)?, name.as_str(), &title, DOC, &this);
    lists.insert(ASYNCAPI.to_owned(), page.map_err(form(ASYNCAPI))?);
    new.insert(file, schema.into_bytes());
    new.insert(format!("schemas/golden/{}.bin", this.stem), bytes);
    new.insert(format!("schemas/golden/{}.json", this.stem), twin.into_bytes());
    Ok(())
}

fn read(root: &Path, file: &str) -> Result<String, Refused> {
    std::fs::read_to_string(root.join(file)).map_err(|source| Refused::Unreadable { file: file.to_owned(), source })
}

/// Rust in the project's form: how long a line is depends on the name.
fn formatted(root: &Path, file: &str, text: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024", "--emit", "stdout", "--config-path"]).arg(root).current_dir(root);
    let piped = rustfmt.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut rustfmt = piped.map_err(Refused::NoRustfmt)?;
    let mut input = rustfmt.stdin.take().expect("its input is a pipe");
    // Written beside reading: neither waits for the other when a file is long.
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(text));
        rustfmt.wait_with_output()
    });
    let output = output.map_err(Refused::NoRustfmt)?;
    if output.status.success() && !output.stdout.is_empty() {
        return Ok(output.stdout);
    }
    let what = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Refused::Unformatted { file: file.to_owned(), what })
}

/// What was made, and what comes next.
fn said(name: &Name, changes: &[Change]) -> String {
    let list = |new: bool| -> String {
        let files = changes.iter().filter(|change| change.before.is_none() == new);
        files.map(|change| format!("  {}\n", change.file)).collect()
    };
    let name = name.as_str();
    format!(
        "made the service {name}:\n{}\nentered it in:\n{}\nIt is whole: one aggregate with one command, one event and \
         one row. Next:\n  cargo test -p feira-{name}-domain -p feira-{name}-server -p feira-codec -p feira-rows\n  \
         put your own rules in the place of its title; nothing is released before it is committed\n  \
         docs/adding-a-service.md goes through it room by room\n",
        list(true),
        list(false)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What would be written into this very tree.
    fn planned(name: &str) -> Result<Vec<Change>, Refused> {
        plan(&crate::workspace::root(), &Name::parse(name).unwrap())
    }

    #[test]
    fn a_new_service_changes_lists_and_nothing_of_another() {
        let changes = planned("newcomer").unwrap();
        for change in &changes {
            let after = String::from_utf8_lossy(&change.after);
            match &change.before {
                None => assert!(change.file.contains("newcomer") && !after.contains("__"), "{}", change.file),
                // Only lines are added: whatever was there is there in its order.
                Some(before) => {
                    let before = String::from_utf8(before.clone()).unwrap();
                    let mut lines = after.lines();
                    let all = before.lines().all(|line| {
                        let same = |other: &str| other.trim_end_matches(',') == line.trim_end_matches(',');
                        lines.any(same)
                    });
                    assert!(all, "{}", change.file);
                    let other = change.file.starts_with("services/") && !change.file.starts_with("services/feira/");
                    assert!(!other, "{} is another service's", change.file);
                }
            }
        }
    }

    #[test]
    fn a_name_as_long_as_any_is_given_its_form() {
        assert!(planned(&"a".repeat(24)).is_ok());
    }

    #[test]
    fn what_is_there_already_is_refused_with_its_place() {
        for (name, place) in [
            ("cart", "services/cart"),
            ("gateway", ""),
            ("thread", KINDS),
            ("offers", ROWS),
            ("order", KINDS),
            ("timer", "schemas/rows/src/timer.rs"),
            ("inbox", "schemas/cql/inbox_v1.cql"),
        ] {
            let root = crate::workspace::root();
            match make(&root, name).unwrap_err() {
                Refused::Taken { place: found, .. } => assert_eq!(found, place, "{name}"),
                Refused::Name(BadName::Reserved { .. }) => assert_eq!(place, "", "{name}"),
                other => panic!("{name}: {other}"),
            }
        }
    }

    #[test]
    fn a_tree_without_the_lists_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(make(folder.path(), "newcomer"), Err(Refused::Unreadable { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
