//! Whether the schemas in the repository keep what was promised to whoever reads the topics.
//!
//! Every version of a schema can be read with every other version of it, both ways; what was released never changes;
//! every record says what it means; personal content is marked; and the files are legal for every Avro library.

use std::collections::{BTreeMap, HashMap};

use apache_avro::Schema;
use apache_avro::schema_compatibility::{Compatibility, SchemaCompatibility};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Released;

/// Something that must not be released.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The index itself cannot be read.
    #[error("index.json is not a list of released schemas: {reason}")]
    Index {
        /// What the reader found.
        reason: String,
    },
    /// Two schemas have one id.
    #[error("{file}: id {id} is given already; take the next free one")]
    IdTwice {
        /// The second schema's file.
        file: String,
        /// Their id.
        id: u32,
    },
    /// An entry contradicts itself.
    #[error("{file}: the index's {field} must be {expected}")]
    Entry {
        /// The schema's file, as the index has it.
        file: String,
        /// Which field.
        field: &'static str,
        /// What it must be.
        expected: String,
    },
    /// A file is listed and not there.
    #[error("{file} was released and is gone; put it back, readers of old events need it for ever")]
    Missing {
        /// The file.
        file: String,
    },
    /// A file is there and not listed.
    #[error("{file} is not in index.json; enter it with the next free id")]
    Unlisted {
        /// The file.
        file: String,
    },
    /// A file is not what was released.
    #[error("{file} was changed after its release (sha256 is now {found}); put it back and add a new version instead")]
    Changed {
        /// The file.
        file: String,
        /// Its hash now.
        found: String,
    },
    /// A file is no Avro schema.
    #[error("{file} is no Avro schema: {reason}")]
    NotAvro {
        /// The file.
        file: String,
        /// What the parser found.
        reason: String,
    },
    /// A part of a schema breaks a rule that the parser does not know.
    #[error("{file}: {place} {rule}")]
    Form {
        /// The file.
        file: String,
        /// Which part.
        place: String,
        /// What it must be.
        rule: &'static str,
    },
    /// Two versions cannot replace each other.
    #[error("{name}: versions {older} and {newer} are not fully compatible: {reason}")]
    Incompatible {
        /// The event.
        name: String,
        /// The older version.
        older: u32,
        /// The newer version.
        newer: u32,
        /// Why.
        reason: String,
    },
}

/// What the index holds as a file's `sha256`.
pub fn sha256_hex(text: &str) -> String {
    const_hex::encode(Sha256::digest(text.as_bytes()))
}

/// Checks an index and the schema files beside it, each with its name; answers everything that is wrong.
pub fn check(index: &str, files: &[(&str, &str)]) -> Vec<Fault> {
    let entries: Vec<Released> = match serde_json::from_str(index) {
        Ok(entries) => entries,
        Err(error) => return vec![Fault::Index { reason: error.to_string() }],
    };
    let mut faults = vec![];
    check_entries(&entries, &mut faults);
    for (file, _) in files {
        if !entries.iter().any(|entry| entry.file == *file) {
            faults.push(Fault::Unlisted { file: (*file).to_owned() });
        }
    }
    let mut versions: BTreeMap<&str, Vec<Version>> = BTreeMap::new();
    for entry in &entries {
        let file = entry.file.clone();
        let Some((_, text)) = files.iter().find(|(name, _)| *name == file) else {
            faults.push(Fault::Missing { file });
            continue;
        };
        let found = sha256_hex(text);
        if found != entry.sha256 {
            faults.push(Fault::Changed { file: file.clone(), found });
        }
        let parsed = Schema::parse_str(text).map_err(|error| error.to_string());
        let json = serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
        match parsed.and_then(|schema| Ok((schema, json?))) {
            Ok((schema, json)) => {
                check_form(entry, &schema, &json, &mut faults);
                versions.entry(&entry.name).or_default().push(Version { number: entry.version, schema, json });
            }
            Err(reason) => faults.push(Fault::NotAvro { file, reason }),
        }
    }
    for (name, versions) in &versions {
        check_history(name, versions, &mut faults);
    }
    check_envelope(&entries, &versions, &mut faults);
    faults
}

