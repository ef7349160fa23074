//! Somebody of the demo who speaks GraphQL, and asks again until there is an answer.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};

use crate::failure::Failure;

/// How long an answer is waited for, over all tries.
const PATIENCE: Duration = Duration::from_secs(120);
/// The pause between two tries.
const PAUSE: Duration = Duration::from_millis(150);
/// Errors after which the same is asked again: nothing was decided, or what was is answered the next time.
const AGAIN: [&str; 6] = ["TIMEOUT", "OVERLOADED", "UNAVAILABLE", "PROJECTION_LAG", "NOT_READY", "THROTTLED"];

/// User errors that say that something said before has not come to where it is looked for.
const LATER: [&str; 4] = ["BUSINESS_UNKNOWN", "NO_ACCOUNT", "NOT_PAYABLE", "NOT_PAYABLE_YET"];
/// How long it may take to come there.
const LATER_WAIT: Duration = Duration::from_secs(20);

/// Somebody with a token.
#[derive(Clone)]
pub struct Speaker {
    http: Client,
    url: String,
    token: String,
    name: String,
}

impl Speaker {
    /// `name`, who asks the gateway at `url` with `token`.
    pub fn new(http: &Client, url: &str, name: &str, token: String) -> Self {
        let url = url.trim_end_matches('/').to_owned();
        Self { http: http.clone(), url, token, name: name.to_owned() }
    }

    /// The data of an answer; asked again while there is none.
    pub async fn ask(&self, query: &str, variables: &Value) -> Result<Value, Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let trouble = match self.try_ask(query, variables).await {
                Ok(data) => return Ok(data),
                Err(Trouble::ForGood(failure)) => return Err(failure),
                Err(Trouble::Passing(what)) => what,
            };
            if Instant::now() >= until {
                return Err(Failure::new(format!(
                    "{} got no answer in {} s: {trouble}",
                    self.name,
                    PATIENCE.as_secs()
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn try_ask(&self, query: &str, variables: &Value) -> Result<Value, Trouble> {
        let body = json!({ "query": query, "variables": variables });
        let sent = self.http.post(format!("{}/graphql", self.url)).bearer_auth(&self.token).json(&body).send().await;
        let response = sent.map_err(|error| Trouble::Passing(error.to_string()))?;
        let answer: Value = response.json().await.map_err(|error| Trouble::Passing(error.to_string()))?;
        let Some(error) = answer["errors"].as_array().and_then(|errors| errors.first()) else {
            return Ok(answer["data"].clone());
        };
        let (message, code) = (error["message"].as_str().unwrap_or("?"), error["extensions"]["code"].as_str());
        let what = format!("{}: {message} ({})", self.name, code.unwrap_or("no code"));
        if code.is_some_and(|code| AGAIN.contains(&code)) {
            Err(Trouble::Passing(what))
        } else {
            Err(Trouble::ForGood(Failure::new(format!("{what}, asked for {query}"))))
        }
    }

    /// The payload of the mutation `field`. A user error is a failure, unless its code is one of `fine`.
    pub async fn change(&self, field: &str, text: &str, input: Value, fine: &[&str]) -> Result<Value, Failure> {
        let variables = json!({ "input": input });
        let until = Instant::now() + LATER_WAIT;
        loop {
            let payload = self.ask(text, &variables).await?[field].clone();
            let code = |error: &Value| error["code"].as_str().unwrap_or("no code").to_owned();
            let errors = payload["userErrors"].as_array().into_iter().flatten();
            let Some(error) = errors.into_iter().find(|error| !fine.contains(&code(error).as_str())) else {
                return Ok(payload);
            };
            if !LATER.contains(&code(error).as_str()) || Instant::now() >= until {
                let message = error["message"].as_str().unwrap_or("?");
                return Err(Failure::new(format!("{} was refused {field}: {message} ({})", self.name, code(error))));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks until `seen` finds what it looks for in the data.
    pub async fn await_data<T>(
        &self,
        what: &str,
        query: &str,
        variables: &Value,
        seen: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let data = self.ask(query, variables).await?;
            if let Some(found) = seen(&data) {
                return Ok(found);
            }
            if Instant::now() >= until {
                return Err(Failure::new(format!(
                    "{what} did not come in {} s; last seen: {data}",
                    PATIENCE.as_secs()
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Sends a feed of products; the same `run` goes on where it was broken off.
    pub async fn import(&self, run: &str, feed: &'static str) -> Result<u64, Failure> {
        let url = format!("{}/v1/imports/products?run={run}&format=tsv", self.url);
        let asked = self.http.post(&url).bearer_auth(&self.token).body(feed).send().await;
        let mut lines = crate::client::lines(&self.url, asked).await?;
        while let Some(line) = futures::StreamExt::next(&mut lines).await {
            let line = line?;
            if let Some(done) = line.get("done") {
                return Ok(done["accepted"].as_u64().unwrap_or(0));
            }
            if let Some(reason) = line.pointer("/failed/reason").and_then(Value::as_str) {
                return Err(Failure::new(format!("the feed did not go in: {reason}")));
            }
        }
        Err(Failure::new("the feed did not go in: the answer broke off; run the demo again, it goes on"))
    }
}

enum Trouble {
    /// It may be answered the next time.
    Passing(String),
    /// It will not.
    ForGood(Failure),
}
