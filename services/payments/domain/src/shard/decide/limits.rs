//! Limits: what rules allow an account to send or receive, counted in the same decision as the money.

use std::cell::RefCell;

use feira_calendar::{CalendarError, Date, Zone};
use feira_events::payments::{LimitUse, Transfer};

use super::desk::Desk;
use crate::regime::{Measure, Regime, Rule, Side, Window};
use crate::shard::entity::{Account, EACH};
use crate::shard::rejection::Rejection;

/// Adds what `transfer` uses of the limits of one side's account.
///
/// # Errors
/// [`Rejection::LimitExceeded`] names the first rule that does not allow it.
pub(super) fn uses(
    desk: &Desk<'_>,
    regime: &'static Regime,
    side: Side,
    account: &Account,
    transfer: &Transfer,
    used: &mut Vec<LimitUse>,
) -> Result<(), Rejection> {
    for rule in regime.rules.iter().filter(|rule| rule.side == side && rule.purposes.contains(&transfer.purpose)) {
        used.push(use_of(desk, regime, rule, account, transfer)?);
    }
    Ok(())
}

fn use_of(
    desk: &Desk<'_>,
    regime: &'static Regime,
    rule: &'static Rule,
    account: &Account,
    transfer: &Transfer,
) -> Result<LimitUse, Rejection> {
    let change = match rule.measure {
        Measure::Amount => transfer.amount.minor,
        Measure::Count => 1,
    };
    let window = desk
        .windows
        .start(rule.window, regime.zone, desk.now())
        .map_err(|_| Rejection::RegimeUnknown(regime.name.to_owned()))?;
    // What is counted for each payment has no use to remember.
    let used = if rule.window == Window::Each { 0 } else { account.uses.of(rule.id, window).unwrap_or(0) };
    match used.checked_add(change) {
        Some(after) if after <= rule.cap => {
            let account = account.balance.account.clone();
            Ok(LimitUse { rule: rule.id.into(), account, window, change, used: after })
        }
        _ => Err(Rejection::LimitExceeded { rule: rule.id, cap: rule.cap, used, asked: change }),
    }
}

/// When the days and months began that one decision counts in: several rules count in the same, and a calendar is slow.
#[derive(Default)]
pub(super) struct Windows(RefCell<Vec<(&'static str, Window, i64)>>);

impl Windows {
    /// The first millisecond of the time that is counted at `at`.
    fn start(&self, window: Window, zone: &'static str, at: i64) -> Result<i64, CalendarError> {
        if window == Window::Each {
            return Ok(EACH);
        }
        let known = |(of, kind, _): &&(&str, Window, i64)| (*of, *kind) == (zone, window);
        if let Some((_, _, start)) = self.0.borrow().iter().find(known) {
            return Ok(*start);
        }
        let start = start_of(window, &Zone::parse(zone)?, at)?;
        self.0.borrow_mut().push((zone, window, start));
        Ok(start)
    }
}

fn start_of(window: Window, zone: &Zone, at: i64) -> Result<i64, CalendarError> {
    let today = zone.date(at)?;
    let first = match window {
        Window::Month => Date::new(today.year(), today.month(), 1)?,
        Window::Day | Window::Each => today,
    };
    zone.start_of(first)
}

/// The limits that a returned transfer had used, given back to the day or month that it was counted in; one that is long
/// over needs nothing back.
pub(super) fn given_back(desk: &Desk<'_>, limits: &[LimitUse]) -> Vec<LimitUse> {
    let back = |limit: &LimitUse| {
        let used = desk.account(&limit.account)?.uses.of(&limit.rule, limit.window)?;
        Some(LimitUse { change: -limit.change, used: used - limit.change, ..limit.clone() })
    };
    limits.iter().filter(|limit| limit.window != EACH).filter_map(back).collect()
}
