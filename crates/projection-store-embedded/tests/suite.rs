//! The embedded store keeps the rules of every store.

use feira_projection_store::{Store, suite};
use feira_projection_store_embedded::EmbeddedStore;
use libtest_mimic::{Arguments, Trial};

fn main() {
    let trials = suite::rules().into_iter().map(|rule| {
        Trial::test(rule.name, move || {
            let folder = tempfile::tempdir()?;
            tokio::runtime::Runtime::new()?.block_on(async {
                let store = EmbeddedStore::open(folder.path())?;
                store.ensure(suite::TABLES).await?;
                (rule.run)(store).await;
                Ok(())
            })
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}
