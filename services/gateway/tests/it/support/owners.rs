//! Owners of lanes in memory: as much of the catalog and the cart as the gateway's answers need, on one lane each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use feira_commands::stock::{self, Input};
use feira_commands::{cart, catalog};
use feira_events::Meta;
use feira_events::cart::Line;
use feira_ids::{CommandId, Fingerprint, LaneId, ServiceName};
use feira_money::Amount;
use feira_projection_store::{Checkpoint, Mutation, Store};
use feira_rows::{CARTS_PROJECTION, PRODUCTS_PROJECTION};
use feira_runtime::{Accepted, Answer, Command, Commands, EventRef, Position};

use super::CountedStore;

type Key = (String, String);

/// Decides what it is sent and writes the rows at once, unless told to hold them back.
pub struct Owners {
    store: Arc<CountedStore>,
    state: Mutex<State>,
    holding: AtomicBool,
    held: Mutex<Vec<Mutation>>,
}

#[derive(Default)]
struct State {
    products: HashMap<Key, catalog::View>,
    stocks: HashMap<Key, stock::View>,
    carts: HashMap<Key, cart::View>,
    decided: HashMap<CommandId, (Fingerprint, Answer)>,
    seen: Vec<Command>,
    next_answer: Option<Answer>,
    seq: u64,
}

impl Owners {
    pub fn new(store: Arc<CountedStore>) -> Self {
        Self { store, state: Mutex::default(), holding: AtomicBool::new(false), held: Mutex::default() }
    }

    /// From now on rows are not written.
    pub fn hold_projections(&self) {
        self.holding.store(true, Ordering::Relaxed);
    }

    /// Writes the rows of the catalog held back.
    pub async fn release_projections(&self) {
        self.holding.store(false, Ordering::Relaxed);
        let writes = std::mem::take(&mut *self.held.lock().unwrap());
        let lane_seq = self.state.lock().unwrap().seq;
        let checkpoint = Checkpoint { lane_seq, hint: 0 };
        self.store.apply(writes, PRODUCTS_PROJECTION, "catalog/0", checkpoint).await.unwrap();
    }

    /// What the next command is answered, instead of being decided.
    pub fn answer_next(&self, answer: Answer) {
        self.state.lock().unwrap().next_answer = Some(answer);
    }

    /// Everything sent so far.
    pub fn seen(&self) -> Vec<Command> {
        self.state.lock().unwrap().seen.clone()
    }

    fn decide(&self, command: &Command) -> (Answer, Vec<Mutation>) {
        let mut state = self.state.lock().unwrap();
        state.seen.push(command.clone());
        if let Some(answer) = state.next_answer.take() {
            return (answer, Vec::new());
        }
        assert_eq!(command.fingerprint, Fingerprint::of(&command.operation, &command.input));
        assert_eq!(command.principal.tenant.as_ref(), Some(&command.tenant));
        if let Some((fingerprint, answer)) = state.decided.get(&command.command_id) {
            let answer = match answer.clone() {
                _ if *fingerprint != command.fingerprint => Answer::KeyReused,
                Answer::Accepted(accepted) => Answer::Accepted(Accepted { repeated: true, ..accepted }),
                answer => answer,
            };
            return (answer, Vec::new());
        }
        let key = (command.tenant.to_string(), command.aggregate.key().to_owned());
        let current = match command.aggregate.kind_name() {
            "product" => state.products.get(&key).map_or(0, |view| view.version),
            "stock" => state.stocks.get(&key).map_or(0, |view| view.version),
            _ => state.carts.get(&key).map_or(0, |view| view.version),
        };
        if command.expected_version.is_some_and(|expected| expected != current) {
            return (Answer::Conflict { current }, Vec::new());
        }
        state.seq += 1;
        let meta = meta(command, state.seq, current + 1);
        let (answer, writes) = match command.aggregate.kind_name() {
            "product" => state.product(command, &key, &meta),
            "stock" => (state.stock(command, &key, &meta), Vec::new()),
            _ => state.cart(command, &key, &meta),
        };
        state.decided.insert(command.command_id, (command.fingerprint, answer.clone()));
        (answer, writes)
    }
}

#[async_trait]
impl Commands for Owners {
    async fn ask(&self, command: Command) -> Answer {
        let (answer, writes) = self.decide(&command);
        if self.holding.load(Ordering::Relaxed) {
            self.held.lock().unwrap().extend(writes);
        } else if !writes.is_empty() {
            let (projection, lane) = match command.aggregate.kind_name() {
                "product" => (PRODUCTS_PROJECTION, "catalog/0"),
                _ => (CARTS_PROJECTION, "cart/0"),
            };
            let lane_seq = self.state.lock().unwrap().seq;
            self.store.apply(writes, projection, lane, Checkpoint { lane_seq, hint: 0 }).await.unwrap();
        }
        answer
    }
}

fn meta(command: &Command, seq: u64, version: u64) -> Meta {
    Meta {
        event_id: command.command_id.event(0),
        lane: 0,
        lane_seq: seq as i64,
        term: 1,
        aggregate: command.aggregate.as_str().into(),
        aggregate_seq: Some(version as i64),
        hlc: seq as i64 * 2,
        at: seq as i64,
        tenant: command.tenant.clone(),
        principal: command.principal.to_string().into(),
        command_id: command.command_id,
        fingerprint: command.fingerprint,
        index: 0,
        count: 1,
        causation_id: command.causation_id,
        correlation_id: command.correlation_id,
        traceparent: None,
    }
}

fn position(service: &str, seq: i64) -> Position {
    Position::at(LaneId::new(&ServiceName::new(service), 0), seq as u64)
}

