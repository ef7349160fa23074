//! Clients: they keep a shop, fill carts, check out, pay, send each other money and write, and send again what is not
//! answered.

use std::sync::Arc;
use std::time::Duration;

use feira_commands::billing::InvoiceInput;
use feira_commands::conversation::{BusinessInput, ReceiptStatus, SenderInput, ThreadInput, thread_key};
use feira_commands::{cart, catalog, order, payments, stock};
use feira_events::catalog::{Availability, Condition, Details, Pricing};
use feira_events::conversation::{Channel, Content};
use feira_events::payments::{Purpose, Transfer};
use feira_ids::{
    AccountId, AggregateId, CommandId, Fingerprint, Principal, PrincipalKind, Role, ServiceName, TenantId,
};
use feira_money::Amount;
use feira_projection_store::Store;
use feira_rows::CARTS_PROJECTION;
use feira_rows::cart::{CARTS, CartRow, cart_key};
use feira_runtime::{Answer, Command, Commands, Position, Reads, RemoteCommands, Waited};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::dice::Dice;
use crate::history::{History, now};

/// The businesses.
const SHOPS: [&str; 2] = ["feira-livre", "mumbai-bazaar"];
/// What each sells.
const SKUS: [&str; 3] = ["manga", "caju", "umbu"];
/// Units that a shop has of a product when it counts them.
const STOCK: u64 = 12;
/// The people, and in which shard each has an account.
const PEOPLE: [(&str, u32); 5] = [("ana", 0), ("bia", 1), ("caio", 2), ("davi", 0), ("elis", 1)];
/// What each of them has at first, in minor units.
const FUNDED: i64 = 40_000;
/// How often a command is sent before its client gives up.
const TRIES: usize = 8;
/// How long one of these may take.
const DEADLINE_MS: i64 = 10_000;

/// A client.
pub struct Client {
    name: String,
    commands: RemoteCommands,
    reads: Reads,
    store: Arc<dyn Store>,
    dice: Dice,
    history: Arc<History>,
    sent: u64,
    /// Transfers that it saw held for another shard.
    held: Vec<Transfer>,
    /// What it ordered: where, as whom, and the order.
    ordered: Vec<(&'static str, String, Arc<str>)>,
}

/// Clients that act at one time.
pub struct Crowd {
    hours: watch::Sender<Hours>,
    clients: JoinSet<Client>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Hours {
    Open,
    Break,
    Closed,
}

impl Crowd {
    /// Lets all of them act, one thing after the other each.
    pub fn begin(clients: impl IntoIterator<Item = Client>) -> Self {
        let (hours, now) = watch::channel(Hours::Open);
        let act = |mut client: Client| {
            let mut now = now.clone();
            async move {
                // Nobody who could change it is left: it is closed.
                while let Ok(Hours::Open) = now.wait_for(|now| *now != Hours::Break).await.map(|now| *now) {
                    client.act().await;
                }
                client
            }
        };
        Self { hours, clients: clients.into_iter().map(act).collect() }
    }

    /// Lets nobody begin anything for a while, or again.
    pub fn pause(&self, paused: bool) {
        self.hours.send_replace(if paused { Hours::Break } else { Hours::Open });
    }

    /// Lets nobody begin anything any more.
    pub fn close(&self) {
        self.hours.send_replace(Hours::Closed);
    }

    /// Waits until all have ended what they do; nobody does before it is closed.
    ///
    /// # Panics
    /// As one of them has.
    pub async fn gone(self) -> Vec<Client> {
        self.clients.join_all().await
    }
}

/// What can be asked of an aggregate, whichever.
struct Ask {
    tenant: &'static str,
    aggregate: String,
    operation: &'static str,
    input: Vec<u8>,
}

fn ask(tenant: &'static str, aggregate: impl Into<String>, operation: &'static str, input: &impl Serialize) -> Ask {
    let input = serde_json::to_vec(input).expect("an input is JSON");
    Ask { tenant, aggregate: aggregate.into(), operation, input }
}

impl Client {
    /// The client called `name`, who asks by `commands`, reads in `store`, and does what `seed` draws.
    pub fn new(name: &str, commands: RemoteCommands, store: Arc<dyn Store>, seed: u64, history: &Arc<History>) -> Self {
        let services = vec![ServiceName::new(feira_cart_server::SERVICE)];
        Self {
            name: name.to_owned(),
            commands,
            reads: Reads::new(store.clone(), [(CARTS_PROJECTION, services)]),
            store,
            dice: Dice::new(seed),
            history: history.clone(),
            sent: 0,
            held: vec![],
            ordered: vec![],
        }
    }

