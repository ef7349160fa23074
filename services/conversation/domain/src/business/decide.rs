//! How a business answers.

use std::sync::Arc;

use feira_commands::conversation::{
    CLOCK_OFFSET_MS_MAX, CLOCK_STEP_MS_MAX, NAME_CHARS_MAX, PROFILE_CHARS_MAX, WEBSITES_MAX, is_country,
};
use feira_decider::At;

use super::{BusinessRegistered, ClockMoved, Command, Event, Profile, ProfileSet, Rejection, State};
use crate::text::{is_label, is_prose};

pub(super) fn decide(business: &State, command: Command, at: At) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Register { name, profile, country, sandbox } => {
            register(business, BusinessRegistered { name, profile, country, sandbox })
        }
        Command::SetProfile { name, profile } => set_profile(business, name, profile),
        Command::MoveClock { by_ms, to } => move_clock(business, by_ms, to, at),
    }
}

fn register(business: &State, wanted: BusinessRegistered) -> Result<Vec<Event>, Rejection> {
    if business.registered {
        let stands = BusinessRegistered {
            name: business.name.clone(),
            profile: business.profile.clone(),
            country: business.country.clone(),
            sandbox: business.sandbox,
        };
        return if stands == wanted { Ok(vec![]) } else { Err(Rejection::AlreadyRegistered) };
    }
    check_profile(&wanted.name, &wanted.profile)?;
    if !is_country(&wanted.country) {
        return Err(Rejection::BadCountry);
    }
    Ok(vec![Event::BusinessRegistered(wanted)])
}

fn set_profile(business: &State, name: Arc<str>, profile: Profile) -> Result<Vec<Event>, Rejection> {
    if !business.registered {
        return Err(Rejection::Unknown);
    }
    check_profile(&name, &profile)?;
    if business.name == name && business.profile == profile {
        return Ok(vec![]);
    }
    Ok(vec![Event::ProfileSet(ProfileSet { name, profile })])
}

fn move_clock(business: &State, by_ms: Option<i64>, to: Option<i64>, at: At) -> Result<Vec<Event>, Rejection> {
    if !business.registered {
        return Err(Rejection::Unknown);
    }
    if !business.sandbox {
        return Err(Rejection::NotSandbox);
    }
    let by_ms = match (by_ms, to) {
        (Some(by_ms), None) => by_ms,
        (None, Some(to)) => to.checked_sub(at.0).ok_or(Rejection::StepTooLong)?,
        (None, None) | (Some(_), Some(_)) => return Err(Rejection::OneStep),
    };
    if by_ms < 0 {
        return Err(Rejection::Backwards);
    }
    if by_ms > CLOCK_STEP_MS_MAX {
        return Err(Rejection::StepTooLong);
    }
    let offset_ms = business.clock_offset_ms.checked_add(by_ms).filter(|offset_ms| *offset_ms <= CLOCK_OFFSET_MS_MAX);
    let offset_ms = offset_ms.ok_or(Rejection::TooFar)?;
    if by_ms == 0 {
        return Ok(vec![]);
    }
    Ok(vec![Event::ClockMoved(ClockMoved { offset_ms, by_ms })])
}

fn check_profile(name: &str, profile: &Profile) -> Result<(), Rejection> {
    let Profile { about, description, address, email, vertical, websites } = profile;
    if !is_label(name, NAME_CHARS_MAX) {
        return Err(Rejection::BadName);
    }
    if websites.len() > WEBSITES_MAX {
        return Err(Rejection::TooManyWebsites);
    }
    let texts = [about, description, address, email, vertical].into_iter().flatten().chain(websites);
    if texts.into_iter().any(|text| !is_prose(text, PROFILE_CHARS_MAX)) {
        return Err(Rejection::BadProfile);
    }
    Ok(())
}
