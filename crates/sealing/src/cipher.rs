//! AES-256-GCM-SIV over a subject's content.
//!
//! The nonce comes from the event and the field, so that sealing again gives the same bytes; should two contents ever
//! meet under one nonce, this cipher shows no more than whether they are equal. The subject is associated data: what is
//! sealed for one does not open for another. The field is not, because whoever opens a row does not know which event
//! wrote it; the nonce holds both, and can be compared with [`nonce`] by whoever does.

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use feira_ids::EventId;
use sha2::{Digest, Sha256};

use crate::Key;

/// Set before the subject: what we seal some other day in another way opens in no other.
const DOMAIN: &[u8] = b"feira-sealed-1\0";

/// The nonce of `field` in `event`: the first 12 bytes of SHA-256 over the event's 16 bytes and the field's name.
pub fn nonce(event: EventId, field: &str) -> [u8; 12] {
    let digest = Sha256::new().chain_update(event.0.0).chain_update(field).finalize();
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&digest[..12]);
    nonce
}

/// Ciphertext and tag of `content`; nothing when it is longer than the cipher takes (64 GiB).
pub fn encrypt(key: &Key, subject: &str, nonce: &[u8; 12], content: &[u8]) -> Option<Vec<u8>> {
    let aad = [DOMAIN, subject.as_bytes()].concat();
    let cipher = Aes256GcmSiv::new(key.as_bytes().into());
    cipher.encrypt(&Nonce::from(*nonce), Payload { msg: content, aad: &aad }).ok()
}

/// What [`encrypt`] sealed; nothing when it was changed, or sealed with another key or for another subject.
pub fn decrypt(key: &Key, subject: &str, nonce: &[u8; 12], ciphertext: &[u8]) -> Option<Vec<u8>> {
    let aad = [DOMAIN, subject.as_bytes()].concat();
    let cipher = Aes256GcmSiv::new(key.as_bytes().into());
    cipher.decrypt(&Nonce::from(*nonce), Payload { msg: ciphertext, aad: &aad }).ok()
}

#[cfg(test)]
mod tests {
    use feira_ids::Hash16;
    use proptest::prelude::*;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    }

    /// RFC 8452, appendix C.2: the key is 01 and zeros, the nonce 03 and zeros.
    #[test]
    fn the_cipher_is_the_published_one() {
        let mut key = [0; 32];
        key[0] = 1;
        let mut nonce = [0; 12];
        nonce[0] = 3;
        let cipher = Aes256GcmSiv::new(&key.into());
        let vectors = [
            ("", "", "07f5f4169bbf55a8400cd47ea6fd400f"),
            ("0100000000000000", "", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
            ("0200000000000000", "01", "1de22967237a813291213f267e3b452f02d01ae33e4ec854"),
        ];
        for (content, aad, expected) in vectors {
            let payload = Payload { msg: &hex(content), aad: &hex(aad) };
            assert_eq!(cipher.encrypt(&Nonce::from(nonce), payload).unwrap(), hex(expected));
        }
    }

    /// Kept for ever: a log written today must open tomorrow.
    #[test]
    fn what_was_sealed_once_opens_always() {
        let key = Key::from_bytes(&[7; 32]).unwrap();
        let nonce = nonce(EventId(Hash16([1; 16])), "note");
        let sealed = encrypt(&key, "feira-livre/BR.1", &nonce, "sem açúcar".as_bytes()).unwrap();
        assert_eq!(nonce[..], hex(GOLDEN_NONCE));
        assert_eq!(sealed, hex(GOLDEN_SEALED));
    }

    const GOLDEN_NONCE: &str = "dece58488089664c7205dbbc";
    const GOLDEN_SEALED: &str = "8d7d164296e3b5b03264a525300e98470103418da30217ed98c396f3";

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_the_same_gives_the_same(
            key in any::<[u8; 32]>(), event in any::<[u8; 16]>(), field in "[a-z]{1,9}", subject in ".{1,20}",
            content in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let (key, nonce) = (Key::from_bytes(&key).unwrap(), nonce(EventId(Hash16(event)), &field));
            let sealed = encrypt(&key, &subject, &nonce, &content).unwrap();
            prop_assert_eq!(encrypt(&key, &subject, &nonce, &content), Some(sealed.clone()));
            prop_assert_eq!(decrypt(&key, &subject, &nonce, &sealed), Some(content));
            prop_assert_eq!(decrypt(&key, &format!("{subject}x"), &nonce, &sealed), None);
        }

        #[test]
        fn a_changed_bit_does_not_open(content in ".{0,60}", at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let (key, nonce) = (Key::from_bytes(&[7; 32]).unwrap(), [1; 12]);
            let mut sealed = encrypt(&key, "a", &nonce, content.as_bytes()).unwrap();
            let at = at.index(sealed.len());
            sealed[at] ^= 1u8 << bit;
            prop_assert_eq!(decrypt(&key, "a", &nonce, &sealed), None);
        }

        #[test]
        fn any_bytes_open_to_nothing(sealed in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert_eq!(decrypt(&Key::from_bytes(&[7; 32]).unwrap(), "a", &[1; 12], &sealed), None);
        }
    }
}
