//! The rules of a cart, in a shopper's and a merchant's words.

use std::sync::Arc;

use feira_codec::fixture::wire;
use feira_commands::cart::{LINES_MAX, UNDO_VERSIONS};
use feira_commands::order::PAYMENT_TIME_MS;
use feira_decider::{At, Given, Reject, fold, given};
use feira_events::Sealed;
use feira_events::catalog::Availability;
use feira_events::order::{Order, OrderLine};
use feira_ids::AccountId;
use feira_money::Amount;
use proptest::prelude::*;

use super::*;

const OFFER_AT: FactPosition = FactPosition { lane: 1, lane_seq: 7 };

fn reais(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse().unwrap())
}

fn offer(price: Amount) -> Option<Offer> {
    Some(Offer { title: "Café".into(), price, availability: Availability::InStock, position: OFFER_AT })
}

fn add(sku: &str, quantity: i32) -> Command {
    Command::AddItem { sku: sku.into(), quantity, offer: offer(reais(1_000)) }
}

fn set(sku: &str, quantity: i32) -> Command {
    Command::SetQuantity { sku: sku.into(), quantity }
}

fn remove(sku: &str) -> Command {
    Command::RemoveItem { sku: sku.into() }
}

fn undo(edit: impl Into<Option<i64>>) -> Command {
    Command::Undo { edit: edit.into() }
}

fn line(sku: &str, quantity: i32, first_added: i64) -> Line {
    Line { sku: sku.into(), title: "Café".into(), quantity, unit_price: reais(1_000), first_added }
}

fn added(sku: &str, added: i32, quantity: i32, first_added: i64) -> Event {
    Event::ItemAdded(ItemAdded { added, line: line(sku, quantity, first_added), offer: OFFER_AT })
}

fn set_to(sku: &str, quantity: i32) -> Event {
    Event::QuantitySet(QuantitySet { sku: sku.into(), quantity })
}

fn removed(sku: &str) -> Event {
    Event::ItemRemoved(ItemRemoved { sku: sku.into() })
}

fn noted(note: Option<Sealed<String>>) -> Event {
    Event::NoteSet(NoteSet { note })
}

fn put_back(edit: i64, sku: &str, line: Option<Line>) -> Event {
    Event::EditUndone(EditUndone { edit, sku: Some(sku.into()), line, note: None })
}

fn note(bytes: usize) -> Option<Sealed<String>> {
    Some(Sealed::from_parts("feira-livre/BR.1".into(), [7; 12], vec![9; bytes]))
}

fn history(events: impl IntoIterator<Item = Event>) -> Given<Cart> {
    given::<Cart>(events).through(wire)
}

#[test]
fn what_is_added_comes_on_top_of_what_is_there() {
    history([]).when(add("CAFE", 2)).then([added("CAFE", 2, 2, 1)]).when(add("CAFE", 3)).then([added("CAFE", 3, 5, 1)]);
}

#[test]
fn a_product_added_again_takes_the_price_and_title_of_now() {
    let dearer = Offer { title: "Café novo".into(), ..offer(reais(1_200)).unwrap() };
    let command = Command::AddItem { sku: "CAFE".into(), quantity: 1, offer: Some(dearer) };
    let now = Line { title: "Café novo".into(), unit_price: reais(1_200), ..line("CAFE", 3, 1) };
    let expected = Event::ItemAdded(ItemAdded { added: 1, line: now, offer: OFFER_AT });
    let state = history([added("CAFE", 2, 2, 1)]).when(command).then([expected]).state();
    assert_eq!(state.subtotal(), Some(reais(3_600)));
}