fn accepted(service: &str, meta: &Meta, version: u64, changed: bool, view: &impl serde::Serialize) -> Answer {
    let event = EventRef { id: meta.event_id, event_type: "feira.test".into(), lane_seq: meta.lane_seq as u64 };
    Answer::Accepted(Accepted {
        position: position(service, meta.lane_seq),
        version,
        events: if changed { vec![event] } else { Vec::new() },
        view: Bytes::from(serde_json::to_vec(view).unwrap()),
        repeated: false,
    })
}

fn refused(service: &str, meta: &Meta, code: &str, field: &str) -> Answer {
    Answer::Refused {
        position: position(service, meta.lane_seq),
        code: code.into(),
        field: Some(field.into()),
        message: "it cannot be".into(),
    }
}

impl State {
    fn product(&mut self, command: &Command, key: &Key, meta: &Meta) -> (Answer, Vec<Mutation>) {
        let sku: Arc<str> = command.aggregate.key().into();
        let before = self.products.get(key).cloned();
        let mut view = before.clone().unwrap_or(catalog::View {
            sku: sku.clone(),
            version: 0,
            listed: false,
            details: None,
            pricing: None,
        });
        match serde_json::from_slice(&command.input).unwrap() {
            catalog::Input::Put { details, pricing } => {
                if details.title.chars().count() > 512 {
                    return (refused("catalog", meta, "TITLE_TOO_LONG", "title"), Vec::new());
                }
                (view.details, view.pricing, view.listed) = (Some(details), Some(pricing), true);
            }
            catalog::Input::SetPrice { price, sale_price } => {
                view.pricing = Some(feira_events::catalog::Pricing { price, sale_price });
            }
            catalog::Input::Withdraw => view.listed = false,
        }
        if before.as_ref() == Some(&view) {
            return (accepted("catalog", meta, view.version, false, &view), Vec::new());
        }
        view.version += 1;
        self.products.insert(key.clone(), view.clone());
        let write = if view.listed {
            feira_rows::catalog::put_product(meta, &sku, view.details.as_ref(), view.pricing.as_ref())
        } else {
            feira_rows::catalog::remove_product(meta, &sku)
        };
        (accepted("catalog", meta, view.version, true, &view), vec![write])
    }

    fn stock(&mut self, command: &Command, key: &Key, meta: &Meta) -> Answer {
        let Input::Set { on_hand } = serde_json::from_slice(&command.input).unwrap() else { panic!("{command:?}") };
        if on_hand < 0 {
            return refused("catalog", meta, "BAD_COUNT", "on_hand");
        }
        let before = self.stocks.get(key).cloned();
        let changed = before.as_ref().and_then(|view| view.on_hand) != Some(on_hand);
        let version = before.map_or(0, |view| view.version) + u64::from(changed);
        let (sku, on_hand) = (command.aggregate.key().into(), Some(on_hand));
        let view = stock::View { sku, version, on_hand, reserved: 0, available: on_hand };
        self.stocks.insert(key.clone(), view.clone());
        accepted("catalog", meta, version, changed, &view)
    }

    fn cart(&mut self, command: &Command, key: &Key, meta: &Meta) -> (Answer, Vec<Mutation>) {
        let customer = command.aggregate.key();
        let mut view = self.carts.get(key).cloned().unwrap_or_default();
        view.customer = customer.into();
        let mut writes = vec![feira_rows::cart::touch_cart(meta, customer)];
        match serde_json::from_slice(&command.input).unwrap() {
            cart::Input::AddItem { sku, quantity } => {
                let Some(product) = self.products.get(&(key.0.clone(), sku.to_string())) else {
                    return (refused("cart", meta, "UNKNOWN_PRODUCT", "sku"), Vec::new());
                };
                let (details, pricing) = (product.details.clone().unwrap(), product.pricing.clone().unwrap());
                if !view.lines.iter().any(|line| line.sku == sku) {
                    let first_added = meta.lane_seq;
                    let (title, unit_price) = (details.title, pricing.current());
                    view.lines.push(Line { sku: sku.clone(), title, quantity: 0, unit_price, first_added });
                }
                let line = view.lines.iter_mut().find(|line| line.sku == sku).unwrap();
                line.quantity += quantity;
                writes.push(feira_rows::cart::put_line(meta, customer, line));
                writes.push(feira_rows::cart::put_edit(meta, customer, Some(&sku)));
                view.undoable.insert(0, view.version as i64 + 1);
            }
            cart::Input::SetNote { note } => {
                writes.push(feira_rows::cart::put_note(meta, customer, note.as_ref()));
                view.note = note;
            }
            cart::Input::RemoveItem { sku } => {
                view.lines.retain(|line| line.sku != sku);
                writes.push(feira_rows::cart::remove_line(meta, customer, &sku));
            }
            cart::Input::SetQuantity { .. }
            | cart::Input::Undo { .. }
            | cart::Input::Checkout { .. }
            | cart::Input::CompleteCheckout { .. }
            | cart::Input::FailCheckout { .. } => {
                return (refused("cart", meta, "NOTHING_TO_UNDO", "edit"), Vec::new());
            }
        }
        view.version += 1;
        view.subtotal = view
            .lines
            .iter()
            .map(|line| line.unit_price.checked_mul(i64::from(line.quantity)).unwrap())
            .reduce(|sum: Amount, total| sum.checked_add(total).unwrap());
        self.carts.insert(key.clone(), view.clone());
        (accepted("cart", meta, view.version, true, &view), writes)
    }
}
