//! How a contact answers.

use std::sync::Arc;

use feira_commands::conversation::{OPT_IN_CHARS_MAX, country_of};

use super::{Category, Command, ContactMet, Event, OptedIn, OptedOut, Rejection, State, What};
use crate::text::is_prose;

pub(super) fn decide(contact: &State, command: Command) -> Result<Vec<Event>, Rejection> {
    let Command { customer, what } = command;
    let mut events = meet(contact, &customer)?;
    let said = match what {
        What::Meet => None,
        What::OptIn { category, source, shown } => opt_in(contact, customer, category, source, shown)?,
        What::OptOut { category, source } => opt_out(contact, customer, category, source)?,
    };
    events.extend(said);
    Ok(events)
}

fn meet(contact: &State, customer: &Arc<str>) -> Result<Vec<Event>, Rejection> {
    let country = country_of(customer).ok_or(Rejection::BadCustomer)?;
    if !contact.country.is_empty() {
        return Ok(vec![]);
    }
    Ok(vec![Event::ContactMet(ContactMet { customer: customer.clone(), country: country.into() })])
}

fn opt_in(
    contact: &State,
    customer: Arc<str>,
    category: Category,
    source: Arc<str>,
    shown: Arc<str>,
) -> Result<Option<Event>, Rejection> {
    check_category(category)?;
    if !is_prose(&source, OPT_IN_CHARS_MAX) {
        return Err(Rejection::BadSource);
    }
    if !is_prose(&shown, OPT_IN_CHARS_MAX) {
        return Err(Rejection::BadShown);
    }
    if contact.agreed.get(&category) == Some(&true) {
        return Ok(None);
    }
    Ok(Some(Event::OptedIn(OptedIn { customer, category, source, shown })))
}

fn opt_out(
    contact: &State,
    customer: Arc<str>,
    category: Category,
    source: Arc<str>,
) -> Result<Option<Event>, Rejection> {
    check_category(category)?;
    if !is_prose(&source, OPT_IN_CHARS_MAX) {
        return Err(Rejection::BadSource);
    }
    if contact.agreed.get(&category) == Some(&false) {
        return Ok(None);
    }
    Ok(Some(Event::OptedOut(OptedOut { customer, category, source })))
}

/// Answers in a conversation are no category that one could be spared.
fn check_category(category: Category) -> Result<(), Rejection> {
    match category {
        Category::Utility | Category::Marketing | Category::Authentication => Ok(()),
        Category::Service | Category::Unknown => Err(Rejection::BadCategory),
    }
}
