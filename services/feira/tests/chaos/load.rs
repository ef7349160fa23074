//! A steady stream of commands that waits for nobody, sent as an app would: over GraphQL, again with the same id until
//! there is an answer that stands.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use feira_simulation::Dice;
use futures::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;

use crate::history::{Answer, Id, Op};

/// How many lanes the carts have.
pub const LANES: usize = 4;
/// The business.
pub const TENANT: &str = "chaos";
/// The caller, as the business's own member.
pub const MEMBER: &str = "load";
/// Its products.
pub const SKUS: [&str; 8] = ["acai", "caju", "cupuacu", "goiaba", "jabuticaba", "manga", "pitanga", "umbu"];

/// Commands a second.
pub const RATE: u64 = 100;
/// By how much fewer commands come while a server is away, or more than [`MANY`] wait: what starts again does so on the
/// cores that everything else runs on, and what waits for it must be worked off beside what comes.
pub const SLOWER: u64 = 4;
/// How many wait when more come than the machine can decide.
const MANY: usize = 2 * RATE as usize;
/// How many may wait for an answer: a machine that is slow for a while need not work off more than that.
const UNDER_WAY_MAX: usize = 4 * RATE as usize;
/// How many carts there are.
const CARTS: u64 = 240;
/// How long a command is sent again. Its outcome is unknown after that.
const GIVE_UP: Duration = Duration::from_secs(75);
/// The pause before a command is sent again, doubled each time up to the longest.
const AGAIN: Duration = Duration::from_millis(250);
const AGAIN_LONGEST: Duration = Duration::from_secs(4);
/// How many commands each connection sends before the stream begins.
const WARM_UP: u64 = 40;
/// How many connections there are: over one, a gateway takes 200 requests at once.
const CONNECTIONS: usize = 24;

/// Someone who sends commands and reads.
pub struct Shop {
    clients: Vec<reqwest::Client>,
    turn: AtomicUsize,
    url: String,
    token: String,
    clock: Instant,
    seen: Mutex<Seen>,
    under_way: AtomicUsize,
    /// For each lane, when the latest command answered there had begun.
    latest: [AtomicU64; LANES],
    /// Only one of so many ticks sends a command; none at 0.
    every: AtomicU64,
    stop: AtomicBool,
}

/// What was seen.
#[derive(Default)]
pub struct Seen {
    /// The commands that ended.
    pub ops: Vec<Op>,
    /// When which lane decided a command, and whether it needed nothing but the log.
    pub answered: Vec<Answered>,
    /// Answers that nobody should get.
    pub odd: Vec<String>,
    /// Reads: when each began, and what came of it.
    pub reads: Vec<(u64, Read)>,
    /// How often a command was sent again, by reason.
    pub again: BTreeMap<String, u64>,
    /// The latest position and version that came with a cart.
    carts: BTreeMap<String, (String, i64)>,
}

/// A command was answered.
#[derive(Clone, Copy)]
pub struct Answered {
    /// When it had begun.
    pub began: u64,
    /// When.
    pub at: u64,
    /// By which lane.
    pub lane: u32,
    /// Whether it needed nothing but the log to be decided.
    pub log_only: bool,
}

/// What came of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// What was asked for.
    Fresh,
    /// An error that says what is the matter.
    Typed,
    /// No answer: the gateway is not there.
    Away,
    /// Less than what had been acknowledged, as if it were all.
    Stale,
}

/// What to ask of a cart.
#[derive(Clone)]
struct Command {
    key: String,
    cart: String,
    add: bool,
    sku: String,
    quantity: u64,
}

impl Shop {
    /// Someone with `token` at the gateway at `address`.
    pub fn new(address: &str, token: &str) -> Arc<Self> {
        let client = || {
            let builder = reqwest::Client::builder().http2_prior_knowledge().timeout(Duration::from_secs(20));
            builder.build().expect("a client is made")
        };
        Arc::new(Self {
            clients: (0..CONNECTIONS).map(|_| client()).collect(),
            turn: AtomicUsize::new(0),
            url: format!("http://{address}/graphql"),
            token: token.to_owned(),
            clock: Instant::now(),
            seen: Mutex::default(),
            under_way: AtomicUsize::new(0),
            latest: Default::default(),
            every: AtomicU64::new(1),
            stop: AtomicBool::new(false),
        })
    }

    /// Microseconds of the run.
    pub fn now(&self) -> u64 {
        self.clock.elapsed().as_micros() as u64
    }

    /// What was seen so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether each of `lanes` has answered a command that began after `moment`.
    pub fn answered_since(&self, moment: u64, lanes: &[u32]) -> bool {
        lanes.iter().all(|lane| self.latest[*lane as usize].load(Ordering::Relaxed) > moment)
    }

