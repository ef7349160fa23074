//! The median of a few measurements with the least and the most of them.

/// What a few rounds came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The middle one; of an even number the upper of the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of all `values`.
    ///
    /// # Panics
    /// When there are none: a figure that nobody measured is none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (values.first(), values.last()) else { panic!("nothing was measured") };
        Self { median: values[values.len() / 2], min: *min, max: *max }
    }

    /// Of `values` divided by those of `reference`, round by round.
    ///
    /// # Panics
    /// When there are none.
    pub fn of_shares(values: &[f64], reference: &[f64]) -> Self {
        Self::of(values.iter().zip(reference).map(|(ours, theirs)| ours / theirs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_between_the_least_and_the_most() {
        assert_eq!(Spread::of([5.0, 1.0, 9.0, 3.0, 7.0]), Spread { median: 5.0, min: 1.0, max: 9.0 });
        assert_eq!(Spread::of([2.0]), Spread { median: 2.0, min: 2.0, max: 2.0 });
    }

    #[test]
    fn shares_are_of_the_round_beside() {
        // A minute in which everything takes twice as long changes no share.
        assert_eq!(Spread::of_shares(&[50.0, 25.0, 60.0], &[100.0, 50.0, 100.0]).median, 0.5);
    }

    #[test]
    #[should_panic(expected = "nothing was measured")]
    fn no_rounds_are_no_figure() {
        Spread::of([]);
    }
}
