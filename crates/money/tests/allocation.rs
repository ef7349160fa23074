//! Splitting amounts: the published cases, and the laws.

use feira_money::{AllocationError, Amount, Currency, Share, allocate};
use proptest::prelude::*;
use serde_json::Value;

fn amount(minor: i64) -> Amount {
    Amount::new(minor, "BRL".parse::<Currency>().expect("a currency"))
}

fn split(minor: i64, shares: &Value) -> Result<Vec<i64>, AllocationError> {
    let texts = shares.as_array().expect("a list").iter().map(|share| share.as_str().expect("a text"));
    let shares: Vec<Share> = texts.map(str::parse).collect::<Result<_, _>>()?;
    Ok(allocate(amount(minor), &shares)?.into_iter().map(|part| part.minor).collect())
}

#[test]
fn the_published_cases_are_split_as_published() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/allocation.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    for case in cases {
        let minor = case["amount"].as_i64().unwrap();
        let expected: Vec<i64> = serde_json::from_value(case["parts"].clone()).unwrap();
        assert_eq!(split(minor, &case["portions"]), Ok(expected.clone()), "{case}");
        let opposite: Vec<i64> = expected.iter().map(|part| -part).collect();
        assert_eq!(split(-minor, &case["portions"]), Ok(opposite), "{case}");
    }
    let invalid = vectors["invalid"].as_array().unwrap();
    for shares in invalid {
        assert!(split(100, shares).is_err(), "{shares}");
    }
    assert_eq!((cases.len(), invalid.len()), (4, 5));
}

#[test]
fn shares_that_are_not_the_whole_are_refused_with_their_reason() {
    let refused = |shares: Value| split(100, &shares).unwrap_err();
    assert_eq!(refused(serde_json::json!(["remaining", "remaining"])), AllocationError::TwoRemaining);
    assert_eq!(refused(serde_json::json!(["2/3", "2/3"])), AllocationError::MoreThanWhole);
    assert_eq!(refused(serde_json::json!(["1/3"])), AllocationError::LessThanWhole);
    assert_eq!(refused(serde_json::json!([])), AllocationError::LessThanWhole);
    for text in ["", "1", "/", "1/0", "-1/2", "50", "%", "1.%", ".5%", "0x1/2", "1/2/3", "1e1%", "rest"] {
        assert!(matches!(text.parse::<Share>(), Err(AllocationError::Malformed(_))), "{text:?}");
    }
}

#[test]
fn the_largest_amounts_are_split_without_loss() {
    for minor in [i64::MIN, i64::MAX] {
        let parts = split(minor, &serde_json::json!(["1/3", "1/3", "remaining"])).unwrap();
        assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(minor));
    }
    assert_eq!(split(i64::MIN, &serde_json::json!(["1/1"])), Ok(vec![i64::MIN]));
}

proptest! {
    #[test]
    fn parts_add_up_and_none_is_a_unit_away_from_its_share(
        minor: i64,
        weights in proptest::collection::vec(0u64..1_000_000, 1..12),
    ) {
        let total: u64 = weights.iter().sum();
        prop_assume!(total > 0);
        let shares: Vec<_> =
            weights.iter().map(|&numerator| Share::Part { numerator, denominator: total }).collect();
        let parts = allocate(amount(minor), &shares).unwrap();
        prop_assert_eq!(parts.iter().map(|part| i128::from(part.minor)).sum::<i128>(), i128::from(minor));
        for (part, weight) in parts.iter().zip(weights) {
            let off = i128::from(part.minor) * i128::from(total) - i128::from(minor) * i128::from(weight);
            // One unit is handed out at most on top of what was rounded down by less than one.
            prop_assert!(off.abs() <= i128::from(total), "{part} for {weight} of {total}");
        }
    }

    #[test]
    fn any_shares_are_split_or_refused(
        minor: i64,
        shares in proptest::collection::vec((any::<u64>(), any::<u64>()), 0..6),
    ) {
        let part = |&(numerator, denominator): &(u64, u64)| Share::Part { numerator, denominator };
        let mut shares: Vec<_> = shares.iter().map(part).collect();
        shares.push(Share::Remaining);
        if let Ok(parts) = allocate(amount(minor), &shares) {
            prop_assert_eq!(parts.iter().map(|part| i128::from(part.minor)).sum::<i128>(), i128::from(minor));
        }
    }

    #[test]
    fn any_text_is_a_share_or_refused(text in "[0-9./%a-z-]{0,24}|\\PC{0,24}") {
        let _ = text.parse::<Share>();
    }
}
