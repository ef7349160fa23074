//! A client of the gateway: GraphQL over HTTP, as an app would speak it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What every mutation of a cart is asked for.
const CART: &str = "cart { version customer lines { sku quantity unitPrice { amount currency } } \
    subtotal { amount currency } note { text } undoable } \
    version repeated position userErrors { code field message }";

/// How long the same is asked again.
const INSIST: Duration = Duration::from_secs(60);

/// Someone with a token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    pub fn new(url: &str, token: &str) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        Self { http, url: format!("{url}/graphql"), token: token.to_owned() }
    }

    /// Someone else, over the same connections.
    pub fn with(&self, token: String) -> Self {
        Self { token, ..self.clone() }
    }

    /// Asks, and gives the whole answer; nothing when there was none.
    pub async fn try_ask(&self, query: &str, variables: Value) -> Option<Value> {
        let body = json!({ "query": query, "variables": variables });
        let sent = self.http.post(&self.url).bearer_auth(&self.token).json(&body).send().await;
        sent.ok()?.json().await.ok()
    }

    /// Asks until there is data: what was decided is answered again.
    pub async fn insist(&self, query: &str, variables: Value) -> Value {
        let until = Instant::now() + INSIST;
        loop {
            let answer = self.try_ask(query, variables.clone()).await;
            match answer {
                Some(answer) if answer.get("errors").is_none() => return answer["data"].clone(),
                other => assert!(Instant::now() < until, "no data in time: {other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Asks, and gives the data; fails when there were errors.
    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        let answer = self.try_ask(query, variables).await.expect("the gateway answers");
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"].clone()
    }

    /// Changes a cart by the mutation `field`.
    pub async fn cart(&self, field: &str, input: Value) -> Value {
        self.ask(&cart_mutation(field), json!({ "input": input })).await[field].clone()
    }

    /// Changes a cart by the mutation `field`, if it is answered.
    pub async fn try_cart(&self, field: &str, input: Value) -> Option<Value> {
        let answer = self.try_ask(&cart_mutation(field), json!({ "input": input })).await?;
        let payload = answer.get("data")?.get(field)?.clone();
        (!payload.is_null()).then_some(payload)
    }

    /// Adds units of a product to the cart at `business`.
    pub async fn add(&self, business: &str, sku: &str, quantity: i32) -> Value {
        self.cart("cartAddItem", json!({ "business": business, "sku": sku, "quantity": quantity })).await
    }

    /// Lists a product or changes it.
    pub async fn put(&self, sku: &str, price: &str, currency: &str) -> Value {
        let query = "mutation($input: ProductPutInput!) { productPut(input: $input) { \
            product { sku version } version repeated position userErrors { code field message } } }";
        let input = json!({ "sku": sku, "title": format!("Produto {sku}"), "price": { "amount": price, "currency": currency } });
        let payload = self.ask(query, json!({ "input": input })).await["productPut"].clone();
        assert_eq!(payload["userErrors"], json!([]), "{payload}");
        payload
    }

    /// The cart at `business`, read at `position`.
    pub async fn read_cart(&self, business: &str, position: &Value) -> Value {
        let query = "query($business: String, $position: Position) { cart(business: $business, position: $position) { \
            version customer lines { sku title quantity unitPrice { amount currency } } subtotal { amount currency } \
            note { text } undoable } }";
        self.ask(query, json!({ "business": business, "position": position })).await["cart"].clone()
    }

    /// All products of `business`, page by page, as `(sku, price)`.
    pub async fn products(&self, business: &str, position: &Value) -> Vec<(String, String)> {
        let query = "query($business: String, $after: String, $position: Position) { \
            products(business: $business, first: 100, after: $after, position: $position) { \
            edges { node { sku price { amount } } } pageInfo { hasNextPage endCursor } } }";
        let mut products = Vec::new();
        let mut after = Value::Null;
        loop {
            let variables = json!({ "business": business, "after": after, "position": position });
            let page = self.ask(query, variables).await["products"].clone();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let nodes = page["edges"].as_array().unwrap().iter().map(|edge| &edge["node"]);
            products.extend(nodes.map(|node| (text(&node["sku"]), text(&node["price"]["amount"]))));
            if page["pageInfo"]["hasNextPage"] != json!(true) {
                return products;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

fn cart_mutation(field: &str) -> String {
    let input = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    format!("mutation($input: {input}!) {{ {field}(input: $input) {{ {CART} }} }}")
}

/// The codes of the payload's user errors.
pub fn codes(payload: &Value) -> Vec<&str> {
    payload["userErrors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect()
}
