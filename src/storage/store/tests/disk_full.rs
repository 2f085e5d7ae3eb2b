//! A full disk refuses writes, keeps serving reads, and writes go on when there is space again.
//! Needs root, to mount a small disk in memory; says so and passes where that is not allowed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use hearth_protocol::Lane;
use tempfile::TempDir;

use crate::{
    CommitError, Durability, Engine, Store,
    engine::conformance::{Notes, options},
};

const DISK_BYTES: usize = 48 << 20;
const BALLAST_BYTES: usize = 30 << 20;

/// The engine looks for space every five seconds.
const RECOVERY_SECONDS: u64 = 40;

/// A small disk, unmounted when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={DISK_BYTES}");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "hearth-test"]).arg(dir.path()).output();
        match mount {
            Ok(output) if output.status.success() => Some(SmallDisk(dir)),
            _ => None,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Left mounted, it is gone with the next start of the machine.
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

fn engine(path: &Path) -> Engine {
    Engine::Rocks {
        path: path.to_owned(),
        block_cache_bytes: 8 << 20,
        write_buffer_bytes: 2 << 20,
        durability: Durability::Sync,
    }
}

fn key(n: usize) -> (Lane, String) {
    (Lane(0), n.to_string())
}

/// Bytes that do not compress.
fn noise(n: usize) -> String {
    let mut state = n as u64 | 1 << 32;
    let letter = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b' ' + u8::try_from((state >> 57) % 90).unwrap())
    };
    (0..40_000).map(letter).collect()
}

async fn write(store: &Store, n: usize) -> Result<(), CommitError> {
    let mut txn = store.txn();
    txn.put::<Notes>(&key(n), &noise(n));
    let slot = txn.next_pos(Lane(0));
    txn.put_at::<crate::engine::conformance::Log>(&Lane(0), slot, &(n as u64));
    store.commit(txn).await.map(drop)
}

async fn is_there(store: &Store, n: usize) -> bool {
    let note = store.get::<Notes>(&key(n)).await.unwrap();
    note.is_some_and(|note| note == noise(n))
}

/// Writes until the disk is full; gives the numbers that were refused.
async fn fill(store: &Store, acknowledged: &mut Vec<usize>) -> Vec<usize> {
    for n in 0..2_000 {
        match write(store, n).await {
            Ok(()) => acknowledged.push(n),
            Err(CommitError::Down(reason)) => {
                assert!(reason.contains("the disk is full"), "a clear error: {reason}");
                return vec![n];
            }
            Err(other) => panic!("{other}"),
        }
    }
    panic!("the disk did not fill");
}

#[tokio::test]
async fn a_full_disk_stops_writes_alone_and_recovers_by_itself() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: a small disk cannot be mounted here (needs root)");
        return;
    };
    fs::write(disk.path("ballast"), vec![1; BALLAST_BYTES]).unwrap();
    let data = disk.path("data");
    let (store, _) = Store::open(options(engine(&data), 1)).await.unwrap();
    let mut acknowledged = Vec::new();
    let mut refused = fill(&store, &mut acknowledged).await;
    for n in 5_000..5_010 {
        assert!(write(&store, n).await.is_err(), "it stays full");
        refused.push(n);
    }
    let head = store.head(Lane(0));
    for n in &acknowledged {
        assert!(is_there(&store, *n).await, "reads go on: {n}");
    }
    for n in &refused {
        assert!(!is_there(&store, *n).await, "what was refused cannot be read: {n}");
    }

    fs::remove_file(disk.path("ballast")).unwrap();
    let mut n = 10_000;
    let recovered = async {
        while write(&store, n).await.is_err() {
            refused.push(n);
            n += 1;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(RECOVERY_SECONDS), recovered).await.expect("writes go on by themselves");
    acknowledged.push(n);
    assert!(store.head(Lane(0)) > head);
    check_all(&store, &acknowledged, &refused).await;

    drop(store);
    let (store, _) = Store::open(options(engine(&data), 1)).await.unwrap();
    check_all(&store, &acknowledged, &refused).await;
}

async fn check_all(store: &Store, acknowledged: &[usize], refused: &[usize]) {
    for n in acknowledged {
        assert!(is_there(store, *n).await, "what was acknowledged is there: {n}");
    }
    for n in refused {
        assert!(!is_there(store, *n).await, "what was refused never appears: {n}");
    }
    let findings = store.check().await.unwrap();
    assert!(findings.iter().all(|finding| finding.table.is_empty()), "{findings:?}");
}
