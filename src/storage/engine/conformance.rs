//! One suite for every engine: what a store may rely on. A new engine adds a line to [`engines`].

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use hearth_protocol::{Lane, LanePos, MockClock, SeededRng, UnixMs};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::{Refusal, batch::Batch};
use crate::{
    Cached, CommitError, Counter, Durability, Engine, LARGE_VALUE_BYTES_MAX, MemoryFaults, Page, Place, Profile,
    ScanBy, StampedValue, Store, StoreOptions, Table, VALUE_BYTES_MAX, WriteFault, WriteFaults, value,
};

pub(crate) struct Notes;
impl Table for Notes {
    const NUMBER: u16 = 60_001;
    const NAME: &'static str = "test_notes";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByLane;
    type Key = (Lane, String);
    type Value = String;
}
impl ScanBy<Lane> for Notes {}

pub(crate) struct Log;
impl Table for Log {
    const NUMBER: u16 = 60_002;
    const NAME: &'static str = "test_log";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByLane;
    type Key = (Lane, LanePos);
    type Value = u64;
}
impl ScanBy<Lane> for Log {}

struct Counters;
impl Table for Counters {
    const NUMBER: u16 = 60_003;
    const NAME: &'static str = "test_counters";
    const PROFILE: Profile = Profile::Small;
    const PLACE: Place = Place::ByLane;
    type Key = Lane;
    type Value = Counter;
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    at: LanePos,
    by: String,
}
value!(Seen, 1);
impl StampedValue for Seen {}

struct SeenAt;
impl Table for SeenAt {
    const NUMBER: u16 = 60_004;
    const NAME: &'static str = "test_seen_at";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByLane;
    type Key = Lane;
    type Value = Seen;
}

struct Large;
impl Table for Large {
    const NUMBER: u16 = 60_005;
    const NAME: &'static str = "test_large";
    const PROFILE: Profile = Profile::Blob;
    const PLACE: Place = Place::ByLane;
    const LARGE: bool = true;
    type Key = (Lane, u8);
    type Value = Vec<u8>;
}
impl ScanBy<Lane> for Large {}

/// An engine under test. Opening it again shows what its disk kept.
pub(crate) struct Rig {
    pub engine: Engine,
    pub faults: WriteFaults,
    _dir: Option<TempDir>,
}

pub(crate) const SERVER: &str = "conformance.example";

impl Rig {
    pub fn memory(faults: MemoryFaults) -> Self {
        Rig { faults: faults.write_faults.clone(), engine: Engine::Memory(faults), _dir: None }
    }

    pub fn rocks() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let engine = rocks_engine(dir.path());
        Rig { engine, faults: WriteFaults::default(), _dir: Some(dir) }
    }

    pub fn options(&self, lanes: u16) -> StoreOptions {
        options(self.engine.clone(), lanes)
    }

    pub async fn open(&self, lanes: u16) -> Store {
        Store::open_with_faults(self.options(lanes), self.faults.clone()).await.unwrap().0
    }
}

pub(crate) fn rocks_engine(path: &std::path::Path) -> Engine {
    Engine::Rocks {
        path: path.to_owned(),
        block_cache_bytes: 8 << 20,
        write_buffer_bytes: 4 << 20,
        durability: Durability::Sync,
    }
}

pub(crate) fn options(engine: Engine, lanes: u16) -> StoreOptions {
    StoreOptions {
        engine,
        lanes,
        server_name: SERVER.try_into().unwrap(),
        clock: Arc::new(MockClock::new(UnixMs(1_000))),
        rng: Arc::new(SeededRng::new(7)),
    }
}

/// Every engine, the one in memory also with calls that take time.
fn engines() -> Vec<(&'static str, Rig)> {
    let slow = MemoryFaults { latency_us_max: 50, seed: 3, ..MemoryFaults::default() };
    vec![
        ("memory", Rig::memory(MemoryFaults::default())),
        ("slow memory", Rig::memory(slow)),
        ("rocksdb", Rig::rocks()),
    ]
}

fn note(name: &str) -> (Lane, String) {
    (Lane(0), name.to_owned())
}

