//! What a lane, and what follows from its events, must do on every log: one function for each rule, run on each home as a test of that name.
//!
//! A home implements [`Home`] and calls [`lane_rules!`](crate::lane_rules) in a test file. What only a faulty log can
//! bring about is tested on the simulated log alone, beside this crate.

#![allow(clippy::unwrap_used, reason = "these are tests, run from elsewhere")]

pub mod basket;
pub mod bins;
mod commands;
pub mod echo;
mod following;
mod history;
mod keeping;
mod repeats;
mod running;
mod sharded;
mod stalled;
mod stubborn;
mod turned;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use feira_event_log::EventLog;

pub use commands::{Shop, accepted, command, command_of, run, tenant, view};
pub use following::*;
pub use history::{History, history};
pub use keeping::*;
pub use repeats::*;
pub use running::*;
pub use sharded::*;
pub use stalled::Stalled;
pub use stubborn::Stubborn;
pub use turned::Turned;

/// A log, made ready for one rule, and a folder beside it.
pub trait Home: Sync {
    /// Opens the log as a starting process does. The first call finds it empty; a later one, made once everything from
    /// the former is dropped, finds what was left. The service `cart` has lanes.
    fn open(&self) -> Arc<dyn EventLog>;

    /// Where lanes may keep their snapshots; the same each time.
    fn folder(&self) -> PathBuf;

    /// How long anything may take before a rule counts as broken.
    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }
}

/// Runs every rule of the suite as a test of its own: `lane_rules!(MyHome::new())`, the home made anew for each.
#[macro_export]
macro_rules! lane_rules {
    ($home:expr) => {
        $crate::lane_rules! { @tests $home;
            a_command_is_decided_and_answered_with_its_events
            a_view_is_for_who_wants_it
            a_refusal_stands_on_the_log
            nothing_to_change_stands_on_the_log
            an_expected_version_that_is_not_there_conflicts
            commands_of_one_basket_add_up
            every_record_has_its_place
            times_never_fall_though_the_clock_does
            a_sandbox_time_never_falls_though_a_command_comes_late
            a_command_the_program_fails_on_is_set_aside
            a_command_that_would_leave_too_much_is_invalid
            what_may_not_be_asked_is_forbidden
            what_does_not_read_is_invalid
            facts_that_cannot_be_had_are_asked_for_again
            a_full_queue_turns_away_and_loses_nothing
            a_shutdown_finishes_what_waits
            a_repeat_gets_the_first_answer
            a_repeat_gets_the_first_answer_after_a_restart
            a_refusal_is_repeated_though_it_would_be_accepted_now
            a_reused_key_is_told
            one_id_sent_a_thousand_times_is_decided_once
            ids_beyond_memory_are_known
            a_restart_goes_on_where_it_ended
            a_lost_folder_is_built_again_from_the_log
            a_damaged_folder_is_built_again_from_the_log
            a_folder_of_another_log_is_thrown_away
            states_beyond_memory_are_paged
            a_shard_answers_as_its_log_adds_up
            a_shard_is_not_changed_by_what_fails
            whoever_owns_nothing_of_a_shard_is_turned_away
            what_follows_from_an_event_is_asked
            a_crash_between_ask_and_checkpoint_asks_again_and_changes_nothing
            a_refusal_is_an_answer_and_what_follows_it_is_asked
            events_are_answered_in_order_and_until_they_are
            a_record_that_a_process_fails_on_holds_its_lane
            a_timer_is_asked_once_and_not_before_it_is_due
            a_crash_after_a_timer_asks_again_and_changes_nothing
            a_forgotten_timer_is_not_asked
            a_timer_that_is_set_again_replaces_the_first
            a_sandbox_clock_moves_its_timers_and_nobody_elses
        }
    };
    (@tests $home:expr; $($rule:ident)*) => {
        $(
            #[test]
            fn $rule() {
                $crate::suite::$rule(&$home);
            }
        )*
    };
}
