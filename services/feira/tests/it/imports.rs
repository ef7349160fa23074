//! Feeds of products.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::platform::{Outcome, Platform};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/demo");
const HEADER: &str = "id\ttitle\tdescription\tavailability\tcondition\tprice\tsale_price\tlink\timage_link\tbrand\n";

/// How many events there are of products.
async fn product_events(platform: &Platform) -> u64 {
    let counts = platform.counts().await;
    let by_type = counts["catalog"]["by_type"].as_object().unwrap().clone();
    by_type.iter().filter(|(name, _)| name.contains(".Product")).map(|(_, count)| count.as_u64().unwrap()).sum()
}

pub async fn the_demo_feeds_go_in_and_a_second_time_changes_nothing(platform: &mut Platform) {
    for (tenant, feed) in [("feira-livre", "feira-livre-sao-paulo.tsv"), ("mumbai-bazaar", "mumbai-bazaar.tsv")] {
        let file = format!("{DEMO}/{feed}");
        let Outcome { code, output, errors } = platform.feira(&["import", "products", &file, "--tenant", tenant]).await;
        assert_eq!(code, 0, "{output}{errors}");
        assert!(output.contains("40 rows: 40 accepted (40 changed, 0 as they were), 0 refused"), "{output}");
        let again = platform.feira(&["import", "products", &file, "--tenant", tenant, "--output", "json"]).await;
        assert_eq!(again.code, 0, "{}{}", again.output, again.errors);
        let done: Value = serde_json::from_str(again.output.lines().last().unwrap()).unwrap();
        assert_eq!((&done["done"]["changed"], &done["done"]["unchanged"]), (&json!(0), &json!(40)));
        let ana = platform.consumer("ana").client().await;
        assert_eq!(ana.products(tenant, &done["done"]["position"]).await.len(), 40);
    }
    assert_eq!(product_events(platform).await, 80);
}

pub async fn broken_rows_are_named_and_the_good_ones_go_in(platform: &mut Platform) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("feed.tsv");
    let row = |id: &str, price: &str| format!("{id}\tProduto\t\tin stock\tnew\t{price}\t\t\t\t\n");
    let rows = [row("A", "1.00 BRL"), row("B", ""), row("C", "1.005 BRL"), row("A", "2.00 BRL"), row("D", "3.00 BRL")];
    std::fs::write(&file, format!("{HEADER}{}", rows.concat())).unwrap();
    let args = ["import", "products", file.to_str().unwrap(), "--tenant", "feira-livre"];
    let Outcome { code, output, errors } = platform.feira(&args).await;
    assert_eq!(code, 3, "{output}{errors}");
    let expected = ["line 3, column price: ", "line 4, column price: ", "line 5, column id: "];
    for place in expected {
        assert!(output.contains(place), "{place:?} in {output}");
    }
    assert!(output.contains("5 rows: 2 accepted"), "{output}");
    let ana = platform.consumer("ana").client().await;
    assert_eq!(product_events(platform).await, 2);
    let put = platform.admin("feira-livre").put("Z", "1.00", "BRL").await;
    let products = ana.products("feira-livre", &put["position"]).await;
    assert!(products.contains(&("A".to_owned(), "1.00".to_owned())), "{products:?}");

    let nothing = platform.feira(&["import", "products", "no-such-feed.tsv", "--tenant", "feira-livre"]).await;
    assert_eq!(nothing.code, 1);
    assert!(nothing.errors.contains("cannot read no-such-feed.tsv"), "{}", nothing.errors);
}

pub async fn an_import_killed_in_the_middle_ends_in_the_same_state(platform: &mut Platform) {
    const ROWS: u64 = 4_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("feed.tsv");
    let rows: String =
        (0..ROWS).map(|i| format!("P{i:05}\tProduto {i}\t\tin stock\tnew\t{}.00 BRL\t\t\t\t\n", i % 90 + 1)).collect();
    std::fs::write(&file, format!("{HEADER}{rows}")).unwrap();
    let args = ["import", "products", file.to_str().unwrap(), "--tenant", "feira-livre", "--output", "json"];

    let mut import = platform.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Kill the platform once some rows are in, and the import with it.
    let until = Instant::now() + Duration::from_secs(60);
    while counted(platform).await < 100 {
        assert!(Instant::now() < until, "the import did not begin in time");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    platform.kill().await;
    import.kill().await.unwrap();
    platform.up().await;

    let Outcome { code, output, errors } = platform.feira(&args).await;
    assert_eq!(code, 0, "{output}{errors}");
    let done: Value = serde_json::from_str(output.lines().last().unwrap()).unwrap();
    assert_eq!(done["done"]["accepted"], ROWS);
    assert_eq!(product_events(platform).await, ROWS);
    let ana = platform.consumer("ana").client().await;
    let mut products = ana.products("feira-livre", &done["done"]["position"]).await;
    products.sort();
    let expected: Vec<_> = (0..ROWS).map(|i| (format!("P{i:05}"), format!("{}.00", i % 90 + 1))).collect();
    assert_eq!(products, expected);
}

/// How many products there are so far, as far as the log can be asked.
async fn counted(platform: &Platform) -> u64 {
    platform.count("catalog", "ProductListed").await
}
