//! Aggregates: their kinds, and the ids that name one.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest key of an aggregate, in bytes.
pub const KEY_BYTES_MAX: usize = 200;

/// The name of a kind of aggregate, as it heads the ids.
pub type KindName = &'static str;

/// A kind of aggregate and the service that decides for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// How ids of this kind begin.
    pub name: KindName,
    /// The service whose lanes hold it.
    pub service: &'static str,
}

/// Every kind there is: the one place that says who decides for what.
pub const KINDS: &[Kind] = &[
    Kind { name: "product", service: "catalog" },
    Kind { name: "stock", service: "catalog" },
    Kind { name: "cart", service: "cart" },
    Kind { name: "order", service: "cart" },
    Kind { name: "business", service: "conversation" },
    Kind { name: "sender", service: "conversation" },
    Kind { name: "contact", service: "conversation" },
    Kind { name: "template", service: "conversation" },
    Kind { name: "thread", service: "conversation" },
    Kind { name: "shard", service: "payments" },
    Kind { name: "usage", service: "billing" },
    Kind { name: "invoice", service: "billing" },
    // The next service goes above.
];

/// The kind called `name`.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// An aggregate within its tenant, written `kind:key`: `cart:BR.1234`, `product:CAFE-250`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>", into = "Arc<str>")]
pub struct AggregateId(Arc<str>);

/// Why a text names no aggregate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AggregateIdError {
    /// No colon, or nothing known before it.
    #[error("no kind of aggregate is called {0:?}")]
    UnknownKind(String),
    /// The key is empty, too long, or has characters that cannot be shown.
    #[error("the key after the kind is 1 to {KEY_BYTES_MAX} bytes without control characters or outer spaces")]
    BadKey,
}

impl AggregateId {
    /// The aggregate of `kind` with `key`.
    ///
    /// # Errors
    /// [`AggregateIdError`] when the kind is unknown or the key has a wrong form.
    pub fn new(kind_name: &str, key: &str) -> Result<Self, AggregateIdError> {
        if kind(kind_name).is_none() {
            return Err(AggregateIdError::UnknownKind(kind_name.to_owned()));
        }
        let fits = (1..=KEY_BYTES_MAX).contains(&key.len()) && !key.chars().any(char::is_control) && key.trim() == key;
        if fits { Ok(Self(format!("{kind_name}:{key}").into())) } else { Err(AggregateIdError::BadKey) }
    }

    /// Reads `kind:key`.
    ///
    /// # Errors
    /// As [`AggregateId::new`].
    pub fn parse(text: &str) -> Result<Self, AggregateIdError> {
        let (kind_name, key) =
            text.split_once(':').ok_or_else(|| AggregateIdError::UnknownKind(text.chars().take(40).collect()))?;
        Self::new(kind_name, key)
    }

    /// The whole id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The kind's name.
    pub fn kind_name(&self) -> &str {
        self.0.split_once(':').map_or("", |(kind_name, _)| kind_name)
    }

    /// The key within the kind.
    pub fn key(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, key)| key)
    }
}

impl TryFrom<Arc<str>> for AggregateId {
    type Error = AggregateIdError;

    fn try_from(text: Arc<str>) -> Result<Self, AggregateIdError> {
        Self::parse(&text)
    }
}

impl From<AggregateId> for Arc<str> {
    fn from(id: AggregateId) -> Self {
        id.0
    }
}

impl fmt::Display for AggregateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_as_written() {
        let id = AggregateId::new("product", "चाय:250 g").unwrap();
        assert_eq!((id.kind_name(), id.key()), ("product", "चाय:250 g"));
        assert_eq!(AggregateId::parse(id.as_str()).unwrap(), id);
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for text in ["", "cart", "cart:", "basket:1", "cart: 1", "cart:a\nb", ":x"] {
            assert!(AggregateId::parse(text).is_err(), "{text:?}");
        }
        assert!(AggregateId::new("cart", &"x".repeat(KEY_BYTES_MAX + 1)).is_err());
    }
}
