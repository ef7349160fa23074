//! The rules of a business, in its own words.

use feira_commands::conversation::{CLOCK_OFFSET_MS_MAX, CLOCK_STEP_MS_MAX};
use feira_decider::{At, Reject, fold};
use proptest::prelude::*;

use super::*;
use crate::testing::history;

const NOW: At = At(1_764_104_400_000);
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn register(sandbox: bool) -> Command {
    Command::Register { name: "Feira Livre".into(), profile: profile(), country: "BR".into(), sandbox }
}

fn registered(sandbox: bool) -> Event {
    Event::BusinessRegistered(BusinessRegistered {
        name: "Feira Livre".into(),
        profile: profile(),
        country: "BR".into(),
        sandbox,
    })
}

fn profile() -> Profile {
    Profile { about: Some("Cafés da serra".into()), ..Profile::default() }
}

fn by(by_ms: i64) -> Command {
    Command::MoveClock { by_ms: Some(by_ms), to: None }
}

fn to(to: i64) -> Command {
    Command::MoveClock { by_ms: None, to: Some(to) }
}

fn moved(by_ms: i64, offset_ms: i64) -> Event {
    Event::ClockMoved(ClockMoved { offset_ms, by_ms })
}

#[test]
fn a_business_registers_once() {
    history::<Business>([]).when(register(true)).then([registered(true)]).when(register(true)).then([]);
    history::<Business>([registered(true)]).when(register(false)).then_refused(Rejection::AlreadyRegistered);
}

#[test]
fn a_business_has_a_name_and_a_country() {
    let with = |name: &str, country: &str| Command::Register {
        name: name.into(),
        profile: Profile::default(),
        country: country.into(),
        sandbox: false,
    };
    history::<Business>([]).when(with("", "BR")).then_refused(Rejection::BadName);
    history::<Business>([]).when(with("a\nb", "BR")).then_refused(Rejection::BadName);
    history::<Business>([]).when(with(&"a".repeat(257), "BR")).then_refused(Rejection::BadName);
    for country in ["", "br", "BRA", "B1"] {
        history::<Business>([]).when(with("Feira", country)).then_refused(Rejection::BadCountry);
    }
}

#[test]
fn what_a_business_says_of_itself_is_given_anew() {
    let set = |profile: Profile| Command::SetProfile { name: "Feira".into(), profile };
    let expected = Event::ProfileSet(ProfileSet { name: "Feira".into(), profile: Profile::default() });
    let given = history::<Business>([registered(false)]).when(set(Profile::default())).then([expected]);
    let given = given.when(set(Profile::default())).then([]);
    let empty = Profile { about: Some("".into()), ..Profile::default() };
    given.when(set(empty)).then_refused(Rejection::BadProfile);
    let pages = Profile { websites: vec!["https://example.com".into(); 3], ..Profile::default() };
    history::<Business>([registered(false)]).when(set(pages)).then_refused(Rejection::TooManyWebsites);
    history::<Business>([]).when(set(Profile::default())).then_refused(Rejection::Unknown);
}

#[test]
fn a_sandbox_moves_its_clock_by_a_span_or_to_a_moment() {
    history::<Business>([registered(true)])
        .at(NOW)
        .when(by(DAY_MS))
        .then([moved(DAY_MS, DAY_MS)])
        .when(to(NOW.0 + 5))
        .then([moved(5, DAY_MS + 5)])
        .when(to(NOW.0))
        .then([])
        .when(by(0))
        .then([]);
}

#[test]
fn only_a_sandboxs_clock_moves() {
    history::<Business>([registered(false)]).when(by(1)).then_refused(Rejection::NotSandbox);
    history::<Business>([]).when(by(1)).then_refused(Rejection::Unknown);
}

#[test]
fn a_clock_moves_forwards_in_bounded_steps() {
    let sandbox = || history::<Business>([registered(true)]).at(NOW);
    sandbox().when(by(-1)).then_refused(Rejection::Backwards);
    sandbox().when(to(NOW.0 - 1)).then_refused(Rejection::Backwards);
    sandbox().when(by(CLOCK_STEP_MS_MAX)).then([moved(CLOCK_STEP_MS_MAX, CLOCK_STEP_MS_MAX)]);
    sandbox().when(by(CLOCK_STEP_MS_MAX + 1)).then_refused(Rejection::StepTooLong);
    sandbox().when(to(i64::MAX)).then_refused(Rejection::StepTooLong);
    sandbox().when(to(i64::MIN)).then_refused(Rejection::StepTooLong);
    sandbox().when(Command::MoveClock { by_ms: None, to: None }).then_refused(Rejection::OneStep);
    sandbox().when(Command::MoveClock { by_ms: Some(1), to: Some(1) }).then_refused(Rejection::OneStep);
    history::<Business>([registered(true), moved(1, CLOCK_OFFSET_MS_MAX)]).when(by(1)).then_refused(Rejection::TooFar);
    assert_eq!(Rejection::StepTooLong.to_string(), "a step is at most 400 days: take several");
    assert_eq!(Rejection::StepTooLong.code(), "CLOCK_STEP_TOO_LONG");
}

proptest! {
    #[test]
    fn whatever_is_asked_a_clock_never_falls(steps in prop::collection::vec((any::<bool>(), any::<i64>()), 0..40)) {
        let mut state = fold::<Business>(&[registered(true)]);
        for (span, ms) in steps {
            let command = if span { by(ms) } else { to(ms) };
            let before = state.clock_offset_ms;
            for event in Business::decide(&state, command, NOW).unwrap_or_default() {
                state = Business::evolve(state, &event);
            }
            prop_assert!(state.clock_offset_ms >= before);
        }
    }
}
