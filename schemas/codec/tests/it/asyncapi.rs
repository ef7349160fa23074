//! The topics as AsyncAPI 3: every topic, every event on it, and which fields are personal.
//!
//! `schemas/asyncapi.yaml` is generated from the released schemas; `FEIRA_GOLDEN=write` writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use feira_codec::{Released, SCHEMAS};
use serde_json::Value;

/// What every topic has beside its own events.
const EVERY_TOPIC: &str = "feira.lane.v1";

/// The page for these schemas.
fn page(schemas: &[Released]) -> String {
    // Of each event the newest version is the one that is written.
    let mut newest: BTreeMap<&str, &Released> = BTreeMap::new();
    for released in schemas {
        let known = newest.entry(&released.name).or_insert(released);
        if known.version < released.version {
            *known = released;
        }
    }
    let services: BTreeSet<&str> =
        newest.keys().filter(|name| !name.starts_with(EVERY_TOPIC)).filter_map(|name| name.split('.').nth(1)).collect();
    let mut page = String::from(HEAD);
    page.push_str("channels:\n");
    for service in &services {
        let own = format!("feira.{service}.v1.");
        write!(page, "  {service}:\n    address: '{{prefix}}{service}.events.v1'\n").unwrap();
        page.push_str("    description: Partition is lane; within it records are in order and lane_seq has no gap.\n");
        page.push_str("    parameters:\n      prefix: { $ref: '#/components/parameters/prefix' }\n    messages:\n");
        for name in newest.keys().filter(|name| name.starts_with(&own) || name.starts_with(EVERY_TOPIC)) {
            let short = short(name);
            writeln!(page, "      {short}: {{ $ref: '#/components/messages/{short}' }}").unwrap();
        }
    }
    page.push_str("operations:\n");
    for service in &services {
        write!(page, "  send_{service}:\n    action: send\n    channel: {{ $ref: '#/channels/{service}' }}\n").unwrap();
    }
    page.push_str(COMPONENTS);
    for (name, released) in newest {
        message(&mut page, name, released);
    }
    page
}

const HEAD: &str = "\
# Generated from schemas/avro by the tests of schemas/codec; FEIRA_GOLDEN=write writes it anew.
asyncapi: 3.0.0
info:
  title: Feira events
  version: '1'
  description: >-
    Everything that happens, one topic for each service. Values are Avro in the Confluent wire format; docs/analytics.md
    says how to read them.
defaultContentType: application/vnd.confluent.avro
";

const COMPONENTS: &str = "\
components:
  parameters:
    prefix:
      description: What the installation's topics begin with; empty where it has the cluster for itself.
      default: ''
  messages:
";

fn message(page: &mut String, name: &str, released: &Released) {
    let schema: Value = serde_json::from_str(released.text).unwrap();
    let doc = schema["doc"].as_str().unwrap_or_default();
    let short = short(name);
    write!(page, "    {short}:\n      name: {name}\n      title: {short}\n      summary: {}\n", quoted(doc)).unwrap();
    page.push_str("      payload:\n        schemaFormat: application/vnd.apache.avro+json;version=1.12.0\n");
    writeln!(page, "        schema: {{ $ref: './avro/{}' }}", released.file).unwrap();
    write!(page, "      x-schema-id: {}\n      x-version: {}\n", released.id, released.version).unwrap();
    let mut personal = BTreeSet::new();
    find_personal(&schema, "", &mut personal);
    if !personal.is_empty() {
        page.push_str("      x-personal:\n");
        for (path, kind) in personal {
            writeln!(page, "        {}: {kind}", quoted(&path)).unwrap();
        }
    }
}

/// The paths of fields that are marked personal, and as what.
fn find_personal(schema: &Value, path: &str, found: &mut BTreeSet<(String, String)>) {
    match schema {
        Value::Array(branches) => branches.iter().for_each(|branch| find_personal(branch, path, found)),
        Value::Object(object) => {
            for field in object.get("fields").and_then(Value::as_array).into_iter().flatten() {
                let inner = match (path, field["name"].as_str().unwrap_or_default()) {
                    ("", name) => name.to_owned(),
                    (path, name) => format!("{path}.{name}"),
                };
                if let Some(kind) = field["pii"].as_str() {
                    found.insert((inner.clone(), kind.to_owned()));
                }
                find_personal(&field["type"], &inner, found);
            }
            for inner in [object.get("items"), object.get("values")].into_iter().flatten() {
                find_personal(inner, &format!("{path}[]"), found);
            }
            if let Some(inner) = object.get("type").filter(|inner| inner.is_object() || inner.is_array()) {
                find_personal(inner, path, found);
            }
        }
        _ => {}
    }
}

fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// A text as YAML has it between single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[test]
fn every_topic_and_event_is_described() {
    let page = page(SCHEMAS.as_slice());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../asyncapi.yaml");
    if std::env::var("FEIRA_GOLDEN").as_deref() == Ok("write") {
        std::fs::write(&path, &page).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == page,
        "schemas/asyncapi.yaml is not what the schemas say; FEIRA_GOLDEN=write cargo test -p feira-codec writes it"
    );
}

#[test]
fn no_two_events_share_the_name_they_are_described_under() {
    let names: BTreeSet<&str> = SCHEMAS.iter().map(|released| released.name.as_str()).collect();
    let shorts: BTreeSet<&str> = names.iter().map(|name| short(name)).collect();
    assert_eq!(names.len(), shorts.len());
}

#[test]
fn what_is_sealed_is_marked() {
    let page = page(SCHEMAS.as_slice());
    let noted = page.split("    NoteSet:\n").nth(1).unwrap();
    assert!(noted.split("\n    E").next().unwrap().contains("'note': free-text"), "{noted}");
}
