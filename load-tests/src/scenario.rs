//! What is done over and over: a conversation, a purchase.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::{BoxFuture, try_join_all};
use serde_json::{Value, json};
use tokio::sync::Mutex as Turn;

use crate::asks;
use crate::platform::Platform;
use crate::speaker::Speaker;

/// The business under load.
const SHOP: &str = "load-shop";
/// The product that is bought.
const SKU: &str = "LOAD-1";
/// How often an order is looked at until it has come on.
const LOOK: Duration = Duration::from_millis(25);
/// How long it may take.
const ORDER_WAIT: Duration = Duration::from_secs(60);
/// What may be there from an earlier test of the same platform.
const KNOWN: [&str; 3] = ["BUSINESS_REGISTERED", "SENDER_OPEN", "ACCOUNT_OPEN"];

/// Something that is done over and over.
pub trait Scenario: Send + Sync + 'static {
    /// Its name.
    fn name(&self) -> &'static str;

    /// Does it once, as number `place`.
    fn once(&self, place: u64) -> BoxFuture<'_, Result<(), String>>;

    /// What must be on the log by now.
    fn claims(&self) -> Claims;
}

/// What must be on the log.
#[derive(Clone, Default)]
pub struct Claims {
    /// The events looked at, and where each has its id.
    pub events: Vec<(&'static str, &'static str)>,
    /// What was acknowledged: event and id.
    pub acknowledged: Vec<(&'static str, String)>,
    /// Ids of each thread, in the order in which they were acknowledged.
    pub ordered: Vec<Vec<String>>,
}

/// Somebody who takes part, one thing at a time.
struct Person {
    speaker: Speaker,
    turn: Turn<()>,
    customer: String,
    told: Mutex<Vec<String>>,
}

/// A customer writes, the business answers, the customer has read it.
pub struct Chat {
    people: Vec<Person>,
    agent: Speaker,
}

/// A cart is filled, checked out and paid.
pub struct Purchase {
    people: Vec<Person>,
    paid: Mutex<Vec<String>>,
}

const WRITTEN: &str = "feira.conversation.v1.MessageReceived";
const SENT: &str = "feira.conversation.v1.MessageSent";
const CAPTURED: &str = "feira.payments.v1.IntentCaptured";
const CONFIRMED: &str = "feira.cart.v1.OrderConfirmed";

/// The business, its sender and its product; answers its agent and its admin.
async fn shop(platform: &Platform) -> Result<(Speaker, Speaker), String> {
    let http = Speaker::client()?;
    let speaker = |role: &str| {
        let token = platform.token(&["--role", role, "--tenant", SHOP, "--subject", role])?;
        Ok::<_, String>(Speaker::new(&http, &platform.url, token))
    };
    let (admin, agent) = (speaker("admin")?, speaker("agent")?);
    let register = json!({ "name": "Load", "country": "BR", "sandbox": true });
    admin.change("businessRegister", asks::REGISTER, register, &KNOWN).await?;
    admin.change("senderOpen", asks::OPEN_SENDER, json!({ "displayName": "Load" }), &KNOWN).await?;
    Ok((admin, agent))
}

/// People who have written once, so that the business knows them.
async fn people(platform: &Platform, count: usize) -> Result<Vec<Person>, String> {
    let http = Speaker::client()?;
    let people = (0..count).map(|number| {
        let http = http.clone();
        async move {
            let name = format!("load-{number}");
            let token = platform.token(&["--role", "consumer", "--subject", &name])?;
            let speaker = Speaker::new(&http, &platform.url, token);
            let hello = json!({ "business": SHOP, "text": "Oi" });
            speaker.change("messageWrite", asks::WRITE, hello, &[]).await?;
            let customer = customer(&speaker).await?;
            Ok::<_, String>(Person { speaker, turn: Turn::default(), customer, told: Mutex::default() })
        }
    });
    try_join_all(people).await
}

/// How the business knows who asks.
async fn customer(speaker: &Speaker) -> Result<String, String> {
    comes_up(speaker, asks::THREAD, "/thread/customer").await
}

/// The account of who asks.
async fn account(speaker: &Speaker) -> Result<String, String> {
    comes_up(speaker, asks::ACCOUNT, "/account/id").await
}

/// A text that an answer has once its projection has come so far.
async fn comes_up(speaker: &Speaker, query: &str, pointer: &str) -> Result<String, String> {
    for _ in 0..200 {
        let data = speaker.ask(query, &json!({ "business": SHOP })).await?;
        if let Some(text) = data.pointer(pointer).and_then(Value::as_str) {
            return Ok(text.to_owned());
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(format!("{pointer} did not come up"))
}

fn id(payload: &Value, of: &str) -> Result<String, String> {
    let found = payload[of]["id"].as_str().map(str::to_owned);
    found.ok_or_else(|| format!("the answer has no {of}"))
}

/// An order's id as events have it: the last part of what the id of GraphQL stands for. The checker alone relies on
/// that, because it looks behind the gateway.
fn on_the_log(id: &str) -> Result<String, String> {
    let bytes = URL_SAFE_NO_PAD.decode(id).map_err(|error| format!("{id} is no id: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|error| format!("{id} is no id: {error}"))?;
    Ok(text.rsplit('/').next().unwrap_or_default().to_owned())
}

impl Chat {
    /// A business, and people who have written to it.
    pub async fn set_up(platform: &Platform, count: usize) -> Result<Self, String> {
        let (_, agent) = shop(platform).await?;
        Ok(Self { people: people(platform, count).await?, agent })
    }
}

impl Scenario for Chat {
    fn name(&self) -> &'static str {
        "chat"
    }

    fn once(&self, place: u64) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let person = &self.people[place as usize % self.people.len()];
            // Whoever writes waits for the answer before writing again; the wait counts.
            let _turn = person.turn.lock().await;
            let write = json!({ "business": SHOP, "text": format!("Mensagem {place}") });
            let written = person.speaker.change("messageWrite", asks::WRITE, write, &[]).await?;
            let answer = json!({ "customer": person.customer, "text": format!("Resposta {place}") });
            let sent = self.agent.change("messageSend", asks::SEND, answer, &[]).await?;
            let (written, sent) = (id(&written, "message")?, id(&sent, "message")?);
            let receipt = json!({ "business": SHOP, "message": sent, "status": "READ" });
            person.speaker.change("messageReceipt", asks::RECEIPT, receipt, &[]).await?;
            person.told.lock().unwrap_or_else(PoisonError::into_inner).extend([written, sent]);
            Ok(())
        })
    }

    fn claims(&self) -> Claims {
        let told = |person: &Person| person.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let ordered: Vec<Vec<String>> = self.people.iter().map(told).filter(|told| !told.is_empty()).collect();
        let acknowledged = ordered
            .iter()
            .flat_map(|told| told.chunks(2).flat_map(|pair| [(WRITTEN, pair[0].clone()), (SENT, pair[1].clone())]));
        Claims {
            events: vec![(WRITTEN, "/message"), (SENT, "/message")],
            acknowledged: acknowledged.collect(),
            ordered,
        }
    }
}

impl Purchase {
    /// A business with a product and an account, and people with money.
    pub async fn set_up(platform: &Platform, count: usize) -> Result<Self, String> {
        let (admin, _) = shop(platform).await?;
        let price = json!({ "amount": "1.00", "currency": "BRL" });
        let product = json!({ "sku": SKU, "title": "Carga", "price": price });
        admin.change("productPut", asks::PUT, product, &[]).await?;
        let stock = json!({ "sku": SKU, "onHand": 1_000_000 });
        admin.change("stockSet", asks::SET_STOCK, stock, &[]).await?;
        admin.change("accountOpen", asks::OPEN_ACCOUNT, json!({}), &KNOWN).await?;
        let operator = Speaker::new(&Speaker::client()?, &platform.url, platform.token(&["--role", "operator"])?);
        let people = people(platform, count).await?;
        let funded = people.iter().map(|person| async {
            person.speaker.change("accountOpen", asks::OPEN_ACCOUNT, json!({}), &KNOWN).await?;
            let amount = json!({ "amount": "100.00", "currency": "BRL" });
            let fund = json!({ "account": account(&person.speaker).await?, "amount": amount });
            operator.change("accountFund", asks::FUND, fund, &[]).await
        });
        try_join_all(funded).await?;
        Ok(Self { people, paid: Mutex::default() })
    }
}

impl Scenario for Purchase {
    fn name(&self) -> &'static str {
        "cart to paid order"
    }

