//! What every keyring must keep, as rules that a test binary runs one by one.
//!
//! Each rule has subjects of its own, so that all of them can run at once on one keyring.
#![allow(clippy::unwrap_used, reason = "these are tests, kept here so that each keyring can run them")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use feira_events::Sealed;
use feira_ids::{EventId, Hash16};

use crate::{KeyError, Keyring, SUBJECT_BYTES_MAX, UnsealError};

/// Two keyrings on the same keys, as two processes have them.
pub type Two = (Arc<dyn Keyring>, Arc<dyn Keyring>);

/// A rule at work.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A rule and how to see whether a keyring keeps it.
pub struct Rule {
    /// The rule in words.
    pub name: &'static str,
    /// Panics when the keyring breaks it.
    pub run: fn(Two) -> Running,
}

macro_rules! rules {
    ($($name:ident),* $(,)?) => { vec![$(Rule { name: stringify!($name), run: |two| Box::pin($name(two)) }),*] };
}

/// All rules.
pub fn rules() -> Vec<Rule> {
    rules![
        what_is_sealed_opens_for_all,
        the_same_gives_the_same_bytes,
        a_subject_has_one_key_whoever_asks_first,
        each_subject_has_a_key_of_its_own,
        a_destroyed_key_opens_nothing_and_is_never_made_again,
        a_key_can_be_destroyed_before_it_was_made,
        making_and_destroying_at_once_ends_destroyed,
        opening_makes_no_key,
        what_was_changed_or_belongs_to_another_does_not_open,
        subjects_without_a_usable_name_are_refused,
    ]
}

fn event(number: u8) -> EventId {
    EventId(Hash16([number; 16]))
}

async fn seal(keyring: &Arc<dyn Keyring>, subject: &str, content: &str) -> Sealed<String> {
    keyring.seal(subject, event(1), "note", content).await.unwrap()
}

async fn what_is_sealed_opens_for_all((one, other): Two) {
    for content in ["", "sem açúcar", &"x".repeat(10_000)] {
        let sealed = one.seal("rule/opens", event(content.len() as u8), "note", content).await.unwrap();
        assert_eq!(one.unseal(&sealed).await.unwrap(), content);
        assert_eq!(other.unseal(&sealed).await.unwrap(), content);
        assert!(content.is_empty() || !format!("{sealed:?}").contains(content));
    }
}

async fn the_same_gives_the_same_bytes((one, other): Two) {
    let sealed = seal(&one, "rule/same", "text").await;
    assert_eq!(seal(&other, "rule/same", "text").await, sealed);
    assert_ne!(one.seal("rule/same", event(2), "note", "text").await.unwrap().ciphertext, sealed.ciphertext);
    assert_ne!(one.seal("rule/same", event(1), "name", "text").await.unwrap().ciphertext, sealed.ciphertext);
}

async fn a_subject_has_one_key_whoever_asks_first((one, other): Two) {
    for round in 0..5 {
        let ask = |number: usize| {
            let keyring = if number.is_multiple_of(2) { one.clone() } else { other.clone() };
            tokio::spawn(async move { keyring.key(&format!("rule/first/{round}")).await.unwrap() })
        };
        let asked: Vec<_> = (0..16).map(ask).collect();
        let first = one.key(&format!("rule/first/{round}")).await.unwrap();
        for key in asked {
            assert!(key.await.unwrap() == first, "two keys were given in round {round}");
        }
    }
}

async fn each_subject_has_a_key_of_its_own((one, _): Two) {
    assert!(one.key("rule/own/1").await.unwrap() != one.key("rule/own/2").await.unwrap());
}

async fn a_destroyed_key_opens_nothing_and_is_never_made_again((one, other): Two) {
    let subject = "rule/destroyed";
    let sealed = seal(&one, subject, "text").await;
    one.destroy(subject).await.unwrap();
    for keyring in [&one, &other] {
        assert!(matches!(keyring.unseal(&sealed).await, Err(UnsealError::Erased)));
        assert!(matches!(keyring.seal(subject, event(1), "note", "text").await, Err(KeyError::Erased)));
        assert!(matches!(keyring.key(subject).await, Err(KeyError::Erased)));
        keyring.destroy(subject).await.unwrap();
    }
    assert!(matches!(one.key(subject).await, Err(KeyError::Erased)));
}

async fn a_key_can_be_destroyed_before_it_was_made((one, other): Two) {
    one.destroy("rule/before").await.unwrap();
    assert!(matches!(one.key("rule/before").await, Err(KeyError::Erased)));
    assert!(matches!(other.key("rule/before").await, Err(KeyError::Erased)));
}

async fn making_and_destroying_at_once_ends_destroyed((one, other): Two) {
    for round in 0..10 {
        let subject = format!("rule/at_once/{round}");
        let (maker, name) = (other.clone(), subject.clone());
        let making = tokio::spawn(async move {
            for _ in 0..3 {
                match maker.key(&name).await {
                    Ok(_) | Err(KeyError::Erased) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
        one.destroy(&subject).await.unwrap();
        assert!(matches!(one.key(&subject).await, Err(KeyError::Erased)));
        making.await.unwrap();
        assert!(matches!(one.existing(&subject).await, Err(KeyError::Erased)));
    }
}

async fn opening_makes_no_key((one, _): Two) {
    let sealed = Sealed::from_parts("rule/stranger".into(), [1; 12], vec![0; 20]);
    assert!(matches!(one.unseal(&sealed).await, Err(UnsealError::NoKey)));
    assert!(matches!(one.existing("rule/stranger").await, Err(KeyError::Missing)));
}

async fn what_was_changed_or_belongs_to_another_does_not_open((one, _): Two) {
    let sealed = seal(&one, "rule/changed", "text").await;
    one.key("rule/another").await.unwrap();
    let mut flipped = sealed.clone();
    flipped.ciphertext[0] ^= 1;
    let mut renumbered = sealed.clone();
    renumbered.nonce[0] ^= 1;
    let mut short = sealed.clone();
    short.nonce.pop();
    let mut moved = sealed.clone();
    moved.subject = "rule/another".into();
    for wrong in [flipped, renumbered, short, moved] {
        assert!(matches!(one.unseal(&wrong).await, Err(UnsealError::Damaged)), "{wrong:?}");
    }
}

async fn subjects_without_a_usable_name_are_refused((one, _): Two) {
    for subject in ["", &"x".repeat(SUBJECT_BYTES_MAX + 1)] {
        assert!(matches!(one.key(subject).await, Err(KeyError::BadSubject)));
        assert!(matches!(one.destroy(subject).await, Err(KeyError::BadSubject)));
    }
    for subject in ["../../etc", "a/b\0c", "São Paulo/+55", &"x".repeat(SUBJECT_BYTES_MAX)] {
        one.key(subject).await.unwrap();
    }
}