struct Version {
    number: u32,
    schema: Schema,
    json: Value,
}

fn check_entries(entries: &[Released], faults: &mut Vec<Fault>) {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for (position, entry) in entries.iter().enumerate() {
        let mut wrong = |field, expected| faults.push(Fault::Entry { file: entry.file.clone(), field, expected });
        // The wire format's id is a signed number, and registries begin at 1.
        if entry.id == 0 || entry.id > i32::MAX as u32 {
            wrong("id", "1 or more, and fit in 31 bits".to_owned());
        }
        let file = format!("{}.{}.avsc", entry.name, entry.version);
        if entry.file != file {
            wrong("file", file);
        }
        if entry.subject.split_once('-').is_none_or(|(_, record)| record != entry.name) {
            wrong("subject", format!("a topic, a hyphen and {}", entry.name));
        }
        let latest = seen.entry(&entry.name).or_default();
        if entry.version != *latest + 1 {
            wrong("version", format!("{}, the next of its name", *latest + 1));
        }
        *latest = entry.version;
        if entries[..position].iter().any(|earlier| earlier.id == entry.id) {
            faults.push(Fault::IdTwice { file: entry.file.clone(), id: entry.id });
        }
    }
}

fn check_form(entry: &Released, schema: &Schema, json: &Value, faults: &mut Vec<Fault>) {
    let mut report = |place: &str, rule| {
        let place = if place.is_empty() { "the record" } else { place }.to_owned();
        faults.push(Fault::Form { file: entry.file.clone(), place, rule });
    };
    let full_name = schema.name().map(|name| name.fullname(None).to_string());
    if full_name.as_deref() != Some(&entry.name) {
        report("", "must have the name that the index gives it");
    }
    let first = &json["fields"][0];
    if first["name"] != "meta" || first["type"]["name"] != "Meta" || first["type"]["namespace"] != "feira.v1" {
        report("", "must have the envelope feira.v1.Meta as its first field, meta");
    }
    check_part(json, "", &mut report);
}

