//! The CQL store keeps the rules of every store, on a real database.
//!
//! The database is the one `deploy/local/up.sh` starts, or that of `FEIRA_TEST_CQL` (`host:port`). Each run has a
//! keyspace of its own and drops it.

use std::sync::Arc;
use std::time::Duration;

use feira_projection_store::{Store, suite};
use feira_projection_store_cql::{CqlConfig, CqlKeyring, CqlStore};
use libtest_mimic::{Arguments, Trial};
use scylla::client::session_builder::SessionBuilder;
use scylla::statement::unprepared::Statement;
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
            CqlKeyring::open(&store).await?;
            Ok::<_, feira_projection_store::StoreError>(store)
        })),
    };
    let store = store.map(|store| store.map_err(|error| format!("{error}: run deploy/local/up.sh")));
    let there = move || store.clone().expect("it is there unless rules are only listed");
    let mut trials = Vec::new();
    for rule in suite::rules() {
        let (there, runtime) = (there.clone(), runtime.clone());
        trials.push(Trial::test(rule.name, move || {
            runtime.block_on((rule.run)(there()?));
            Ok(())
        }));
    }
    for rule in feira_sealing::suite::rules() {
        let (there, runtime) = (there.clone(), runtime.clone());
        trials.push(Trial::test(format!("keyring::{}", rule.name), move || {
            let store = there()?;
            runtime.block_on(async {
                let (one, other) = (CqlKeyring::open(&store).await?, CqlKeyring::open(&store).await?);
                (rule.run)((Arc::new(one), Arc::new(other))).await;
                Ok(())
            })
        }));
    }
    let start = runtime.clone();
    let shared = format!("{keyspace}_start");
    trials.push(Trial::test("start::processes_that_start_at_once_all_find_the_tables", {
        let shared = shared.clone();
        move || {
            let start_one = || async {
                let store = CqlStore::connect(config(&shared)).await?;
                store.ensure(suite::TABLES).await?;
                CqlKeyring::open(&store).await
            };
            let started = start.block_on(futures::future::join_all((0..6).map(|_| start_one())));
            started.into_iter().collect::<Result<Vec<_>, _>>()?;
            Ok(())
        }
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    if !arguments.list && there().is_ok() {
        runtime.block_on(async {
            let session = SessionBuilder::new().known_nodes(config(&keyspace).nodes).build().await;
            let session = session.expect("the database still answers");
            for keyspace in [keyspace.clone(), format!("{keyspace}_keys"), shared.clone(), format!("{shared}_keys")] {
                let mut gone = Statement::new(format!("DROP KEYSPACE IF EXISTS {keyspace}"));
                gone.set_request_timeout(Some(Duration::from_secs(60)));
                session.query_unpaged(gone, ()).await.expect("the keyspace of this run goes");
            }
        });
    }
    conclusion.exit();
}
