//! Splitting an amount by shares so that the parts add up to it.

use std::str::FromStr;

use crate::Amount;
use crate::exact::greatest_common_divisor;

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// `numerator / denominator` of it.
    Part {
        /// The number over the line.
        numerator: u64,
        /// The number under the line.
        denominator: u64,
    },
    /// What the other shares leave.
    Remaining,
}

/// Why an amount cannot be split.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    /// Not a share.
    #[error("{0:?} is not a share from nothing to the whole, such as 1/3, 35.5% or remaining")]
    Malformed(String),
    /// Two shares cannot both be what is left.
    #[error("only one share can be what remains")]
    TwoRemaining,
    /// The shares are more than the whole.
    #[error("the shares are more than the whole")]
    MoreThanWhole,
    /// The shares are less than the whole and none is what remains.
    #[error("the shares are less than the whole; add one that is what remains")]
    LessThanWhole,
    /// The shares have no common denominator that fits in 128 bits.
    #[error("the shares are too finely divided to be added")]
    Overflow,
}

/// Splits `amount`: every share is rounded down, then the units that are missing go one by one to the shares from the
/// first on. The parts add up to the amount. What is negative is split as its opposite would be.
///
/// # Errors
/// [`AllocationError`] when the shares are not exactly the whole.
pub fn allocate(amount: Amount, shares: &[Share]) -> Result<Vec<Amount>, AllocationError> {
    let ratios = whole_of(shares)?;
    let whole = u128::from(amount.minor.unsigned_abs());
    let mut parts: Vec<u128> = ratios.iter().map(|ratio| ratio.floor_of(whole)).collect::<Result<_, _>>()?;
    let missing = whole - parts.iter().sum::<u128>();
    // Each share lost less than one unit, so there are fewer missing than shares.
    for part in parts.iter_mut().take(missing as usize) {
        *part += 1;
    }
    let sign = i128::from(amount.minor.signum());
    let signed = |part: u128| i64::try_from(part as i128 * sign).expect("no part is larger than the whole");
    Ok(parts.into_iter().map(|part| Amount::new(signed(part), amount.currency)).collect())
}

/// A fraction from nothing to the whole, in lowest terms.
#[derive(Clone, Copy)]
struct Ratio {
    numerator: u128,
    denominator: u128,
}

impl Ratio {
    fn new(numerator: u128, denominator: u128) -> Self {
        let divisor = greatest_common_divisor(numerator, denominator);
        Self { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    fn checked_add(self, other: Self) -> Option<Self> {
        let shared = greatest_common_divisor(self.denominator, other.denominator);
        let denominator = self.denominator.checked_mul(other.denominator / shared)?;
        let left = self.numerator.checked_mul(other.denominator / shared)?;
        let right = other.numerator.checked_mul(self.denominator / shared)?;
        Some(Self::new(left.checked_add(right)?, denominator))
    }

    /// This share of `whole`, rounded down.
    fn floor_of(self, whole: u128) -> Result<u128, AllocationError> {
        Ok(whole.checked_mul(self.numerator).ok_or(AllocationError::Overflow)? / self.denominator)
    }
}

/// The shares as fractions that are one together.
fn whole_of(shares: &[Share]) -> Result<Vec<Ratio>, AllocationError> {
    let mut sum = Ratio::new(0, 1);
    let mut remaining = 0;
    for share in shares {
        match *share {
            Share::Part { numerator, denominator } => {
                if denominator == 0 || numerator > denominator {
                    return Err(AllocationError::Malformed(format!("{numerator}/{denominator}")));
                }
                let ratio = Ratio::new(numerator.into(), denominator.into());
                sum = sum.checked_add(ratio).ok_or(AllocationError::Overflow)?;
                if sum.numerator > sum.denominator {
                    return Err(AllocationError::MoreThanWhole);
                }
            }
            Share::Remaining => remaining += 1,
        }
    }
    let rest = Ratio::new(sum.denominator - sum.numerator, sum.denominator);
    match remaining {
        0 if rest.numerator > 0 => return Err(AllocationError::LessThanWhole),
        0 | 1 => {}
        _ => return Err(AllocationError::TwoRemaining),
    }
    let ratio = |share: &Share| match *share {
        Share::Part { numerator, denominator } => Ratio::new(numerator.into(), denominator.into()),
        Share::Remaining => rest,
    };
    Ok(shares.iter().map(ratio).collect())
}

impl FromStr for Share {
    type Err = AllocationError;

    /// Reads `4/5`, `35.5%` or `remaining`.
    fn from_str(text: &str) -> Result<Self, AllocationError> {
        let malformed = || AllocationError::Malformed(text.chars().take(40).collect());
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            if plain { digits.parse::<u64>().map_err(|_| malformed()) } else { Err(malformed()) }
        };
        if text == "remaining" {
            return Ok(Self::Remaining);
        }
        let (numerator, denominator) = if let Some(percent) = text.strip_suffix('%') {
            let (whole, fraction) = percent.split_once('.').unwrap_or((percent, "0"));
            let places = u32::try_from(fraction.len()).map_err(|_| malformed())?;
            let hundred = 10u64.checked_pow(places).and_then(|scale| scale.checked_mul(100)).ok_or_else(malformed)?;
            number(whole)?;
            number(fraction)?;
            (number(&format!("{whole}{fraction}"))?, hundred)
        } else {
            let (numerator, denominator) = text.split_once('/').ok_or_else(malformed)?;
            (number(numerator)?, number(denominator)?)
        };
        if denominator == 0 || numerator > denominator {
            return Err(malformed());
        }
        Ok(Self::Part { numerator, denominator })
    }
}
