//! What a message costs, in figures that anyone can look up in the list.

use proptest::prelude::*;

use super::*;

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn card(until: &str) -> RateCard {
    RateCard::of(published(), PER_MESSAGE, "USD".parse().unwrap(), day(until)).unwrap()
}

fn found(card: &RateCard, country: &str, category: Category, on: &str) -> (String, i64) {
    let price = card.price(country, category, day(on)).unwrap();
    (price.market.to_string(), price.price.micro)
}

#[test]
fn brazil_and_india_cost_what_the_list_says() {
    let card = card("2026-12-01");
    let cost = |country, category| found(&card, country, category, "2026-11-26").1;
    assert_eq!(cost("BR", Category::Utility), 6_800);
    assert_eq!(cost("IN", Category::Utility), 1_400);
    assert_eq!(cost("BR", Category::Marketing), 62_500);
    assert_eq!(cost("IN", Category::Authentication), 1_400);
    assert_eq!(cost("BR", Category::Service), 0);
}

#[test]
fn the_price_is_that_of_the_day() {
    let card = card("2026-12-01");
    // India's marketing price rose with the year.
    assert_eq!(found(&card, "IN", Category::Marketing, "2025-12-31").1, 10_700);
    assert_eq!(found(&card, "IN", Category::Marketing, "2026-01-01").1, 11_800);
    // Argentina's utility price fell in October.
    let argentina = ["2025-09-30", "2025-10-01", "2026-01-01"].map(|on| found(&card, "AR", Category::Utility, on).1);
    assert_eq!(argentina, [28_900, 26_000, 26_000]);
}

#[test]
fn who_has_no_price_of_their_own_pays_their_regions_and_else_that_of_the_rest() {
    let card = card("2026-12-01");
    let market = |country| found(&card, country, Category::Utility, "2026-11-26").0;
    assert_eq!(["BR", "UY", "US", "KE", "VN"].map(market), ["BR", "RoLatAm", "NA", "RoAfrica", "RoAPAC"]);
    for nowhere in ["AQ", "", "XX", "brazil", "55"] {
        assert_eq!(market(nowhere), REST, "{nowhere:?}");
    }
    // Namibia has the code of North America.
    assert_eq!(market("NA"), "RoAfrica");
}

#[test]
fn what_nobody_prices_has_no_price() {
    let card = card("2026-12-01");
    assert_eq!(card.price("BR", Category::Unknown, day("2026-11-26")), None);
    assert_eq!(card.price("BR", Category::Utility, day("2020-01-01")), None);
    assert!(RateCard::of(published(), PER_MESSAGE, "USD".parse().unwrap(), day("2020-01-01")).is_none());
    assert!(RateCard::of(published(), PER_MESSAGE, "CHF".parse().unwrap(), day("2026-12-01")).is_none());
}

#[test]
fn a_price_that_is_not_trusted_is_not_charged() {
    // The list has a newer price for North America, from a page that cannot be checked.
    let listed = published().iter().any(|price| {
        &*price.market == "NA" && price.price.currency.code() == "USD" && price.valid_from == day("2026-10-01")
    });
    assert!(listed);
    let card = card("2026-12-01");
    assert_eq!(card.price("US", Category::Utility, day("2026-11-26")).unwrap().valid_from, day("2026-01-01"));
}

#[test]
fn a_later_list_leaves_an_earlier_card_as_it_is() {
    let before = card("2025-12-01").stated();
    assert_eq!((&*before.version, &*before.model, &*before.currency), ("2025-10-01", "PMP", "USD"));
    let without: Vec<Price> =
        published().iter().filter(|price| price.valid_from < day("2025-12-01")).cloned().collect();
    let usd = "USD".parse().unwrap();
    assert_eq!(RateCard::of(&without, PER_MESSAGE, usd, day("2025-12-01")).unwrap().stated(), before);
    assert_ne!(card("2026-12-01").stated().hash, before.hash);
    let mut turned = published().to_vec();
    turned.reverse();
    assert_eq!(RateCard::of(&turned, PER_MESSAGE, usd, day("2025-12-01")).unwrap().stated(), before);
}

#[test]
fn a_month_is_cut_where_the_price_changes() {
    let card = card("2026-12-01");
    let cut = |country, category| {
        let spans = card.spans(country, category, day("2025-12-15"), day("2026-01-15"));
        spans.iter().map(|span| (span.from.to_string(), span.price.map(|price| price.price.micro))).collect::<Vec<_>>()
    };
    let expected = [("2025-12-15".to_owned(), Some(10_700)), ("2026-01-01".to_owned(), Some(11_800))];
    assert_eq!(cut("IN", Category::Marketing), expected);
    assert_eq!(cut("IN", Category::Unknown), [("2025-12-15".to_owned(), None)]);
}

proptest! {
    #[test]
    fn spans_tile_the_days_and_each_has_one_price(
        country in prop::sample::select(&["BR", "IN", "AR", "US", "UY", "NA", "AQ", "JP"][..]),
        category in prop::sample::select(&[Category::Marketing, Category::Utility, Category::Service][..]),
        begins in -500i32..300, days in 1i32..400,
    ) {
        let card = card("2027-01-01");
        let from = day("2026-01-01").plus_days(begins).unwrap();
        let until = from.plus_days(days).unwrap();
        let spans = card.spans(country, category, from, until);
        prop_assert_eq!((spans[0].from, spans[spans.len() - 1].until), (from, until));
        prop_assert!(spans.windows(2).all(|pair| pair[0].until == pair[1].from && pair[0].price != pair[1].price));
        for span in spans {
            for on in [span.from, span.until.plus_days(-1).unwrap()] {
                prop_assert_eq!(card.price(country, category, on), span.price);
            }
        }
    }
}
