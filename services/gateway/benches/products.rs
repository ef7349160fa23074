//! A list of twenty products, sixteen asked for at once, from the gateway's router without sockets, beside the same list
//! from a bare async-graphql router that answers from memory.
//!
//! `cargo bench -p feira-gateway --bench products`. `FEIRA_BENCH_SECONDS` sets how long a round takes.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema, SimpleObject};
use async_trait::async_trait;
use axum::body::Body;
use axum::routing::post;
use axum::{Json, Router, http};
use feira_bench::{Goal, Latencies, Report, Round, Row, Unit, in_turns, turn};
use feira_event_log::simulated::Cluster;
use feira_events::catalog::{Availability, Condition, Details, Pricing};
use feira_gateway::{DevKey, GatewayConfig, GatewayParts, Issue, PlatformSecret, Verifier};
use feira_ids::{Role, TenantId};
use feira_money::Amount;
use feira_projection_store::{Checkpoint, Store};
use feira_projection_store_embedded::EmbeddedStore;
use feira_runtime::{Answer, Command, Commands};
use feira_sealing::FileKeyring;
use http_body_util::BodyExt;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const CONNECTIONS: usize = 16;
const LISTED: usize = 20;
const PRODUCTS: usize = 2_000;
const QUERY: &str = r#"{"query":"{ products(first: 20) { edges { node { sku title availability price { amount currency } } } pageInfo { hasNextPage endCursor } } }"}"#;
const BARE_QUERY: &str = r#"{"query":"{ products { edges { node { sku title availability price { amount currency } } } pageInfo { hasNextPage endCursor } } }"}"#;

struct Nobody;

#[async_trait]
impl Commands for Nobody {
    async fn ask(&self, _command: Command) -> Answer {
        Answer::NotReady
    }
}

#[derive(SimpleObject, Clone)]
struct BareMoney {
    amount: String,
    currency: String,
}

#[derive(SimpleObject, Clone)]
struct BareProduct {
    sku: String,
    title: String,
    availability: String,
    price: BareMoney,
}

#[derive(SimpleObject, Clone)]
struct BareEdge {
    node: BareProduct,
}

#[derive(SimpleObject, Clone)]
struct BarePage {
    has_next_page: bool,
    end_cursor: String,
}

#[derive(SimpleObject, Clone)]
struct BareConnection {
    edges: Vec<BareEdge>,
    page_info: BarePage,
}

struct BareQuery(BareConnection);

#[Object]
impl BareQuery {
    async fn products(&self) -> &BareConnection {
        &self.0
    }
}

fn bare_router() -> Router {
    let edge = |number: usize| BareEdge {
        node: BareProduct {
            sku: format!("SKU-{number:05}"),
            title: format!("Café especial número {number}"),
            availability: "IN_STOCK".to_owned(),
            price: BareMoney { amount: "12.50".to_owned(), currency: "BRL".to_owned() },
        },
    };
    let page_info = BarePage { has_next_page: true, end_cursor: "AQIDBAUGBwgJCgsMU0tVLTAwMDAx".to_owned() };
    let connection = BareConnection { edges: (0..LISTED).map(edge).collect(), page_info };
    let schema = Schema::new(BareQuery(connection), EmptyMutation, EmptySubscription);
    let ask = move |Json(request): Json<Request>| {
        let schema = schema.clone();
        async move { Json(schema.execute(request).await) }
    };
    Router::new().route("/graphql", post(ask))
}

