//! What is refused at opening, and migrations.

use futures_util::FutureExt as _;

use crate::{
    Durability, Engine, MemoryFaults, StorageError, Store, WriteFaults,
    engine::conformance::{Notes, Rig, SERVER, options, rocks_engine},
    store::{migrate::Migration, open::open_with},
};
use hearth_protocol::Lane;

async fn refusal(options: crate::StoreOptions) -> StorageError {
    Store::open(options).await.err().expect("opening is refused")
}

#[tokio::test]
async fn a_database_of_another_server_is_refused() {
    let rig = Rig::memory(MemoryFaults::default());
    let id = rig.open(1).await.database_id();
    let mut other = rig.options(1);
    other.server_name = "other.example".try_into().unwrap();
    let error = refusal(other).await;
    assert!(matches!(&error, StorageError::ForeignDatabase { found, .. } if found == SERVER));
    assert!(error.to_string().contains("other.example") && error.to_string().contains(SERVER));
    assert_eq!(rig.open(0).await.database_id(), id, "and the database is as it was");
}

#[tokio::test]
async fn the_number_of_lanes_is_kept() {
    let rig = Rig::memory(MemoryFaults::default());
    assert_eq!(rig.open(8).await.lanes(), 8);
    assert_eq!(rig.open(0).await.lanes(), 8);
    let error = refusal(rig.options(4)).await;
    assert!(matches!(error, StorageError::LanesFixed { found: 8, asked: 4 }));
    assert!(matches!(refusal(rig.options(5_000)).await, StorageError::Refused(_)));
}

#[tokio::test]
async fn a_database_that_is_open_elsewhere_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(options(rocks_engine(dir.path()), 1)).await.unwrap();
    let error = refusal(options(rocks_engine(dir.path()), 1)).await;
    assert!(matches!(error, StorageError::InUse { .. }), "{error}");
    drop(store);
    Store::open(options(rocks_engine(dir.path()), 1)).await.unwrap();
}

#[tokio::test]
async fn a_path_that_cannot_be_made_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let engine = Engine::Rocks {
        path: file.path().join("below"),
        block_cache_bytes: 1 << 20,
        write_buffer_bytes: 1 << 20,
        durability: Durability::Os,
    };
    assert!(matches!(refusal(options(engine, 1)).await, StorageError::Io(_)));
}

async fn rename(store: &Store, from: &str, to: &str) -> Result<(), StorageError> {
    let (from, to) = ((Lane(0), from.to_owned()), (Lane(0), to.to_owned()));
    let Some(value) = store.get::<Notes>(&from).await? else { return Ok(()) };
    let mut txn = store.txn();
    txn.delete::<Notes>(&from);
    txn.put::<Notes>(&to, &value);
    store.commit(txn).await?;
    Ok(())
}

const STEPS: &[Migration] = &[
    Migration { from: 1, name: "a to b", run: |store| rename(store, "a", "b").boxed() },
    Migration { from: 2, name: "b to c", run: |store| rename(store, "b", "c").boxed() },
];

#[tokio::test]
async fn migrations_run_in_order_and_a_newer_schema_is_refused() {
    let rig = Rig::memory(MemoryFaults::default());
    let store = rig.open(1).await;
    let mut txn = store.txn();
    txn.put::<Notes>(&(Lane(0), "a".to_owned()), &"kept".to_owned());
    store.commit(txn).await.unwrap();
    let (store, _) = open_with(rig.options(1), WriteFaults::default(), 3, STEPS).await.unwrap();
    assert_eq!(store.get::<Notes>(&(Lane(0), "c".to_owned())).await.unwrap().as_deref(), Some("kept"));
    // Again: nothing is left to do.
    open_with(rig.options(1), WriteFaults::default(), 3, &[]).await.unwrap();
    let error = refusal(rig.options(1)).await;
    assert!(matches!(error, StorageError::NewerSchema { found: 3, known: 1 }), "{error}");
    let error = open_with(rig.options(1), WriteFaults::default(), 4, STEPS).await.err().unwrap();
    assert!(matches!(error, StorageError::Refused(_)), "a step is missing");
}