    fn once(&self, place: u64) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let person = &self.people[place as usize % self.people.len()];
            let _turn = person.turn.lock().await;
            let add = json!({ "business": SHOP, "sku": SKU, "quantity": 1 });
            person.speaker.change("cartAddItem", asks::ADD, add, &[]).await?;
            let checkout = json!({ "business": SHOP });
            let checked = person.speaker.change("cartCheckout", asks::CHECK_OUT, checkout, &[]).await?;
            let order = id(&checked, "order")?;
            self.reaches(person, &order, "AWAITING_PAYMENT").await?;
            let pay = json!({ "business": SHOP, "order": order });
            person.speaker.change("orderPay", asks::PAY, pay, &[]).await?;
            self.reaches(person, &order, "CONFIRMED").await?;
            self.paid.lock().unwrap_or_else(PoisonError::into_inner).push(on_the_log(&order)?);
            Ok(())
        })
    }

    fn claims(&self) -> Claims {
        let paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let acknowledged = paid.iter().flat_map(|order| [(CAPTURED, order.clone()), (CONFIRMED, order.clone())]);
        Claims {
            events: vec![(CAPTURED, "/intent/order"), (CONFIRMED, "/order/order")],
            acknowledged: acknowledged.collect(),
            ordered: vec![],
        }
    }
}

impl Purchase {
    /// Waits until an order has come to a state.
    async fn reaches(&self, person: &Person, order: &str, state: &str) -> Result<(), String> {
        let until = tokio::time::Instant::now() + ORDER_WAIT;
        let variables = json!({ "business": SHOP, "id": order });
        loop {
            let data = person.speaker.ask(asks::ORDER, &variables).await?;
            match data.pointer("/order/state").and_then(Value::as_str) {
                Some(now) if now == state => return Ok(()),
                Some("CANCELLED") => return Err("an order was cancelled".to_owned()),
                _ if tokio::time::Instant::now() >= until => {
                    return Err(format!("an order did not come to {state} in {} s", ORDER_WAIT.as_secs()));
                }
                _ => tokio::time::sleep(LOOK).await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_found_on_the_log_by_the_last_part_of_its_id() {
        let id = URL_SAFE_NO_PAD.encode("order:load-shop/o-17");
        assert_eq!(on_the_log(&id).unwrap(), "o-17");
        assert!(on_the_log("!").is_err());
    }
}
