//! Cursors: a place in a list, sealed so that only what we gave out is taken back.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use feira_ids::TenantId;
use feira_rows::catalog::SHELVES;

use crate::auth::PlatformSecret;
use crate::error::ApiError;
use crate::reads::Place;

/// The form of cursor written now.
const FORM: u8 = 1;
const SEAL_BYTES: usize = 12;

/// The cursor of a product's place in its business's list.
pub(crate) fn write(secret: &PlatformSecret, tenant: &TenantId, place: &Place) -> String {
    let shelf = place.shelf as u8;
    let mut bytes = vec![FORM, shelf];
    bytes.extend_from_slice(&seal(secret, tenant, shelf, &place.sku));
    bytes.extend_from_slice(place.sku.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that a cursor stands for.
pub(crate) fn read(secret: &PlatformSecret, tenant: &TenantId, cursor: &str) -> Result<Place, ApiError> {
    place_of(secret, tenant, cursor)
        .ok_or_else(|| ApiError::BadInput("a cursor is taken as it was given for the same list".to_owned()))
}

fn place_of(secret: &PlatformSecret, tenant: &TenantId, cursor: &str) -> Option<Place> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (&[form, shelf], rest) = bytes.split_first_chunk::<2>()?;
    let (given, sku) = rest.split_first_chunk::<SEAL_BYTES>()?;
    let sku = std::str::from_utf8(sku).ok()?;
    if form != FORM || u32::from(shelf) >= SHELVES {
        return None;
    }
    let made = seal(secret, tenant, shelf, sku);
    // Every byte is looked at, so that the time taken does not say how many were right.
    let differs = given.iter().zip(made).fold(0, |differs, (given, made)| differs | (given ^ made));
    (differs == 0).then(|| Place { shelf: i32::from(shelf), sku: Arc::from(sku) })
}

fn seal(secret: &PlatformSecret, tenant: &TenantId, shelf: u8, sku: &str) -> [u8; SEAL_BYTES] {
    secret.cursor_seal(&[b"products", tenant.as_str().as_bytes(), &[FORM, shelf], sku.as_bytes()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secret() -> PlatformSecret {
        PlatformSecret::from_bytes(&[3; 32])
    }

    fn shop(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back_and_only_for_its_list(shelf in 0..SHELVES as i32, sku in ".{1,40}") {
            let place = Place { shelf, sku: sku.as_str().into() };
            let cursor = write(&secret(), &shop("feira-livre"), &place);
            prop_assert_eq!(read(&secret(), &shop("feira-livre"), &cursor), Ok(place));
            prop_assert!(read(&secret(), &shop("mumbai-bazaar"), &cursor).is_err());
            prop_assert!(read(&PlatformSecret::from_bytes(&[4; 32]), &shop("feira-livre"), &cursor).is_err());
        }

        #[test]
        fn a_changed_cursor_is_refused(at in 0usize..40, flip in 1u8..=255, bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let cursor = write(&secret(), &shop("feira-livre"), &Place { shelf: 2, sku: "CAFE-250".into() });
            let mut changed = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let at = at % changed.len();
            changed[at] ^= flip;
            prop_assert!(read(&secret(), &shop("feira-livre"), &URL_SAFE_NO_PAD.encode(changed)).is_err());
            prop_assert!(read(&secret(), &shop("feira-livre"), &URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }
    }
}
