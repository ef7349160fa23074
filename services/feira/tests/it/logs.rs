//! The log as operators take it away: exported into files, followed as it grows.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::platform::{Outcome, Platform};

pub async fn an_export_goes_on_with_what_came_since(platform: &mut Platform) {
    let admin = platform.admin("feira-livre").client().await;
    admin.put("CAFE", "1.00", "BRL").await;
    let folder = platform.folder().join("export");
    let folder = folder.to_str().unwrap().to_owned();
    let more = platform.log_args();
    let export = |service: &'static str| {
        let args = ["log", "export", &folder, "--service", service, "--output", "json"];
        args.into_iter().map(str::to_owned).chain(more.clone()).collect::<Vec<String>>()
    };
    let run = async |args: Vec<String>| platform.feira(&args.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let Outcome { code, output, errors } = run(export("catalog")).await;
    assert_eq!(code, 0, "{errors}");
    let first = serde_json::from_str::<Value>(&output).unwrap()["records"].as_u64().unwrap();
    admin.put("CHA", "1.00", "BRL").await;
    let Outcome { code, output, errors } = run(export("catalog")).await;
    assert_eq!(code, 0, "{errors}");
    let second = serde_json::from_str::<Value>(&output).unwrap()["records"].as_u64().unwrap();
    assert_eq!(second, first + 1);
    let mut lines = Vec::new();
    for lane in 0..4 {
        let text = std::fs::read_to_string(format!("{folder}/catalog-{lane}.ndjson")).unwrap();
        let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for (seq, record) in (1..).zip(&records) {
            assert_eq!(record["meta"]["lane_seq"], json!(seq));
        }
        lines.extend(records);
    }
    assert_eq!(lines.len() as u64, second);
    let listed = lines.iter().filter(|line| line["type"] == "feira.catalog.v1.ProductListed").count();
    assert_eq!(listed, 2);
    // A folder holds one export.
    let other = run(export("cart")).await;
    assert_eq!(other.code, 1);
    assert!(other.errors.contains("name another folder"), "{}", other.errors);
}

pub async fn a_tail_shows_what_comes(platform: &mut Platform) {
    let more = platform.log_args();
    let args: Vec<&str> = ["log", "tail", "--service", "catalog", "--output", "json", "--last", "1"]
        .into_iter()
        .chain(more.iter().map(String::as_str))
        .collect();
    let mut tail = platform.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    platform.admin("feira-livre").put("CAFE", "1.00", "BRL").await;
    let listed = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the tail goes on");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["type"] == "feira.catalog.v1.ProductListed" {
                return line;
            }
        }
    };
    let line = tokio::time::timeout(Duration::from_secs(30), listed).await.expect("it is shown");
    assert_eq!(line["meta"]["aggregate"], "product:CAFE");
    tail.kill().await.unwrap();
}
