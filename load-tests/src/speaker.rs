//! Somebody with a token, who asks GraphQL once.

use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody with a token.
#[derive(Clone)]
pub struct Speaker {
    http: Client,
    url: String,
    token: String,
}

impl Speaker {
    /// Who asks at `url` with `token`.
    pub fn new(http: &Client, url: &str, token: String) -> Self {
        Self { http: http.clone(), url: format!("{url}/graphql"), token }
    }

    /// A client for everybody of a test.
    pub fn client() -> Result<Client, String> {
        Client::builder().timeout(PATIENCE).pool_max_idle_per_host(256).build().map_err(|error| error.to_string())
    }

    /// The data of an answer.
    pub async fn ask(&self, query: &str, variables: &Value) -> Result<Value, String> {
        let body = json!({ "query": query, "variables": variables });
        let sent = self.http.post(&self.url).bearer_auth(&self.token).json(&body).send().await;
        let answer: Value = match sent {
            Ok(response) => response.json().await.map_err(|error| error.to_string())?,
            Err(error) => return Err(error.to_string()),
        };
        match answer["errors"].as_array().and_then(|errors| errors.first()) {
            Some(error) => Err(error["message"].as_str().unwrap_or("an error").to_owned()),
            None => Ok(answer["data"].clone()),
        }
    }

    /// The payload of a mutation without user errors, but for those in `fine`.
    pub async fn change(&self, field: &str, text: &str, input: Value, fine: &[&str]) -> Result<Value, String> {
        let data = self.ask(text, &json!({ "input": input })).await?;
        let payload = data[field].clone();
        let errors = payload["userErrors"].as_array().into_iter().flatten();
        let code = |error: &Value| error["code"].as_str().unwrap_or("?").to_owned();
        match errors.map(code).find(|code| !fine.contains(&code.as_str())) {
            Some(code) => Err(format!("{field} was refused: {code}")),
            None => Ok(payload),
        }
    }
}
