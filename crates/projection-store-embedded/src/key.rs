//! Primary keys as bytes that stand in clustering order.
//!
//! Every value's bytes end by themselves, so that no key begins with another one's value and a key's values can follow
//! each other without lengths. A descending column has all its bits turned.

use std::borrow::Cow;

use bytes::Bytes;
use feira_projection_store::{Column, ColumnType, Order, Table, Value};

/// In a text or blob a zero byte is written as these two; [`END`] closes it and stands before them.
const ZERO: [u8; 2] = [0, 0xff];
const END: [u8; 2] = [0, 1];

/// The bytes of a whole primary key, of a partition key, or of a partition key and a prefix of the clustering key.
pub fn encode(table: &Table, values: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.iter().map(|value| value.content_len() + 2).sum());
    extend(table, &mut bytes, 0, values);
    bytes
}

/// Appends `values`, of which the first stands in column `first`.
pub fn extend(table: &Table, bytes: &mut Vec<u8>, first: usize, values: &[Value]) {
    for (place, value) in (first..).zip(values) {
        let begin = bytes.len();
        encode_value(bytes, value);
        if descends(table, place) {
            bytes[begin..].iter_mut().for_each(|byte| *byte = !*byte);
        }
    }
}

/// The first bytes behind all that begin with `bytes`.
pub fn behind(mut bytes: Vec<u8>) -> Vec<u8> {
    while let Some(last) = bytes.last_mut() {
        if *last < 0xff {
            *last += 1;
            break;
        }
        bytes.pop();
    }
    bytes
}

/// Appends the values of the key columns from `first` on to `row`; nothing when `bytes` are no such values.
pub fn decode(table: &Table, first: usize, mut bytes: &[u8], row: &mut Vec<Option<Value>>) -> Option<()> {
    for (place, column) in table.key_columns().iter().enumerate().skip(first) {
        let turned = if descends(table, place) { 0xff } else { 0 };
        let (value, rest) = decode_value(column, bytes, turned)?;
        row.push(Some(value));
        bytes = rest;
    }
    bytes.is_empty().then_some(())
}

fn descends(table: &Table, place: usize) -> bool {
    place >= table.partition && table.clustering[place - table.partition] == Order::Descending
}

fn encode_value(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(text) => encode_bytes(bytes, text.as_bytes()),
        Value::Blob(blob) => encode_bytes(bytes, blob),
        // With the sign bit turned, negative numbers stand first.
        Value::BigInt(number) | Value::Timestamp(number) => {
            bytes.extend_from_slice(&(*number as u64 ^ 1 << 63).to_be_bytes());
        }
        Value::Int(number) => bytes.extend_from_slice(&(*number as u32 ^ 1 << 31).to_be_bytes()),
        Value::Boolean(flag) => bytes.push(u8::from(*flag)),
        // No key column is a list; the store refuses it before it comes here.
        Value::TextList(texts) => texts.iter().for_each(|text| encode_bytes(bytes, text.as_bytes())),
    }
}

fn encode_bytes(bytes: &mut Vec<u8>, content: &[u8]) {
    for byte in content {
        match byte {
            0 => bytes.extend_from_slice(&ZERO),
            byte => bytes.push(*byte),
        }
    }
    bytes.extend_from_slice(&END);
}

fn decode_value<'b>(column: &Column, bytes: &'b [u8], turned: u8) -> Option<(Value, &'b [u8])> {
    match column.kind {
        ColumnType::Text => {
            let (content, rest) = decode_bytes(bytes, turned)?;
            Some((Value::Text(std::str::from_utf8(&content).ok()?.into()), rest))
        }
        ColumnType::Blob => {
            decode_bytes(bytes, turned).map(|(content, rest)| (Value::Blob(Bytes::from(content.into_owned())), rest))
        }
        ColumnType::BigInt => decode_long(bytes, turned).map(|(number, rest)| (Value::BigInt(number), rest)),
        ColumnType::Timestamp => decode_long(bytes, turned).map(|(number, rest)| (Value::Timestamp(number), rest)),
        ColumnType::Int => {
            let (number, rest) = bytes.split_first_chunk::<4>()?;
            let number = u32::from_be_bytes(number.map(|byte| byte ^ turned)) ^ 1 << 31;
            Some((Value::Int(number as i32), rest))
        }
        ColumnType::Boolean => {
            let (flag, rest) = bytes.split_first()?;
            let flag = match flag ^ turned {
                0 => false,
                1 => true,
                _ => return None,
            };
            Some((Value::Boolean(flag), rest))
        }
        ColumnType::TextList => None,
    }
}