/// Walks a schema and reports what breaks a rule: the place, and the rule.
fn check_part(part: &Value, place: &str, report: &mut impl FnMut(&str, &'static str)) {
    match part["type"].as_str() {
        Some("record") => {
            require_doc(part, place, report);
            for field in part["fields"].as_array().into_iter().flatten() {
                let place = join(place, &field["name"]);
                require_doc(field, &place, report);
                check_field(field, &place, report);
            }
        }
        Some("enum") => {
            require_doc(part, place, report);
            let knows = part["symbols"].as_array().is_some_and(|symbols| symbols.contains(&"UNKNOWN".into()));
            if !knows || part["default"] != "UNKNOWN" {
                report(place, "must have the symbol UNKNOWN and be it by default");
            }
        }
        Some("array") => check_part(&part["items"], &format!("{place}[]"), report),
        Some("map") => check_part(&part["values"], &format!("{place}{{}}"), report),
        _ => {}
    }
}

fn check_field(field: &Value, place: &str, report: &mut impl FnMut(&str, &'static str)) {
    let kind = &field["type"];
    let branches = kind.as_array().map_or(std::slice::from_ref(kind), Vec::as_slice);
    if kind.is_array() {
        let nullable = matches!(branches, [null, other] if null == "null" && other != "null");
        if !nullable || field.get("default") != Some(&Value::Null) {
            report(place, "must be null or one type, in this order, and null by default");
        }
    }
    for branch in branches {
        let name = branch.as_str().or(branch["name"].as_str()).unwrap_or("");
        let sealed = name.rsplit('.').next() == Some("Sealed");
        if sealed && !(field["pii"].is_string() && field["subject"].is_string()) {
            report(place, "is sealed and must say so: \"pii\" names the kind of data, \"subject\" whose it is");
        }
        check_part(branch, place, report);
    }
}

fn require_doc(part: &Value, place: &str, report: &mut impl FnMut(&str, &'static str)) {
    if part["doc"].as_str().is_none_or(|doc| doc.trim().is_empty()) {
        report(place, "must have a doc");
    }
}

fn check_history(name: &str, versions: &[Version], faults: &mut Vec<Fault>) {
    for (position, newer) in versions.iter().enumerate() {
        for older in &versions[..position] {
            let mut report = |reason| {
                let name = name.to_owned();
                faults.push(Fault::Incompatible { name, older: older.number, newer: newer.number, reason });
            };
            match SchemaCompatibility::mutual_read(&older.schema, &newer.schema) {
                Ok(Compatibility::Full) => {}
                Ok(Compatibility::Partial) => report("some values of the one cannot be read as the other".to_owned()),
                Err(error) => report(error.to_string()),
            }
            // What the comparison does not see: fields that are gone although they had a default, and other units.
            let (before, now) = (fields(&older.json), fields(&newer.json));
            for (place, logical_type) in &before {
                match now.get(place) {
                    None => report(format!("{place} is gone or renamed")),
                    Some(other) if other != logical_type => report(format!("{place} has another logicalType")),
                    Some(_) => {}
                }
            }
        }
    }
}

/// Today's envelope is written before the newest version of every body, so all of them must have it.
fn check_envelope(entries: &[Released], versions: &BTreeMap<&str, Vec<Version>>, faults: &mut Vec<Fault>) {
    let newest = |name: &str| versions.get(name).and_then(|versions| versions.last());
    let Some(model) = entries.last().and_then(|entry| newest(&entry.name)) else {
        return;
    };
    for entry in entries {
        let Some(version) = newest(&entry.name).filter(|version| version.number == entry.version) else {
            continue;
        };
        if version.json["fields"][0]["type"] != model.json["fields"][0]["type"] {
            let (file, place) = (entry.file.clone(), "meta".to_owned());
            faults.push(Fault::Form { file, place, rule: "must be as in the schema released last: add a version" });
        }
    }
}

/// Every field, however deep, with its logical type.
fn fields(json: &Value) -> BTreeMap<String, Option<String>> {
    let mut found = BTreeMap::new();
    collect_fields(json, "", &mut HashMap::new(), &mut found);
    found
}

fn collect_fields<'a>(
    part: &'a Value,
    place: &str,
    named: &mut HashMap<&'a str, &'a Value>,
    found: &mut BTreeMap<String, Option<String>>,
) {
    if let Some(branches) = part.as_array() {
        branches.iter().for_each(|branch| collect_fields(branch, place, named, found));
    } else if let Some(name) = part.as_str() {
        // A type that was defined further up, by its short or its full name. Taken out while inside, so that a type
        // that holds itself ends.
        let short = name.rsplit('.').next().unwrap_or(name);
        if let Some(definition) = named.remove(short) {
            collect_fields(definition, place, named, found);
        }
    } else if part.is_object() {
        for field in part["fields"].as_array().into_iter().flatten() {
            let place = join(place, &field["name"]);
            let logical_type = logical_type(&field["type"]);
            collect_fields(&field["type"], &place, named, found);
            found.insert(place, logical_type);
        }
        collect_fields(&part["items"], &format!("{place}[]"), named, found);
        collect_fields(&part["values"], &format!("{place}{{}}"), named, found);
        if let Some(name) = part["name"].as_str() {
            named.insert(name, part);
        }
    }
}

fn logical_type(kind: &Value) -> Option<String> {
    let branches = kind.as_array().map_or(std::slice::from_ref(kind), Vec::as_slice);
    branches.iter().find_map(|branch| branch["logicalType"].as_str()).map(str::to_owned)
}

fn join(place: &str, name: &Value) -> String {
    let name = name.as_str().unwrap_or("?");
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}