#[test]
fn a_line_holds_at_most_ninety_nine_units() {
    history([]).when(add("CAFE", 99)).then([added("CAFE", 99, 99, 1)]);
    history([]).when(add("CAFE", 100)).then_refused(Rejection::QuantityLimit { wanted: 100 });
    history([added("CAFE", 60, 60, 1)]).when(add("CAFE", 40)).then_refused(Rejection::QuantityLimit { wanted: 100 });
    history([added("CAFE", 1, 1, 1)])
        .when(add("CAFE", i32::MAX))
        .then_refused(Rejection::QuantityLimit { wanted: i64::from(i32::MAX) });
    history([added("CAFE", 1, 1, 1)]).when(set("CAFE", 100)).then_refused(Rejection::QuantityLimit { wanted: 100 });
}

#[test]
fn nothing_or_less_cannot_be_added() {
    for quantity in [0, -1, i32::MIN] {
        history([]).when(add("CAFE", quantity)).then_refused(Rejection::QuantityTooLow { min: 1 });
    }
    history([added("CAFE", 1, 1, 1)]).when(set("CAFE", -1)).then_refused(Rejection::QuantityTooLow { min: 0 });
}

#[test]
fn what_the_business_does_not_list_cannot_be_added() {
    let command = Command::AddItem { sku: "CHÁ".into(), quantity: 1, offer: None };
    history([]).when(command).then_refused(Rejection::UnknownProduct);
}

#[test]
fn what_cannot_be_had_cannot_be_added() {
    for availability in [Availability::OutOfStock, Availability::Discontinued, Availability::Unknown] {
        let offer = offer(reais(1)).map(|offer| Offer { availability, ..offer });
        let command = Command::AddItem { sku: "CAFE".into(), quantity: 1, offer };
        history([]).when(command).then_refused(Rejection::OutOfStock);
    }
    let preorder = offer(reais(1_000)).map(|offer| Offer { availability: Availability::Preorder, ..offer });
    let command = Command::AddItem { sku: "CAFE".into(), quantity: 1, offer: preorder };
    history([]).when(command).then([added("CAFE", 1, 1, 1)]);
}

#[test]
fn a_cart_has_one_currency() {
    let rupees = Amount::new(500, "INR".parse().unwrap());
    let tea = Command::AddItem { sku: "CHAI".into(), quantity: 1, offer: offer(rupees) };
    let rejection = Rejection::CurrencyMismatch { cart: reais(0).currency, product: rupees.currency };
    assert_eq!(rejection.code(), "CURRENCY_MISMATCH");
    history([added("CAFE", 1, 1, 1)]).when(tea.clone()).then_refused(rejection);
    // An emptied cart is free to have another.
    let chai = Line { sku: "CHAI".into(), unit_price: rupees, ..line("", 1, 3) };
    let expected = Event::ItemAdded(ItemAdded { added: 1, line: chai, offer: OFFER_AT });
    history([added("CAFE", 1, 1, 1), removed("CAFE")])
        .when(tea)
        .then([expected])
        // And what was taken out in the former one cannot come back beside it.
        .when(undo(2))
        .then_refused(Rejection::CurrencyMismatch { cart: rupees.currency, product: reais(0).currency });
}

#[test]
fn a_total_that_is_no_amount_any_more_is_refused() {
    let gold = |sku: &str, quantity, price| Command::AddItem { sku: sku.into(), quantity, offer: offer(reais(price)) };
    history([]).when(gold("OURO", 2, i64::MAX)).then_refused(Rejection::AmountOverflow);
    let one = Line { unit_price: reais(i64::MAX), ..line("OURO", 1, 1) };
    let held = Event::ItemAdded(ItemAdded { added: 1, line: one, offer: OFFER_AT });
    history([held.clone()]).when(gold("PRATA", 1, 1)).then_refused(Rejection::AmountOverflow);
    history([held]).when(set("OURO", 2)).then_refused(Rejection::AmountOverflow);
}

#[test]
fn a_cart_holds_at_most_250_different_products() {
    let full: Vec<Event> = (1..=LINES_MAX as i64).map(|i| added(&format!("P{i}"), 1, 1, i)).collect();
    history(full.clone()).when(add("CAFE", 1)).then_refused(Rejection::TooManyLines);
    history(full.clone()).when(add("P1", 1)).then([added("P1", 1, 2, 1)]);
    let freed = full.into_iter().chain([removed("P7")]);
    history(freed)
        .when(add("CAFE", 1))
        .then([added("CAFE", 1, 1, 252)])
        .when(undo(251))
        .then_refused(Rejection::TooManyLines);
}