fn text(value: &str) -> String {
    value.to_owned()
}

#[tokio::test]
async fn what_is_written_is_read_and_what_is_deleted_is_gone() {
    for (name, rig) in engines() {
        let store = rig.open(1).await;
        let mut txn = store.txn();
        txn.put::<Notes>(&note("a"), &text("1"));
        txn.put::<Notes>(&note("b"), &text("2"));
        txn.put::<Notes>(&note("b"), &text("3"));
        store.commit(txn).await.unwrap();
        assert_eq!(store.get::<Notes>(&note("a")).await.unwrap(), Some(text("1")), "{name}");
        let several = store.multi_get::<Notes>(&[note("b"), note("x"), note("a")]).await.unwrap();
        assert_eq!(several, [Some(text("3")), None, Some(text("1"))], "{name}");
        let mut txn = store.txn();
        txn.delete::<Notes>(&note("a"));
        txn.delete::<Notes>(&note("never"));
        store.commit(txn).await.unwrap();
        assert_eq!(store.get::<Notes>(&note("a")).await.unwrap(), None, "{name}");
        drop(store);
        let store = rig.open(1).await;
        assert_eq!(store.get::<Notes>(&note("b")).await.unwrap(), Some(text("3")), "{name} after opening again");
    }
}

#[tokio::test]
async fn a_failed_assertion_is_named_and_nothing_is_applied() {
    for (name, rig) in engines() {
        let store = rig.open(1).await;
        let mut txn = store.txn();
        txn.put::<Notes>(&note("a"), &text("1"));
        store.commit(txn).await.unwrap();
        let head = store.head(Lane(0));
        let mut txn = store.txn();
        txn.assert_eq::<Notes>(&note("a"), &text("1"));
        txn.assert_present::<Notes>(&note("a"));
        let third = txn.assert_absent::<Notes>(&note("a"));
        txn.put::<Notes>(&note("b"), &text("2"));
        let slot = txn.next_pos(Lane(0));
        txn.put_at::<Log>(&Lane(0), slot, &1);
        assert_eq!(store.commit(txn).await, Err(CommitError::Conflict { assert: third }), "{name}");
        assert_eq!(store.get::<Notes>(&note("b")).await.unwrap(), None, "{name}");
        assert_eq!(store.head(Lane(0)), head, "{name}");
        for (assert, expected) in [("a", "2"), ("x", "1")] {
            let mut txn = store.txn();
            txn.assert_eq::<Notes>(&note(assert), &text(expected));
            assert_eq!(store.commit(txn).await, Err(CommitError::Conflict { assert: 0 }), "{name}");
        }
    }
}

#[tokio::test]
async fn of_many_that_claim_a_key_at_once_one_gets_it() {
    for (name, rig) in engines() {
        let store = rig.open(1).await;
        let claims = (0..64).map(|n| {
            let mut txn = store.txn();
            txn.assert_absent::<Notes>(&note("key"));
            txn.put::<Notes>(&note("key"), &n.to_string());
            store.commit(txn)
        });
        let results = join_all(claims).await;
        let winners: Vec<usize> = (0..64).filter(|&n| results[n].is_ok()).collect();
        assert_eq!(winners.len(), 1, "{name}");
        let kept = store.get::<Notes>(&note("key")).await.unwrap();
        assert_eq!(kept, Some(winners[0].to_string()), "{name}: the loser wrote nothing");
    }
}

