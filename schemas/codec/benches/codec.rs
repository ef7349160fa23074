//! How long an added item takes to become bytes and an event again, envelope included.
//!
//! `cargo bench -p feira-codec` prints the best of several rounds, in nanoseconds for each event.

#[path = "../tests/it/samples.rs"]
#[allow(dead_code, missing_docs, clippy::unwrap_used)]
mod samples;

use std::hint::black_box;
use std::time::Instant;

use feira_codec::{EventSet, decode_meta, frame, open};
use feira_events::cart;

const ROUNDS: usize = 15;
const EVENTS_PER_ROUND: u32 = 50_000;

fn main() {
    let event = samples::item_added();
    let meta = samples::meta("cart:BR.1234");
    let body = event.encode_body().expect("the sample fits its schema");
    let value = frame(&meta, &body).expect("the sample is short");
    println!("ItemAdded: {} bytes, {} of them the body", value.len(), body.bytes.len());

    report("encode the body", || event.encode_body().expect("as before"));
    report("frame envelope and body", || frame(&meta, &body).expect("as before"));
    report("encode and frame", || frame(&meta, &event.encode_body().expect("as before")).expect("as before"));
    report("read the envelope", || decode_meta(&value).expect("just written"));
    report("open", || open(&value).expect("just written"));
    report("open and decode", || {
        let opened = open(&value).expect("just written");
        let event = opened.decode::<cart::Event>().expect("just written");
        (opened, event)
    });
}

fn report<T>(what: &str, mut act: impl FnMut() -> T) {
    let best = (0..ROUNDS).map(|_| {
        let begin = Instant::now();
        for _ in 0..EVENTS_PER_ROUND {
            black_box(act());
        }
        begin.elapsed().as_nanos() / u128::from(EVENTS_PER_ROUND)
    });
    println!("{what}: {} ns", best.min().expect("there are rounds"));
}
