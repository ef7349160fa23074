//! Cursors of subscriptions: the place of a frame in its lane, sealed so that only what we gave out is taken back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use feira_ids::LaneId;

use crate::auth::PlatformSecret;
use crate::error::ApiError;
use crate::live::{Place, Subject};

/// The form of cursor written now.
const FORM: u8 = 1;
/// The form, and three numbers.
const BODY_BYTES: usize = 1 + 3 * 8;
const SEAL_BYTES: usize = 12;

/// Where a frame stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    pub place: Place,
    /// The last version of the aggregate that was told or shown by then.
    pub version: u64,
}

/// The cursor of a frame of `subject` on `lane`.
pub(super) fn write(secret: &PlatformSecret, lane: &LaneId, subject: &Subject, cursor: &Cursor) -> String {
    let mut bytes = vec![FORM];
    for number in [cursor.place.seq, cursor.place.hint, cursor.version] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    let seal = seal(secret, lane, subject, &bytes);
    bytes.extend_from_slice(&seal);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Where the frame with `cursor` stands.
pub(super) fn read(
    secret: &PlatformSecret,
    lane: &LaneId,
    subject: &Subject,
    cursor: &str,
) -> Result<Cursor, ApiError> {
    cursor_of(secret, lane, subject, cursor).ok_or_else(|| {
        ApiError::BadInput("a cursor is taken as it was given, for the same subscription: or begin without one".into())
    })
}

fn cursor_of(secret: &PlatformSecret, lane: &LaneId, subject: &Subject, cursor: &str) -> Option<Cursor> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (body, given) = bytes.split_first_chunk::<BODY_BYTES>()?;
    if body[0] != FORM || given.len() != SEAL_BYTES {
        return None;
    }
    // Every byte is looked at, so that the time taken does not say how many were right.
    let made = seal(secret, lane, subject, body);
    let differs = given.iter().zip(made).fold(0, |differs, (given, made)| differs | (given ^ made));
    let number = |index: usize| {
        let at = 1 + index * 8;
        body.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes)
    };
    let (seq, hint, version) = (number(0)?, number(1)?, number(2)?);
    (differs == 0).then_some(Cursor { place: Place { seq, hint }, version })
}

fn seal(secret: &PlatformSecret, lane: &LaneId, subject: &Subject, body: &[u8]) -> [u8; SEAL_BYTES] {
    let lane = lane.to_string();
    let (tenant, what) = match subject {
        Subject::Aggregate(tenant, aggregate) => (tenant.as_str(), &**aggregate),
        Subject::Account(account) => ("", account.as_str()),
    };
    secret.cursor_seal(&[b"live", lane.as_bytes(), tenant.as_bytes(), what.as_bytes(), body])
}

#[cfg(test)]
mod tests {
    use feira_ids::{ServiceName, TenantId};
    use proptest::prelude::*;

    use super::*;

    fn lane(index: u32) -> LaneId {
        LaneId::new(&ServiceName::new("conversation"), index)
    }

    fn thread(key: &str) -> Subject {
        Subject::Aggregate(TenantId::new("feira-livre").unwrap(), key.into())
    }

    proptest! {
        #[test]
        fn a_cursor_goes_on_only_what_it_was_given_for(
            seq in any::<u64>(), hint in any::<u64>(), version in any::<u64>(),
            at in 0usize..BODY_BYTES + SEAL_BYTES, flip in 1u8..=255, text in ".{0,80}",
        ) {
            let secret = PlatformSecret::from_bytes(&[3; 32]);
            let cursor = Cursor { place: Place { seq, hint }, version };
            let written = write(&secret, &lane(1), &thread("thread:main/BR.1"), &cursor);
            prop_assert_eq!(read(&secret, &lane(1), &thread("thread:main/BR.1"), &written), Ok(cursor));
            prop_assert!(read(&secret, &lane(2), &thread("thread:main/BR.1"), &written).is_err());
            prop_assert!(read(&secret, &lane(1), &thread("thread:main/BR.2"), &written).is_err());
            let mut changed = URL_SAFE_NO_PAD.decode(&written).unwrap();
            changed[at] ^= flip;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            prop_assert!(read(&secret, &lane(1), &thread("thread:main/BR.1"), &changed).is_err());
            prop_assert!(read(&secret, &lane(1), &thread("thread:main/BR.1"), &text).is_err());
        }
    }
}