#[tokio::test]
async fn positions_are_given_in_order_filled_in_and_never_twice() {
    for (name, rig) in engines() {
        let mut given = Vec::new();
        for _ in 0..3 {
            let store = rig.open(1).await;
            assert!(given.last().is_none_or(|last| store.head(Lane(0)) > *last), "{name}: a new epoch is above");
            let store = &store;
            let commits = (0..20u64).map(|n| {
                let mut txn = store.txn();
                let first = txn.next_pos(Lane(0));
                let second = txn.next_pos(Lane(0));
                txn.put_at::<Log>(&Lane(0), first, &n);
                txn.put_at::<Log>(&Lane(0), second, &(n + 100));
                txn.put_stamped::<SeenAt>(&Lane(0), second, &Seen { at: LanePos(0), by: text("me") });
                async move {
                    let committed = store.commit(txn).await.unwrap();
                    (committed.pos(first), committed.pos(second))
                }
            });
            for (first, second) in join_all(commits).await {
                assert_eq!(first.next(), second, "{name}");
                given.extend([first, second]);
            }
            let rows = store.scan::<Log, _>(&Lane(0), Page::first(1_000)).await.unwrap().rows;
            let positions: Vec<LanePos> = rows.iter().map(|((_, pos), _)| *pos).collect();
            given.sort();
            assert_eq!(positions, given, "{name}: every position is a row, none twice");
            assert_eq!(positions.last(), Some(&store.head(Lane(0))), "{name}");
            let seen = store.get::<SeenAt>(&Lane(0)).await.unwrap().unwrap();
            assert_eq!(seen, Seen { at: store.head(Lane(0)), by: text("me") }, "{name}");
        }
    }
}

#[tokio::test]
async fn a_page_keeps_to_bounds_limit_and_direction() {
    for (name, rig) in engines() {
        let store = rig.open(2).await;
        let mut txn = store.txn();
        for letter in ["a", "b", "c", "d", "e"] {
            txn.put::<Notes>(&note(letter), &text(letter));
        }
        store.commit(txn).await.unwrap();
        let mut txn = store.txn();
        txn.put::<Notes>(&(Lane(1), text("other")), &text("other"));
        store.commit(txn).await.unwrap();
        let read = async |page: Page<(Lane, String)>| {
            let found = store.scan::<Notes, _>(&Lane(0), page).await.unwrap();
            (found.rows.into_iter().map(|(_, value)| value).collect::<String>(), found.more)
        };
        assert_eq!(read(Page::first(9)).await, (text("abcde"), false), "{name}");
        assert_eq!(read(Page::first(5)).await, (text("abcde"), false), "{name}: nothing is behind the last row");
        assert_eq!(read(Page::first(2)).await, (text("ab"), true), "{name}");
        assert_eq!(read(Page::first(2).behind(note("b"))).await, (text("cd"), true), "{name}");
        assert_eq!(read(Page::first(9).after(note("b")).up_to(note("d"))).await, (text("cd"), false), "{name}");
        assert_eq!(read(Page::first(9).from(note("b")).before(note("d"))).await, (text("bc"), false), "{name}");
        assert_eq!(read(Page::last(2)).await, (text("ed"), true), "{name}");
        assert_eq!(read(Page::last(9).behind(note("d"))).await, (text("cba"), false), "{name}");
        assert_eq!(read(Page::first(9).after(note("d")).up_to(note("b"))).await, (text(""), false), "{name}");
        assert_eq!(read(Page::first(400)).await, (text("abcde"), false), "{name}: a page that hops");
    }
}

#[tokio::test]
async fn counters_add_and_rise_without_a_read() {
    for (name, rig) in engines() {
        let store = rig.open(1).await;
        let adds = (0..50).map(|_| {
            let mut txn = store.txn();
            txn.add::<Counters>(&Lane(0), 3);
            txn.add::<Counters>(&Lane(0), -1);
            store.commit(txn)
        });
        assert!(join_all(adds).await.iter().all(Result::is_ok), "{name}");
        assert_eq!(store.get::<Counters>(&Lane(0)).await.unwrap(), Some(Counter(100)), "{name}");
        for (floor, expected) in [(7, 100), (200, 200)] {
            let mut txn = store.txn();
            txn.max::<Counters>(&Lane(0), floor);
            store.commit(txn).await.unwrap();
            assert_eq!(store.get::<Counters>(&Lane(0)).await.unwrap(), Some(Counter(expected)), "{name}");
        }
    }
}