fn decode_long(bytes: &[u8], turned: u8) -> Option<(i64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    Some(((u64::from_be_bytes(number.map(|byte| byte ^ turned)) ^ 1 << 63) as i64, rest))
}

fn decode_bytes(bytes: &[u8], turned: u8) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let first_zero = bytes.iter().position(|byte| byte ^ turned == 0)?;
    let (head, mut rest) = bytes.split_at(first_zero);
    if turned == 0 && rest.starts_with(&END) {
        // Nearly every key: it stands there as it is.
        return Some((Cow::Borrowed(head), &rest[END.len()..]));
    }
    let mut content: Vec<u8> = head.iter().map(|byte| byte ^ turned).collect();
    loop {
        let (byte, behind) = rest.split_first()?;
        rest = behind;
        if byte ^ turned != 0 {
            content.push(byte ^ turned);
            continue;
        }
        let (second, behind) = rest.split_first()?;
        rest = behind;
        match [0, second ^ turned] {
            ZERO => content.push(0),
            END => return Some((Cow::Owned(content), rest)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    static MIXED: Table = Table {
        name: "mixed_v1",
        columns: &[
            Column { name: "tenant", kind: ColumnType::Text },
            Column { name: "word", kind: ColumnType::Text },
            Column { name: "raw", kind: ColumnType::Blob },
            Column { name: "big", kind: ColumnType::BigInt },
            Column { name: "small", kind: ColumnType::Int },
            Column { name: "flag", kind: ColumnType::Boolean },
            Column { name: "moment", kind: ColumnType::Timestamp },
            Column { name: "last", kind: ColumnType::Text },
        ],
        partition: 1,
        clustering: &[
            Order::Descending,
            Order::Ascending,
            Order::Descending,
            Order::Ascending,
            Order::Descending,
            Order::Ascending,
            Order::Descending,
        ],
        doc: "Keys of every type in both orders.",
    };

    fn a_key() -> impl Strategy<Value = Vec<Value>> {
        let text = || "[\0\u{1}aé😀\u{ffee}]{0,3}".prop_map(|text| Value::from(text.as_str()));
        let number = prop_oneof![Just(i64::MIN), -2i64..2, any::<i64>()];
        let raw = proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255), any::<u8>()], 0..4);
        let small = prop_oneof![-2i32..2, any::<i32>()];
        (text(), text(), raw, number.clone(), small, any::<bool>(), number, text()).prop_map(
            |(tenant, word, raw, big, small, flag, moment, last)| {
                let raw = Value::Blob(Bytes::from(raw));
                let moment = Value::Timestamp(moment);
                vec![tenant, word, raw, Value::BigInt(big), Value::Int(small), Value::Boolean(flag), moment, last]
            },
        )
    }

    fn order(a: &[Value], b: &[Value]) -> std::cmp::Ordering {
        let orders = a.iter().zip(b).enumerate().map(|(place, (a, b))| match descends(&MIXED, place) {
            true => b.cmp(a),
            false => a.cmp(b),
        });
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    }

    proptest! {
        #[test]
        fn bytes_stand_in_the_order_of_keys(a in a_key(), b in a_key(), same in 0usize..8) {
            // Keys that begin alike show the later columns.
            let b = [&a[..same], &b[same..]].concat();
            prop_assert_eq!(encode(&MIXED, &a).cmp(&encode(&MIXED, &b)), order(&a, &b));
        }

        #[test]
        fn a_key_is_read_as_written(key in a_key()) {
            let mut row = Vec::new();
            decode(&MIXED, 0, &encode(&MIXED, &key), &mut row).unwrap();
            prop_assert_eq!(row, key.into_iter().map(Some).collect::<Vec<_>>());
        }

        #[test]
        fn all_that_begin_with_a_prefix_lie_between_it_and_what_is_behind(
            key in a_key(), other in a_key(), length in 1usize..8, same in 0usize..8,
        ) {
            let other = [&key[..same], &other[same..]].concat();
            let prefix = encode(&MIXED, &key[..length]);
            let bytes = encode(&MIXED, &other);
            let between = bytes >= prefix && bytes < behind(prefix);
            prop_assert_eq!(between, other[..length] == key[..length]);
        }

        #[test]
        fn any_bytes_are_a_key_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut row = Vec::new();
            if decode(&MIXED, 0, &bytes, &mut row).is_some() {
                let key: Vec<Value> = row.into_iter().map(Option::unwrap).collect();
                prop_assert_eq!(encode(&MIXED, &key), bytes);
            }
        }
    }
}
