//! What those that were found together each have of one kind: one load for all of them.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::error::ApiError;

/// What one of those that were found together has: read for all of them when the first is asked for it.
pub(crate) struct Share<K, T> {
    of: Arc<Together<K, T>>,
    place: usize,
}

struct Together<K, T> {
    keys: Vec<K>,
    read: OnceCell<Vec<T>>,
}

impl<K, T> Share<K, T> {
    /// The share of each of `keys`.
    pub(crate) fn each(keys: Vec<K>) -> impl Iterator<Item = Self> {
        let places = 0..keys.len();
        let of = Arc::new(Together { keys, read: OnceCell::new() });
        places.map(move |place| Self { of: of.clone(), place })
    }

    /// The share of one that was found alone.
    pub(crate) fn alone(key: K) -> Self {
        Self { of: Arc::new(Together { keys: vec![key], read: OnceCell::new() }), place: 0 }
    }

    /// A share that need not be read.
    pub(crate) fn known(key: K, content: T) -> Self {
        Self { of: Arc::new(Together { keys: vec![key], read: OnceCell::new_with(Some(vec![content])) }), place: 0 }
    }

    /// The shares of all, in the order of their keys. `read` answers them in that order.
    pub(crate) async fn of_all<'s, F>(&'s self, read: impl FnOnce(&'s [K]) -> F) -> Result<&'s [T], ApiError>
    where
        F: Future<Output = Result<Vec<T>, ApiError>>,
    {
        self.of.read.get_or_try_init(|| read(&self.of.keys)).await.map(Vec::as_slice)
    }

    /// This one's share.
    pub(crate) async fn get<'s, F>(&'s self, read: impl FnOnce(&'s [K]) -> F) -> Result<&'s T, ApiError>
    where
        F: Future<Output = Result<Vec<T>, ApiError>>,
    {
        let all = self.of_all(read).await?;
        all.get(self.place).ok_or_else(|| ApiError::fault("not every share was read"))
    }
}

/// What `make` makes of all that was found, each in the place where it was asked for.
pub(crate) fn in_their_places<R, T>(found: Vec<Option<R>>, make: impl FnOnce(Vec<R>) -> Vec<T>) -> Vec<Option<T>> {
    let there: Vec<bool> = found.iter().map(Option::is_some).collect();
    let mut made = make(found.into_iter().flatten().collect()).into_iter();
    there.into_iter().map(|there| if there { made.next() } else { None }).collect()
}
