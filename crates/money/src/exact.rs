//! Amounts between minor units: what fees, shares and prices of a fraction of a unit are until their line is closed.
//!
//! A sum of exact amounts is exact. Whole units come back at one place only, [`close_line`], which also says what it
//! left behind.

use std::fmt;

use crate::{Amount, Currency, MoneyError};

/// An exact number of minor units, whole or not: a fraction in its lowest terms.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Exact {
    numerator: i128,
    /// Above zero.
    denominator: i128,
    currency: Currency,
}

/// A share of an amount in basis points: 150 is 1.5 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct BasisPoints(pub u32);

/// How a line is brought to whole units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest unit; a half goes up for what is owed and down for what is given back.
    #[default]
    HalfAwayFromZero,
}

/// A line in whole units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The line's amount.
    pub amount: Amount,
    /// What the exact amount was above it; below zero when it was rounded up.
    pub residual: Exact,
}

/// Brings a line to whole minor units: the one place that rounds.
///
/// # Errors
/// [`MoneyError::Overflow`] when the amount does not fit in 64 bits.
///
/// Source: decision record "One place rounds money".
pub fn close_line(exact: Exact, rounding: Rounding) -> Result<Closed, MoneyError> {
    let Exact { numerator, denominator, currency } = exact;
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let nearest = match rounding {
        // Not twice the rest, which might not fit: a half is where the rest is no less than what it lacks.
        Rounding::HalfAwayFromZero if rest.abs() >= denominator - rest.abs() => whole + numerator.signum(),
        Rounding::HalfAwayFromZero => whole,
    };
    let minor = i64::try_from(nearest).map_err(|_| MoneyError::Overflow)?;
    let amount = Amount::new(minor, currency);
    Ok(Closed { amount, residual: exact.checked_sub(amount.into())? })
}

impl Exact {
    /// `amount` as it is.
    pub fn new(amount: Amount) -> Self {
        Self { numerator: i128::from(amount.minor), denominator: 1, currency: amount.currency }
    }

    /// `numerator / denominator` minor units.
    ///
    /// # Errors
    /// [`MoneyError::DivisionByZero`], or [`MoneyError::Overflow`] at the outer edge of 128 bits.
    pub fn ratio(numerator: i128, denominator: i128, currency: Currency) -> Result<Self, MoneyError> {
        if denominator == 0 {
            return Err(MoneyError::DivisionByZero);
        }
        let divisor = greatest_common_divisor(numerator.unsigned_abs(), denominator.unsigned_abs());
        let divisor = i128::try_from(divisor).map_err(|_| MoneyError::Overflow)?;
        let (numerator, denominator) = (numerator / divisor, denominator / divisor);
        let sign = denominator.signum();
        let numerator = numerator.checked_mul(sign).ok_or(MoneyError::Overflow)?;
        let denominator = denominator.checked_mul(sign).ok_or(MoneyError::Overflow)?;
        Ok(Self { numerator, denominator, currency })
    }

    /// The number over the line, in lowest terms.
    pub fn numerator(self) -> i128 {
        self.numerator
    }

    /// The number under the line, above zero.
    pub fn denominator(self) -> i128 {
        self.denominator
    }

    /// Whose minor units.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], or [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i128::checked_add)
    }

    /// What is left when `other` is taken away.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], or [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i128::checked_sub)
    }

    /// `quantity` times the amount.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, quantity: i64) -> Result<Self, MoneyError> {
        self.checked_mul_ratio(quantity, 1)
    }

    /// The amount times `numerator / denominator`.
    ///
    /// # Errors
    /// [`MoneyError::DivisionByZero`], or [`MoneyError::Overflow`] when the product does not fit in 128 bits.
    pub fn checked_mul_ratio(
        self,
        numerator: impl Into<i128>,
        denominator: impl Into<i128>,
    ) -> Result<Self, MoneyError> {
        // Each against the other first, so that what fits is not refused for a product that would cancel out.
        let left = Self::ratio(self.numerator, denominator.into(), self.currency)?;
        let right = Self::ratio(numerator.into(), self.denominator, self.currency)?;
        let numerator = left.numerator.checked_mul(right.numerator).ok_or(MoneyError::Overflow)?;
        let denominator = left.denominator.checked_mul(right.denominator).ok_or(MoneyError::Overflow)?;
        Self::ratio(numerator, denominator, self.currency)
    }

    fn combine(self, other: Self, put: fn(i128, i128) -> Option<i128>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency });
        }
        let shared = greatest_common_divisor(self.denominator.unsigned_abs(), other.denominator.unsigned_abs());
        let shared = i128::try_from(shared).map_err(|_| MoneyError::Overflow)?;
        let (own, others) = (self.denominator / shared, other.denominator / shared);
        let left = self.numerator.checked_mul(others).ok_or(MoneyError::Overflow)?;
        let right = other.numerator.checked_mul(own).ok_or(MoneyError::Overflow)?;
        let numerator = put(left, right).ok_or(MoneyError::Overflow)?;
        let denominator = self.denominator.checked_mul(others).ok_or(MoneyError::Overflow)?;
        Self::ratio(numerator, denominator, self.currency)
    }
}

impl From<Amount> for Exact {
    fn from(amount: Amount) -> Self {
        Self::new(amount)
    }
}

