//! A business with customers who have written to it, and people with wallets: whom the benchmark speaks for.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use feira_ids::Role;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::feed::sku;
use crate::platform::Platform;

/// The business.
pub const BUSINESS: &str = "mumbai-bazaar";
/// Carts that are added to in turn: enough that none fills up.
const CARTS: u64 = 20_000;
/// Customers whose threads are written to in turn.
const CUSTOMERS: usize = 256;
/// People who pay; each may send 5,000 times what a transfer is of in a month.
const PAYERS: usize = 512;
/// What each of them has.
const FUNDED: &str = "5000.00";
/// How many transfers an account may receive on one day. Source: `services/payments/domain/src/regime.rs`.
const RECEIVED_MAX: u64 = 20;
/// How many are set up at once.
const AT_ONCE: usize = 64;
/// How often, and how long apart, what was just set up is looked for.
const LOOKS: (u32, Duration) = (400, Duration::from_millis(25));

const REGISTER: &str =
    "mutation($i: BusinessRegisterInput!) { it: businessRegister(input: $i) { userErrors { code } } }";
const OPEN_SENDER: &str = "mutation($i: SenderOpenInput!) { it: senderOpen(input: $i) { userErrors { code } } }";
const WRITE: &str = "mutation($i: MessageWriteInput!) { it: messageWrite(input: $i) { userErrors { code } } }";
const THREAD: &str = "query($business: String) { thread(business: $business) { customer } }";
const OPEN_ACCOUNT: &str =
    "mutation($i: AccountOpenInput!) { it: accountOpen(input: $i) { account { id } userErrors { code } } }";
const FUND: &str = "mutation($i: AccountFundInput!) { it: accountFund(input: $i) { userErrors { code } } }";
const ACCOUNT: &str = "query { account { available { amount } } }";

const ADD: &str = "mutation($i: CartAddItemInput!) { cartAddItem(input: $i) { version position userErrors { code } } }";
const SEND: &str =
    "mutation($i: MessageSendInput!) { messageSend(input: $i) { message { id } position userErrors { code } } }";
const SEND_MONEY: &str =
    "mutation($i: MoneySendInput!) { moneySend(input: $i) { transfer { id } position userErrors { code } } }";

/// What is asked, and who asks it.
pub struct Asked {
    /// The token.
    pub token: String,
    /// The body of the request.
    pub body: String,
}

/// Those who take part.
pub struct Market {
    /// Fills carts and brings products in.
    pub admin: String,
    agent: String,
    customers: Vec<String>,
    wallets: Wallets,
}

/// Who pays whom.
struct Wallets {
    /// Tokens, by shard.
    payers: BTreeMap<String, Vec<String>>,
    /// Accounts with their shard.
    payees: Vec<(String, String)>,
}

impl Market {
    /// Sets everything up; `transfers` are the most that will be made.
    pub async fn open(platform: &Platform, transfers: u64) -> Self {
        let speaker = Speaker { http: reqwest::Client::new(), url: format!("{}/graphql", platform.url()) };
        let member = |name, role| platform.token(name, role, Some(BUSINESS), "BR");
        let (admin, agent) = (member("admin", Role::Admin), member("agent", Role::Agent));
        let register = json!({ "name": "Mumbai Bazaar", "country": "IN", "sandbox": true });
        speaker.change(&admin, REGISTER, register).await;
        speaker.change(&admin, OPEN_SENDER, json!({ "displayName": "Mumbai Bazaar" })).await;
        let customers = futures::stream::iter(0..CUSTOMERS)
            .map(|number| speaker.customer(platform.token(&format!("customer-{number}"), Role::Consumer, None, "BR")))
            .buffered(AT_ONCE)
            .collect()
            .await;
        let wallets = Wallets::open(platform, &speaker, transfers.div_ceil(RECEIVED_MAX) as usize).await;
        Self { admin, agent, customers, wallets }
    }

    /// One more of something in somebody's cart.
    pub fn add_to_cart(&self, number: u64) -> Asked {
        let (customer, sku) = (number * 7_919 % CARTS, sku(0, (number / CARTS) as usize));
        let id = format!("add-{number}");
        let input = json!({ "customer": format!("IN.{customer}"), "sku": sku, "quantity": 1, "commandId": id });
        Asked { token: self.admin.clone(), body: body(ADD, &input) }
    }

    /// One more message to a customer.
    pub fn send_message(&self, number: u64) -> Asked {
        let customer = &self.customers[number as usize % self.customers.len()];
        let text = format!("Message {number}: your kurta is on its way and will be with you tomorrow.");
        let input = json!({ "customer": customer, "text": text, "commandId": format!("send-{number}") });
        Asked { token: self.agent.clone(), body: body(SEND, &input) }
    }

