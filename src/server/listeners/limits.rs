//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts connections over all listeners. Cheap to clone.
#[derive(Clone)]
pub struct ConnectionLimits {
    all: Arc<Semaphore>,
    per_address_max: u32,
    /// Only addresses with open connections.
    by_address: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

/// A place among all connections, given back when dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// A place among the connections of one address, given back when dropped.
pub struct AddressPlace {
    address: IpAddr,
    by_address: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl ConnectionLimits {
    /// At most `all_max` connections, and `per_address_max` from one address.
    pub fn new(all_max: u32, per_address_max: u32) -> Self {
        let all_max = usize::try_from(all_max).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Self { all: Arc::new(Semaphore::new(all_max)), per_address_max, by_address: Arc::default() }
    }

    /// Waits for a place.
    pub async fn place(&self) -> Place {
        let permit = Arc::clone(&self.all).acquire_owned().await;
        Place(permit.expect("this semaphore is never closed"))
    }

    /// A place for one more connection from `address`; `None` when it has too many.
    /// Loopback has no limit: a reverse proxy connects from there for everybody.
    pub fn place_for(&self, address: IpAddr) -> Option<Option<AddressPlace>> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return Some(None);
        }
        let mut by_address = self.by_address.lock();
        let count = by_address.entry(address).or_insert(0);
        if *count >= self.per_address_max {
            return None;
        }
        *count += 1;
        Some(Some(AddressPlace { address, by_address: Arc::clone(&self.by_address) }))
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut by_address = self.by_address.lock();
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::ConnectionLimits;

    #[test]
    fn an_address_has_only_so_many_places_and_gets_them_back() {
        let limits = ConnectionLimits::new(10, 2);
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        let first = limits.place_for(peer).unwrap();
        let _second = limits.place_for("::ffff:192.0.2.1".parse().unwrap()).unwrap();
        assert!(limits.place_for(peer).is_none());
        assert!(limits.place_for("192.0.2.2".parse().unwrap()).is_some());
        drop(first);
        assert!(limits.place_for(peer).is_some());
        assert_eq!(limits.by_address.lock().len(), 1, "addresses without connections are forgotten");
    }

    #[test]
    fn loopback_is_not_counted() {
        let limits = ConnectionLimits::new(10, 0);
        assert!(limits.place_for("127.0.0.1".parse().unwrap()).is_some());
        assert!(limits.place_for("::1".parse().unwrap()).is_some());
    }

    #[tokio::test]
    async fn all_places_together_have_a_limit() {
        let limits = ConnectionLimits::new(1, 1);
        let place = limits.place().await;
        assert!(futures_util::FutureExt::now_or_never(limits.place()).is_none());
        drop(place);
        assert!(futures_util::FutureExt::now_or_never(limits.place()).is_some());
    }
}
