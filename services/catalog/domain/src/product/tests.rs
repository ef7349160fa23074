//! The rules of a product, in a merchant's words.

use feira_codec::fixture::wire;
use feira_decider::{Given, Reject, fold, given};
use feira_money::Amount;
use proptest::prelude::*;

use super::*;

fn reais(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse().unwrap())
}

fn coffee() -> Details {
    Details {
        title: "Café torrado 250 g".into(),
        description: "Moído na hora.\nTorra média.".into(),
        availability: Availability::InStock,
        condition: Condition::New,
        link: Some("https://feira.example/cafe".into()),
        image_links: vec!["https://feira.example/cafe.jpg".into()],
        brand: Some("Sítio Boa Vista".into()),
        category: None,
        item_group: None,
    }
}

fn at_price(minor: i64) -> Pricing {
    Pricing { price: reais(minor), sale_price: None }
}

fn put(details: Details, pricing: Pricing) -> Command {
    Command::Put { sku: "CAFE-250".into(), details, pricing }
}

fn listed() -> Event {
    Event::ProductListed(ProductListed { sku: "CAFE-250".into(), details: coffee(), pricing: at_price(1_990) })
}

fn priced(pricing: Pricing) -> Event {
    Event::ProductPriced(ProductPriced { sku: "CAFE-250".into(), pricing })
}

fn described(details: Details) -> Event {
    Event::ProductDescribed(ProductDescribed { sku: "CAFE-250".into(), details })
}

fn withdrawn() -> Event {
    Event::ProductWithdrawn(ProductWithdrawn { sku: "CAFE-250".into() })
}

fn history(events: impl IntoIterator<Item = Event>) -> Given<Product> {
    given::<Product>(events).through(wire)
}

#[test]
fn a_product_that_is_put_for_the_first_time_is_listed() {
    history([]).when(put(coffee(), at_price(1_990))).then([listed()]);
}

#[test]
fn the_same_feed_again_changes_nothing() {
    history([listed()]).when(put(coffee(), at_price(1_990))).then([]);
}

#[test]
fn only_what_differs_is_told() {
    let dearer = at_price(2_190);
    let sold_out = Details { availability: Availability::OutOfStock, ..coffee() };
    history([listed()]).when(put(coffee(), dearer.clone())).then([priced(dearer.clone())]);
    history([listed()]).when(put(sold_out.clone(), at_price(1_990))).then([described(sold_out.clone())]);
    history([listed()]).when(put(sold_out.clone(), dearer.clone())).then([described(sold_out), priced(dearer)]);
}

#[test]
fn a_withdrawn_product_can_come_back() {
    history([listed()])
        .when(Command::Withdraw)
        .then([withdrawn()])
        .when(put(coffee(), at_price(1_990)))
        .then([listed()]);
}

#[test]
fn withdrawing_what_is_not_there_changes_nothing() {
    history([]).when(Command::Withdraw).then([]);
    history([listed(), withdrawn()]).when(Command::Withdraw).then([]);
}

#[test]
fn a_sale_begins_and_ends_with_the_price() {
    let sale = Pricing { sale_price: Some(reais(1_490)), ..at_price(1_990) };
    history([listed()])
        .when(Command::SetPrice { pricing: sale.clone() })
        .then([priced(sale.clone())])
        .when(Command::SetPrice { pricing: sale })
        .then([])
        .when(Command::SetPrice { pricing: at_price(1_990) })
        .then([priced(at_price(1_990))]);
}

#[test]
fn what_is_not_listed_has_no_price_to_set() {
    history([]).when(Command::SetPrice { pricing: at_price(1) }).then_refused(Rejection::NotListed);
    history([listed(), withdrawn()])
        .when(Command::SetPrice { pricing: at_price(1) })
        .then_refused(Rejection::NotListed);
}

#[test]
fn a_price_is_above_zero_and_a_sale_not_above_the_price() {
    let refusals = [
        (reais(0), None, Rejection::PriceNotPositive { price: reais(0) }),
        (reais(-1), None, Rejection::PriceNotPositive { price: reais(-1) }),
        (reais(10), Some(reais(0)), Rejection::SalePriceNotPositive { sale_price: reais(0) }),
        (reais(10), Some(reais(11)), Rejection::SaleAbovePrice { price: reais(10), sale_price: reais(11) }),
    ];
    for (price, sale_price, rejection) in refusals {
        let pricing = Pricing { price, sale_price };
        history([]).when(put(coffee(), pricing.clone())).then_refused(rejection.clone());
        history([listed()]).when(Command::SetPrice { pricing }).then_refused(rejection);
    }
}