async fn feira_router(folder: &std::path::Path) -> (Router, String) {
    let shop = TenantId::new("feira-livre").expect("a tenant");
    let store = EmbeddedStore::open(folder.join("rows")).expect("a store");
    store.ensure(feira_rows::ALL_TABLES).await.expect("tables");
    let writes = (0..PRODUCTS).map(|number| {
        let sku = format!("SKU-{number:05}");
        let details = Details {
            title: format!("Café especial número {number}").into(),
            description: "Torrado e moído na hora, com notas de chocolate e castanha.".into(),
            availability: Availability::InStock,
            condition: Condition::New,
            link: Some("https://shop.example/p/1".into()),
            image_links: vec!["https://shop.example/i/1.jpg".into()],
            brand: Some("Feira".into()),
            category: None,
            item_group: None,
        };
        let pricing = Pricing { price: Amount::new(1250, "BRL".parse().expect("a currency")), sale_price: None };
        feira_rows::catalog::put_product(&meta(&shop, number as i64 + 1), &sku, Some(&details), Some(&pricing))
    });
    let checkpoint = Checkpoint { lane_seq: PRODUCTS as u64, hint: 0 };
    store.apply(writes.collect(), feira_rows::PRODUCTS_PROJECTION, "catalog/0", checkpoint).await.expect("rows");
    let key = DevKey::from_seed(&[1; 32]);
    let listen = "127.0.0.1:0".parse().expect("an address");
    let verifier = Verifier::new(&key.verifier_config(listen).expect("loopback")).expect("a verifier");
    let valid_for = Duration::from_secs(600);
    let issue = Issue { sub: "rosa", tenant: Some(&shop), roles: &[Role::Admin], country: None, valid_for };
    let router = feira_gateway::router(GatewayParts {
        commands: Arc::new(Nobody),
        store,
        keyring: Arc::new(FileKeyring::open(&folder.join("keys")).expect("a keyring")),
        verifier,
        secret: PlatformSecret::from_bytes(&[2; 32]),
        log: None,
        payments_lanes: 1,
        events: Cluster::new(&[]).process("bench"),
        stop: CancellationToken::new(),
        ready: Arc::new(|| Ok(())),
        config: GatewayConfig::default(),
    });
    (router, key.issue(&issue).expect("a token"))
}

fn meta(tenant: &TenantId, seq: i64) -> feira_events::Meta {
    feira_events::Meta {
        event_id: Default::default(),
        lane: 0,
        lane_seq: seq,
        term: 1,
        aggregate: "product:x".into(),
        aggregate_seq: Some(1),
        hlc: seq * 2,
        at: seq,
        tenant: tenant.clone(),
        principal: "member:rosa".into(),
        command_id: Default::default(),
        fingerprint: Default::default(),
        index: 0,
        count: 1,
        causation_id: Default::default(),
        correlation_id: Default::default(),
        traceparent: None,
    }
}

/// Asks `CONNECTIONS` at once until the turn is over.
async fn ask(router: &Router, body: &'static str, token: Option<&str>) -> Round {
    let begun = Instant::now();
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (router, authorization) = (router.clone(), token.map(|token| format!("Bearer {token}")));
            tokio::spawn(async move {
                let mut latencies = Latencies::default();
                while begun.elapsed() < turn(2.0) {
                    let mut request = http::Request::post("/graphql").header("content-type", "application/json");
                    if let Some(authorization) = &authorization {
                        request = request.header("authorization", authorization);
                    }
                    let asked = Instant::now();
                    let request = request.body(Body::from(body)).expect("a request");
                    let response = router.clone().oneshot(request).await.expect("an answer");
                    let list = response.into_body().collect().await.expect("the whole answer").to_bytes();
                    latencies.record(asked.elapsed());
                    assert!(list.starts_with(b"{\"data\":{\"products\":{\"edges\":[{"), "no list of products");
                    assert_eq!(list.windows(6).filter(|word| word == b"\"node\"").count(), LISTED, "not all of them");
                }
                latencies
            })
        })
        .collect();
    let mut all = Vec::new();
    for client in clients {
        all.push(client.await.expect("a client ends well"));
    }
    Round::side_by_side(all, begun.elapsed())
}

fn main() -> ExitCode {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let (feira, token) = runtime.block_on(feira_router(folder.path()));
    let bare = bare_router();
    let (ours, theirs) = in_turns(
        || runtime.block_on(ask(&feira, QUERY, Some(&token))),
        || runtime.block_on(ask(&bare, BARE_QUERY, None)),
    );
    let mut report = Report::new();
    let title = format!("A list of {LISTED} of {PRODUCTS} products through the gateway, no sockets");
    report.table(&title, Unit::PerSecond, "bare async-graphql behind axum, the same from memory");
    report.row(Row::new(format!("{CONNECTIONS} at once"), &ours).beside(&theirs).goal(Goal::Share(0.5)));
    report.end()
}
