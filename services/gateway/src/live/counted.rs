//! How many of something each caller has at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Places, so many for each and so many for all.
#[derive(Clone)]
pub(crate) struct Places(Arc<Taken>);

struct Taken {
    each_max: usize,
    all_max: usize,
    taken: Mutex<(HashMap<Arc<str>, usize>, usize)>,
}

/// A place that is taken; given back when it is dropped.
pub(crate) struct Counted {
    places: Places,
    by: Arc<str>,
}

impl Places {
    pub(crate) fn new(each_max: usize, all_max: usize) -> Self {
        Self(Arc::new(Taken { each_max, all_max, taken: Mutex::default() }))
    }

    /// How many each may have.
    pub(crate) fn each_max(&self) -> usize {
        self.0.each_max
    }

    /// A place for `by`; none when there is none left.
    pub(crate) fn take(&self, by: &Arc<str>) -> Option<Counted> {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (of_each, all) = &mut *taken;
        if *all >= self.0.all_max || of_each.get(by).is_some_and(|count| *count >= self.0.each_max) {
            return None;
        }
        *of_each.entry(by.clone()).or_default() += 1;
        *all += 1;
        Some(Counted { places: self.clone(), by: by.clone() })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut taken = self.places.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (of_each, all) = &mut *taken;
        *all -= 1;
        if let Some(count) = of_each.get_mut(&self.by) {
            *count -= 1;
            if *count == 0 {
                of_each.remove(&self.by);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_so_many_and_all_have_so_many() {
        let places = Places::new(2, 3);
        let (ana, bia): (Arc<str>, Arc<str>) = ("ana".into(), "bia".into());
        let first = places.take(&ana);
        let _second = places.take(&ana).unwrap();
        assert!(places.take(&ana).is_none());
        let _other = places.take(&bia).unwrap();
        assert!(places.take(&bia).is_none(), "there are no more for anybody");
        drop(first);
        assert!(places.take(&bia).is_some());
    }
}