#[test]
fn a_sale_price_has_the_currency_of_the_price() {
    let rupees = Amount::new(100, "INR".parse().unwrap());
    let pricing = Pricing { price: reais(1_990), sale_price: Some(rupees) };
    let rejection = Rejection::CurrencyMismatch { price: reais(1).currency, sale_price: rupees.currency };
    assert_eq!((rejection.code(), rejection.field()), ("CURRENCY_MISMATCH", Some("sale_price")));
    history([]).when(put(coffee(), pricing)).then_refused(rejection);
}

#[test]
fn a_product_has_a_title_of_at_most_512_characters_in_any_script() {
    let titled = |title: String| Details { title: title.into(), ..coffee() };
    assert!(decide::decide(&State::default(), put(titled("च".repeat(512)), at_price(1))).is_ok());
    history([])
        .when(put(titled("च".repeat(513)), at_price(1)))
        .then_refused(Rejection::TextTooLong { field: "title", given: 513 });
    history([]).when(put(titled(" \u{a0} ".to_owned()), at_price(1))).then_refused(Rejection::TitleMissing);
    history([])
        .when(put(titled("a\nb".to_owned()), at_price(1)))
        .then_refused(Rejection::TextUnreadable { field: "title" });
}

#[test]
fn links_lead_to_the_web_and_nowhere_else() {
    let too_long = format!("https://a.example/{}", "x".repeat(2_000));
    for link in ["javascript:alert(1)", "ftp://a.example", "https://", "https:///x", "http://a b", "//a.example", ""] {
        let details = Details { link: Some(link.into()), ..coffee() };
        history([]).when(put(details, at_price(1))).then_refused(Rejection::BadLink { field: "link" });
        let details = Details { image_links: vec![link.into()], ..coffee() };
        history([]).when(put(details, at_price(1))).then_refused(Rejection::BadLink { field: "image_links" });
    }
    let details = Details { link: Some(too_long.into()), ..coffee() };
    history([]).when(put(details, at_price(1))).then_refused(Rejection::TextTooLong { field: "link", given: 2_018 });
}

#[test]
fn a_product_has_at_most_twenty_pictures() {
    let pictured = |n| Details { image_links: vec!["https://a.example/1.jpg".into(); n], ..coffee() };
    assert!(decide::decide(&State::default(), put(pictured(20), at_price(1))).is_ok());
    history([]).when(put(pictured(21), at_price(1))).then_refused(Rejection::TooManyImages { given: 21 });
}

#[test]
fn words_of_a_later_release_are_not_taken_for_something_else() {
    let details = Details { availability: Availability::Unknown, ..coffee() };
    history([]).when(put(details, at_price(1))).then_refused(Rejection::UnknownValue { field: "availability" });
    let details = Details { condition: Condition::Unknown, ..coffee() };
    history([]).when(put(details, at_price(1))).then_refused(Rejection::UnknownValue { field: "condition" });
}

fn any_event() -> impl Strategy<Value = Event> {
    (0..4, 1i64..500, "[a-zé]{1,6}").prop_map(|(kind, minor, title)| match kind {
        0 => Event::ProductListed(ProductListed {
            sku: "CAFE-250".into(),
            details: Details { title: title.into(), ..coffee() },
            pricing: at_price(minor),
        }),
        1 => described(Details { title: title.into(), ..coffee() }),
        2 => priced(at_price(minor)),
        _ => withdrawn(),
    })
}

fn any_command() -> impl Strategy<Value = Command> {
    (0..3, -1i64..4, "[ab]{0,1}").prop_map(|(kind, minor, title)| match kind {
        0 => put(Details { title: title.into(), ..coffee() }, at_price(minor)),
        1 => Command::SetPrice { pricing: at_price(minor) },
        _ => Command::Withdraw,
    })
}

proptest! {
    #[test]
    fn any_order_of_events_adds_up(events in prop::collection::vec(any_event(), 0..12)) {
        let state = fold::<Product>(&events);
        prop_assert!(!state.listed || events.iter().any(|event| matches!(event, Event::ProductListed(_))));
    }

    #[test]
    fn what_was_put_is_what_stands_and_putting_it_again_changes_nothing(
        commands in prop::collection::vec(any_command(), 0..12), minor in 1i64..9,
    ) {
        let mut state = State::default();
        for command in commands.into_iter().chain([put(coffee(), at_price(minor))]) {
            let again = command.clone();
            if let Ok(events) = decide::decide(&state, command) {
                state = events.iter().fold(state, evolve::evolve);
                prop_assert_eq!(decide::decide(&state, again), Ok(vec![]));
            }
        }
        prop_assert!(state.listed);
        prop_assert_eq!(state.details, Some(coffee()));
        prop_assert_eq!(state.pricing, Some(at_price(minor)));
    }
}
