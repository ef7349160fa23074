//! The model keeps the rules it is a model of.

use std::sync::Arc;

use feira_projection_store::{ModelStore, Store, suite};
use libtest_mimic::{Arguments, Trial};

fn main() {
    let trials = suite::rules().into_iter().map(|rule| {
        Trial::test(rule.name, move || {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(async {
                let store = Arc::new(ModelStore::new());
                store.ensure(suite::TABLES).await?;
                (rule.run)(store).await;
                Ok(())
            })
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
