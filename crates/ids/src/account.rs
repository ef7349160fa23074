//! Accounts of the ledger: each belongs to one shard, which its id carries.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::{AggregateId, KEY_BYTES_MAX};

/// An account: `<shard>/<kind>/<name>`, such as `2/person/ana`.
///
/// The shard is fixed when the account is opened, so that lanes can be added later without moving money. Kinds: `person`
/// and `biz` are owners' money; `ext` is money outside, `fee` the platform's income, `x` what one shard owes another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "Arc<str>")]
pub struct AccountId(Arc<str>);

/// A text that names no account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account is <shard>/<kind>/<name>, such as 2/person/ana, at most {KEY_BYTES_MAX} bytes")]
pub struct AccountIdError;

/// The kinds of accounts.
const KINDS: [&str; 5] = ["person", "biz", "ext", "fee", "x"];

impl AccountId {
    /// The account called `name` among those of `kind` in `shard`.
    ///
    /// # Errors
    /// [`AccountIdError`].
    pub fn new(shard: u32, kind: &str, name: &str) -> Result<Self, AccountIdError> {
        Self::parse(format!("{shard}/{kind}/{name}"))
    }

    /// Reads an id.
    ///
    /// # Errors
    /// [`AccountIdError`].
    pub fn parse(text: impl Into<Arc<str>>) -> Result<Self, AccountIdError> {
        let text = text.into();
        let mut parts = text.splitn(3, '/');
        let (shard, kind, name) = (parts.next(), parts.next(), parts.next());
        // Written one way only: no sign, no leading zero.
        let number = shard.filter(|shard| shard.parse::<u16>().is_ok_and(|number| number.to_string() == **shard));
        let named = name.is_some_and(|name| !name.is_empty() && !name.chars().any(char::is_control));
        let fits = number.is_some() && kind.is_some_and(|kind| KINDS.contains(&kind)) && named;
        if fits && text.len() <= KEY_BYTES_MAX && text.trim() == &*text { Ok(Self(text)) } else { Err(AccountIdError) }
    }

    /// The shard that holds it.
    pub fn shard(&self) -> u32 {
        self.parts().0.parse().unwrap_or_default()
    }

    /// What kind of account it is.
    pub fn kind(&self) -> &str {
        self.parts().1
    }

    /// Its name among those of its kind: an owner's id.
    pub fn name(&self) -> &str {
        self.parts().2
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The aggregate that decides about the account.
    pub fn aggregate(&self) -> AggregateId {
        AggregateId::new("shard", self.parts().0).expect("a number is a key")
    }

    /// Shard, kind and name. Every decision about money asks for them: the first two are short, and looked through byte
    /// by byte.
    fn parts(&self) -> (&str, &str, &str) {
        let (shard, rest) = cut(&self.0);
        let (kind, name) = cut(rest);
        (shard, kind, name)
    }
}

/// What stands before the first slash, and after it.
fn cut(text: &str) -> (&str, &str) {
    match text.bytes().position(|byte| byte == b'/') {
        Some(slash) => (&text[..slash], &text[slash + 1..]),
        None => (text, ""),
    }
}

impl TryFrom<Arc<str>> for AccountId {
    type Error = AccountIdError;

    fn try_from(text: Arc<str>) -> Result<Self, AccountIdError> {
        Self::parse(text)
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl From<AccountId> for Arc<str> {
    fn from(account: AccountId) -> Self {
        account.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_says_its_shard_and_its_owner() {
        let account = AccountId::new(2, "person", "ana/1").unwrap();
        assert_eq!((account.shard(), account.kind(), account.name()), (2, "person", "ana/1"));
        assert_eq!(AccountId::parse(account.as_str()).unwrap(), account);
        assert_eq!(account.aggregate().as_str(), "shard:2");
    }

    #[test]
    fn what_names_no_account_is_refused() {
        for text in
            ["", "2", "2/person", "2/person/", "02/person/a", "+2/person/a", "-1/person/a", "2/cash/a", "2/biz/a\n"]
        {
            assert_eq!(AccountId::parse(text), Err(AccountIdError), "{text:?}");
        }
        assert!(AccountId::new(2, "person", &"x".repeat(KEY_BYTES_MAX)).is_err());
    }
}
