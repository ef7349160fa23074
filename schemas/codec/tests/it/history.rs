//! The schemas in the repository are in order, and the check that says so refuses what is not.

use std::fs;
use std::path::PathBuf;

use feira_codec::{Fault, INDEX, SCHEMAS, check, sha256_hex};
use serde_json::{Value, json};

#[test]
fn the_schemas_in_the_repository_are_in_order() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../avro");
    let mut files = vec![];
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name != "index.json" {
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let faults = check(INDEX, &files);
    let said: Vec<_> = faults.iter().map(Fault::to_string).collect();
    assert!(faults.is_empty(), "{}", said.join("\n"));
    for released in SCHEMAS.iter() {
        assert!(files.contains(&(released.file.as_str(), released.text)), "{} is built in otherwise", released.file);
    }
}

/// A history to break: one event in two versions, the second with one more field.
struct History {
    index: Vec<Value>,
    files: Vec<(String, String)>,
}

impl History {
    fn good() -> Self {
        let mut history = Self { index: vec![], files: vec![] };
        history.release(first());
        history.release(second());
        history
    }

    fn release(&mut self, schema: Value) {
        let name = format!("{}.{}", schema["namespace"].as_str().unwrap(), schema["name"].as_str().unwrap());
        let version = 1 + self.index.iter().filter(|entry| entry["name"] == name.as_str()).count();
        let (file, text) = (format!("{name}.{version}.avsc"), format!("{schema:#}"));
        self.index.push(json!({
            "id": self.index.len() + 1, "subject": format!("cart.events.v1-{name}"), "name": name,
            "version": version, "file": file, "sha256": sha256_hex(&text),
        }));
        self.files.push((file, text));
    }

    fn faults(&self) -> Vec<Fault> {
        let files: Vec<_> = self.files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        check(&json!(self.index).to_string(), &files)
    }
}

/// The history with a third version as `change` makes it of the second.
fn faults_of_third(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut history = History::good();
    let mut third = second();
    change(&mut third);
    history.release(third);
    history.faults().iter().map(Fault::to_string).collect()
}

fn first() -> Value {
    let released = SCHEMAS.iter().find(|released| released.name == "feira.cart.v1.NoteSet").unwrap();
    serde_json::from_str(released.text).unwrap()
}

fn second() -> Value {
    let mut schema = first();
    let added = json!({"name": "quantity", "type": "int", "doc": "How many.", "default": 1});
    schema["fields"].as_array_mut().unwrap().push(added);
    schema
}

/// Whether one of the faults speaks of `words`.
#[track_caller]
fn assert_refused(faults: &[String], words: &str) {
    assert!(faults.iter().any(|fault| fault.contains(words)), "{words:?} is not among {faults:#?}");
}

#[test]
fn a_field_added_with_a_default_is_let_through() {
    assert_eq!(History::good().faults(), []);
}

#[test]
fn a_field_added_without_a_default_is_refused() {
    let faults = faults_of_third(|schema| {
        let added = json!({"name": "colour", "type": "string", "doc": "Its colour."});
        schema["fields"].as_array_mut().unwrap().push(added);
    });
    // Against every earlier version, not the last one alone.
    assert_refused(&faults, "versions 1 and 3 are not fully compatible");
    assert_refused(&faults, "versions 2 and 3 are not fully compatible");
}

#[test]
fn a_change_that_only_older_versions_mind_is_refused() {
    let mut history = History::good();
    let mut without = first();
    without["fields"][1]["default"] = json!(null);
    // The third drops the second's field, the fourth brings it back with another type: fine beside the third alone.
    history.release(without);
    let mut retyped = second();
    retyped["fields"][2]["type"] = json!("string");
    retyped["fields"][2]["default"] = json!("1");
    history.release(retyped);
    let faults: Vec<_> = history.faults().iter().map(Fault::to_string).collect();
    assert_refused(&faults, "versions 2 and 4 are not fully compatible");
    assert!(!faults.iter().any(|fault| fault.contains("versions 3 and 4")), "{faults:#?}");
}

#[test]
fn a_field_that_is_gone_or_renamed_is_refused_even_with_a_default() {
    let faults = faults_of_third(|schema| {
        schema["fields"].as_array_mut().unwrap().pop();
    });
    assert_refused(&faults, "quantity is gone or renamed");
    let faults = faults_of_third(|schema| {
        schema["fields"][2]["name"] = json!("count");
        schema["fields"][2]["aliases"] = json!(["quantity"]);
    });
    assert_refused(&faults, "quantity is gone or renamed");
}

