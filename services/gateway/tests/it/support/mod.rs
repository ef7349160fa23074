//! A gateway to ask, and what stands behind it.

pub mod furnished;
mod happenings;
mod owners;
mod reads;
mod stream;
pub mod walk;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use feira_gateway::{
    DevKey, GatewayConfig, GatewayParts, Introspection, Issue, LogLines, LogQuery, LogReader, PlatformSecret, Verifier,
};
use feira_ids::{Role, TenantId};
use feira_sealing::FileKeyring;
use futures::StreamExt;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub use happenings::Happenings;
pub use owners::Owners;
pub use reads::CountedStore;
pub use stream::{Frames, over_events};

pub const SHOP: &str = "feira-livre";
pub const OTHER_SHOP: &str = "mumbai-bazaar";

/// A gateway with its surroundings.
pub struct World {
    pub router: Router,
    pub owners: Arc<Owners>,
    pub store: Arc<CountedStore>,
    pub keyring: Arc<FileKeyring>,
    pub key: DevKey,
    pub happenings: Arc<Happenings>,
    pub stop: CancellationToken,
    _folder: tempfile::TempDir,
}

struct ThreeLines;

#[async_trait::async_trait]
impl LogReader for ThreeLines {
    async fn read(&self, query: LogQuery) -> Result<LogLines, String> {
        if query.service.as_deref() == Some("nothing") {
            return Err("there is no service called nothing".to_owned());
        }
        Ok(futures::stream::iter((1..=3).map(move |seq| Ok(json!({ "laneSeq": seq, "count": query.count })))).boxed())
    }
}

pub async fn world() -> World {
    world_with(GatewayConfig::default()).await
}

pub async fn world_with(config: GatewayConfig) -> World {
    let folder = tempfile::tempdir().unwrap();
    let key = DevKey::from_seed(&[5; 32]);
    let keyring = Arc::new(FileKeyring::open(folder.path()).unwrap());
    let store = Arc::new(CountedStore::new().await);
    let owners = Arc::new(Owners::new(store.clone()));
    let (happenings, stop) = (Arc::new(Happenings::new()), CancellationToken::new());
    let router = feira_gateway::router(GatewayParts {
        commands: owners.clone(),
        store: store.clone(),
        payments_lanes: happenings::LANES,
        events: happenings.log(),
        keyring: keyring.clone(),
        verifier: Verifier::new(&key.verifier_config("127.0.0.1:0".parse().unwrap()).unwrap()).unwrap(),
        secret: PlatformSecret::from_bytes(&[6; 32]),
        log: Some(Arc::new(ThreeLines)),
        ready: Arc::new(|| Ok(())),
        stop: stop.clone(),
        config: GatewayConfig { introspection: Introspection::SignedIn, ..config },
    });
    World { router, owners, store, keyring, key, happenings, stop, _folder: folder }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The codes of the errors.
    pub fn codes(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("none").to_owned()).collect()
    }
}

impl World {
    pub fn token(&self, sub: &str, tenant: Option<&str>, roles: &[Role], country: Option<&str>) -> String {
        let tenant = tenant.map(|tenant| TenantId::new(tenant).unwrap());
        let valid_for = Duration::from_secs(600);
        self.key.issue(&Issue { sub, tenant: tenant.as_ref(), roles, country, valid_for }).unwrap()
    }

    pub fn admin(&self, shop: &str) -> String {
        self.token("rosa", Some(shop), &[Role::Admin], None)
    }

    pub fn agent(&self, shop: &str) -> String {
        self.token("rui", Some(shop), &[Role::Agent], None)
    }

    pub fn analyst(&self, shop: &str) -> String {
        self.token("ada", Some(shop), &[Role::Analyst], None)
    }

    pub fn person(&self, sub: &str) -> String {
        self.token(sub, None, &[Role::Consumer], Some("BR"))
    }

    pub fn operator(&self) -> String {
        self.token("oto", None, &[Role::Operator], None)
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Reply { status: head.status, headers: head.headers, body }
    }

    pub async fn post(&self, token: Option<&str>, body: &Value, headers: &[(&str, &str)]) -> Reply {
        let mut request = Request::post("/graphql")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/graphql-response+json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Asks as whoever has `token`.
    pub async fn ask(&self, token: &str, query: &str) -> Reply {
        self.post(Some(token), &json!({ "query": query }), &[]).await
    }

    /// Asks and expects data without errors.
    pub async fn data(&self, token: &str, query: &str) -> Value {
        let reply = self.ask(token, query).await;
        let body = reply.json();
        assert!(body["errors"].is_null(), "{query}: {body}");
        body["data"].clone()
    }

    /// Serves the world on a socket; answers its address.
    pub async fn listen(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    /// Lists a product at a shop.
    pub async fn put(&self, shop: &str, sku: &str, price: &str) {
        let query = format!(
            r#"mutation {{ productPut(input: {{ sku: "{sku}", title: "Café {sku}", price: {{ amount: "{price}", currency: "BRL" }} }}) {{ userErrors {{ code message }} }} }}"#
        );
        let data = self.data(&self.admin(shop), &query).await;
        assert_eq!(data["productPut"]["userErrors"], json!([]), "{data}");
    }
}
