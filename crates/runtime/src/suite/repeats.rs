//! Rules of repeats: an id is decided once, for ever, and answered each time as it was first.

use std::sync::Arc;

use feira_commands::cart::Input;
use futures::future::join_all;

use super::commands::{accepted, run};
use super::{Home, Shop, command, history};
use crate::{Accepted, Answer, Options};

fn same(first: &Accepted, again: &Accepted) {
    assert!(!first.repeated && again.repeated);
    assert_eq!(
        (&first.position, first.version, &first.events),
        (&again.position, again.version, &again.events),
        "the first answer"
    );
}

/// A repeat gets the position, the version and the events of the first, and the view of now.
pub fn a_repeat_gets_the_first_answer(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let first = accepted(shop.add("BR.1", "mango", 1, "k1").await);
        accepted(shop.add("BR.1", "mango", 5, "k2").await);
        let again = accepted(shop.add("BR.1", "mango", 1, "k1").await);
        same(&first, &again);
        assert_eq!(super::commands::view(&again).units, [("mango".into(), 6)].into());
        shop.close().await;
    });
}

/// After a restart, with the folder or without it, all the same.
pub fn a_repeat_gets_the_first_answer_after_a_restart(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let first = accepted(shop.add("BR.1", "mango", 1, "k1").await);
        let nothing = Input::SetQuantity { sku: "mango".into(), quantity: 1 };
        let first_nothing = accepted(shop.ask(command("BR.1", nothing.clone(), "k2")).await);
        accepted(shop.add("BR.1", "mango", 5, "k3").await);
        shop.close().await;
        for keep_folder in [true, false] {
            if !keep_folder {
                std::fs::remove_dir_all(home.folder()).unwrap();
            }
            let shop = Shop::open(home, Options::default()).await;
            same(&first, &accepted(shop.add("BR.1", "mango", 1, "k1").await));
            same(&first_nothing, &accepted(shop.ask(command("BR.1", nothing.clone(), "k2")).await));
            shop.close().await;
        }
    });
}

/// A refusal stands, though the aggregate would accept by now; also after a restart.
pub fn a_refusal_is_repeated_though_it_would_be_accepted_now(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        accepted(shop.add("BR.1", "mango", 99, "k1").await);
        let refused = shop.add("BR.1", "mango", 1, "k2").await;
        assert!(matches!(refused, Answer::Refused { .. }), "{refused:?}");
        accepted(shop.ask(command("BR.1", Input::RemoveItem { sku: "mango".into() }, "k3")).await);
        assert_eq!(shop.add("BR.1", "mango", 1, "k2").await, refused);
        shop.close().await;
        let shop = Shop::open(home, Options::default()).await;
        assert_eq!(shop.add("BR.1", "mango", 1, "k2").await, refused);
        shop.close().await;
    });
}

/// The same id with other content, or for another aggregate, is a mistake that is told; in one batch and later.
pub fn a_reused_key_is_told(home: &dyn Home) {
    run(home, async {
        let shop = Shop::open(home, Options::default()).await;
        let (one, other) = tokio::join!(shop.add("BR.1", "mango", 1, "k1"), shop.add("BR.1", "mango", 2, "k1"));
        assert!([&one, &other].contains(&&Answer::KeyReused), "{one:?} {other:?}");
        let kept = if one == Answer::KeyReused { 2 } else { 1 };
        assert!(accepted(shop.add("BR.1", "mango", kept, "k1").await).repeated);
        assert_eq!(shop.add("BR.1", "mango", 3, "k1").await, Answer::KeyReused);
        shop.close().await;
        let shop = Shop::open(home, Options::default()).await;
        assert_eq!(shop.add("BR.1", "mango", 3, "k1").await, Answer::KeyReused);
        let lane = |basket: &str| shop.running.intake().lane(&command(basket, Input::Undo { edit: None }, "x"));
        let neighbour = (2..).map(|i| format!("BR.{i}")).find(|basket| lane(basket) == lane("BR.1")).unwrap();
        assert_eq!(shop.add(&neighbour, "mango", kept, "k1").await, Answer::KeyReused);
        shop.close().await;
    });
}

/// One id sent a thousand times by sixteen at once is decided once, before a restart and after it.
pub fn one_id_sent_a_thousand_times_is_decided_once(home: &dyn Home) {
    run(home, async {
        let mut positions = Vec::new();
        for _ in 0..2 {
            let shop = Arc::new(Shop::open(home, Options::default()).await);
            let senders = (0..16).map(|_| {
                let shop = shop.clone();
                tokio::spawn(async move {
                    let mut positions = Vec::new();
                    for _ in 0..63 {
                        positions.push(accepted(shop.add("BR.1", "mango", 1, "k1").await).position);
                    }
                    positions
                })
            });
            for sent in join_all(senders).await {
                positions.extend(sent.unwrap());
            }
            Arc::into_inner(shop).unwrap().close().await;
        }
        assert!(positions.len() > 1_000 && positions.iter().all(|position| *position == positions[0]));
        let log = home.open();
        assert_eq!(history(log.as_ref()).states["cart:BR.1"].1, 1);
    });
}

/// Ids that memory has forgotten are found in the lane's folder, and their answers on the log.
pub fn ids_beyond_memory_are_known(home: &dyn Home) {
    run(home, async {
        let options = || Options { recent_commands: 4, recent_answers: 1, flush_records: 4, ..Options::default() };
        let shop = Shop::open(home, options()).await;
        let first = accepted(shop.add("BR.1", "mango", 1, "k0").await);
        for i in 1..100 {
            accepted(shop.add("BR.1", "caju", 0, &format!("k{i}")).await);
        }
        same(&first, &accepted(shop.add("BR.1", "mango", 1, "k0").await));
        assert_eq!(shop.add("BR.1", "mango", 2, "k0").await, Answer::KeyReused);
        assert!(shop.running.metrics().recalled.get() > 0, "the answer was read back from the log");
        for i in 1..100 {
            assert!(accepted(shop.add("BR.1", "caju", 0, &format!("k{i}")).await).repeated);
        }
        assert_eq!(history(shop.log.as_ref()).states["cart:BR.1"].1, 100);
        shop.close().await;
    });
}
