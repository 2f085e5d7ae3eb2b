//! Work that many ask for at the same time and one does.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;

/// What is being worked on now.
pub(super) struct UnderWay<K>(Mutex<HashMap<K, Arc<tokio::sync::Mutex<()>>>>);

impl<K> Default for UnderWay<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash> UnderWay<K> {
    /// Runs `work` when nobody else works on the same key. Whoever waited has to look first whether it is done.
    pub(super) async fn alone<T>(&self, key: &K, work: impl Future<Output = T>) -> T {
        let place = Place { all: self, key, lock: Some(Arc::clone(self.0.lock().entry(key.clone()).or_default())) };
        match &place.lock {
            Some(lock) => {
                let _mine = lock.lock().await;
                work.await
            }
            None => work.await,
        }
    }
}

/// A place among those who wait; also one who gives up leaves it.
struct Place<'a, K: Clone + Eq + Hash> {
    all: &'a UnderWay<K>,
    key: &'a K,
    lock: Option<Arc<tokio::sync::Mutex<()>>>,
}

impl<K: Clone + Eq + Hash> Drop for Place<'_, K> {
    fn drop(&mut self) {
        let mut all = self.all.0.lock();
        self.lock = None;
        if all.get(self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            all.remove(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UnderWay;

    #[tokio::test]
    async fn one_works_at_a_time_and_nothing_is_kept() {
        let (under_way, running) = (UnderWay::default(), std::cell::Cell::new(0));
        let work = async || {
            running.set(running.get() + 1);
            assert_eq!(running.get(), 1);
            tokio::task::yield_now().await;
            running.set(running.get() - 1);
        };
        let all = (0..10).map(|_| under_way.alone(&"key", work()));
        futures_util::future::join_all(all).await;
        // One who gives up while waiting.
        let held = under_way.alone(&"key", std::future::pending::<()>());
        let waiting = under_way.alone(&"key", work());
        futures_util::future::select(Box::pin(held), Box::pin(async { tokio::task::yield_now().await })).await;
        drop(waiting);
        assert!(under_way.0.lock().is_empty());
    }
}