#[tokio::test]
async fn large_values_come_back_whole_and_leave_nothing_behind() {
    for (name, rig) in engines() {
        let store = rig.open(1).await;
        let key = (Lane(0), 1);
        for length in [10, VALUE_BYTES_MAX + 1, 300_000, LARGE_VALUE_BYTES_MAX - 8, 70_000, 5] {
            let value: Vec<u8> = (0..=250).cycle().take(length).collect();
            let mut txn = store.txn();
            txn.put::<Large>(&key, &value);
            store.commit(txn).await.unwrap();
            assert!(store.get::<Large>(&key).await.unwrap().as_ref() == Some(&value), "{name}: {length} bytes");
            let page = store.scan::<Large, _>(&Lane(0), Page::first(9)).await.unwrap();
            assert!(page.rows.len() == 1 && page.rows[0].1 == value, "{name}: {length} bytes");
            let mut txn = store.txn();
            txn.assert_eq::<Large>(&key, &value);
            store.commit(txn).await.unwrap();
        }
        let mut txn = store.txn();
        txn.put::<Large>(&key, &vec![1; 200_000]);
        store.commit(txn).await.unwrap();
        let mut txn = store.txn();
        txn.delete::<Large>(&key);
        store.commit(txn).await.unwrap();
        assert_eq!(store.get::<Large>(&key).await.unwrap(), None, "{name}");
        assert_eq!(store.check().await.unwrap(), [], "{name}: no chunk is left");
    }
}

#[tokio::test]
async fn over_a_limit_nothing_is_applied() {
    for (name, rig) in engines() {
        let store = rig.open(1).await;
        let mut many = store.txn();
        (0..1_001).for_each(|n| many.put::<Notes>(&note(&n.to_string()), &text("x")));
        let mut long_key = store.txn();
        long_key.put::<Notes>(&note(&"k".repeat(1_100)), &text("x"));
        let mut long_value = store.txn();
        long_value.put::<Notes>(&note("a"), &"v".repeat(VALUE_BYTES_MAX));
        let mut heavy = store.txn();
        (0..20).for_each(|n| heavy.put::<Notes>(&note(&n.to_string()), &"v".repeat(60_000)));
        let mut too_long = store.txn();
        too_long.put::<Large>(&(Lane(0), 0), &vec![0; LARGE_VALUE_BYTES_MAX]);
        for txn in [many, long_key, long_value, heavy, too_long] {
            assert_eq!(store.commit(txn).await, Err(CommitError::TooLarge), "{name}");
        }
        assert_eq!(store.scan::<Notes, _>(&Lane(0), Page::first(1)).await.unwrap().rows, [], "{name}");
    }
}

fn claim(store: &Store) -> Batch {
    let mut txn = store.txn();
    txn.put::<Notes>(&note("fenced"), &text("1"));
    txn.finish().unwrap()
}

#[tokio::test]
async fn an_old_epoch_is_fenced() {
    for (name, rig) in engines() {
        let store = rig.open(1).await;
        let engine = &store.0.engine;
        let old = store.0.heads.epoch(Lane(0));
        let state = engine.acquire(Lane(0), Some(old)).await.unwrap();
        assert!(state.epoch > old && state.pos == LanePos::new(state.epoch, 0), "{name}");
        let mut batch = claim(&store);
        batch.lane.fence = Some(old);
        let refused = engine.commit(batch).await.unwrap_err();
        assert_eq!(refused.why, Refusal::Fenced { now: state.epoch }, "{name}");
        assert_eq!(engine.acquire(Lane(0), Some(old)).await, Err(Refusal::Fenced { now: state.epoch }), "{name}");
        assert_eq!(store.get::<Notes>(&note("fenced")).await.unwrap(), None, "{name}");
        let mut txn = store.txn();
        txn.put::<Notes>(&note("mine"), &text("1"));
        store.commit(txn).await.unwrap();
    }
}

#[tokio::test]
async fn a_second_owner_of_a_disk_fences_the_first() {
    let rig = Rig::memory(MemoryFaults::default());
    let first = rig.open(1).await;
    let second = rig.open(1).await;
    let mut txn = first.txn();
    txn.put::<Notes>(&note("a"), &text("1"));
    assert_eq!(first.commit(txn).await, Err(CommitError::Fenced { lane: Lane(0) }));
    let mut txn = second.txn();
    txn.put::<Notes>(&note("a"), &text("1"));
    second.commit(txn).await.unwrap();
}

