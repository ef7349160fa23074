//! The demo: two purchases from the first word to the issued invoice, whatever happens in between.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::platform::{Dice, Outcome, Platform, SHOPS};

/// What the invoices of the two businesses say, worked out by hand from the prices of the demo's feeds and templates and
/// from what is published of each country: component, class, quantity, exact amount, amount, currency, whether it was
/// taken already.
///
/// Brazil: three answers inside the window are free. One utility template to Brazil costs 0.0068 USD, which is 0.01. The
/// order is 25.70 BRL; 3.99 % of it is 1.02543, which is 1.03. India: one utility template costs 0.0014 USD, which is
/// 0.00. The order is 568.00 INR; 2 % of it is 11.36.
const BY_HAND: [[[&str; 7]; 3]; 2] = [
    [
        ["MESSAGE", "FREE", "3", "0.000000", "0.00", "USD", "false"],
        ["MESSAGE", "CHARGED", "1", "0.006800", "0.01", "USD", "false"],
        ["PAYMENT_FEE", "CHARGED", "1", "1.025430", "1.03", "BRL", "true"],
    ],
    [
        ["MESSAGE", "FREE", "3", "0.000000", "0.00", "USD", "false"],
        ["MESSAGE", "CHARGED", "1", "0.001400", "0.00", "USD", "false"],
        ["PAYMENT_FEE", "CHARGED", "1", "11.360000", "11.36", "INR", "true"],
    ],
];

/// What each process is doing when it is killed.
const SCENES: [(&str, &str); 6] = [
    ("catalog", "brings its products in"),
    ("payments", "it is paid, and the order is confirmed"),
    ("conversation", "a customer writes, and is shown products"),
    ("billing", "the invoice of"),
    ("cart", "a cart is filled and checked out"),
    ("gateway", "a friend is sent 10.00"),
];

/// Plays the demo, or finishes it.
async fn play(platform: &Platform) -> Value {
    let Outcome { code, output, errors } = platform.feira_on_log(&["demo", "--output", "json"]).await;
    let played: Value = serde_json::from_str(&output).unwrap_or_default();
    assert_eq!(code, 0, "{errors}{output}\nfaults: {}", played["verified"]["faults"]);
    played
}

/// What two purchases leave, however often they were played.
async fn is_whole(platform: &Platform, played: &Value) {
    let shops = played["shops"].as_array().unwrap();
    assert_eq!(shops.iter().map(|shop| shop["business"].as_str().unwrap()).collect::<Vec<_>>(), SHOPS);
    for (shop, by_hand) in shops.iter().zip(BY_HAND) {
        assert_eq!(shop["order"]["state"], "CONFIRMED", "{shop}");
        let mut charged = charges(shop);
        let mut expected = by_hand.map(|line| line.map(str::to_owned)).to_vec();
        charged.sort_unstable();
        expected.sort_unstable();
        assert_eq!(charged, expected, "{shop}");
        let invoices = shop["invoices"].as_array().unwrap();
        let lines: Vec<&Value> = invoices.iter().flat_map(|invoice| invoice["lines"].as_array().unwrap()).collect();
        let counted = |component: &str| -> i64 {
            let of = lines.iter().filter(|line| line["component"] == component);
            of.map(|line| line["quantity"].as_i64().unwrap()).sum()
        };
        assert_eq!(counted("PAYMENT_FEE"), 1, "{shop}");
        let delivered = |message: &&Value| {
            message["from"] == "BUSINESS" && ["DELIVERED", "READ"].iter().any(|status| message["status"] == *status)
        };
        let messages = shop["messages"].as_array().unwrap().iter().filter(delivered).count();
        assert_eq!(counted("MESSAGE"), messages as i64, "{shop}");
        let explained = |line: &&&Value| !line["explain"]["steps"].as_array().unwrap().is_empty();
        assert_eq!(lines.iter().filter(explained).count(), lines.len());
    }
    assert_eq!(played["verified"]["faults"], json!([]), "{played}");
    for (service, event, count) in [
        ("cart", "OrderPlaced", 2),
        ("cart", "OrderConfirmed", 2),
        ("payments", "IntentCaptured", 2),
        ("conversation", "BusinessRegistered", 2),
    ] {
        assert_eq!(platform.count(service, event).await, count, "{event}");
    }
}