#[test]
fn the_number_of_units_can_be_set() {
    history([added("CAFE", 2, 2, 1)]).when(set("CAFE", 5)).then([set_to("CAFE", 5)]).when(set("CAFE", 5)).then([]);
    history([]).when(set("CAFE", 5)).then_refused(Rejection::NotInCart);
}

#[test]
fn setting_nothing_takes_the_line_out() {
    history([added("CAFE", 2, 2, 1)]).when(set("CAFE", 0)).then([removed("CAFE")]).when(set("CAFE", 0)).then([]);
}

#[test]
fn two_devices_that_remove_the_same_line_remove_it_once() {
    history([added("CAFE", 2, 2, 1)]).when(remove("CAFE")).then([removed("CAFE")]).when(remove("CAFE")).then([]);
}

#[test]
fn a_note_is_written_changed_and_taken_away() {
    history([])
        .when(Command::SetNote { note: note(20) })
        .then([noted(note(20))])
        .when(Command::SetNote { note: note(20) })
        .then([])
        .when(Command::SetNote { note: None })
        .then([noted(None)])
        .when(Command::SetNote { note: None })
        .then([]);
}

#[test]
fn a_note_has_a_longest_length() {
    history([]).when(Command::SetNote { note: note(NOTE_BYTES_MAX) }).then([noted(note(NOTE_BYTES_MAX))]);
    history([]).when(Command::SetNote { note: note(NOTE_BYTES_MAX + 1) }).then_refused(Rejection::NoteTooLong);
}

#[test]
fn the_latest_edit_is_taken_back_first() {
    history([added("CAFE", 2, 2, 1), set_to("CAFE", 5)])
        .when(undo(None))
        .then([put_back(2, "CAFE", Some(line("CAFE", 2, 1)))])
        .when(undo(None))
        .then([put_back(1, "CAFE", None)])
        .when(undo(None))
        .then_refused(Rejection::NothingToUndo);
}

#[test]
fn a_line_put_back_stands_where_it_stood() {
    let state = history([added("CAFE", 2, 2, 1), added("CHA", 1, 1, 2), removed("CAFE")])
        .when(undo(None))
        .then([put_back(3, "CAFE", Some(line("CAFE", 2, 1)))])
        .state();
    assert_eq!(state.lines, [line("CAFE", 2, 1), line("CHA", 1, 2)]);
}

#[test]
fn an_edit_is_taken_back_beside_edits_of_other_lines() {
    history([added("CAFE", 2, 2, 1), added("CHA", 1, 1, 2)])
        .when(undo(1))
        .then([put_back(1, "CAFE", None)])
        // Who taps twice wants it once.
        .when(undo(1))
        .then([]);
}

#[test]
fn an_edit_is_not_taken_back_from_under_a_later_one() {
    let cart = || history([added("CAFE", 2, 2, 1), added("CHA", 1, 1, 2), added("CAFE", 1, 3, 1)]);
    cart().when(undo(1)).then_refused(Rejection::EditSuperseded { edit: 1, by: 3 });
    cart()
        .when(undo(3))
        .then([put_back(3, "CAFE", Some(line("CAFE", 2, 1)))])
        .when(undo(1))
        .then([put_back(1, "CAFE", None)]);
}

#[test]
fn a_note_is_taken_back_like_a_line() {
    let undone = |edit, note| Event::EditUndone(EditUndone { edit, sku: None, line: None, note });
    history([noted(note(20)), added("CAFE", 1, 1, 2), noted(None)])
        .when(undo(1))
        .then_refused(Rejection::EditSuperseded { edit: 1, by: 3 });
    history([noted(note(20)), noted(None)])
        .when(undo(None))
        .then([undone(2, note(20))])
        .when(undo(None))
        .then([undone(1, None)]);
}

