//! How many commits of a dozen rows the disk takes in a second, and how fast warm rows are read:
//! `cargo run --release -p hearth-storage --example commit_rate -- [tasks] [seconds] [directory]`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hearth_protocol::{Lane, LanePos, MockClock, SeededRng, UnixMs};
use hearth_storage::{Cached, Durability, Engine, Place, Profile, ScanBy, Store, StoreOptions, Table};

struct Rows;
impl Table for Rows {
    const NUMBER: u16 = 60_100;
    const NAME: &'static str = "bench_rows";
    const PROFILE: Profile = Profile::Point;
    const PLACE: Place = Place::ByKey;
    type Key = (u64, u8);
    type Value = String;
}

struct Log;
impl Table for Log {
    const NUMBER: u16 = 60_101;
    const NAME: &'static str = "bench_log";
    const PROFILE: Profile = Profile::Scan;
    const PLACE: Place = Place::ByLane;
    type Key = (Lane, LanePos);
    type Value = u64;
}
impl ScanBy<Lane> for Log {}

async fn write(store: Store, next: Arc<AtomicU64>, until_ms: Duration) -> u64 {
    let text = "x".repeat(90);
    let write = async {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let mut txn = store.txn();
            txn.assert_absent::<Rows>(&(n, 0));
            for row in 0..11 {
                txn.put::<Rows>(&(n, row), &text);
            }
            let slot = txn.next_pos(Lane(0));
            txn.put_at::<Log>(&Lane(0), slot, &n);
            if store.commit(txn).await.is_err() {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(until_ms, write).await;
    next.load(Ordering::Relaxed)
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement on the command line"
)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let tasks: u64 = arguments.next().map_or(Ok(256), |n| n.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |n| n.parse())?;
    let parent = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let dir = tempfile::tempdir_in(parent)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let before_kib = resident_kib();
        let start = std::time::Instant::now();
        let engine = Engine::Rocks {
            path: dir.path().to_owned(),
            block_cache_bytes: 64 << 20,
            write_buffer_bytes: 32 << 20,
            durability: Durability::Sync,
        };
        let options = StoreOptions {
            engine,
            lanes: 1,
            server_name: "bench.example".try_into()?,
            clock: Arc::new(MockClock::new(UnixMs(0))),
            rng: Arc::new(SeededRng::new(1)),
        };
        let (store, _) = Store::open(options).await?;
        println!("open (new database): {:?}, {} KiB more resident", start.elapsed(), resident_kib() - before_kib);
        let next = Arc::new(AtomicU64::new(0));
        let start = std::time::Instant::now();
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..tasks {
            writers.spawn(write(store.clone(), Arc::clone(&next), Duration::from_secs(seconds)));
        }
        while writers.join_next().await.is_some() {}
        let rate = next.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
        println!("{tasks} tasks: {rate:.0} synced commits of 12 rows a second; {} KiB resident", resident_kib());
        let (reads, start) = (1_000_000u64, std::time::Instant::now());
        let newest = next.load(Ordering::Relaxed).saturating_sub(5_000);
        let hits = (0..reads)
            .filter(|n| matches!(store.try_get::<Rows>(&(newest.saturating_sub(n % 5_000), 3)), Cached::Hit(Some(_))))
            .count();
        println!("try_get: {:?} each, {hits} of {reads} found in memory", start.elapsed() / u32::try_from(reads)?);
        store.close().await;
        Ok(())
    })
}
