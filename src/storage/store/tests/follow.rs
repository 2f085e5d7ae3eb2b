//! Writers, followers and the outbox under faults: nothing skipped, nothing twice.

use std::{cell::Cell, collections::HashMap, time::Duration};

use futures_util::future::join_all;
use hearth_protocol::{Lane, LanePos};
use proptest::prelude::*;

use super::{Echoes, Inbox, beside, lanes_of};
use crate::{
    CommitError, MemoryFaults, Page, Store, WriteFault, WriteFaults,
    engine::conformance::{Log, Notes, Rig},
};

const WRITERS: u64 = 6;
const WRITES: u64 = 12;

/// Where item `n` is written, and which lane is told.
fn lanes_for(store: &Store, n: u64) -> (Lane, Lane) {
    let lanes = u64::from(store.lanes());
    let lane = |n: u64| Lane(u16::try_from(n % lanes).unwrap());
    (lane(n), lane(n * 5 + 3))
}

/// One try to record item `n`: a claim, a log row, and two effects on another lane.
async fn record(store: &Store, n: u64) -> Result<crate::Committed, CommitError> {
    let (home, told) = lanes_for(store, n);
    let mut txn = store.txn().home(home);
    txn.assert_absent::<Notes>(&(home, n.to_string()));
    txn.put::<Notes>(&(home, n.to_string()), &String::new());
    let slot = txn.next_pos(home);
    txn.put_at::<Log>(&home, slot, &n);
    let slot = txn.outbox_pos(told);
    txn.outbox_put_at::<Inbox>(&told, slot, &n);
    txn.outbox_put::<Echoes>(&(told, n), &n);
    store.commit(txn).await
}

