//! The demo: two purchases from the first word to the issued invoice, whatever happens in between.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::platform::{Outcome, Platform, SHOPS};

/// Plays the demo, or finishes it.
async fn play(platform: &Platform) -> Value {
    let args = platform.log_args();
    let args: Vec<&str> = ["demo", "--output", "json"].into_iter().chain(args.iter().map(String::as_str)).collect();
    let Outcome { code, output, errors } = platform.feira(&args).await;
    assert_eq!(code, 0, "{output}{errors}");
    serde_json::from_str(&output).unwrap()
}

/// What two purchases leave, however often they were played.
async fn is_whole(platform: &Platform, played: &Value) {
    let shops = played["shops"].as_array().unwrap();
    assert_eq!(shops.iter().map(|shop| shop["business"].as_str().unwrap()).collect::<Vec<_>>(), SHOPS);
    for shop in shops {
        assert_eq!(shop["order"]["state"], "CONFIRMED", "{shop}");
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
        // The template was sent a day after the customer last wrote.
        let charged: i64 = lines
            .iter()
            .filter(|line| line["component"] == "MESSAGE" && line["class"] == "CHARGED")
            .map(|line| line["quantity"].as_i64().unwrap())
            .sum();
        assert_eq!(charged, 1, "{shop}");
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

pub async fn the_demo_is_played_once_and_again(platform: &mut Platform) {
    let first = play(platform).await;
    is_whole(platform, &first).await;
    let before = platform.counts().await;
    let again = play(platform).await;
    assert_eq!(again["shops"], first["shops"]);
    assert_eq!(platform.counts().await, before, "played again it changes nothing");
    invoices_are_what_was_used(platform).await;
}

/// A reader that shares no code with the platform comes to the same invoices from the log alone.
async fn invoices_are_what_was_used(platform: &Platform) {
    let folder = platform.folder().join("export");
    let args = platform.log_args();
    let export = ["log", "export", folder.to_str().unwrap()].into_iter().chain(args.iter().map(String::as_str));
    assert_eq!(platform.feira(&export.collect::<Vec<_>>()).await.code, 0);
    let reader = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/python/invoices.py");
    let run = tokio::process::Command::new("python3").arg(reader).arg("--export").arg(&folder).output().await.unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{said}");
    let found: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert!(found["invoices"].as_array().unwrap().len() >= 2, "{found}");
}

pub async fn a_demo_that_a_kill_broke_off_ends_as_one(platform: &mut Platform) {
    for event in [("cart", "OrderPlaced"), ("payments", "IntentCaptured"), ("billing", "InvoiceIssued")] {
        let args = platform.log_args();
        let args: Vec<&str> = ["demo"].into_iter().chain(args.iter().map(String::as_str)).collect();
        let mut demo = platform.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
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
