//! Tests of the store over both engines: opening, the outbox, following, backup, a full disk.

mod disk_full;
mod follow;
mod maintenance;
mod opening;

use std::future::Future;

use futures_util::future::join_all;
use hearth_protocol::{Lane, LanePos};
use tokio_util::sync::CancellationToken;

use crate::{Place, Profile, ScanBy, StorageWorkers, Store, Table};

/// What other lanes are told, in the order of the lane that is told.
struct Inbox;
impl Table for Inbox {
    const NUMBER: u16 = 60_011;
    const NAME: &'static str = "test_inbox";
    const PROFILE: Profile = Profile::Queue;
    const PLACE: Place = Place::ByLane;
    type Key = (Lane, LanePos);
    type Value = u64;
}
impl ScanBy<Lane> for Inbox {}

/// A blind write on another lane.
struct Echoes;
impl Table for Echoes {
    const NUMBER: u16 = 60_012;
    const NAME: &'static str = "test_echoes";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByLane;
    type Key = (Lane, u64);
    type Value = u64;
}
impl ScanBy<Lane> for Echoes {}

/// Runs the workers until `work` is done.
async fn beside<T>(workers: StorageWorkers, work: impl Future<Output = T>) -> T {
    let stop = CancellationToken::new();
    let all = join_all(workers.into_iter().map(|worker| worker.run(stop.clone())));
    let work = async {
        let result = work.await;
        stop.cancel();
        result
    };
    tokio::join!(all, work).1
}

fn lanes_of(store: &Store) -> impl Iterator<Item = Lane> + use<> {
    (0..store.lanes()).map(Lane)
}
