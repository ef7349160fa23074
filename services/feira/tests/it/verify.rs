//! What a verification finds: nothing where nothing is wrong, and every kind of damage by its place.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use feira_codec::{EncodedBody, frame, open};
use feira_event_log::{EventLog, Hint, NewRecord, Resume};
use feira_event_log_embedded::{EmbeddedLog, Options};
use feira_ids::{LaneId, ServiceName};
use feira_projection_store::{Checkpoint, Mutation, ProjectionId, Store, Value};
use feira_projection_store_embedded::EmbeddedStore;
use futures::TryStreamExt;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::platform::{Outcome, Platform, SERVICES, embedded, feira};

/// A report, which must end with `code`.
fn report(outcome: &Outcome, code: i32) -> Json {
    assert_eq!(outcome.code, code, "{}{}", outcome.output, outcome.errors);
    let told: Json = serde_json::from_str(&outcome.output).unwrap();
    assert_eq!(told["sound"], code == 0);
    told["report"].clone()
}

/// A catalog and carts that were changed a few times.
async fn fill(platform: &mut Platform) {
    let admin = platform.admin("feira-livre").client().await;
    for sku in ["CAFE", "CHA"] {
        admin.put(sku, "1.00", "BRL").await;
        admin.put(sku, "2.00", "BRL").await;
    }
    for name in ["ana", "bia"] {
        let shopper = platform.consumer(name).client().await;
        for _ in 0..3 {
            shopper.add("feira-livre", "CAFE", 1).await;
        }
        shopper.add("feira-livre", "CHA", 1).await;
        // A refusal leaves a record that is no event of an aggregate.
        shopper.add("feira-livre", "CHA", 99).await;
    }
}

pub async fn a_platform_that_runs_is_sound(platform: &mut Platform) {
    fill(platform).await;
    let args = platform.log_args();
    let args: Vec<&str> = ["verify", "--output", "json"].into_iter().chain(args.iter().map(String::as_str)).collect();
    let found = report(&platform.feira(&args).await, 0);
    let lanes = found["position"].as_object().unwrap();
    assert_eq!(lanes.len(), 4 * SERVICES.len(), "{found}");
    let count = |what: &str| {
        let counted = found["checked"]
            .as_array()
            .unwrap()
            .iter()
            .find(|counted| counted["what"].as_str().unwrap().starts_with(what));
        counted.unwrap_or_else(|| panic!("{what} is not counted: {found}"))["count"].as_u64().unwrap()
    };
    assert_eq!(count("records"), lanes.values().map(|last| last.as_u64().unwrap()).sum::<u64>());
    // Two products, two offers, two listed ones, two carts with two lines each, and what can be undone.
    assert!(count("rows") >= 12, "{found}");
    assert!(count("commands") >= 14, "{found}");
}

/// What becomes of one record of a log.
enum Tamper {
    Drop,
    Double,
    Alter(fn(&mut Json)),
}

/// Reads every record of every lane.
fn records(log: &dyn EventLog, lane: &LaneId) -> Vec<Bytes> {
    let last = log.last_seq(lane).unwrap();
    let mut reader = log.reader(lane, Resume { next_seq: 1, hint: Hint(0) }).unwrap();
    let mut records = Vec::new();
    while (records.len() as u64) < last {
        let read = reader.read(100, Duration::from_secs(5)).unwrap();
        records.extend(read.into_iter().map(|record| record.value));
    }
    records
}

