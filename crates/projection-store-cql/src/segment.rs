//! A range of a partition as the queries that read it one after the other.
//!
//! What lies behind a composite clustering key (a, b, c) is what has the same a and b and lies behind c, then what has
//! the same a and lies behind b, then what lies behind a. Comparing several columns at once would be one query, but
//! with columns in both orders the databases do not answer it alike.

use feira_projection_store::{Order, Range, Table, Value};

/// Which conditions a query has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// How many clustering columns are equal to given values.
    pub equals: usize,
    /// Whether the next one lies behind a value.
    pub after: bool,
    /// Whether the next one lies before a value.
    pub before: bool,
}

/// One query: clustering values that are equal, and the bounds of the next one.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment<'r> {
    /// What the first clustering columns are.
    pub equals: &'r [Value],
    /// Behind what the next one lies.
    pub after: Option<&'r Value>,
    /// Before what the next one lies.
    pub before: Option<&'r Value>,
}

impl Segment<'_> {
    /// The conditions without their values.
    pub fn shape(&self) -> Shape {
        Shape { equals: self.equals.len(), after: self.after.is_some(), before: self.before.is_some() }
    }
}

/// The queries for `range`, in the order in which they give its rows.
pub fn segments<'r>(table: &Table, range: &'r Range) -> Vec<Segment<'r>> {
    let after = range.after.as_deref().unwrap_or_default();
    let before = range.before.as_deref().unwrap_or_default();
    let same = after.iter().zip(before).take_while(|(after, before)| after == before).count();
    if same > 0 && (same == after.len() || same == before.len()) {
        // One bound stands for all that begin with it, the other is among them.
        return Vec::new();
    }
    if let (Some(begin), Some(end)) = (after.get(same), before.get(same)) {
        let backwards = match table.clustering[same] {
            Order::Ascending => begin > end,
            Order::Descending => begin < end,
        };
        if backwards {
            return Vec::new();
        }
    }
    let inner = (same + 1)..after.len();
    let behind = inner.rev().map(|at| Segment { equals: &after[..at], after: Some(&after[at]), before: None });
    let equals = if after.len() > before.len() { &after[..same] } else { &before[..same] };
    let middle = Segment { equals, after: after.get(same), before: before.get(same) };
    let ahead =
        ((same + 1)..before.len()).map(|at| Segment { equals: &before[..at], after: None, before: Some(&before[at]) });
    let mut segments: Vec<Segment<'r>> = behind.chain([middle]).chain(ahead).collect();
    if range.reverse {
        segments.reverse();
    }
    segments
}

#[cfg(test)]
mod tests {
    use feira_projection_store::{Column, ColumnType};
    use proptest::prelude::*;

    use super::*;

    static MIXED: Table = Table {
        name: "mixed_v1",
        columns: &[
            Column { name: "tenant", kind: ColumnType::Text },
            Column { name: "a", kind: ColumnType::Int },
            Column { name: "b", kind: ColumnType::Int },
            Column { name: "c", kind: ColumnType::Int },
        ],
        partition: 1,
        clustering: &[Order::Descending, Order::Ascending, Order::Descending],
        doc: "Three clustering columns.",
    };

    fn ordered(at: usize, value: &Value) -> i32 {
        match (value, MIXED.clustering[at]) {
            (Value::Int(number), Order::Ascending) => *number,
            (Value::Int(number), Order::Descending) => -number,
            _ => 0,
        }
    }

    fn bound() -> impl Strategy<Value = Option<Vec<Value>>> {
        proptest::option::of(proptest::collection::vec((0i32..3).prop_map(Value::Int), 1..4))
    }

    proptest! {
        #[test]
        fn queries_together_give_the_range_in_order(after in bound(), before in bound(), reverse in any::<bool>()) {
            let mut keys: Vec<Vec<Value>> = Vec::new();
            for a in [2, 1, 0] {
                for b in [0, 1, 2] {
                    for c in [2, 1, 0] {
                        keys.push([a, b, c].map(Value::Int).to_vec());
                    }
                }
            }
            let compare = |key: &[Value], bound: &[Value]| {
                let pairs = key.iter().zip(bound).enumerate();
                pairs.map(|(at, (key, bound))| ordered(at, key).cmp(&ordered(at, bound)))
                    .find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
            };
            let range = Range { after, before, reverse, limit: 100 };
            let within = |key: &&Vec<Value>| {
                range.after.as_ref().is_none_or(|after| compare(key, after).is_gt())
                    && range.before.as_ref().is_none_or(|before| compare(key, before).is_lt())
            };
            let mut expected: Vec<Vec<Value>> = keys.iter().filter(within).cloned().collect();
            let mut read = Vec::new();
            for segment in segments(&MIXED, &range) {
                let at = segment.equals.len();
                let fits = |key: &&Vec<Value>| {
                    key.starts_with(segment.equals)
                        && segment.after.is_none_or(|after| ordered(at, &key[at]) > ordered(at, after))
                        && segment.before.is_none_or(|before| ordered(at, &key[at]) < ordered(at, before))
                };
                let mut some: Vec<Vec<Value>> = keys.iter().filter(fits).cloned().collect();
                if reverse {
                    some.reverse();
                }
                read.extend(some);
            }
            if reverse {
                expected.reverse();
            }
            prop_assert_eq!(read, expected);
        }
    }
}
