//! Limits: what rules allow an account to send or receive, counted in the same decision as the money.

use feira_calendar::Zone;
use feira_events::payments::{LimitUse, Transfer};
use feira_ids::AccountId;

use super::desk::Desk;
use crate::regime::{Measure, Regime, Rule, Side, Window};
use crate::shard::entity::EACH;
use crate::shard::rejection::Rejection;

/// What `transfer` uses of the limits of one side's account.
///
/// # Errors
/// [`Rejection::LimitExceeded`] names the first rule that does not allow it.
pub(super) fn uses(
    desk: &Desk<'_>,
    regime: &'static Regime,
    side: Side,
    account: &AccountId,
    transfer: &Transfer,
) -> Result<Vec<LimitUse>, Rejection> {
    let applies = |rule: &&Rule| rule.side == side && rule.purposes.contains(&transfer.purpose);
    regime.rules.iter().filter(applies).map(|rule| use_of(desk, regime, rule, account, transfer)).collect()
}

fn use_of(
    desk: &Desk<'_>,
    regime: &'static Regime,
    rule: &'static Rule,
    account: &AccountId,
    transfer: &Transfer,
) -> Result<LimitUse, Rejection> {
    let change = match rule.measure {
        Measure::Amount => transfer.amount.minor,
        Measure::Count => 1,
    };
    let window = window(desk.now(), regime, rule)?;
    // What is counted for each payment has no use to remember.
    let used = if rule.window == Window::Each { 0 } else { desk.used(rule.id, account, window) };
    match used.checked_add(change) {
        Some(after) if after <= rule.cap => {
            Ok(LimitUse { rule: rule.id.into(), account: account.clone(), window, change, used: after })
        }
        _ => Err(Rejection::LimitExceeded { rule: rule.id, cap: rule.cap, used, asked: change }),
    }
}

/// The first millisecond of the time that is counted.
fn window(at: i64, regime: &'static Regime, rule: &Rule) -> Result<i64, Rejection> {
    let unreadable = |_| Rejection::RegimeUnknown(regime.name.to_owned());
    let zone = Zone::parse(regime.zone).map_err(unreadable)?;
    Ok(match rule.window {
        Window::Each => EACH,
        Window::Day => zone.day_of(at).map_err(unreadable)?.start,
        Window::Month => zone.month_of(at).map_err(unreadable)?.start,
    })
}

/// The limits that a returned transfer had used, given back to the day or month that it was counted in.
pub(super) fn given_back(desk: &Desk<'_>, limits: &[LimitUse]) -> Vec<LimitUse> {
    let back = |limit: &LimitUse| LimitUse {
        change: -limit.change,
        used: desk.used(&limit.rule, &limit.account, limit.window) - limit.change,
        ..limit.clone()
    };
    limits.iter().filter(|limit| limit.window != EACH).map(back).collect()
}