    /// One more transfer between two people whose accounts are in one shard.
    ///
    /// # Panics
    /// When there are more than was said: nobody could receive it today.
    pub fn transfer(&self, number: u64) -> Asked {
        let Wallets { payers, payees } = &self.wallets;
        assert!(number / RECEIVED_MAX < payees.len() as u64, "more transfers than wallets were opened for");
        let (shard, payee) = &payees[number as usize % payees.len()];
        let payers = &payers[shard];
        let token = payers[number as usize * 7_919 % payers.len()].clone();
        let amount = json!({ "amount": "1.00", "currency": "BRL" });
        let input = json!({ "to": payee, "amount": amount, "commandId": format!("pay-{number}") });
        Asked { token, body: body(SEND_MONEY, &input) }
    }
}

fn body(query: &str, input: &Value) -> String {
    json!({ "query": query, "variables": { "i": input } }).to_string()
}

impl Wallets {
    async fn open(platform: &Platform, speaker: &Speaker, payees: usize) -> Self {
        let operator = platform.token("operator", Role::Operator, None, "BR");
        let token = |name: String| platform.token(&name, Role::Consumer, None, "BR");
        let paying = futures::stream::iter(0..PAYERS).map(|number| {
            let (token, operator) = (token(format!("payer-{number}")), &operator);
            async move {
                let account = speaker.account(&token).await;
                let amount = json!({ "amount": FUNDED, "currency": "BRL" });
                speaker.change(operator, FUND, json!({ "account": account, "amount": amount })).await;
                // Whoever pays is read from a projection.
                speaker.comes_up(&token, ACCOUNT, "/data/account/available/amount").await;
                (shard(&account), token)
            }
        });
        let mut payers = BTreeMap::<String, Vec<String>>::new();
        for (shard, token) in paying.buffered(AT_ONCE).collect::<Vec<_>>().await {
            payers.entry(shard).or_default().push(token);
        }
        let paid = futures::stream::iter(0..payees).map(|number| {
            let token = token(format!("payee-{number}"));
            async move {
                let account = speaker.account(&token).await;
                (shard(&account), account)
            }
        });
        let payees: Vec<(String, String)> = paid.buffered(AT_ONCE).collect().await;
        assert!(payees.iter().all(|(shard, _)| payers.contains_key(shard)), "a shard has nobody who pays");
        Self { payers, payees }
    }
}

/// The shard of an account, from what its id stands for: `account:2/person/ana`. The benchmark alone looks into an id,
/// to pay within one shard.
fn shard(account: &str) -> String {
    let bytes = URL_SAFE_NO_PAD.decode(account).expect("an id is base64");
    let text = String::from_utf8(bytes).expect("an id is text");
    let shard = text.split(':').next_back().and_then(|rest| rest.split('/').find(|part| part.parse::<u16>().is_ok()));
    shard.unwrap_or_else(|| panic!("{text} names no shard")).to_owned()
}

/// Asks what sets the market up.
struct Speaker {
    http: reqwest::Client,
    url: String,
}

impl Speaker {
    async fn ask(&self, token: &str, query: &str, variables: &Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let sent = self.http.post(&self.url).bearer_auth(token).json(&body).send().await;
        sent.expect("the gateway answers").json().await.expect("an answer is JSON")
    }

    /// The payload of a mutation that went through.
    async fn change(&self, token: &str, query: &str, input: Value) -> Value {
        let answer = self.ask(token, query, &json!({ "i": input })).await;
        let payload = &answer["data"]["it"];
        assert_eq!(payload["userErrors"], json!([]), "{answer}");
        payload.clone()
    }

    /// Somebody writes to the business; answers how the business knows them.
    async fn customer(&self, token: String) -> String {
        self.change(&token, WRITE, json!({ "business": BUSINESS, "text": "Oi!" })).await;
        self.comes_up(&token, THREAD, "/data/thread/customer").await
    }

    /// Opens somebody's account.
    async fn account(&self, token: &str) -> String {
        let opened = self.change(token, OPEN_ACCOUNT, json!({})).await;
        opened["account"]["id"].as_str().expect("an account has an id").to_owned()
    }

    /// A text that an answer has once its projection has come so far.
    async fn comes_up(&self, token: &str, query: &str, pointer: &str) -> String {
        let (looks, pause) = LOOKS;
        for _ in 0..looks {
            let answer = self.ask(token, query, &json!({ "business": BUSINESS })).await;
            if let Some(text) = answer.pointer(pointer).and_then(Value::as_str) {
                return text.to_owned();
            }
            tokio::time::sleep(pause).await;
        }
        panic!("{pointer} did not come up")
    }
}
