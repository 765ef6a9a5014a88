//! What was read a moment ago and need not be read again: every post asks for its site and its thread.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

/// How long what another server or a command changed may go unnoticed here. Changes made here are noticed at once.
const FRESH_FOR: Duration = Duration::from_millis(250);
/// The most entries kept; then all are dropped, which costs a read each.
const CAPACITY: usize = 10_000;

/// Values that stay fresh for a moment. What is not there is never remembered, so that new things are seen at once.
#[derive(Debug)]
pub(super) struct Fresh<K, V>(RwLock<HashMap<K, (Instant, V)>>);

impl<K, V> Default for Fresh<K, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K: Eq + Hash, V: Clone> Fresh<K, V> {
    /// The value, if it was put here a moment ago.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (since, value) = entries.get(key)?;
        (since.elapsed() < FRESH_FOR).then(|| value.clone())
    }

    /// Keeps a value that was read at that moment or later.
    pub fn put(&self, key: K, value: V, since: Instant) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= CAPACITY {
            entries.clear();
        }
        entries.insert(key, (since, value));
    }

    /// Forgets a value that changed.
    pub fn forget<Q: Eq + Hash + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_fresh_for_a_moment_or_until_it_changes() {
        let fresh: Fresh<String, u8> = Fresh::default();
        fresh.put("a".into(), 1, Instant::now());
        assert_eq!(fresh.get("a"), Some(1));
        fresh.forget("a");
        assert_eq!(fresh.get("a"), None);
        let long_ago = Instant::now().checked_sub(FRESH_FOR);
        if let Some(long_ago) = long_ago {
            fresh.put("a".into(), 1, long_ago);
            assert_eq!(fresh.get("a"), None);
        }
    }
}