impl BasisPoints {
    /// This share of `whole`.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn of(self, whole: impl Into<Exact>) -> Result<Exact, MoneyError> {
        whole.into().checked_mul_ratio(self.0, 10_000)
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} minor units of {}", self.numerator, self.denominator, self.currency)
    }
}

/// The greatest number that divides both; never 0 when one of them is not.
pub(crate) fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn brl() -> Currency {
        "BRL".parse().unwrap()
    }

    fn close(numerator: i128, denominator: i128) -> i64 {
        let exact = Exact::ratio(numerator, denominator, brl()).unwrap();
        close_line(exact, Rounding::HalfAwayFromZero).unwrap().amount.minor
    }

    #[test]
    fn a_half_is_closed_away_from_zero() {
        assert_eq!([(5, 2), (-5, 2), (1, 2), (-1, 2), (125, 10)].map(|(n, d)| close(n, d)), [3, -3, 1, -1, 13]);
        assert_eq!([(249, 100), (-249, 100), (49, 100), (0, 7)].map(|(n, d)| close(n, d)), [2, -2, 0, 0]);
    }

    #[test]
    fn the_fee_of_a_small_payment_is_kept_exactly() {
        // 3.99 % of 0.10 BRL closes to nothing, and 0.399 minor units stay.
        let fee = BasisPoints(399).of(Amount::new(10, brl())).unwrap();
        assert_eq!((fee.numerator(), fee.denominator()), (399, 1_000));
        let closed = close_line(fee, Rounding::default()).unwrap();
        assert_eq!((closed.amount.minor, closed.residual), (0, fee));
        // 3.99 % of 100.00 BRL is 3.99 BRL.
        assert_eq!(BasisPoints(399).of(Amount::new(10_000, brl())).unwrap(), Amount::new(399, brl()).into());
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let edge = Exact::ratio(i128::MAX, 1, brl()).unwrap();
        assert_eq!(edge.checked_add(edge), Err(MoneyError::Overflow));
        assert_eq!(edge.checked_mul(2), Err(MoneyError::Overflow));
        assert_eq!(close_line(edge, Rounding::default()), Err(MoneyError::Overflow));
        let tiny = Exact::ratio(1, i128::MAX, brl()).unwrap();
        assert_eq!(tiny.checked_mul_ratio(1, 2), Err(MoneyError::Overflow));
        assert_eq!(Exact::ratio(1, 0, brl()), Err(MoneyError::DivisionByZero));
        assert_eq!(Exact::ratio(1, i128::MIN, brl()), Err(MoneyError::Overflow));
    }

    #[test]
    fn two_currencies_are_never_added() {
        let one = |code: &str| Exact::new(Amount::new(1, code.parse().unwrap()));
        assert!(matches!(one("BRL").checked_add(one("INR")), Err(MoneyError::CurrencyMismatch { .. })));
    }

    proptest! {
        #[test]
        fn a_closed_line_and_its_residual_are_the_exact_amount(numerator: i64, denominator in 1i64..=i64::MAX) {
            let exact = Exact::ratio(numerator.into(), denominator.into(), brl()).unwrap();
            let Closed { amount, residual } = close_line(exact, Rounding::default()).unwrap();
            prop_assert_eq!(Exact::new(amount).checked_add(residual).unwrap(), exact);
            // No more than half a unit is left.
            prop_assert!(residual.numerator().abs() <= residual.denominator() - residual.numerator().abs());
        }

        #[test]
        fn a_whole_amount_closes_to_itself(minor: i64) {
            let amount = Amount::new(minor, brl());
            let closed = close_line(amount.into(), Rounding::default()).unwrap();
            prop_assert_eq!(closed.amount, amount);
            prop_assert_eq!(closed.residual.numerator(), 0);
        }

        #[test]
        fn what_is_added_can_be_taken_away(a: i64, b: i64, c in 1i64..=i64::MAX, d in 1i64..=i64::MAX) {
            let left = Exact::ratio(a.into(), i128::from(c % 1_000_000 + 1), brl()).unwrap();
            let right = Exact::ratio(b.into(), i128::from(d % 1_000_000 + 1), brl()).unwrap();
            let sum = left.checked_add(right).unwrap();
            prop_assert_eq!(sum, right.checked_add(left).unwrap());
            prop_assert_eq!(sum.checked_sub(right).unwrap(), left);
        }

        #[test]
        fn arithmetic_at_any_size_answers_or_refuses(a: i128, b: i128, c: i128, d: i128, times: i64) {
            let (Ok(left), Ok(right)) = (Exact::ratio(a, b, brl()), Exact::ratio(c, d, brl())) else {
                return Ok(());
            };
            let _ = (left.checked_add(right), left.checked_sub(right), left.checked_mul(times));
            let _ = (left.checked_mul_ratio(c, d), close_line(left, Rounding::default()));
        }

        #[test]
        fn a_fee_never_exceeds_what_it_is_taken_from(minor in 0i64..=i64::MAX, rate in 0u32..=10_000) {
            let fee = BasisPoints(rate).of(Amount::new(minor, brl())).unwrap();
            let closed = close_line(fee, Rounding::default()).unwrap();
            prop_assert!((0..=minor).contains(&closed.amount.minor));
        }
    }
}