    /// Brings shops, products, units and accounts in: what all others rest on.
    pub async fn open_the_market(&mut self) {
        for (place, shop) in SHOPS.into_iter().enumerate() {
            let country = ["BR", "IN"][place];
            let register = BusinessInput::Register {
                name: shop.into(),
                profile: Default::default(),
                country: country.into(),
                sandbox: false,
            };
            self.insist(&ask(shop, "business:main", register.operation(), &register)).await;
            let open = SenderInput::Open { display_name: shop.into(), channel: Channel::Chat };
            self.insist(&ask(shop, "sender:main", open.operation(), &open)).await;
            self.open(till(place)).await;
            for sku in SKUS {
                let put = catalog::Input::Put { details: details(sku), pricing: pricing(1_000) };
                self.insist(&ask(shop, format!("product:{sku}"), put.operation(), &put)).await;
                let set = stock::Input::Set { on_hand: STOCK as i64 };
                self.insist(&ask(shop, format!("stock:{sku}"), set.operation(), &set)).await;
            }
        }
        for (person, shard) in PEOPLE {
            let account = wallet(person, shard);
            self.open(account.clone()).await;
            let fund = payments::Input::Fund { account: account.clone(), amount: reais(FUNDED) };
            self.insist(&of_shard(&account, &fund)).await;
        }
    }

    async fn open(&mut self, account: AccountId) {
        let open = payments::Input::OpenAccount { account: account.clone(), regime: "BR-trial-2020".into() };
        self.insist(&of_shard(&account, &open)).await;
    }

    /// Does one thing.
    pub async fn act(&mut self) {
        let place = self.dice.below(SHOPS.len() as u64) as usize;
        let shop = SHOPS[place];
        match self.dice.below(19) {
            0 => self.keep(shop).await,
            1..=6 => self.shop(shop).await,
            7 | 8 => self.buy(shop, place).await,
            9..=11 => self.pay_a_friend().await,
            12 => self.ask_a_friend().await,
            13 | 14 => self.talk(shop).await,
            15 => self.bill(shop).await,
            16 => self.set_aside(shop).await,
            _ => self.mend().await,
        }
        tokio::time::sleep(Duration::from_millis(self.dice.below(700))).await;
    }

    /// Prices and units.
    async fn keep(&mut self, shop: &'static str) {
        let sku = *self.dice.choose(&SKUS);
        if self.dice.one_in(2) {
            let price = catalog::Input::SetPrice { price: reais(500 + self.minor(1_000)), sale_price: None };
            self.send(&ask(shop, format!("product:{sku}"), price.operation(), &price)).await;
        } else {
            let set = stock::Input::Set { on_hand: self.minor(STOCK) };
            self.send(&ask(shop, format!("stock:{sku}"), set.operation(), &set)).await;
        }
    }

    /// One edit of a cart, and sometimes a look at it.
    async fn shop(&mut self, shop: &'static str) {
        let customer = self.customer();
        let sku: Arc<str> = (*self.dice.choose(&SKUS)).into();
        let quantity = 1 + self.dice.below(2) as i32;
        let edit = match self.dice.below(8) {
            0 => cart::Input::SetQuantity { sku, quantity },
            1 => cart::Input::RemoveItem { sku },
            2 => cart::Input::Undo { edit: None },
            3 => cart::Input::AddItem { sku: "nobody-has-it".into(), quantity },
            _ => cart::Input::AddItem { sku, quantity },
        };
        let edited = self.send(&ask(shop, format!("cart:{customer}"), edit.operation(), &edit)).await;
        if let Some(Answer::Accepted(accepted)) = edited
            && self.dice.one_in(3)
        {
            self.look(shop, &customer, &accepted.position, accepted.version).await;
        }
    }