/// The lines of a business's invoices, in the order of [`BY_HAND`].
fn charges(shop: &Value) -> Vec<[String; 7]> {
    let lines = shop["invoices"].as_array().unwrap().iter().flat_map(|invoice| invoice["lines"].as_array().unwrap());
    let word = |line: &Value, field: &str| match &line[field] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let fields = ["component", "class", "quantity", "exact", "amount", "currency", "collected"];
    lines.map(|line| fields.map(|field| word(line, field))).collect()
}

pub async fn the_demo_is_played_once_and_again(platform: &mut Platform) {
    let first = play(platform).await;
    is_whole(platform, &first).await;
    let before = platform.counts().await;
    let again = play(platform).await;
    assert_eq!(again["shops"], first["shops"]);
    assert_eq!(platform.counts().await, before, "played again it changes nothing");
    invoices_are_what_was_used(platform).await;
}

/// A reader that shares no code with the platform comes to the same invoices from the log alone: from the topics where
/// there are some, else from an export.
async fn invoices_are_what_was_used(platform: &Platform) {
    let python = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/python/invoices.py");
    let mut reader = match platform.topics() {
        Some((brokers, prefix)) => {
            let mut reader = tokio::process::Command::new(python_with_kafka());
            reader.args([python, "--brokers", brokers, "--prefix", &prefix]);
            reader
        }
        None => {
            platform.export().await;
            let mut reader = tokio::process::Command::new("python3");
            reader.args([python, "--export"]).arg(platform.folder().join("export"));
            reader
        }
    };
    let run = reader.output().await.unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{said}");
    let found: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert!(found["invoices"].as_array().unwrap().len() >= 2, "{found}");
}

/// The interpreter that has the packages of `schemas/python/requirements.txt`, which `cargo xtask test` installs.
fn python_with_kafka() -> PathBuf {
    let installed = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tools").join("python").join("bin/python");
    assert!(installed.exists(), "{installed:?} is not there: `make test` installs it");
    installed
}

/// Whichever process dies, and whatever it is doing then, the demo comes to its end; it is played again where it cannot go
/// on by itself.
pub async fn whichever_process_dies_the_demo_comes_to_its_end(platform: &mut Platform) {
    let mut dice = Dice::thrown();
    for (number, name) in (1..).zip(platform.parts()) {
        let (_, scene) = SCENES.iter().find(|(who, _)| *who == name).unwrap();
        let mut demo = platform.command_on_log(&["demo", "--new"]);
        let mut demo = demo.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(demo.stderr.take().unwrap()).lines();
        while !said.next_line().await.unwrap().expect("the scene is played").contains(scene) {}
        tokio::time::sleep(Duration::from_millis(dice.below(300))).await;
        platform.kill_for(name).await;
        let killed = Instant::now();
        platform.start();
        let rest = tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        let status = demo.wait().await.unwrap();
        rest.await.unwrap();
        let played = play(platform).await;
        println!("{name} was killed while {scene:?}: done {:.1} s later, {status}", killed.elapsed().as_secs_f64());
        assert_eq!(played["verified"]["faults"], json!([]), "{played}");
        for shop in played["shops"].as_array().unwrap() {
            assert_eq!(shop["order"]["state"], "CONFIRMED", "{shop}");
        }
        for (service, event) in [("cart", "OrderPlaced"), ("cart", "OrderConfirmed"), ("payments", "IntentCaptured")] {
            assert_eq!(platform.count(service, event).await, 2 * number, "{event} after {name} was killed");
        }
    }
}

pub async fn a_demo_that_a_kill_broke_off_ends_as_one(platform: &mut Platform) {
    for event in [("cart", "OrderPlaced"), ("payments", "IntentCaptured"), ("billing", "InvoiceIssued")] {
        let mut demo = platform.command_on_log(&["demo"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(90);
        while platform.count(event.0, event.1).await == 0 {
            assert!(demo.try_wait().unwrap().is_none(), "the demo ended before {event:?}");
            assert!(Instant::now() < until, "no {event:?} in time");
        }
        platform.kill().await;
        demo.kill().await.unwrap();
        platform.up().await;
    }
    let played = play(platform).await;
    is_whole(platform, &played).await;
}
