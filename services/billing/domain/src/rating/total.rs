//! What lines come to in each currency, and what rounding leaves over from one invoice to the next.

use std::collections::BTreeMap;
use std::sync::Arc;

use feira_commands::billing::residual_micro;
use feira_events::billing::{Line, Total};
use feira_money::{Amount, Currency, MicroAmount, MoneyError, Rounding, close_line};

/// What `lines` come to, one total for each currency. `carried` is what was left over before, by currency code, in
/// millionths of a major unit.
///
/// What rounding leaves over is carried: a business that uses 0.0040 a month pays 0.01 every few months instead of
/// never, and over all months it pays what it used, to within half a minor unit. Lines that are paid already are closed
/// for good and leave nothing over.
///
/// # Errors
/// [`MoneyError::Overflow`].
pub fn totals(lines: &[Line], carried: &BTreeMap<Arc<str>, i64>) -> Result<Vec<Total>, MoneyError> {
    let mut by_currency: BTreeMap<&'static str, (Currency, Vec<&Line>)> = BTreeMap::new();
    for line in lines {
        let currency = line.amount.currency;
        by_currency.entry(currency.code()).or_insert((currency, Vec::new())).1.push(line);
    }
    let total = |(currency, lines): &(Currency, Vec<&Line>)| {
        total(*currency, lines, carried.get(currency.code()).copied().unwrap_or(0))
    };
    by_currency.values().map(total).collect()
}

fn total(currency: Currency, lines: &[&Line], carried_in_micro: i64) -> Result<Total, MoneyError> {
    let nothing = Amount::new(0, currency);
    let (mut charged, mut collected, mut left_over) = (nothing, nothing, carried_in_micro);
    for line in lines {
        if line.collected {
            collected = collected.checked_add(line.amount)?;
        } else {
            charged = charged.checked_add(line.amount)?;
            left_over = left_over.checked_add(line.residual_micro).ok_or(MoneyError::Overflow)?;
        }
    }
    let carried = close_line(MicroAmount::new(left_over, currency).into(), Rounding::default())?.amount;
    Ok(Total {
        charged,
        carried_in_micro,
        carried,
        carried_out_micro: residual_micro(left_over, carried)?,
        due: charged.checked_add(carried)?,
        collected,
    })
}
