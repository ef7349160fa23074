//! Rules of keeping: what a lane has in memory and in its folder always adds up to the log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use feira_commands::cart::Input;
use feira_event_log::EventLog;
use futures::future::join_all;

use super::basket::View;
use super::commands::{accepted, run, view};
use super::{Home, Shop, command, history};
use crate::Options;

/// A command that changes nothing and so shows what is there.
async fn look(shop: &Shop, basket: &str, key: &str) -> View {
    view(&accepted(shop.ask(command(basket, Input::RemoveItem { sku: "nothing".into() }, key)).await))
}

/// Every basket on the log looks as the log adds it up.
///
/// # Panics
/// When one does not.
pub async fn assert_adds_up(shop: &Shop, key: &str) {
    let standing = history(shop.log.as_ref());
    for (aggregate, (state, events)) in &standing.states {
        let seen = look(shop, aggregate.trim_start_matches("cart:"), &format!("{key}.{aggregate}")).await;
        assert_eq!((&seen.units, seen.version), (&state.units, *events), "{aggregate}");
    }
}

/// A restart goes on from the folder, and only the rest is replayed.
pub fn a_restart_goes_on_where_it_ended(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        for i in 0..50 {
            accepted(shop.add(&format!("BR.{}", i % 7), "mango", 1, &format!("k{i}")).await);
        }
        shop.close().await;
        let shop = Shop::open(home, Options::default()).await;
        assert_eq!(shop.running.metrics().rebuilds.get(), 0);
        assert_adds_up(&shop, "look").await;
        assert_eq!(accepted(shop.add("BR.0", "mango", 1, "after").await).version, 9);
        shop.close().await;
    });
}

/// Without its folder a lane is built again from the log, and nobody sees a difference.
pub fn a_lost_folder_is_built_again_from_the_log(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        for i in 0..50 {
            accepted(shop.add(&format!("BR.{}", i % 7), "mango", 1, &format!("k{i}")).await);
        }
        // Baskets that nothing ever happened to have outcomes all the same.
        let untouched = look(&shop, "BR.none", "none").await;
        let refused = shop.add("BR.refused", "mango", 100, "refused").await;
        shop.close().await;
        std::fs::remove_dir_all(home.folder()).unwrap();
        let shop = Shop::open(home, Options::default()).await;
        assert_eq!(look(&shop, "BR.none", "none").await, untouched);
        assert_eq!(shop.add("BR.refused", "mango", 100, "refused").await, refused);
        assert_adds_up(&shop, "look").await;
        shop.close().await;
    });
}

/// Whatever happens to the files of the folder, the lane is as the log says.
pub fn a_damaged_folder_is_built_again_from_the_log(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        for i in 0..50 {
            accepted(shop.add(&format!("BR.{}", i % 7), "mango", 1, &format!("k{i}")).await);
        }
        shop.close().await;
        for (round, file) in files(&home.folder()).into_iter().enumerate() {
            let Ok(mut bytes) = std::fs::read(&file) else { continue };
            // Only the beginning of a journal is in use.
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            for place in [0, used / 3, used / 2, used.saturating_sub(1)] {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= 0x41;
                }
            }
            std::fs::write(&file, &bytes).unwrap();
            let shop = Shop::open(home, Options::default()).await;
            assert_adds_up(&shop, &format!("look{round}")).await;
            shop.close().await;
        }
    });
}

/// The files under a folder, those of the first lane that has any state.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found.retain(|path| path.to_string_lossy().contains("lane-0"));
    found
}

/// A folder that was kept beside another log is not believed.
pub fn a_folder_of_another_log_is_thrown_away(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        accepted(shop.add("BR.1", "mango", 1, "k1").await);
        shop.close().await;
        let renamed: Arc<dyn EventLog> = Arc::new(Renamed(home.open()));
        let shop = Shop::start(renamed, home, Options::default()).await;
        assert!(shop.running.wait_ready(home.patience()).await);
        assert!(shop.running.metrics().rebuilds.get() > 0);
        assert_adds_up(&shop, "look").await;
        shop.close().await;
    });
}

/// A log under another name.
struct Renamed(Arc<dyn EventLog>);

impl EventLog for Renamed {
    fn log_id(&self) -> String {
        format!("not {}", self.0.log_id())
    }

    fn lanes(&self, service: &feira_ids::ServiceName) -> Result<u32, feira_event_log::LogError> {
        self.0.lanes(service)
    }

    fn join(
        &self,
        service: &feira_ids::ServiceName,
        address: &str,
    ) -> Result<Arc<dyn feira_event_log::Membership>, feira_event_log::LogError> {
        self.0.join(service, address)
    }

    fn reader(
        &self,
        lane: &feira_ids::LaneId,
        resume: feira_event_log::Resume,
    ) -> Result<Box<dyn feira_event_log::LaneReader>, feira_event_log::LogError> {
        self.0.reader(lane, resume)
    }

    fn last_seq(&self, lane: &feira_ids::LaneId) -> Result<u64, feira_event_log::LogError> {
        self.0.last_seq(lane)
    }

    fn owners(&self) -> Arc<dyn feira_event_log::OwnerHints> {
        self.0.owners()
    }
}

/// With room for one state in memory, each basket is as the log adds it up.
pub fn states_beyond_memory_are_paged(home: &dyn Home) {
    run(home, async {
        let options = || Options { cache_aggregates: 1, flush_records: 3, recent_commands: 2, ..Options::default() };
        let mut expected: BTreeMap<usize, i32> = BTreeMap::new();
        for round in 0..3 {
            let shop = Shop::open(home, options()).await;
            let commands: Vec<_> = (0..60).map(|i| (i * 7 % 20, format!("{round}.{i}"))).collect();
            for (basket, _) in &commands {
                *expected.entry(*basket).or_default() += 1;
            }
            let names: Vec<_> = commands.iter().map(|(basket, key)| (format!("BR.{basket}"), key)).collect();
            let answers = join_all(names.iter().map(|(basket, key)| shop.add(basket, "mango", 1, key))).await;
            answers.into_iter().for_each(|answer| drop(accepted(answer)));
            for (basket, units) in &expected {
                let seen = look(&shop, &format!("BR.{basket}"), &format!("look{round}.{basket}")).await;
                assert_eq!(seen.units, [("mango".into(), *units)].into(), "basket {basket}");
            }
            assert_adds_up(&shop, &format!("all{round}")).await;
            shop.close().await;
        }
    });
}
