//! Processes that die at the wrong moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::platform::Platform;

pub async fn what_was_acknowledged_before_a_kill_is_there_after_it(platform: &mut Platform) {
    platform.admin("feira-livre").put("CAFE", "1.00", "BRL").await;
    let taps = Arc::new(AtomicU32::new(0));
    let mut shoppers = Vec::new();
    for name in 0..8 {
        let (shopper, taps) = (platform.consumer(&format!("shopper-{name}")).client().await, taps.clone());
        shoppers.push(tokio::spawn(async move {
            let mut acknowledged: i64 = 0;
            for tap in 0..99 {
                let input = json!({ "business": "feira-livre", "sku": "CAFE", "quantity": 1, "commandId": format!("tap-{tap}") });
                match shopper.try_cart("cartAddItem", input).await {
                    Some(_) => {
                        acknowledged += 1;
                        taps.fetch_add(1, Ordering::SeqCst);
                    }
                    None => break,
                }
            }
            (shopper, acknowledged)
        }));
    }
    let until = Instant::now() + Duration::from_secs(60);
    while taps.load(Ordering::SeqCst) < 100 {
        assert!(Instant::now() < until, "the shoppers did not begin in time");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    platform.kill().await;
    let shoppers = futures::future::join_all(shoppers).await;
    platform.up().await;
    for shopper in shoppers {
        let (shopper, acknowledged) = shopper.unwrap();
        // Every tap is sent again under its id: those that were decided are not decided twice. The one that was under
        // way when the lights went out was decided or not; now it is.
        let taps = (acknowledged + 1).min(99);
        let mut last = json!(null);
        for tap in 0..taps {
            let input =
                json!({ "business": "feira-livre", "sku": "CAFE", "quantity": 1, "commandId": format!("tap-{tap}") });
            last = shopper.cart("cartAddItem", input).await;
            assert_eq!(last["userErrors"], json!([]), "{last}");
            assert!(tap == acknowledged || last["repeated"] == json!(true), "tap {tap} of {acknowledged}: {last}");
        }
        assert_eq!(last["cart"]["lines"][0]["quantity"], taps);
        assert_eq!(last["cart"]["version"], taps);
    }
}