/// Copies the data folder, with the log written anew by its own writer, and one record of `service` tampered with: the
/// last that is a `name`. Answers where it stood.
fn tampered(data: &Path, service: &str, name: &str, tamper: Tamper) -> (TempDir, String) {
    let copy = tempfile::tempdir().unwrap();
    copy_folder(&data.join("store"), &copy.path().join("store"));
    let services: Vec<_> = SERVICES.iter().map(|name| (ServiceName::new(name), 4)).collect();
    let from = EmbeddedLog::open(&data.join("log"), &services, Options::default()).unwrap();
    let to = EmbeddedLog::open(&copy.path().join("log"), &services, Options::default()).unwrap();
    let mut place = None;
    for (named, lanes) in &services {
        let membership = to.join(named, "local").unwrap();
        membership.assignment(0, Duration::from_secs(5));
        for index in 0..*lanes {
            let lane = LaneId::new(named, index);
            let mut values = records(&*from, &lane);
            let found = (place.is_none() && named.as_str() == service)
                .then(|| values.iter().rposition(|value| open(value).unwrap().name == name))
                .flatten();
            if let Some(at) = found {
                place = Some(format!("{lane}:{}", at + 1));
                match &tamper {
                    Tamper::Drop => drop(values.remove(at)),
                    Tamper::Double => values.insert(at, values[at].clone()),
                    Tamper::Alter(change) => values[at] = altered(&values[at], *change),
                }
            }
            if values.is_empty() {
                continue;
            }
            let mut taken = membership
                .take(index, Resume::START, &mut |_| Ok(()), &|| false)
                .unwrap_or_else(|error| panic!("{lane}: {error}"));
            for (seq, value) in (1..).zip(&values) {
                let opened = open(value).unwrap();
                let mut meta = opened.meta.clone();
                // The lane itself stays dense and of one term, so that only what is judged can tell.
                (meta.lane_seq, meta.term) = (seq, i64::try_from(taken.term).unwrap());
                let body = EncodedBody { name: opened.name, schema_id: opened.schema.id(), bytes: opened.body.clone() };
                let record = NewRecord { value: frame(&meta, &body).unwrap(), event_type: opened.name, meta };
                taken.writer.append(&[record], None).unwrap();
            }
        }
        membership.leave();
    }
    (copy, place.expect("there is such a record"))
}