#[test]
fn another_type_is_refused_and_so_is_a_wider_one() {
    let faults = faults_of_third(|schema| schema["fields"][2]["type"] = json!("long"));
    assert_refused(&faults, "not fully compatible");
    let faults = faults_of_third(|schema| {
        schema["fields"][2]["type"] = json!(["null", "int"]);
        schema["fields"][2]["default"] = json!(null);
    });
    assert_refused(&faults, "not fully compatible");
}

#[test]
fn an_enum_that_only_partly_overlaps_is_refused() {
    let with_enum = |symbols: &[&str]| {
        let mut schema = first();
        let kind = json!({"type": "enum", "name": "Colour", "doc": "A colour.", "symbols": symbols});
        let added = json!({"name": "colour", "type": kind, "doc": "Its colour.", "default": "RED"});
        schema["fields"].as_array_mut().unwrap().push(added);
        schema
    };
    let mut history = History { index: vec![], files: vec![] };
    history.release(with_enum(&["RED", "GREEN"]));
    history.release(with_enum(&["RED", "BLUE"]));
    let faults: Vec<_> = history.faults().iter().map(Fault::to_string).collect();
    assert_refused(&faults, "some values of the one cannot be read as the other");
    assert_refused(&faults, "must have the symbol UNKNOWN");
}

#[test]
fn another_unit_of_time_is_refused() {
    let faults = faults_of_third(|schema| {
        schema["fields"][0]["type"]["fields"][7]["type"]["logicalType"] = json!("timestamp-micros");
    });
    assert_refused(&faults, "meta.at has another logicalType");
}

#[test]
fn what_was_released_is_neither_changed_nor_removed() {
    let mut history = History::good();
    history.files[0].1 = history.files[0].1.replace("The note now.", "The note then.");
    assert!(matches!(history.faults().as_slice(), [Fault::Changed { .. }]));
    let mut history = History::good();
    history.files.remove(0);
    assert!(matches!(history.faults().as_slice(), [Fault::Missing { .. }]));
}

#[test]
fn what_is_not_listed_or_listed_wrongly_is_refused() {
    let mut history = History::good();
    history.index.pop();
    assert!(matches!(history.faults().as_slice(), [Fault::Unlisted { .. }]));
    for (field, wrong) in [
        ("id", json!(0)),
        ("version", json!(3)),
        ("subject", json!("cart.events.v1-feira.cart.v1.Other")),
        ("file", json!("NoteSet.avsc")),
    ] {
        let mut history = History::good();
        history.index[1][field] = wrong;
        let faults = history.faults();
        let named = faults.iter().any(|fault| matches!(fault, Fault::Entry { field: at, .. } if *at == field));
        assert!(named, "{field}: {faults:?}");
    }
    assert!(matches!(check("{}", &[]).as_slice(), [Fault::Index { .. }]));
}

#[test]
fn an_id_is_given_once() {
    let mut history = History::good();
    history.index[1]["id"] = json!(1);
    assert!(matches!(history.faults().as_slice(), [Fault::IdTwice { id: 1, .. }]));
}

#[test]
fn what_other_libraries_or_readers_would_stumble_over_is_refused() {
    let field = |field: Value| faults_of_third(|schema| schema["fields"].as_array_mut().unwrap().push(field));
    let doc = "Something.";
    let null_last = json!({"name": "x", "type": ["string", "null"], "doc": doc, "default": null});
    assert_refused(&field(null_last), "x must be null or one type, in this order");
    assert_refused(&field(json!({"name": "x", "type": "int", "default": 0})), "x must have a doc");
    let unmarked = json!({"name": "x", "type": ["null", "feira.v1.Sealed"], "doc": doc, "default": null});
    assert_refused(&field(unmarked), "x is sealed and must say so");
    assert_refused(&field(json!({"name": "x", "type": "colour", "doc": doc})), "is no Avro schema");
    let faults = faults_of_third(|schema| schema["fields"].as_array_mut().unwrap().swap(0, 1));
    assert_refused(&faults, "the envelope feira.v1.Meta as its first field");
}

#[test]
fn the_newest_versions_all_have_the_same_envelope() {
    let mut history = History::good();
    let mut other = first();
    other["name"] = json!("NoteShown");
    let added = json!({"name": "region", "type": "string", "doc": "Where.", "default": ""});
    other["fields"][0]["type"]["fields"].as_array_mut().unwrap().push(added);
    history.release(other);
    let faults: Vec<_> = history.faults().iter().map(Fault::to_string).collect();
    assert_refused(&faults, "feira.cart.v1.NoteSet.2.avsc: meta must be as in the schema released last");
}
