//! A small process that the suite drives: what a basket is given it has other baskets given, now or later.
//!
//! The thing that was added says what is wanted: `echo-mango`, `rare-mango`, `refuse-mango`, `later-500-mango`,
//! `forget-mango`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use feira_codec::{CodecError, Opened};
use feira_commands::cart::Input;
use feira_decider::{Ask, Do, Process};
use feira_events::Meta;
use feira_events::cart::Event;
use feira_ids::{AggregateId, ServiceName};

use super::basket::{RARE, UNITS_MAX};
use crate::{ProcessManager, process};

/// The basket that things are echoed into.
pub const ECHO: &str = "ECHO";
/// The basket that is given what the echo refuses.
pub const REFUSED: &str = "REFUSED";
/// The basket that is given things later.
pub const LATER: &str = "LATER";

/// The process.
#[derive(Debug)]
pub struct Echo;

impl Process for Echo {
    const NAME: &'static str = "echo";
    type Event = Event;

    fn react(meta: &Meta, event: &Event) -> Vec<Do> {
        let Event::ItemAdded(added) = event else { return vec![] };
        let Some((what, thing)) = added.line.sku.split_once('-') else { return vec![] };
        match what {
            "echo" => vec![give(meta, "echo", ECHO, thing, 1).now()],
            "rare" => vec![give(meta, "echo", ECHO, RARE, 1).now()],
            "refuse" => {
                let refused = give(meta, "refused", REFUSED, thing, 1);
                vec![give(meta, "echo", ECHO, thing, UNITS_MAX + 1).or(refused).now()]
            }
            "later" => {
                let (wait_ms, thing) = thing.split_once('-').unwrap_or(("0", thing));
                let due = meta.at + wait_ms.parse().unwrap_or(0);
                vec![give(meta, "later", LATER, thing, 1).at(format!("later/{thing}"), due)]
            }
            "forget" => vec![Do::Forget { timer: format!("later/{thing}") }],
            _ => vec![],
        }
    }
}

fn give(meta: &Meta, step: &'static str, basket: &str, thing: &str, quantity: i32) -> Ask {
    let basket = AggregateId::new("cart", basket).expect("a well formed key");
    let input = Input::AddItem { sku: thing.into(), quantity };
    Ask::new(step, &meta.tenant, basket, input.operation(), &input)
}

/// The process as it is hosted; it fails as a program does while a test says so.
pub struct Echoing {
    process: Arc<dyn ProcessManager>,
    /// Whether it fails.
    pub fails: AtomicBool,
}

impl Echoing {
    /// It does not fail yet.
    pub fn new() -> Self {
        let process = process::<Echo>(&["cart"], Opened::event);
        Self { process, fails: AtomicBool::new(false) }
    }
}

impl Default for Echoing {
    fn default() -> Self {
        Self::new()
    }
}

impl ProcessManager for Echoing {
    fn name(&self) -> &'static str {
        self.process.name()
    }

    fn sources(&self) -> Vec<ServiceName> {
        self.process.sources()
    }

    fn react(&self, record: &Opened) -> Result<Vec<Do>, CodecError> {
        assert!(!self.fails.load(Ordering::SeqCst), "a mistake of the program");
        self.process.react(record)
    }
}