/// A cart's event with another content.
fn altered(value: &Bytes, change: fn(&mut Json)) -> Bytes {
    use feira_codec::EventSet;
    use feira_events::cart::{Event, ItemAdded};
    let opened = open(value).unwrap();
    let Event::ItemAdded(added) = opened.decode().unwrap() else { panic!("it is an ItemAdded") };
    let mut fields = json!(added);
    change(&mut fields);
    let added: ItemAdded = serde_json::from_value(fields).unwrap();
    frame(&opened.meta, &Event::ItemAdded(added).encode_body().unwrap()).unwrap()
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The faults of a folder that no process has open.
async fn faults(data: &Path) -> Vec<Json> {
    let outcome = feira(&["verify", "--data", data.to_str().unwrap(), "--output", "json"]).await;
    report(&outcome, 1)["faults"].as_array().unwrap().clone()
}

fn at(place: &str) -> (Json, Json) {
    let (lane, seq) = place.split_once(':').unwrap();
    (json!(lane), json!(seq.parse::<u64>().unwrap()))
}

/// A platform with something in it, at rest.
async fn at_rest() -> Platform {
    let mut platform = embedded().await;
    fill(&mut platform).await;
    platform.down().await;
    platform
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_only_written_anew_differs_in_its_terms_alone() {
    let platform = at_rest().await;
    let found = report(&platform.feira(&["verify", "--output", "json"]).await, 0);
    assert_eq!(found["faults"], json!([]));
    let passes = platform.feira(&["verify", "--output", "json", "--events-a-pass", "5"]).await;
    let in_passes = report(&passes, 0);
    assert_eq!(in_passes["checked"], found["checked"], "a share at a time finds the same rows");
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_was_dropped_is_missed() {
    let platform = at_rest().await;
    let (copy, place) = tampered(platform.folder(), "cart", "feira.cart.v1.ItemAdded", Tamper::Drop);
    let faults = faults(copy.path()).await;
    let lane = at(&place).0;
    let row = faults.iter().find(|fault| fault["check"] == "projections" && fault["row"].is_string());
    assert!(row.is_some_and(|fault| fault["place"]["lane"] == lane), "{faults:?}");
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_stands_twice_is_named() {
    let platform = at_rest().await;
    let (copy, place) = tampered(platform.folder(), "cart", "feira.cart.v1.ItemAdded", Tamper::Double);
    let faults = faults(copy.path()).await;
    let (lane, seq) = at(&place);
    // The second of the two is the one too many.
    let second = json!(seq.as_u64().unwrap() + 1);
    for check in ["commands", "events", "aggregates"] {
        let named = |fault: &&Json| {
            fault["check"] == check && fault["place"]["lane"] == lane && fault["place"]["lane_seq"] == second
        };
        assert!(faults.iter().any(|fault| named(&fault)), "{check} of {place}: {faults:?}");
    }
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_was_altered_shows_in_its_row() {
    let platform = at_rest().await;
    let change: fn(&mut Json) = |event| event["line"]["quantity"] = json!(7);
    let (copy, place) = tampered(platform.folder(), "cart", "feira.cart.v1.ItemAdded", Tamper::Alter(change));
    let faults = faults(copy.path()).await;
    let (lane, seq) = at(&place);
    let row = faults.iter().find(|fault| {
        fault["check"] == "projections" && fault["place"]["lane"] == lane && fault["place"]["lane_seq"] == seq
    });
    let row = row.unwrap_or_else(|| panic!("{place}: {faults:?}"));
    assert!(row["row"].as_str().unwrap().starts_with(r#"cart_lines_v1 ("feira-livre""#), "{row}");
    assert!(row["what"].as_str().unwrap().contains("quantity"), "{row}");
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_that_was_corrupted_is_named_with_the_event_that_wrote_it() {
    let platform = at_rest().await;
    let table = &feira_rows::catalog::PRODUCTS;
    {
        let store = EmbeddedStore::open(platform.folder().join("store")).unwrap();
        store.ensure(&[table]).await.unwrap();
        let rows: Vec<_> = store.all(table).try_concat().await.unwrap();
        let key: Vec<Value> = rows[0][..table.key_len()].iter().cloned().map(Option::unwrap).collect();
        let title = table.position("title").unwrap();
        let cells = vec![(title, Some(Value::from("Something else")))];
        let write = Mutation::Upsert { table, key, cells, timestamp: i64::MAX - 1, first: false };
        let id = ProjectionId { name: "tamper", version: 1 };
        store.apply(vec![write], id, "none/0", Checkpoint::default()).await.unwrap();
    }
    let outcome = platform.feira(&["verify", "--output", "json"]).await;
    let found = report(&outcome, 1);
    assert_eq!(found["faults"].as_array().unwrap().len(), 1, "{found}");
    let fault = &found["faults"][0];
    assert!(fault["row"].as_str().unwrap().starts_with(r#"products_v1 ("feira-livre""#), "{fault}");
    assert!(fault["place"]["lane"].as_str().unwrap().starts_with("catalog/"), "{fault}");
    assert!(fault["place"]["lane_seq"].as_u64().unwrap() > 1, "{fault}");
    assert!(fault["what"].as_str().unwrap().contains("title is \"Something else\""), "{fault}");
    // For people, the same.
    let text = platform.feira(&["verify"]).await;
    assert!(text.code == 1 && text.output.contains("FAULT") && text.output.contains("products_v1"), "{}", text.output);
    platform.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_two_services_is_opened_with_all() {
    let folder = tempfile::tempdir().unwrap();
    let two = ["catalog", "cart"].map(|name| (ServiceName::new(name), 4));
    let log: Arc<dyn EventLog> = EmbeddedLog::open(&folder.path().join("log"), &two, Options::default()).unwrap();
    drop(log);
    let data = folder.path().to_str().unwrap();
    let found = report(&feira(&["verify", "--data", data, "--output", "json"]).await, 0);
    assert_eq!(found["position"].as_object().unwrap().len(), 4 * SERVICES.len());
}