    /// Reads a cart at a position: it is as new as that.
    async fn look(&self, shop: &str, customer: &str, position: &Position, version: u64) {
        let tenant = TenantId::new(shop).expect("a business's id");
        let Ok(Waited::Reached) = self.reads.wait_for(position, CARTS_PROJECTION).await else { return };
        let Ok(row) = self.store.get(&CARTS, &cart_key(&tenant, customer)).await else { return };
        let found = row.map(CartRow::from_row).and_then(Result::ok).map_or(0, |row| row.version);
        if found < version {
            self.history.wrong(format!("cart {customer} of {shop} reads {found} at {position}, where it is {version}"));
        }
    }

    /// A cart is checked out, and its order paid, or called off.
    async fn buy(&mut self, shop: &'static str, place: usize) {
        let (person, shard) = *self.dice.choose(&PEOPLE);
        let customer = customer_of(person);
        let id = self.key("order");
        let checkout =
            cart::Input::Checkout { order: id.as_str().into(), thread: None, account: till(place), accept_total: None };
        let checked = self.send(&ask(shop, format!("cart:{customer}"), checkout.operation(), &checkout)).await;
        let Some(Answer::Accepted(accepted)) = checked else { return };
        let Ok(view) = serde_json::from_slice::<cart::View>(&accepted.view) else { return };
        let (Some(due), Some(under_way)) = (view.subtotal, view.checkout) else { return };
        self.ordered.push((shop, customer.clone(), under_way.clone()));
        if self.dice.one_in(5) {
            self.call_off(shop, &customer, &under_way).await;
        }
        // It can be paid once its units are put aside: who is too early is refused, and tries once more.
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(self.dice.below(1_500))).await;
            let from = wallet(person, shard);
            let transfer = Transfer {
                transfer: self.hex().into(),
                from: from.clone(),
                to: till(place),
                amount: due,
                purpose: Purpose::Order,
                subject: Some(under_way.clone()),
                customer: Some(customer.as_str().into()),
                note: None,
                deadline: 0,
            };
            self.send(&of_shard(&from, &payments::Input::Submit { transfer })).await;
        }
    }

    async fn call_off(&mut self, shop: &'static str, customer: &str, order: &str) {
        let cancel = order::Input::Cancel { customer: customer.into(), reason: "changed my mind".into() };
        self.send(&ask(shop, format!("order:{order}"), cancel.operation(), &cancel)).await;
    }

    /// Calls off what it ordered and has not paid, so that nothing waits for its payment.
    pub async fn leave(&mut self) {
        for (shop, customer, order) in std::mem::take(&mut self.ordered) {
            self.call_off(shop, &customer, &order).await;
        }
    }

    /// Money from one to another, taken back now and then while it is under way.
    async fn pay_a_friend(&mut self) {
        let ((from, shard), (to, other)) = (*self.dice.choose(&PEOPLE), *self.dice.choose(&PEOPLE));
        let (from, id) = (wallet(from, shard), self.hex());
        let transfer = Transfer {
            transfer: id.as_str().into(),
            from: from.clone(),
            to: wallet(to, other),
            amount: reais(1 + self.minor(2_000)),
            purpose: Purpose::Gift,
            subject: None,
            customer: None,
            note: None,
            deadline: 0,
        };
        let submitted = self.send(&of_shard(&from, &payments::Input::Submit { transfer })).await;
        if let Some(Answer::Accepted(accepted)) = submitted
            && let Ok(payments::View { transfer: Some(there), .. }) = serde_json::from_slice(&accepted.view)
            && there.transfer.from.shard() != there.transfer.to.shard()
        {
            self.held.push(there.transfer);
        }
        if self.dice.one_in(3) {
            let cancel = payments::Input::CancelTransfer { transfer: id.as_str().into(), from: from.clone() };
            self.send(&of_shard(&from, &cancel)).await;
        }
    }

