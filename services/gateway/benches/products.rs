//! A list of twenty products over HTTP at sixteen connections, beside the same list from a bare async-graphql server
//! that answers from memory. Both run in this process, one after the other, three times; the middle figures count.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema, SimpleObject};
use async_trait::async_trait;
use axum::routing::post;
use axum::{Json, Router};
use feira_event_log::simulated::Cluster;
use feira_events::catalog::{Availability, Condition, Details, Pricing};
use feira_gateway::{DevKey, GatewayConfig, GatewayParts, Issue, PlatformSecret, Verifier};
use feira_ids::{Role, TenantId};
use feira_money::Amount;
use feira_projection_store::{Checkpoint, Store};
use feira_projection_store_embedded::EmbeddedStore;
use feira_runtime::{Answer, Command, Commands};
use feira_sealing::FileKeyring;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const CONNECTIONS: usize = 16;
const SECONDS: u64 = 3;
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
    let connection = BareConnection { edges: (0..20).map(edge).collect(), page_info };
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

async fn serve(router: Router) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Requests answered in a second, from a client that costs as little as it can.
async fn rate(address: std::net::SocketAddr, body: &str, token: Option<&str>) -> f64 {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request: Arc<[u8]> = format!(
        "POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\naccept: application/json\r\n{authorization}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
    .into();
    let (answered, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        let (request, answered, over) = (request.clone(), answered.clone(), over.clone());
        clients.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            let mut buffer = vec![0; 64 * 1024];
            while !over.load(Ordering::Relaxed) {
                stream.write_all(&request).await.expect("a request goes out");
                let mut filled = 0;
                loop {
                    let read = stream.read(&mut buffer[filled..]).await.expect("an answer comes");
                    assert!(read > 0, "the server hung up");
                    filled += read;
                    if whole(&buffer[..filled]) {
                        break;
                    }
                }
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (from, before) = (Instant::now(), answered.load(Ordering::Relaxed));
    tokio::time::sleep(Duration::from_secs(SECONDS)).await;
    let rate = (answered.load(Ordering::Relaxed) - before) as f64 / from.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("a client ends well");
    }
    rate
}

/// Whether an answer is there in full; fails when it is no list of products.
fn whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let text = std::str::from_utf8(&answer[..head]).expect("a head in ASCII").to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let body = &answer[head + 4..];
    if body.len() < length.trim().parse().expect("a number") {
        return false;
    }
    assert!(text.starts_with("http/1.1 200") && body.starts_with(b"{\"data\":{\"products\":{\"edges\":[{"), "{text}");
    true
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let (router, token) = feira_router(folder.path()).await;
    let (feira, bare) = (serve(router).await, serve(bare_router()).await);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        ours.push(rate(feira, QUERY, Some(&token)).await);
        theirs.push(rate(bare, BARE_QUERY, None).await);
    }
    ours.sort_by(f64::total_cmp);
    theirs.sort_by(f64::total_cmp);
    println!("product list of 20, {CONNECTIONS} connections, embedded store of {PRODUCTS} products:");
    println!("  feira gateway          {:>8.0} requests/s", ours[1]);
    println!("  bare async-graphql     {:>8.0} requests/s", theirs[1]);
    println!("  ratio                  {:>8.2}", ours[1] / theirs[1]);
}