    /// How many commands wait for an answer.
    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Begins the stream; the same `seed` sends the same.
    pub fn begin(self: &Arc<Self>, seed: u64) -> JoinHandle<()> {
        let shop = self.clone();
        tokio::spawn(async move {
            let dice = Dice::new(seed);
            // What a tick comes late is made up for: the rate does not depend on the answers.
            let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / RATE));
            for number in 0u64.. {
                ticks.tick().await;
                if shop.stop.load(Ordering::Relaxed) {
                    return;
                }
                let (every, under_way) = (shop.every.load(Ordering::Relaxed), shop.under_way());
                let every = if under_way > MANY && every > 0 { SLOWER } else { every };
                if every == 0 || !number.is_multiple_of(every) || under_way >= UNDER_WAY_MAX {
                    continue;
                }
                let (command, twice) = next(&dice, seed, number.to_string());
                shop.under_way.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(shop.clone().send(command, twice));
                if number % (RATE / 5) == 0 {
                    tokio::spawn(shop.clone().read(format!("c{}", dice.below(CARTS))));
                }
            }
        })
    }

    /// Sends commands one after another on each connection: what starts cold is warm before the clock counts.
    pub async fn warm_up(self: &Arc<Self>, seed: u64) {
        let connections = (0..CONNECTIONS as u64).map(|connection| {
            let shop = self.clone();
            async move {
                let dice = Dice::new(seed ^ connection);
                for number in 0..WARM_UP {
                    let (command, twice) = next(&dice, seed, format!("warm-{connection}-{number}"));
                    shop.under_way.fetch_add(1, Ordering::Relaxed);
                    shop.clone().send(command, twice).await;
                }
            }
        });
        join_all(connections).await;
    }

    /// Sends only one of `every` commands from now on; none at 0.
    pub fn slow_down(&self, every: u64) {
        self.every.store(every, Ordering::Relaxed);
    }

    /// Ends the stream. What is under way goes on.
    pub fn end(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Sends one command, perhaps twice at once, and takes down what came of it.
    async fn send(self: Arc<Self>, command: Command, twice: bool) {
        let began = self.now();
        let copies = (0..if twice { 2 } else { 1 }).map(|_| self.until_answered(&command, began));
        let answers: Vec<Answer> = join_all(copies).await.into_iter().flatten().collect();
        let operation = if command.add { "cart.add_item" } else { "cart.set_quantity" };
        let cart = format!("cart:{}", command.cart);
        let op = Op { id: id_of(operation, &command.cart, &command.key), cart, began, answers };
        self.seen().ops.push(op);
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }

    async fn until_answered(&self, command: &Command, began: u64) -> Option<Answer> {
        let until = Instant::now() + GIVE_UP;
        let field = if command.add { "cartAddItem" } else { "cartSetQuantity" };
        let input = if command.add { "CartAddItemInput" } else { "CartSetQuantityInput" };
        let query = format!(
            "mutation($input: {input}!) {{ {field}(input: $input) {{ version position repeated userErrors {{ code }} }} }}"
        );
        let input = json!({
            "customer": command.cart, "commandId": command.key, "sku": command.sku, "quantity": command.quantity
        });
        let body = json!({ "query": query, "variables": { "input": input } });
        let mut pause = AGAIN;
        while Instant::now() < until {
            let reason = match self.ask(&body).await {
                Ok(answer) => match self.answer(&answer["data"][field]) {
                    Ok((answer, position)) => {
                        self.take_down(command, began, answer, position);
                        return Some(answer);
                    }
                    Err(reason) => reason,
                },
                Err(reason) => reason,
            };
            *self.seen().again.entry(reason).or_default() += 1;
            tokio::time::sleep(pause).await;
            pause = AGAIN_LONGEST.min(pause * 2);
        }
        None
    }

    fn take_down(&self, command: &Command, began: u64, answer: Answer, position: String) {
        self.latest[answer.lane as usize].fetch_max(began, Ordering::Relaxed);
        let mut seen = self.seen();
        seen.answered.push(Answered { began, at: answer.at, lane: answer.lane, log_only: !command.add });
        if let Some(version) = answer.version
            && !answer.repeated
        {
            let known = seen.carts.entry(command.cart.clone()).or_default();
            if version > known.1 {
                *known = (position, version);
            }
        }
    }

    /// An answer that stands, and the position as it was told.
    fn answer(&self, payload: &Value) -> Result<(Answer, String), String> {
        let odd = || {
            self.seen().odd.push(payload.to_string());
            "odd".to_owned()
        };
        let errors = payload["userErrors"].as_array().ok_or_else(odd)?;
        let codes: Vec<&str> = errors.iter().filter_map(|error| error["code"].as_str()).collect();
        let position = payload["position"].as_str().ok_or_else(odd)?;
        let (lane, seq) = place(position).ok_or_else(odd)?;
        let refused = match codes.as_slice() {
            [] => false,
            ["UNKNOWN_PRODUCT" | "NOT_IN_CART" | "QUANTITY_LIMIT"] => true,
            _ => return Err(odd()),
        };
        let answer = Answer {
            at: self.now(),
            lane,
            seq,
            version: payload["version"].as_i64(),
            refused,
            repeated: payload["repeated"].as_bool().ok_or_else(odd)?,
        };
        Ok((answer, position.to_owned()))
    }

    /// Asks once; in the error, why there is no data.
    async fn ask(&self, body: &Value) -> Result<Value, String> {
        let client = &self.clients[self.turn.fetch_add(1, Ordering::Relaxed) % self.clients.len()];
        let asked = client.post(&self.url).bearer_auth(&self.token).json(body).send().await;
        let answer: Value = match asked {
            Ok(answer) => answer.json().await.map_err(|_| "broken off".to_owned())?,
            Err(error) if error.is_timeout() => return Err("no answer".to_owned()),
            Err(_) => return Err("away".to_owned()),
        };
        match answer["errors"][0]["extensions"]["code"].as_str() {
            None if answer["errors"].is_null() => Ok(answer),
            Some(code @ ("TIMEOUT" | "UNAVAILABLE" | "THROTTLED" | "PROJECTION_LAG")) => Err(code.to_owned()),
            _ => {
                self.seen().odd.push(answer.to_string());
                Err("odd".to_owned())
            }
        }
    }

    /// Reads a cart at the latest position that came with it.
    async fn read(self: Arc<Self>, cart: String) {
        let Some((position, version)) = self.seen().carts.get(&cart).cloned() else { return };
        let began = self.now();
        let read = match self.cart(&cart, &position).await {
            Ok((found, _)) if found >= version => Read::Fresh,
            Ok(_) => Read::Stale,
            Err(reason) if reason.chars().all(|c| c.is_ascii_uppercase() || c == '_') => Read::Typed,
            Err(_) => Read::Away,
        };
        self.seen().reads.push((began, read));
    }

    /// A cart at a position: its version, and how many units there are of each product.
    pub async fn cart(&self, cart: &str, position: &str) -> Result<(i64, BTreeMap<String, i32>), String> {
        let query = "query($customer: String, $position: Position) { \
            cart(customer: $customer, position: $position) { version lines { sku quantity } } }";
        let variables = json!({ "customer": cart, "position": position });
        let answer = self.ask(&json!({ "query": query, "variables": variables })).await?;
        let found = &answer["data"]["cart"];
        let line = |line: &Value| Some((line["sku"].as_str()?.to_owned(), line["quantity"].as_i64()? as i32));
        let lines = found["lines"].as_array().and_then(|lines| lines.iter().map(line).collect());
        match (found["version"].as_i64(), lines) {
            (Some(version), Some(lines)) => Ok((version, lines)),
            _ => {
                self.seen().odd.push(answer.to_string());
                Err("odd".to_owned())
            }
        }
    }

    /// Lists the products, once the platform is there to do so.
    pub async fn list_products(&self) -> Result<(), String> {
        let query = "mutation($input: ProductPutInput!) { productPut(input: $input) { version userErrors { code } } }";
        for sku in SKUS {
            let price = json!({ "amount": "12.50", "currency": "BRL" });
            let input = json!({ "commandId": sku, "sku": sku, "title": sku, "price": price });
            let answer = self.ask(&json!({ "query": query, "variables": { "input": input } })).await?;
            let errors = &answer["data"]["productPut"]["userErrors"];
            assert_eq!(*errors, json!([]), "{answer}");
        }
        Ok(())
    }
}