#[test]
fn what_is_no_edit_cannot_be_taken_back() {
    for version in [0, -1, 2, 9] {
        let cart = history([added("CAFE", 2, 2, 1), put_back(1, "CAFE", None)]);
        cart.when(undo(version)).then_refused(Rejection::UnknownEdit { edit: version });
    }
}

#[test]
fn edits_are_remembered_for_fifty_versions() {
    let sets = (2..=UNDO_VERSIONS + 1).map(|i| set_to("CHA", 1 + (i as i32 % 2)));
    let events: Vec<Event> = [added("CAFE", 1, 1, 1)].into_iter().chain(sets).collect();
    let recent = history(events[..events.len() - 1].to_vec());
    recent.when(undo(1)).then([put_back(1, "CAFE", None)]);
    history(events).when(undo(1)).then_refused(Rejection::UnknownEdit { edit: 1 });
}

/// What a law tries: small enough that lines meet, limits are hit, and edits are taken back out of turn.
fn any_command() -> impl Strategy<Value = Command> {
    let sku = prop_oneof![Just("A"), Just("B"), Just("C")].prop_map(Arc::<str>::from);
    let price = prop_oneof![8 => (1i64..5_000).prop_map(reais), 1 => Just(reais(i64::MAX)),
        1 => (1i64..9).prop_map(|minor| Amount::new(minor, "INR".parse().unwrap()))];
    prop_oneof![
        4 => (sku.clone(), -1i32..70, prop::option::weighted(0.9, price)).prop_map(|(sku, quantity, price)| {
            Command::AddItem { sku, quantity, offer: price.and_then(offer) }
        }),
        2 => (sku.clone(), -1i32..110).prop_map(|(sku, quantity)| Command::SetQuantity { sku, quantity }),
        1 => sku.prop_map(|sku| Command::RemoveItem { sku }),
        1 => prop::option::of(0usize..40).prop_map(|bytes| Command::SetNote { note: bytes.and_then(note) }),
        2 => prop::option::of(0i64..80).prop_map(|edit| Command::Undo { edit }),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    let sku = || prop_oneof![Just("A"), Just("B")];
    let any_line = || (sku(), any::<i32>(), any::<i64>()).prop_map(|(sku, q, first)| line(sku, q, first));
    prop_oneof![
        (any::<i32>(), any_line()).prop_map(|(added, line)| Event::ItemAdded(ItemAdded {
            added,
            line,
            offer: OFFER_AT
        })),
        (sku(), any::<i32>()).prop_map(|(sku, quantity)| set_to(sku, quantity)),
        sku().prop_map(removed),
        prop::option::of(0usize..9).prop_map(|bytes| noted(bytes.and_then(note))),
        (any::<i64>(), prop::option::of(sku()), prop::option::of(any_line())).prop_map(|(edit, sku, line)| {
            Event::EditUndone(EditUndone { edit, sku: sku.map(Arc::from), line, note: None })
        }),
    ]
}

/// A checkout of what stands in the cart, at these prices.
fn check_out(order: &str, accept_total: Option<i64>, offers: &[(&str, Option<i64>)]) -> Command {
    let known = |(sku, price): &(&str, Option<i64>)| ((*sku).into(), price.and_then(|price| offer(reais(price))));
    Command::Checkout {
        customer: "BR.1".into(),
        order: order.into(),
        thread: Some("main/BR.1".into()),
        account: AccountId::parse("0/biz/feira-livre").unwrap(),
        accept_total: accept_total.map(reais),
        offers: offers.iter().map(known).collect(),
    }
}

fn checked_out(order: &str, lines: &[(&str, i32, i64)], total: i64) -> Event {
    let line = |(sku, quantity, price): &(&str, i32, i64)| OrderLine {
        sku: (*sku).into(),
        title: "Café".into(),
        quantity: *quantity,
        unit_price: reais(*price),
    };
    Event::CheckedOut(CheckedOut {
        order: Order {
            order: order.into(),
            customer: "BR.1".into(),
            thread: Some("main/BR.1".into()),
            account: AccountId::parse("0/biz/feira-livre").unwrap(),
            lines: lines.iter().map(line).collect(),
            total: reais(total),
            until: AT.0 + PAYMENT_TIME_MS,
        },
    })
}

const AT: At = At(1_700_000_000_000);

fn failure(order: &str) -> CheckoutFailed {
    let (code, sku) = ("OUT_OF_STOCK".into(), Some("CAFE".into()));
    CheckoutFailed { order: order.into(), code, sku, message: "2 are left, 3 are asked".into() }
}

#[test]
fn one_order_comes_of_a_cart_however_often_it_is_checked_out() {
    let before = [added("CAFE", 3, 3, 1), added("CHA", 1, 1, 2)];
    let offers = [("CAFE", Some(1_200)), ("CHA", Some(1_000))];
    let expected = checked_out("o-1", &[("CAFE", 3, 1_200), ("CHA", 1, 1_000)], 4_600);
    let given = history(before).when(check_out("o-1", None, &offers)).then([expected]);
    let given = given.when(check_out("o-2", None, &offers)).then([]);
    let done = CheckoutCompleted { order: "o-1".into(), lines: vec![], gone: vec!["CAFE".into(), "CHA".into()] };
    let given = given.when(Command::CompleteCheckout { order: "o-9".into() }).then([]);
    let given = given.when(Command::CompleteCheckout { order: "o-1".into() }).then([Event::CheckoutCompleted(done)]);
    let given = given.when(Command::CompleteCheckout { order: "o-1".into() }).then([]);
    let given = given.when(check_out("o-1", None, &[])).then([]);
    given.when(undo(None)).then_refused(Rejection::NothingToUndo);
}

#[test]
fn what_is_put_in_while_an_order_is_under_way_stays() {
    let under_way = checked_out("o-1", &[("CAFE", 3, 1_000)], 3_000);
    let before = [added("CAFE", 3, 3, 1), under_way, added("CAFE", 2, 5, 1), added("CHA", 1, 1, 4)];
    let lines = vec![line("CAFE", 2, 1), line("CHA", 1, 4)];
    let done = CheckoutCompleted { order: "o-1".into(), lines, gone: vec![] };
    history(before).when(Command::CompleteCheckout { order: "o-1".into() }).then([Event::CheckoutCompleted(done)]);
}

#[test]
fn a_checkout_that_fails_leaves_the_cart_as_it_was_and_says_why() {
    let before = [added("CAFE", 3, 3, 1), checked_out("o-1", &[("CAFE", 3, 1_000)], 3_000)];
    let given = history(before).when(Command::FailCheckout { failure: failure("o-9") }).then([]);
    let failed = Event::CheckoutFailed(failure("o-1"));
    let given = given.when(Command::FailCheckout { failure: failure("o-1") }).then([failed]);
    let state = given.state();
    assert_eq!((state.lines.len(), state.checkout, state.failure), (1, None, Some(failure("o-1"))));
    let again = checked_out("o-2", &[("CAFE", 3, 1_000)], 3_000);
    given.when(check_out("o-2", Some(3_000), &[("CAFE", Some(1_000))])).then([again]);
}

#[test]
fn a_cart_that_cannot_become_an_order_says_what_to_do() {
    history([]).when(check_out("o-1", None, &[])).then_refused(Rejection::CartEmpty);
    let before = || [added("CAFE", 3, 3, 1)];
    let free = Rejection::NothingToPay;
    history(before()).when(check_out("o-1", None, &[("CAFE", Some(0))])).then_refused(free);
    history(before()).when(check_out(" ", None, &[])).then_refused(Rejection::BadOrderId);
    for another in ["main/BR.2", "BR.1", "", "main/x/BR.1"] {
        let mut foreign = check_out("o-1", None, &[]);
        if let Command::Checkout { thread, .. } = &mut foreign {
            *thread = Some(another.into());
        }
        history(before()).when(foreign).then_refused(Rejection::NotTheirThread);
    }
    let gone = Rejection::NoLongerSold { sku: "CAFE".into() };
    history(before()).when(check_out("o-1", None, &[("CAFE", None)])).then_refused(gone);
    let changed = Rejection::TotalChanged { total: reais(3_600) };
    history(before()).when(check_out("o-1", Some(3_000), &[("CAFE", Some(1_200))])).then_refused(changed);
    let mut out = check_out("o-1", None, &[("CAFE", Some(1_000))]);
    if let Command::Checkout { offers, .. } = &mut out {
        let held = offers.values_mut().flatten();
        held.for_each(|offer| offer.availability = Availability::OutOfStock);
    }
    history(before()).when(out).then_refused(Rejection::LineOutOfStock { sku: "CAFE".into() });
    // A product that has just been put in is not known yet: its line says what it costs.
    history(before()).when(check_out("o-1", None, &[])).then([checked_out("o-1", &[("CAFE", 3, 1_000)], 3_000)]);
}

proptest! {
    #[test]
    fn whatever_is_asked_a_cart_stays_whole(commands in prop::collection::vec(any_command(), 0..90)) {
        let mut state = State::default();
        let mut log = Vec::new();
        for command in commands {
            if let Ok(events) = Cart::decide(&state, command, At(0)) {
                for event in events {
                    state = evolve::evolve(state, &event);
                    log.push(event);
                }
            }
            prop_assert!(state.lines.iter().all(|line| (1..=99).contains(&line.quantity)));
            prop_assert!(state.lines.windows(2).all(|pair| pair[0].unit_price.currency == pair[1].unit_price.currency));
            prop_assert!(state.lines.is_sorted_by_key(|line| line.first_added));
            let sum: i128 = state.lines.iter().map(|l| i128::from(l.unit_price.minor) * i128::from(l.quantity)).sum();
            prop_assert_eq!(state.subtotal().map_or(0, |amount| i128::from(amount.minor)), sum);
            prop_assert!(state.edits.len() as i64 <= UNDO_VERSIONS);
            prop_assert_eq!(state.version, log.len() as i64);
        }
        let wired: Vec<Event> = log.into_iter().map(wire).collect();
        prop_assert_eq!(fold::<Cart>(&wired), state);
    }

    #[test]
    fn an_edit_taken_back_leaves_the_cart_as_it_was(
        commands in prop::collection::vec(any_command(), 0..40), edit in any_command(),
    ) {
        let run = |state: State, command| match Cart::decide(&state, command, At(0)) {
            Ok(events) => events.iter().fold(state, evolve::evolve),
            Err(_) => state,
        };
        let before = commands.into_iter().fold(State::default(), run);
        let is_undo = matches!(edit, Command::Undo { .. });
        let after = run(before.clone(), edit);
        if !is_undo && after.version > before.version {
            let undone = run(after.clone(), undo(after.version));
            prop_assert_eq!(&undone.lines, &before.lines);
            prop_assert_eq!(&undone.note, &before.note);
            prop_assert_eq!(undone.version, after.version + 1);
        }
    }

    #[test]
    fn adds_add_up_in_whatever_order_they_come(quantities in prop::collection::vec(1i32..5, 1..16)) {
        let add_all = |quantities: &[i32]| {
            quantities.iter().fold(State::default(), |state, &quantity| {
                let events = Cart::decide(&state, add("CAFE", quantity), At(0)).unwrap();
                events.iter().fold(state, evolve::evolve)
            })
        };
        let reversed: Vec<i32> = quantities.iter().rev().copied().collect();
        prop_assert_eq!(add_all(&quantities).lines, add_all(&reversed).lines);
    }

    #[test]
    fn any_order_of_events_adds_up(events in prop::collection::vec(any_event(), 0..70)) {
        let state = fold::<Cart>(&events);
        prop_assert_eq!(state.version, events.len() as i64);
    }
}
