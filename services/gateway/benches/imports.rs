//! Rows of a feed read, checked and sent a second, with owners that accept at once, beside the least that makes the same
//! commands of the same bytes: bare csv-core, each row typed, given its ids, sent, and its answer read.
//!
//! `cargo bench -p feira-gateway --bench imports`. The reference does without HTTP, without looking at what a row says, and
//! sends one command after the other.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::http::Request;
use feira_bench::{ROUNDS, Report, Round, Row, Unit, in_turns};
use feira_commands::catalog::Input;
use feira_event_log::simulated::Cluster;
use feira_events::catalog::{Availability, Condition, Details, Pricing};
use feira_gateway::{DevKey, GatewayConfig, GatewayParts, Issue, PlatformSecret, Verifier};
use feira_ids::{AggregateId, CommandId, Fingerprint, LaneId, Principal, PrincipalKind, Role, ServiceName, TenantId};
use feira_money::Amount;
use feira_projection_store::ModelStore;
use feira_runtime::{Accepted, Answer, Command, Commands, Position};
use feira_sealing::FileKeyring;
use http_body_util::BodyExt;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

const ROWS: usize = 50_000;
const CHUNK_BYTES: usize = 16 * 1024;

/// Accepts whatever comes, and counts it.
#[derive(Default)]
struct AcceptAll(AtomicU64);

#[async_trait]
impl Commands for AcceptAll {
    async fn ask(&self, command: Command) -> Answer {
        self.0.fetch_add(1, Ordering::Relaxed);
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

async fn import(router: axum::Router, token: &str, feed: Bytes) -> Round {
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
    Round::of(ROWS as u64, took)
}

async fn bare(owner: &dyn Commands, shop: &TenantId, feed: &[u8]) -> Round {
    let from = Instant::now();
    let mut reader = csv_core::ReaderBuilder::new().delimiter(b'\t').build();
    let (mut text, mut ends, mut input, mut records) = (vec![0; 64 * 1024], vec![0; 64], feed, 0);
    loop {
        let (result, read, _, columns) = reader.read_record(input, &mut text, &mut ends);
        input = &input[read..];
        match result {
            csv_core::ReadRecordResult::Record => records += 1,
            csv_core::ReadRecordResult::End => break,
            _ => continue,
        }
        if records == 1 {
            continue;
        }
        let fields: Vec<&str> = (0..columns)
            .map(|column| {
                let begin = column.checked_sub(1).map_or(0, |before| ends[before]);
                std::str::from_utf8(&text[begin..ends[column]]).expect("the feed is UTF-8")
            })
            .collect();
        let answer = owner.ask(command(shop, records, &fields)).await;
        let Answer::Accepted(accepted) = answer else { panic!("{answer:?}") };
        let view: serde_json::Value = serde_json::from_slice(&accepted.view).expect("a view is JSON");
        assert_eq!(view["listed"], true);
    }
    assert_eq!(records, ROWS + 1);
    Round::of(ROWS as u64, from.elapsed())
}

/// What a row asks for, its fields taken at their word.
fn command(shop: &TenantId, line: usize, fields: &[&str]) -> Command {
    let &[sku, title, description, _, _, price, sale_price, link, image, brand] = fields else { panic!("{fields:?}") };
    let amount = |text: &str| {
        let (number, code) = text.rsplit_once(' ').expect("a number and a currency");
        Amount::parse_major(number, code.parse().expect("a currency")).expect("an amount")
    };
    let details = Details {
        title: title.into(),
        description: description.into(),
        availability: Availability::InStock,
        condition: Condition::New,
        link: Some(link.into()),
        image_links: vec![image.into()],
        brand: Some(brand.into()),
        category: None,
        item_group: None,
    };
    let pricing = Pricing { price: amount(price), sale_price: Some(amount(sale_price)) };
    let input = Input::Put { details, pricing };
    let operation = input.operation();
    let input = serde_json::to_vec(&input).expect("an input is JSON");
    let (kind, roles) = (PrincipalKind::Member, vec![Role::Admin]);
    let principal = Principal { kind, id: "rosa".into(), tenant: Some(shop.clone()), roles };
    let command_id = CommandId::derive(shop, &principal.to_string(), operation, &format!("run:{line}"));
    Command {
        tenant: shop.clone(),
        principal,
        aggregate: AggregateId::new("product", sku).expect("a key"),
        operation: operation.into(),
        version: 1,
        command_id,
        fingerprint: Fingerprint::of(operation, &input),
        expected_version: None,
        deadline_ms: i64::MAX,
        clock_offset_ms: 0,
        wants_view: true,
        causation_id: command_id.0,
        correlation_id: command_id.0,
        traceparent: None,
        input: input.into(),
    }
}

fn main() -> ExitCode {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let key = DevKey::from_seed(&[1; 32]);
    let listen = "127.0.0.1:0".parse().expect("an address");
    let owner = Arc::new(AcceptAll::default());
    let router = feira_gateway::router(GatewayParts {
        commands: owner.clone(),
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
    let (ours, theirs) = in_turns(
        || runtime.block_on(import(router.clone(), &token, feed.clone())),
        || runtime.block_on(bare(&*owner, &shop, &feed)),
    );
    assert_eq!(owner.0.load(Ordering::Relaxed), (2 * ROWS * (ROUNDS + 1)) as u64, "every row was sent");
    let mut report = Report::new();
    let reference = "csv-core, each row typed and sent alone, unchecked, without HTTP";
    report.table(&format!("Import of {ROWS} rows, owners that accept at once"), Unit::PerSecond, reference);
    report.row(Row::new("read, checked, sent", &ours).beside(&theirs));
    report.end()
}
