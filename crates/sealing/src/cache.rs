//! Keys used lately, so that not every message asks the keyring's store.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use crate::Key;

/// Keys by subject, each for a minute at most: so long a key lives on here after another process destroyed it.
pub struct KeyCache {
    keys: Mutex<Keys>,
}

struct Keys {
    known: LruCache<Arc<str>, (Key, Instant)>,
    /// Raised by every removal: what was read before one is not remembered after it.
    removals: u64,
}

impl KeyCache {
    /// How long a key is remembered.
    pub const AGE_MAX: Duration = Duration::from_secs(60);

    /// How many keys are remembered.
    const KEYS_MAX: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not zero");

    /// An empty one.
    pub fn new() -> Self {
        Self { keys: Mutex::new(Keys { known: LruCache::new(Self::KEYS_MAX), removals: 0 }) }
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of `subject`, if it was used lately.
    pub fn get(&self, subject: &str) -> Option<Key> {
        let mut keys = self.keys();
        let (key, since) = keys.known.get(subject)?;
        (since.elapsed() < Self::AGE_MAX).then(|| key.clone())
    }

    /// What to give to [`KeyCache::put`], asked before the key is read from where it is stored.
    pub fn begin(&self) -> u64 {
        self.keys().removals
    }

    /// Remembers the key of `subject`, unless some key was removed since `begun`.
    pub fn put(&self, subject: &str, key: &Key, begun: u64) {
        let mut keys = self.keys();
        if keys.removals == begun {
            keys.known.put(subject.into(), (key.clone(), Instant::now()));
        }
    }

    /// Forgets the key of `subject`, also for whoever is reading it just now.
    pub fn remove(&self, subject: &str) {
        let mut keys = self.keys();
        keys.known.pop(subject);
        keys.removals += 1;
    }
}

impl Default for KeyCache {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_read_before_it_was_destroyed_is_not_remembered_after() {
        let (cache, key) = (KeyCache::new(), Key::from_bytes(&[1; 32]).unwrap());
        let begun = cache.begin();
        cache.remove("a");
        cache.put("a", &key, begun);
        assert_eq!(cache.get("a"), None);
        cache.put("a", &key, cache.begin());
        assert_eq!(cache.get("a"), Some(key));
    }
}
