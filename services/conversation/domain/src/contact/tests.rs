//! The rules of a contact.

use super::*;
use crate::testing::history;

fn ask(customer: &str, what: What) -> Command {
    Command { customer: customer.into(), what }
}

fn agree(category: Category) -> What {
    What::OptIn { category, source: "https://example.com".into(), shown: "Quero novidades".into() }
}

fn stop(category: Category) -> What {
    What::OptOut { category, source: "conversation".into() }
}

fn met() -> Event {
    Event::ContactMet(ContactMet { customer: "BR.1".into(), country: "BR".into() })
}

fn agreed() -> Event {
    Event::OptedIn(OptedIn {
        customer: "BR.1".into(),
        category: Category::Marketing,
        source: "https://example.com".into(),
        shown: "Quero novidades".into(),
    })
}

fn stopped() -> Event {
    let source = "conversation".into();
    Event::OptedOut(OptedOut { customer: "BR.1".into(), category: Category::Marketing, source })
}

#[test]
fn a_contact_is_met_once_and_has_the_country_of_its_id() {
    history::<Contact>([]).when(ask("BR.1", What::Meet)).then([met()]).when(ask("BR.1", What::Meet)).then([]);
    history::<Contact>([]).when(ask("ana", What::Meet)).then_refused(Rejection::BadCustomer);
}

#[test]
fn what_was_said_last_stands() {
    let state = history::<Contact>([])
        .when(ask("BR.1", agree(Category::Marketing)))
        .then([met(), agreed()])
        .when(ask("BR.1", agree(Category::Marketing)))
        .then([])
        .when(ask("BR.1", stop(Category::Marketing)))
        .then([stopped()])
        .when(ask("BR.1", stop(Category::Marketing)))
        .then([])
        .state();
    assert_eq!((state.categories(true), state.categories(false)), (vec![], vec![Category::Marketing]));
}

#[test]
fn an_opt_in_says_of_what_where_and_in_which_words() {
    history::<Contact>([]).when(ask("BR.1", agree(Category::Service))).then_refused(Rejection::BadCategory);
    history::<Contact>([]).when(ask("BR.1", stop(Category::Unknown))).then_refused(Rejection::BadCategory);
    let without = |source: &str, shown: &str| {
        ask("BR.1", What::OptIn { category: Category::Utility, source: source.into(), shown: shown.into() })
    };
    history::<Contact>([]).when(without("", "x")).then_refused(Rejection::BadSource);
    history::<Contact>([]).when(without("x", " ")).then_refused(Rejection::BadShown);
}