    /// Who operates the ledger asks the payee's shard again about some transfer, under an id of its own: to take it in,
    /// or to decline it. It may be early or late, and is right to ask as often as it likes.
    async fn mend(&mut self) {
        if self.held.is_empty() {
            return;
        }
        // One of the last, which may be under way, or any.
        let from = if self.dice.one_in(2) { self.held.len() - 1 } else { 0 };
        let transfer = self.dice.choose(&self.held[from..]).clone();
        let to = transfer.to.clone();
        let asked = match self.dice.below(3) {
            0 => payments::Input::Decline {
                transfer: transfer.transfer,
                from: transfer.from,
                to: transfer.to,
                reason: "OPERATOR".into(),
            },
            _ => payments::Input::Credit { transfer },
        };
        self.send(&of_shard(&to, &asked)).await;
    }

    /// Units put aside at the counter for a while, and sold, given back or forgotten.
    async fn set_aside(&mut self, shop: &'static str) {
        let stock = format!("stock:{}", self.dice.choose(&SKUS));
        let order: Arc<str> = self.key("counter").into();
        let until = now() / 1_000 + 2_000 + self.minor(20_000);
        let reserve = stock::Input::Reserve { order: order.clone(), quantity: 1, until };
        let reserved = self.send(&ask(shop, stock.clone(), reserve.operation(), &reserve)).await;
        let Some(Answer::Accepted(_)) = reserved else { return };
        let then = match self.dice.below(3) {
            0 => stock::Input::Commit { order },
            1 => stock::Input::Release { order },
            _ => return,
        };
        self.send(&ask(shop, stock, then.operation(), &then)).await;
    }

    async fn ask_a_friend(&mut self) {
        let ((asker, shard), (payer, other)) = (*self.dice.choose(&PEOPLE), *self.dice.choose(&PEOPLE));
        let (asker, payer, request): (_, _, Arc<str>) =
            (wallet(asker, shard), wallet(payer, other), self.key("request").into());
        let asked = payments::Input::RequestMoney {
            request: request.clone(),
            asker: asker.clone(),
            payer: payer.clone(),
            amount: reais(1 + self.minor(900)),
            note: None,
            expires: 0,
        };
        let Some(Answer::Accepted(_)) = self.send(&of_shard(&payer, &asked)).await else { return };
        let said = match self.dice.below(4) {
            0 => payments::Input::DeclineRequest { request, payer: payer.clone() },
            1 => payments::Input::WithdrawRequest { request, asker, payer: payer.clone() },
            _ => payments::Input::ApproveRequest { request, payer: payer.clone() },
        };
        self.send(&of_shard(&payer, &said)).await;
    }

    /// The customer writes, the business answers, the answer is delivered.
    async fn talk(&mut self, shop: &'static str) {
        let customer = self.customer();
        let thread = format!("thread:{}", thread_key("main", &customer));
        let product = || Content::Product { sku: SKUS[0].into(), body: None };
        let write = ThreadInput::Receive {
            message: self.key("said").into(),
            content: product(),
            referral: None,
            sent_at: None,
        };
        self.send(&ask(shop, thread.clone(), write.operation(), &write)).await;
        let message: Arc<str> = self.key("answer").into();
        let send = ThreadInput::Send { message: message.clone(), content: product() };
        let Some(Answer::Accepted(_)) = self.send(&ask(shop, thread.clone(), send.operation(), &send)).await else {
            return;
        };
        let receipt = ThreadInput::Receipt { message, status: ReceiptStatus::Delivered, at: None, code: None };
        self.send(&ask(shop, thread, receipt.operation(), &receipt)).await;
    }

    async fn bill(&mut self, shop: &'static str) {
        let draft = InvoiceInput::Draft { period: "2026-11".into() };
        self.send(&ask(shop, "invoice:main", draft.operation(), &draft)).await;
    }

