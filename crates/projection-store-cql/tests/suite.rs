//! The CQL store keeps the rules of every store, on a real database.
//!
//! The database is the one `deploy/local/up.sh` starts, or that of `FEIRA_TEST_CQL` (`host:port`). Each run has a
//! keyspace of its own and drops it.

use std::sync::Arc;
use std::time::Duration;

use feira_projection_store::{Store, suite};
use feira_projection_store_cql::{CqlConfig, CqlStore};
use libtest_mimic::{Arguments, Trial};
use scylla::client::session_builder::SessionBuilder;
use tokio::runtime::Runtime;

fn config(keyspace: &str) -> CqlConfig {
    let node = std::env::var("FEIRA_TEST_CQL").unwrap_or_else(|_| "127.0.0.1:19042".to_owned());
    CqlConfig { start_wait: Duration::from_secs(5), ..CqlConfig::new([node], keyspace) }
}

fn main() {
    let arguments = Arguments::from_args();
    let runtime = Arc::new(Runtime::new().expect("a runtime starts"));
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
    let keyspace = format!("test_{}_{}", std::process::id(), since.as_millis());
    let store = match arguments.list {
        true => None,
        false => Some(runtime.block_on(async {
            let store = CqlStore::connect(config(&keyspace)).await?;
            store.ensure(suite::TABLES).await?;
            Ok::<_, feira_projection_store::StoreError>(store)
        })),
    };
    let store: Option<Result<Arc<dyn Store>, String>> = store.map(|store| match store {
        Ok(store) => Ok(store as Arc<dyn Store>),
        Err(error) => Err(format!("{error}: run deploy/local/up.sh")),
    });
    let trials = suite::rules().into_iter().map(|rule| {
        let (store, runtime) = (store.clone(), runtime.clone());
        Trial::test(rule.name, move || {
            let store = store.expect("it is there unless rules are only listed")?;
            runtime.block_on((rule.run)(store));
            Ok(())
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if matches!(store, Some(Ok(_))) {
        runtime.block_on(async {
            let session = SessionBuilder::new().known_nodes(config(&keyspace).nodes).build().await;
            let session = session.expect("the database still answers");
            let mut drop = scylla::statement::unprepared::Statement::new(format!("DROP KEYSPACE {keyspace}"));
            drop.set_request_timeout(Some(Duration::from_secs(60)));
            session.query_unpaged(drop, ()).await.expect("the keyspace of this run goes");
        });
    }
    conclusion.exit();
}