#[tokio::test]
async fn a_planned_fault_hits_one_write_and_makes_no_half_change() {
    for (name, rig) in engines() {
        let store = rig.open(1).await;
        for fault in [WriteFault::Down, WriteFault::Busy, WriteFault::Unknown] {
            let key = note(&format!("{fault:?}"));
            let mut txn = store.txn();
            txn.assert_absent::<Notes>(&key);
            txn.put::<Notes>(&key, &text("1"));
            let slot = txn.next_pos(Lane(0));
            txn.put_at::<Log>(&Lane(0), slot, &1);
            let before = store.head(Lane(0));
            rig.faults.fail_nth(1, fault);
            let result = store.commit(txn).await;
            let rows =
                store.scan::<Log, _>(&Lane(0), Page::first(9).after((Lane(0), before))).await.unwrap().rows.len();
            let noted = store.get::<Notes>(&key).await.unwrap().is_some();
            match fault {
                WriteFault::Down => {
                    assert!(matches!(result, Err(CommitError::Down(_))) && !noted && rows == 0, "{name}");
                }
                WriteFault::Busy => assert!(result.is_ok() && noted && rows == 1, "{name}"),
                // Applied; the second try met its own row.
                WriteFault::Unknown => {
                    assert_eq!(result, Err(CommitError::Conflict { assert: 0 }), "{name}");
                    assert!(noted && rows == 1, "{name}");
                }
            }
        }
        // What must not be submitted twice is not.
        let mut txn = store.txn();
        txn.add::<Counters>(&Lane(0), 1);
        rig.faults.fail_nth(1, WriteFault::Unknown);
        assert_eq!(store.commit(txn).await, Err(CommitError::Unknown), "{name}");
        assert_eq!(store.get::<Counters>(&Lane(0)).await.unwrap(), Some(Counter(1)), "{name}");
    }
}

#[tokio::test]
async fn who_sees_a_head_sees_every_row_up_to_it() {
    for (name, rig) in engines() {
        let store = rig.open(1).await;
        let mut heads = store.watch_heads();
        let start = store.head(Lane(0));
        let write = async {
            for n in 0..200u64 {
                let mut txn = store.txn();
                let slot = txn.next_pos(Lane(0));
                txn.put_at::<Log>(&Lane(0), slot, &n);
                store.commit(txn).await.unwrap();
            }
        };
        let follow = async {
            let (mut token, mut next) = (start, 0);
            while next < 200 {
                heads.changed().await.unwrap();
                let head = store.head(Lane(0));
                let page = Page::first(1_000).after((Lane(0), token)).up_to((Lane(0), head));
                for (_, n) in store.scan::<Log, _>(&Lane(0), page).await.unwrap().rows {
                    assert_eq!(n, next, "{name}");
                    next += 1;
                }
                token = head;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(write, follow) }).await.unwrap();
    }
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let rig = Rig::rocks();
    let store = rig.open(1).await;
    let mut txn = store.txn();
    txn.put::<Notes>(&note("a"), &text("1"));
    store.commit(txn).await.unwrap();
    store.close().await;
    let mut txn = store.txn();
    txn.put::<Notes>(&note("a"), &text("2"));
    assert!(matches!(store.commit(txn).await, Err(CommitError::Down(_))));
    // What is in memory can still be read.
    assert_eq!(store.try_get::<Notes>(&note("a")), Cached::Hit(Some(text("1"))));
}

#[tokio::test]
async fn plain_writes_keep_to_one_lane() {
    let store = Rig::memory(MemoryFaults::default()).open(8).await;
    let mut txn = store.txn();
    txn.put::<Notes>(&(Lane(1), text("a")), &text("1"));
    txn.put::<Notes>(&(Lane(2), text("a")), &text("1"));
    assert_eq!(store.commit(txn).await, Err(CommitError::ForeignLane));
    let mut txn = store.txn();
    txn.put::<Notes>(&(Lane(9), text("a")), &text("1"));
    assert_eq!(store.commit(txn).await, Err(CommitError::ForeignLane));
}
