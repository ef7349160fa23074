//! How many added items a second become bytes and events again on one core, envelope included, beside the same record as
//! JSON.
//!
//! `cargo bench -p feira-codec`. `FEIRA_BENCH_SECONDS` sets how long a round takes.

#[path = "../tests/it/samples.rs"]
#[allow(dead_code, missing_docs, clippy::unwrap_used)]
mod samples;

use std::hint::black_box;
use std::process::ExitCode;

use feira_bench::{Report, Round, Row, Unit, in_turns, rounds, turn};
use feira_codec::{EventSet, decode_meta, frame, open};
use feira_events::Meta;
use feira_events::cart::{Event, ItemAdded};

/// How many are done between two looks at the clock.
const AT_ONCE: u64 = 1_000;

fn main() -> ExitCode {
    let event = samples::item_added();
    let Event::ItemAdded(added) = &event else { unreachable!("the sample is an added item") };
    let meta = samples::meta("cart:BR.1234");
    let body = event.encode_body().expect("the sample fits its schema");
    let value = frame(&meta, &body).expect("the sample is short");
    let json = serde_json::to_vec(&(&meta, added)).expect("the sample has a form as JSON");
    let opened = open(&value).expect("just written");
    assert_eq!((opened.meta.clone(), opened.decode::<Event>().expect("just written")), (meta.clone(), event.clone()));

    let mut report = Report::new();
    let title = format!("An added item of {} bytes ({} of them the body), one core", value.len(), body.bytes.len());
    report.table(&title, Unit::PerSecond, &format!("the same record as JSON by serde_json, {} bytes", json.len()));
    let (ours, theirs) = in_turns(
        || many(|| frame(&meta, &event.encode_body().expect("as before")).expect("as before")),
        || many(|| serde_json::to_vec(&(&meta, added)).expect("as before")),
    );
    report.row(Row::new("encode and frame", &ours).beside(&theirs));
    let (ours, theirs) = in_turns(
        || {
            many(|| {
                let opened = open(&value).expect("just written");
                let event = opened.decode::<Event>().expect("just written");
                (opened, event)
            })
        },
        || many(|| serde_json::from_slice::<(Meta, ItemAdded)>(&json).expect("just written")),
    );
    report.row(Row::new("open and decode", &ours).beside(&theirs));
    let encoded = rounds(|| many(|| event.encode_body().expect("as before")));
    report.row(Row::new("encode the body", &encoded));
    let framed = rounds(|| many(|| frame(&meta, &body).expect("as before")));
    report.row(Row::new("frame envelope and body", &framed));
    let read = rounds(|| many(|| decode_meta(&value).expect("just written")));
    report.row(Row::new("read the envelope", &read));
    let opened = rounds(|| many(|| open(&value).expect("just written")));
    report.row(Row::new("open", &opened));
    report.end()
}

/// A round of doing `act` over and over.
fn many<T>(mut act: impl FnMut() -> T) -> Round {
    Round::repeat_on_one_core(turn(0.2), AT_ONCE, || {
        for _ in 0..AT_ONCE {
            black_box(act());
        }
    })
}
