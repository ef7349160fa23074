//! Rows of a feed read, checked and sent a second, with owners that accept at once; beside bare csv-core over the same
//! bytes in the same run.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::http::Request;
use feira_event_log::simulated::Cluster;
use feira_gateway::{DevKey, GatewayConfig, GatewayParts, Issue, PlatformSecret, Verifier};
use feira_ids::{LaneId, Role, ServiceName, TenantId};
use feira_projection_store::ModelStore;
use feira_runtime::{Accepted, Answer, Command, Commands, Position};
use feira_sealing::FileKeyring;
use http_body_util::BodyExt;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const ROWS: usize = 200_000;
const CHUNK_BYTES: usize = 16 * 1024;

/// Accepts whatever comes.
struct AcceptAll;

#[async_trait]
impl Commands for AcceptAll {
    async fn ask(&self, command: Command) -> Answer {
        let view = format!("{{\"sku\":\"{}\",\"version\":1,\"listed\":true}}", command.aggregate.key());
        Answer::Accepted(Accepted {
            position: Position::at(LaneId::new(&ServiceName::new("catalog"), 0), 1),
            version: 1,
            events: Vec::new(),
            view: Bytes::from(view),
            repeated: false,
        })
    }
}

fn feed() -> Bytes {
    let mut feed =
        String::from("id\ttitle\tdescription\tavailability\tcondition\tprice\tsale_price\tlink\timage_link\tbrand\n");
    for row in 0..ROWS {
        feed.push_str(&format!(
            "SKU{row:08}\tCafé especial torrado {row}\tTorrado e moído na hora, com notas de castanha\tin stock\tnew\t999.00 INR\t379.00 INR\thttps://shop.example/p/{row}\thttps://shop.example/i/{row}.jpg\tFeira\n"
        ));
    }
    Bytes::from(feed)
}

async fn import(router: axum::Router, token: &str, feed: Bytes) -> Duration {
    let chunks: Vec<_> = (0..feed.len())
        .step_by(CHUNK_BYTES)
        .map(|from| Ok::<_, std::io::Error>(feed.slice(from..feed.len().min(from + CHUNK_BYTES))))
        .collect();
    let request = Request::post("/v1/imports/products?run=3f0c0b4e-58a3-4b0e-9a68-0d8f3a6f5a11&format=tsv")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from_stream(futures::stream::iter(chunks)))
        .expect("a request");
    let from = Instant::now();
    let response = router.oneshot(request).await.expect("an answer");
    let body = response.into_body().collect().await.expect("the whole answer").to_bytes();
    let took = from.elapsed();
    let last = body.trim_ascii().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let last: serde_json::Value = serde_json::from_slice(last).expect("a last line");
    assert_eq!(last["done"]["accepted"], ROWS, "{last}");
    took
}

fn bare(feed: &[u8]) -> Duration {
    let from = Instant::now();
    let mut reader = csv_core::ReaderBuilder::new().delimiter(b'\t').build();
    let (mut text, mut ends, mut input, mut rows) = (vec![0; 64 * 1024], vec![0; 64], feed, 0);
    loop {
        let (result, read, _, _) = reader.read_record(input, &mut text, &mut ends);
        input = &input[read..];
        match result {
            csv_core::ReadRecordResult::Record => rows += 1,
            csv_core::ReadRecordResult::End => break,
            _ => {}
        }
    }
    assert_eq!(rows, ROWS + 1);
    from.elapsed()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = DevKey::from_seed(&[1; 32]);
    let listen = "127.0.0.1:0".parse().expect("an address");
    let router = feira_gateway::router(GatewayParts {
        commands: Arc::new(AcceptAll),
        store: Arc::new(ModelStore::new()),
        keyring: Arc::new(FileKeyring::open(folder.path()).expect("a keyring")),
        verifier: Verifier::new(&key.verifier_config(listen).expect("loopback")).expect("a verifier"),
        secret: PlatformSecret::from_bytes(&[2; 32]),
        log: None,
        payments_lanes: 1,
        events: Cluster::new(&[]).process("bench"),
        stop: CancellationToken::new(),
        ready: Arc::new(|| Ok(())),
        config: GatewayConfig::default(),
    });
    let shop = TenantId::new("feira-livre").expect("a tenant");
    let valid_for = Duration::from_secs(600);
    let issue = Issue { sub: "rosa", tenant: Some(&shop), roles: &[Role::Admin], country: None, valid_for };
    let token = key.issue(&issue).expect("a token");
    let feed = feed();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        ours.push(import(router.clone(), &token, feed.clone()).await);
        theirs.push(bare(&feed));
    }
    ours.sort();
    theirs.sort();
    let rate = |took: Duration| ROWS as f64 / took.as_secs_f64();
    println!("import of {ROWS} rows, owners that accept at once:");
    println!("  read, checked, sent    {:>9.0} rows/s", rate(ours[1]));
    println!("  bare csv-core          {:>9.0} rows/s", rate(theirs[1]));
}