/// The next command, and whether it is sent twice at once.
fn next(dice: &Dice, seed: u64, name: String) -> (Command, bool) {
    let kind = dice.below(100);
    let sku = if kind < 2 { "nobody-has-it" } else { SKUS[dice.below(SKUS.len() as u64) as usize] };
    let command = Command {
        key: format!("{seed}-{name}"),
        cart: format!("c{}", dice.below(CARTS)),
        // A tenth needs nothing but the log to be decided.
        add: kind < 90,
        sku: sku.to_owned(),
        quantity: 1 + dice.below(3),
    };
    (command, dice.below(100) < 5)
}

/// The lane and sequence of a position on the carts.
fn place(position: &str) -> Option<(u32, i64)> {
    let (lane, seq) = position.strip_prefix("cart/")?.split_once(':')?;
    Some((lane.parse().ok().filter(|lane| (*lane as usize) < LANES)?, seq.parse().ok()?))
}

/// The id that a command has in the log: half of SHA-256 over tenant, principal, what is asked of which cart, and the
/// client's key, each after its length in eight bytes.
fn id_of(operation: &str, cart: &str, key: &str) -> Id {
    let mut hash = Sha256::new();
    for part in [TENANT, &format!("member:{MEMBER}"), &format!("{operation} {cart}"), key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    Id(id)
}
