//! Rules of shards: held entity by entity, they are what the log adds up to, as any aggregate is.

use feira_commands::cart::Input;
use feira_ids::{PrincipalKind, Role};
use futures::future::join_all;

use super::basket::{FLOOD, LATE_POISON, POISON};
use super::bins::HostedBins;
use super::commands::{accepted, run, view};
use super::{Home, Shop, command, history};
use crate::{Answer, Options, ServiceHost};

async fn open(home: &dyn Home, options: Options) -> Shop {
    Shop::open_hosting(home, options, ServiceHost::builder("cart").host_shard(HostedBins).build()).await
}

/// Every bin on the log is seen as the log adds it up.
async fn assert_adds_up(shop: &Shop, key: &str) {
    let standing = history(shop.log.as_ref());
    for (aggregate, (state, events)) in &standing.states {
        for sku in state.units.keys() {
            let look = Input::SetQuantity { sku: sku.clone(), quantity: state.units[sku] };
            let shard = aggregate.trim_start_matches("cart:");
            let seen = accepted(shop.ask(command(shard, look, &format!("{key}.{aggregate}.{sku}"))).await);
            assert_eq!((seen.version, seen.events.len()), (*events, 0), "{aggregate}");
            assert_eq!(view(&seen).units, [(sku.clone(), state.units[sku])].into(), "{aggregate}");
        }
    }
}

/// With hardly any memory, after restarts, with the folder and without it: what is answered is what the log adds up to,
/// each command seeing what it asked for.
pub fn a_shard_answers_as_its_log_adds_up(home: &dyn Home) {
    run(home, async {
        let options = || Options { flush_records: 3, recent_commands: 2, ..Options::default() };
        for round in 0..3 {
            if round == 2 {
                std::fs::remove_dir_all(home.folder()).unwrap();
            }
            let shop = open(home, options()).await;
            if round == 1 {
                assert_eq!(shop.running.metrics().rebuilds.get(), 0);
            }
            assert_adds_up(&shop, &format!("before{round}")).await;
            let skus: Vec<_> = (0..40).map(|i| (format!("sku-{}", i * 7 % 13), format!("{round}.{i}"))).collect();
            let added = skus.iter().map(|(sku, key)| shop.add("BR.1", sku, 1, key));
            for (answer, (sku, _)) in join_all(added).await.into_iter().zip(&skus) {
                let seen = view(&accepted(answer));
                assert_eq!(seen.units.keys().map(|sku| &**sku).collect::<Vec<_>>(), [sku.as_str()]);
            }
            for i in 0..6 {
                let remove = Input::RemoveItem { sku: format!("sku-{i}").into() };
                accepted(shop.ask(command("BR.1", remove, &format!("remove{round}.{i}"))).await);
            }
            assert_adds_up(&shop, &format!("after{round}")).await;
            shop.close().await;
        }
    });
}

/// What is refused, too much, or makes the program fail while it folds changes nothing of what others see.
pub fn a_shard_is_not_changed_by_what_fails(home: &dyn Home) {
    run(home, async {
        let shop = open(home, Options::default()).await;
        accepted(shop.add("BR.1", "mango", 1, "k1").await);
        for (sku, key) in [(POISON, "k2"), (LATE_POISON, "k3")] {
            let answer = shop.add("BR.1", sku, 1, key).await;
            assert!(matches!(answer, Answer::Poison { .. }), "{answer:?}");
        }
        let answer = shop.add("BR.1", FLOOD, 1, "k4").await;
        assert!(matches!(answer, Answer::Invalid { .. }), "{answer:?}");
        let answer = shop.add("BR.1", "mango", 99, "k5").await;
        assert!(matches!(answer, Answer::Refused { .. }), "{answer:?}");
        for (sku, key) in [(LATE_POISON, "k6"), (FLOOD, "k7")] {
            let look = Input::RemoveItem { sku: sku.into() };
            assert!(accepted(shop.ask(command("BR.1", look, key)).await).events.is_empty(), "{sku} is in no bin");
        }
        let answer = accepted(shop.add("BR.1", "mango", 1, "k8").await);
        assert_eq!((answer.version, view(&answer).units), (2, [("mango".into(), 2)].into()));
        assert!(accepted(shop.add("BR.1", "mango", 1, "k8").await).repeated);
        shop.close().await;
    });
}

/// A consumer may ask of a shard only what it says is theirs.
pub fn whoever_owns_nothing_of_a_shard_is_turned_away(home: &dyn Home) {
    run(home, async {
        let shop = open(home, Options::default()).await;
        let of = |id: &str, sku: &str| {
            let mut asked = command("BR.1", Input::AddItem { sku: sku.into(), quantity: 1 }, sku);
            asked.principal.kind = PrincipalKind::Person;
            asked.principal.roles = vec![Role::Consumer];
            asked.principal.id = id.into();
            asked
        };
        assert_eq!(shop.ask(of("ana", "bia-mango")).await, Answer::Forbidden);
        // Not even whoever is called as the shard is.
        assert_eq!(shop.ask(of("BR.1", "bia-mango")).await, Answer::Forbidden);
        accepted(shop.ask(of("ana", "ana-mango")).await);
        shop.close().await;
    });
}