    /// Sends until it is accepted.
    async fn insist(&mut self, what: &Ask) {
        loop {
            match self.send(what).await {
                Some(Answer::Accepted(_)) => return,
                Some(other) => panic!("{} of {} was answered {other:?}", what.operation, what.aggregate),
                None => {}
            }
        }
    }

    /// Sends a command, again under its id while it is not answered, and now and then though it was. Gives the first
    /// answer that stands.
    async fn send(&mut self, what: &Ask) -> Option<Answer> {
        let key = self.key("command");
        let tenant = TenantId::new(what.tenant).expect("a business's id");
        let principal = Principal {
            kind: PrincipalKind::Service,
            id: self.name.as_str().into(),
            tenant: Some(tenant.clone()),
            roles: vec![Role::Service, Role::Admin],
        };
        let aggregate = AggregateId::parse(what.aggregate.as_str()).expect("an aggregate's id");
        let command_id = CommandId::derive(&tenant, &principal.to_string(), what.operation, &key);
        let mut command = Command {
            fingerprint: Fingerprint::of(what.operation, &what.input),
            tenant,
            principal,
            aggregate,
            operation: what.operation.into(),
            version: 1,
            command_id,
            expected_version: None,
            deadline_ms: 0,
            clock_offset_ms: 0,
            wants_view: true,
            causation_id: command_id.0,
            correlation_id: command_id.0,
            traceparent: None,
            input: what.input.clone().into(),
        };
        let op = self.history.sent(command_id, format!("{}/{}", what.tenant, what.aggregate));
        let mut first = None;
        for _ in 0..TRIES {
            command.deadline_ms = now() / 1_000 + DEADLINE_MS;
            match self.commands.ask(command.clone()).await {
                Answer::TimedOut => {}
                Answer::Poison { reason } => self.history.wrong(format!("{} is poison: {reason}", what.operation)),
                answer => {
                    self.history.answered(op, answer.clone());
                    let again = first.is_none() && self.dice.one_in(6);
                    first = first.or(Some(answer));
                    if !again {
                        break;
                    }
                }
            }
            tokio::time::sleep(Duration::from_millis(self.dice.below(1_000))).await;
        }
        self.history.ended(op);
        first
    }

    /// A name that nobody has used.
    fn key(&mut self, what: &str) -> String {
        self.sent += 1;
        format!("{what}-{}-{}", self.name, self.sent)
    }

    /// Thirty-two hexadecimal digits that nobody has used.
    fn hex(&mut self) -> String {
        let key = self.key("transfer");
        let id = CommandId::derive(&TenantId::new(SHOPS[0]).expect("a business's id"), "client", "transfer", &key);
        const_hex::encode(id.0.0)
    }

    fn customer(&self) -> String {
        customer_of(self.dice.choose(&PEOPLE).0)
    }

    fn minor(&self, below: u64) -> i64 {
        self.dice.below(below) as i64
    }
}

/// How a business knows a person.
fn customer_of(person: &str) -> String {
    let place = PEOPLE.iter().position(|(name, _)| *name == person).unwrap_or(0);
    format!("BR.1000{place}")
}

fn wallet(person: &str, shard: u32) -> AccountId {
    AccountId::new(shard, "person", person).expect("an account's id")
}

/// The account of a shop, each in another shard.
fn till(place: usize) -> AccountId {
    AccountId::new(place as u32 + 1, "biz", SHOPS[place]).expect("an account's id")
}

fn of_shard(account: &AccountId, input: &payments::Input) -> Ask {
    ask(PLATFORM, account.aggregate().to_string(), input.operation(), input)
}

/// The platform's own tenant, whose aggregates the ledger's shards are.
const PLATFORM: &str = TenantId::PLATFORM;

fn reais(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse().expect("a currency"))
}

fn details(sku: &str) -> Details {
    Details {
        title: sku.into(),
        description: "".into(),
        availability: Availability::InStock,
        condition: Condition::New,
        link: None,
        image_links: vec![],
        brand: None,
        category: None,
        item_group: None,
    }
}

fn pricing(minor: i64) -> Pricing {
    Pricing { price: reais(minor), sale_price: None }
}
