//! The bytes of every released version of every event, written once: what they are read as, and that today's are the
//! same. Files are added and never edited; `FEIRA_GOLDEN=write` adds those that are missing.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use feira_codec::{SCHEMAS, frame, newest, open};
use serde_json::{Value, json};

use crate::samples::{self, Sample};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../golden")
}

/// A value as people read it: the envelope and the body, today's form.
fn to_json(value: &Bytes) -> Value {
    let opened = open(value).unwrap();
    json!({ "meta": opened.meta, "body": Sample::decode(&opened).unwrap().to_json() })
}

/// Whether all that `old` says, `new` says too; a later release may know more.
fn contains(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            old.iter().all(|(name, old)| new.get(name).is_some_and(|new| contains(new, old)))
        }
        (Value::Array(new), Value::Array(old)) => {
            new.len() == old.len() && new.iter().zip(old).all(|(new, old)| contains(new, old))
        }
        _ => new == old,
    }
}

#[test]
fn golden_bytes_of_every_version_are_read_as_ever() {
    write_missing();
    for released in SCHEMAS.iter() {
        let stem = format!("{}.{}", released.name, released.version);
        let path = folder().join(format!("{stem}.bin"));
        let value = fs::read(&path).unwrap_or_else(|_| {
            panic!("{} is missing; FEIRA_GOLDEN=write cargo test -p feira-codec adds it", path.display())
        });
        let value = Bytes::from(value);
        let opened = open(&value).unwrap();
        assert_eq!((opened.name, opened.version), (released.name.as_str(), released.version));
        let twin: Value = serde_json::from_slice(&fs::read(folder().join(format!("{stem}.json"))).unwrap()).unwrap();
        let read = to_json(&value);
        assert!(contains(&read, &twin), "{stem} was {twin:#} and is now read as {read:#}");
    }
}

#[test]
fn golden_bytes_of_the_newest_version_are_what_is_written_today() {
    write_missing();
    for name in samples::names() {
        let (stem, value) = golden(name);
        let stored = fs::read(folder().join(format!("{stem}.bin"))).unwrap();
        assert_eq!(stored, value, "{stem} is written otherwise than it was");
    }
}

#[test]
fn every_golden_file_is_of_a_released_schema() {
    for entry in fs::read_dir(folder()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let stem = file.trim_end_matches(".bin").trim_end_matches(".json");
        let known = SCHEMAS.iter().any(|released| format!("{}.{}", released.name, released.version) == stem);
        assert!(known, "{file} belongs to no released schema");
    }
}

/// The golden value of the newest version of the event, and its files' stem.
fn golden(name: &str) -> (String, Bytes) {
    let sample = samples::all().into_iter().find(|sample| sample.name() == name).unwrap();
    let value = frame(&samples::meta_of(&sample), &sample.encode()).unwrap();
    (format!("{name}.{}", newest(name).unwrap().version()), value)
}

fn write_missing() {
    if std::env::var("FEIRA_GOLDEN").as_deref() != Ok("write") {
        return;
    }
    fs::create_dir_all(folder()).unwrap();
    for name in samples::names() {
        let (stem, value) = golden(name);
        let readable = format!("{:#}\n", to_json(&value));
        for (ending, bytes) in [("bin", value.as_ref()), ("json", readable.as_bytes())] {
            let path = folder().join(format!("{stem}.{ending}"));
            if !path.exists() {
                fs::write(path, bytes).unwrap();
            }
        }
    }
}
