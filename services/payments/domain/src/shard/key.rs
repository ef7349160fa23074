//! The keys of entities. Snapshots are kept under them: what a key is made of never changes.
//!
//! A decision puts one together for each entity that it reads, and an event for each that it changes; so a key of usual
//! length takes no memory of its own.

use std::ops::Deref;
use std::str;

use feira_ids::AccountId;

/// The longest key that lies in place, in bytes.
const SHORT_BYTES_MAX: usize = 96;

/// A key, to be read as text.
#[derive(Clone, Debug)]
pub struct Key(Text);

#[derive(Clone, Debug)]
enum Text {
    Short { bytes: [u8; SHORT_BYTES_MAX], length: usize },
    Long(String),
}

impl Key {
    fn of<const N: usize>(parts: [&str; N]) -> Self {
        let mut bytes = [0; SHORT_BYTES_MAX];
        let mut length = 0;
        for part in parts {
            let Some(place) = bytes.get_mut(length..length + part.len()) else {
                return Self(Text::Long(parts.concat()));
            };
            place.copy_from_slice(part.as_bytes());
            length += part.len();
        }
        Self(Text::Short { bytes, length })
    }
}

impl Deref for Key {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Text::Short { bytes, length } => str::from_utf8(&bytes[..*length]).expect("it is made of whole texts"),
            Text::Long(text) => text,
        }
    }
}

/// An account.
pub fn account(account: &AccountId) -> Key {
    Key::of(["account/", account.as_str()])
}

/// A transfer that this shard pays.
pub fn outgoing(transfer: &str) -> Key {
    Key::of(["outgoing/", transfer])
}

/// A transfer that another shard pays. Ids are chosen by payers' sides: two payers may choose the same.
pub fn incoming(transfer: &str, from: &AccountId) -> Key {
    Key::of(["incoming/", transfer, "/", from.as_str()])
}

/// A request.
pub fn request(request: &str) -> Key {
    Key::of(["request/", request])
}

/// An intent.
pub fn intent(intent: &str) -> Key {
    Key::of(["intent/", intent])
}

/// A regime that was stopped.
pub fn suspended(regime: &str) -> Key {
    Key::of(["suspended/", regime])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_snapshots_are_kept_under() {
        let ana = AccountId::new(2, "person", "ana").unwrap();
        let keys = [
            account(&ana),
            outgoing("0a"),
            incoming("0a", &ana),
            request("r"),
            intent("i"),
            suspended("BR-trial-2020"),
        ];
        let texts = [
            "account/2/person/ana",
            "outgoing/0a",
            "incoming/0a/2/person/ana",
            "request/r",
            "intent/i",
            "suspended/BR-trial-2020",
        ];
        assert!(keys.iter().map(|key| &**key).eq(texts));
    }

    #[test]
    fn a_key_is_whole_however_long_it_is() {
        for length in 0..2 * SHORT_BYTES_MAX {
            let name = "é".repeat(length);
            assert_eq!(&*request(&name), ["request/", &name].concat());
        }
    }
}