/// Records item `n` for sure, as a domain does: a conflict reads again.
async fn record_surely(store: &Store, n: u64) {
    let (home, _) = lanes_for(store, n);
    loop {
        match record(store, n).await {
            Ok(_) => return,
            Err(CommitError::Conflict { .. }) => {
                if store.get::<Notes>(&(home, n.to_string())).await.unwrap().is_some() {
                    return;
                }
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// Follows every lane as a sync does.
#[derive(Default)]
struct Follower {
    tokens: HashMap<Lane, LanePos>,
    logged: Vec<u64>,
    told: Vec<u64>,
    /// Items whose effects may still be under way, by their lane.
    pending: Vec<(Lane, LanePos, u64)>,
}

impl Follower {
    async fn step(&mut self, store: &Store) {
        for lane in lanes_of(store) {
            let token = self.tokens.get(&lane).copied().unwrap_or_default();
            let head = store.head(lane);
            assert!(head >= token, "heads never go back");
            let page = || Page::first(1_000).after((lane, token)).up_to((lane, head));
            for ((_, pos), n) in store.scan::<Log, _>(&lane, page()).await.unwrap().rows {
                self.logged.push(n);
                self.pending.push((lane, pos, n));
            }
            let told = store.scan::<Inbox, _>(&lane, page()).await.unwrap();
            self.told.extend(told.rows.into_iter().map(|(_, n)| n));
            self.tokens.insert(lane, head);
        }
        let marks: HashMap<Lane, LanePos> = lanes_of(store).map(|lane| (lane, store.applied_mark(lane))).collect();
        let pending = std::mem::take(&mut self.pending);
        for (lane, pos, n) in pending {
            if pos > marks[&lane] {
                self.pending.push((lane, pos, n));
                continue;
            }
            let (_, told) = lanes_for(store, n);
            let echo = store.get::<Echoes>(&(told, n)).await.unwrap();
            assert_eq!(echo, Some(n), "an effect up to the applied mark can be read");
        }
    }

    /// Whether everything that is going to be written was seen: comparing the two lists with each other is not
    /// enough, for both may lag behind the writers.
    fn is_done(&self) -> bool {
        let all = usize::try_from(WRITERS * WRITES).unwrap();
        self.pending.is_empty() && self.told.len() >= all && self.logged.len() >= all
    }
}

async fn write_and_follow(lanes: u16, faults: MemoryFaults) {
    let rig = Rig::memory(faults);
    let (store, workers) = Store::open(rig.options(lanes)).await.unwrap();
    let done = Cell::new(false);
    let write = async {
        let writers = (0..WRITERS).map(async |writer| {
            for n in 0..WRITES {
                record_surely(&store, writer * WRITES + n).await;
            }
        });
        join_all(writers).await;
        done.set(true);
    };
    let mut follower = Follower::default();
    let follow = async {
        while !done.get() || !follower.is_done() {
            follower.step(&store).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        follower.step(&store).await;
    };
    let all = beside(workers, async { tokio::join!(write, follow) });
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("it ends");
    let expected: Vec<u64> = (0..WRITERS * WRITES).collect();
    for mut found in [follower.logged, follower.told] {
        found.sort_unstable();
        assert_eq!(found, expected, "every item once");
    }
    for lane in lanes_of(&store) {
        assert_eq!(store.applied_mark(lane), store.head(lane), "nothing is outstanding");
    }
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn followers_neither_skip_nor_repeat(seed: u64, busy in 0u32..100, conflict in 0u32..100, unknown in 0u32..60) {
        for lanes in [1, 8] {
            let faults = MemoryFaults {
                seed,
                latency_us_max: 100,
                busy_per_mille: busy,
                conflict_per_mille: conflict,
                unknown_per_mille: unknown,
                ..MemoryFaults::default()
            };
            block_on(write_and_follow(lanes, faults));
        }
    }
}

#[tokio::test]
async fn effects_on_the_same_lane_are_in_the_same_commit() {
    for lanes in [1, 8] {
        let store = Rig::memory(MemoryFaults::default()).open(lanes).await;
        let mut txn = store.txn();
        // The home is not known yet when the effect is added.
        let slot = txn.outbox_pos(Lane(0));
        txn.outbox_put_at::<Inbox>(&Lane(0), slot, &1);
        txn.outbox_put::<Echoes>(&(Lane(0), 1), &1);
        let slot = txn.next_pos(Lane(0));
        txn.put_at::<Log>(&Lane(0), slot, &1);
        let before = store.counters();
        let committed = store.commit(txn).await.unwrap();
        assert_eq!(store.counters().since(before).total(), 1);
        assert_eq!(store.get::<Echoes>(&(Lane(0), 1)).await.unwrap(), Some(1));
        assert_eq!(committed.last, store.head(Lane(0)));
        assert_eq!(store.applied_mark(Lane(0)), store.head(Lane(0)));
        assert!(store.wait_applied(Lane(0), committed.last).await);
        assert_eq!(store.check().await.unwrap().iter().filter(|f| !f.table.is_empty()).count(), 0);
    }
}

#[tokio::test]
async fn a_caller_can_wait_for_its_effects() {
    for rig in [Rig::memory(MemoryFaults::default()), Rig::rocks()] {
        let (store, workers) = Store::open(rig.options(8)).await.unwrap();
        beside(workers, async {
            for n in 0..40 {
                let committed = record(&store, n).await.unwrap();
                assert!(store.wait_applied(committed.lane, committed.last).await);
                let (_, told) = lanes_for(&store, n);
                assert_eq!(store.get::<Echoes>(&(told, n)).await.unwrap(), Some(n));
            }
        })
        .await;
    }
}

#[tokio::test]
async fn effects_that_a_crash_left_are_applied_after_it() {
    for rig in [Rig::memory(MemoryFaults::default()), Rig::rocks()] {
        {
            // No worker runs: all effects are left.
            let (store, _) = Store::open(rig.options(8)).await.unwrap();
            for n in 0..20 {
                record(&store, n).await.unwrap();
                let (home, told) = lanes_for(&store, n);
                assert_eq!(home == told, store.applied_mark(home) == store.head(home));
            }
        }
        let (store, workers) = Store::open(rig.options(8)).await.unwrap();
        beside(workers, async {
            for lane in lanes_of(&store) {
                assert!(store.wait_applied(lane, store.head(lane)).await);
            }
        })
        .await;
        for n in 0..20 {
            let (_, told) = lanes_for(&store, n);
            assert_eq!(store.get::<Echoes>(&(told, n)).await.unwrap(), Some(n));
        }
    }
}

/// Item 1 lies in lane 1 and tells lane 0: the writes are its commit, the application, the deletion.
#[tokio::test]
async fn a_fault_at_every_write_in_turn_makes_no_half_change() {
    for fault in [WriteFault::Down, WriteFault::Busy, WriteFault::Unknown] {
        for nth in 1..=6 {
            let write_faults = WriteFaults::default();
            let rig = Rig::memory(MemoryFaults { write_faults: write_faults.clone(), ..MemoryFaults::default() });
            let (store, workers) = Store::open(rig.options(8)).await.unwrap();
            write_faults.fail_nth(nth, fault);
            let recorded = beside(workers, async {
                let recorded = record(&store, 1).await;
                store.wait_applied(Lane(1), store.head(Lane(1))).await.then_some(recorded).expect("applied in time")
            })
            .await;
            write_faults.clear();
            let (store, workers) = Store::open(rig.options(8)).await.unwrap();
            beside(workers, store.wait_applied(Lane(1), store.head(Lane(1)))).await;
            let noted = store.get::<Notes>(&(Lane(1), "1".to_owned())).await.unwrap().is_some();
            let logged = store.scan::<Log, _>(&Lane(1), Page::first(9)).await.unwrap().rows.len();
            let told = store.scan::<Inbox, _>(&Lane(0), Page::first(9)).await.unwrap().rows.len();
            let expected = usize::from(noted);
            assert_eq!((logged, told), (expected, expected), "{fault:?} at write {nth}: {recorded:?}");
            assert!(noted || recorded.is_err(), "what was acknowledged is there");
        }
    }
}
