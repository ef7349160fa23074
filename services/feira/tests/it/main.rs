//! The platform as its users meet it: the real binary, over HTTP, in both homes.
//!
//! Each rule is written once and run in each home: embedded as one process on a folder, deployed as a process for each
//! service on Kafka and CQL. Processes are killed for real; every wait has a deadline.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod carts;
mod client;
mod commands;
mod demo;
mod faults;
mod imports;
mod live;
mod logs;
mod money;
mod platform;
#[path = "../common/ports.rs"]
mod ports;
mod thread;
mod verify;

/// The rules, each a test of its own in the home that `$start` starts.
macro_rules! rules {
    ($start:path) => {
        rules! { $start;
            thread::a_listed_product_is_added_and_read_at_the_position_of_the_add;
            thread::what_was_written_can_be_read_at_its_position_every_time;
            thread::a_business_sees_nothing_of_another;
            thread::a_restart_keeps_everything;
            carts::sixty_four_clients_of_one_cart_lose_nothing;
            carts::two_devices_adding_at_once_both_count;
            carts::a_cart_has_one_currency;
            carts::an_edit_can_be_taken_back_and_the_note_is_read_by_its_writer;
            commands::one_id_sent_a_thousand_times_is_decided_once_before_and_after_a_restart;
            commands::one_id_with_two_contents_is_a_mistake_of_the_caller;
            imports::the_demo_feeds_go_in_and_a_second_time_changes_nothing;
            imports::broken_rows_are_named_and_the_good_ones_go_in;
            imports::an_import_killed_in_the_middle_ends_in_the_same_state;
            faults::what_was_acknowledged_before_a_kill_is_there_after_it;
            verify::a_platform_that_runs_is_sound;
            logs::an_export_goes_on_with_what_came_since;
            logs::a_tail_shows_what_comes;
            demo::the_demo_is_played_once_and_again;
            demo::a_demo_that_a_kill_broke_off_ends_as_one;
            live::a_demo_followed_through_a_hundred_cuts_shows_each_event_once;
            money::sixty_four_clients_pay_each_other_while_payments_dies;
        }
    };
    ($start:path; $($module:ident :: $rule:ident;)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let mut platform = $start().await;
                let rule = super::$module::$rule(&mut platform);
                tokio::time::timeout(super::platform::RULE, rule).await.expect("the rule was not shown in time");
                platform.stop().await;
            }
        )+
    };
}

mod embedded {
    //! One process on a folder of its own.
    use crate::platform::{self, Outcome};

    rules!(platform::embedded);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_second_run_on_the_same_folder_is_refused() {
        let platform = platform::embedded().await;
        let Outcome { code, errors, .. } = platform.feira(&["run", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(code, 1);
        assert!(errors.contains("is in use by another process"), "{errors}");
        platform.stop().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_port_that_is_taken_is_named() {
        let platform = platform::embedded().await;
        let other = tempfile::tempdir().unwrap();
        let listen = platform.url.trim_start_matches("http://").to_owned();
        let data = other.path().to_str().unwrap();
        let Outcome { code, errors, .. } = platform.feira(&["run", "--data", data, "--listen", &listen]).await;
        assert_eq!(code, 1);
        assert!(errors.contains(&format!("{listen} is taken by another process")), "{errors}");
        platform.stop().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn other_machines_are_not_listened_to() {
        let other = tempfile::tempdir().unwrap();
        let outcome =
            platform::feira(&["run", "--listen", "0.0.0.0:0", "--data", other.path().to_str().unwrap()]).await;
        assert_eq!(outcome.code, 1);
        assert!(outcome.errors.contains("127.0.0.1 only"), "{}", outcome.errors);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_damaged_log_is_refused_and_the_place_is_named() {
        let mut platform = platform::embedded().await;
        for sku in ["A", "B", "C"] {
            platform.admin("feira-livre").put(sku, "1.00", "BRL").await;
        }
        platform.down().await;
        let segment = platform.damage_the_log();
        let outcome = platform.feira(&["run", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(outcome.code, 1, "{}", outcome.errors);
        assert!(outcome.errors.contains("damaged") && outcome.errors.contains(&segment), "{}", outcome.errors);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_log_is_shown_alike_from_the_folder_and_through_the_process() {
        let mut platform = platform::embedded().await;
        platform.admin("feira-livre").put("CAFE", "19.90", "BRL").await;
        let through = platform.counts().await;
        let shown = platform.feira(&["log", "show", "--service", "catalog"]).await.output;
        assert!(shown.contains("feira.catalog.v1.ProductListed") && shown.contains("product:CAFE#1"), "{shown}");
        platform.down().await;
        assert_eq!(platform.counts().await, through);
        assert_eq!(through["catalog"]["by_type"]["feira.catalog.v1.ProductListed"], 1);
    }
}

#[cfg(feature = "deployed")]
mod deployed {
    //! Every service and the gateway as processes of their own on real servers.
    rules!(super::platform::deployed);

    rules! { super::platform::deployed;
        demo::whichever_process_dies_the_demo_comes_to_its_end;
    }
}
