//! Avro values as JSON, for people and for tools that read lines.

use apache_avro::types::Value;
use serde_json::{Value as Json, json};

/// The value as JSON: records by their fields, enums by their symbols, bytes as hexadecimal digits.
pub(crate) fn json(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(flag) => json!(flag),
        Value::Int(number) | Value::Date(number) | Value::TimeMillis(number) => json!(number),
        Value::Long(number)
        | Value::TimeMicros(number)
        | Value::TimestampMillis(number)
        | Value::TimestampMicros(number)
        | Value::TimestampNanos(number)
        | Value::LocalTimestampMillis(number)
        | Value::LocalTimestampMicros(number)
        | Value::LocalTimestampNanos(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::Double(number) => json!(number),
        Value::String(text) | Value::Enum(_, text) => json!(text),
        Value::Bytes(bytes) | Value::Fixed(_, bytes) => json!(const_hex::encode(&bytes)),
        Value::Uuid(id) => json!(id.to_string()),
        Value::Union(_, inner) => json(*inner),
        Value::Array(items) => items.into_iter().map(json).collect(),
        Value::Map(entries) => entries.into_iter().map(|(key, value)| (key, json(value))).collect(),
        Value::Record(fields) => fields.into_iter().map(|(name, value)| (name, json(value))).collect(),
        // No schema of ours has one.
        Value::Decimal(_) | Value::BigDecimal(_) | Value::Duration(_) => json!(format!("{value:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_an_object_with_its_fields() {
        let line = vec![
            ("sku".to_owned(), Value::String("CAFE".to_owned())),
            ("photo".to_owned(), Value::Union(1, Box::new(Value::Bytes(vec![0, 255])))),
            ("class".to_owned(), Value::Enum(0, "FREE".to_owned())),
            ("tags".to_owned(), Value::Array(vec![Value::Long(7), Value::Null])),
        ];
        let expected = json!({ "sku": "CAFE", "photo": "00ff", "class": "FREE", "tags": [7, null] });
        assert_eq!(json(Value::Record(line)), expected);
    }
}
