//! Backup, restore and the check.

use std::fs;

use hearth_protocol::{Lane, LanePos};

use crate::{
    MemoryFaults, Page, StorageError, Store,
    engine::{
        batch::{Op, OpKind, append},
        conformance::{Log, Rig, SERVER, options, rocks_engine},
    },
    restore,
    schema::meta::{Applied, Outbox, OutboxRow},
    table::{Table, encode_address},
};

async fn log(store: &Store, n: u64) {
    let mut txn = store.txn();
    let slot = txn.next_pos(Lane(0));
    txn.put_at::<Log>(&Lane(0), slot, &n);
    store.commit(txn).await.unwrap();
}

#[tokio::test]
async fn a_backup_under_writes_restores_to_a_consistent_database() {
    let (data, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (backup, restored) = (place.path().join("backup"), place.path().join("restored"));
    let (store, _) = Store::open(options(rocks_engine(data.path()), 1)).await.unwrap();
    for n in 0..50 {
        log(&store, n).await;
    }
    let writes = async {
        for n in 50..150 {
            log(&store, n).await;
        }
    };
    let (manifest, ()) = tokio::join!(store.backup(&backup), writes);
    let manifest = manifest.unwrap();
    assert_eq!((manifest.schema, manifest.server_name.as_str(), manifest.lanes), (1, SERVER, 1));
    let again = store.backup(&backup).await;
    assert!(matches!(again, Err(StorageError::Refused(_))), "a backup is not written over");

    assert!(matches!(restore(&backup, &restored, "other.example"), Err(StorageError::ForeignDatabase { .. })));
    assert_eq!(restore(&backup, &restored, SERVER).unwrap(), manifest);
    assert!(matches!(restore(&backup, &restored, SERVER), Err(StorageError::Refused(_))), "not over a database");
    let (copy, _) = Store::open(options(rocks_engine(&restored), 1)).await.unwrap();
    assert_eq!(copy.database_id(), store.database_id());
    let rows = copy.scan::<Log, _>(&Lane(0), Page::first(1_000)).await.unwrap().rows;
    let found: Vec<u64> = rows.iter().map(|(_, n)| *n).collect();
    assert!(found.len() >= 50 && found.iter().copied().eq(0..found.len() as u64), "a beginning of the writes");
    let problems: Vec<_> = copy.check().await.unwrap().into_iter().filter(|f| !f.table.is_empty()).collect();
    assert_eq!(problems, []);
    log(&copy, 999).await;
    log(&store, 999).await;
    assert!(copy.head(Lane(0)) > store.head(Lane(0)), "no position of the lost database is given again");
}

#[tokio::test]
async fn half_a_backup_is_none() {
    let place = tempfile::tempdir().unwrap();
    let (backup, restored) = (place.path().join("backup"), place.path().join("restored"));
    let rig = Rig::rocks();
    rig.open(1).await.backup(&backup).await.unwrap();
    let manifest = fs::read_to_string(backup.join("manifest")).unwrap();
    fs::write(backup.join("manifest"), manifest.replace("schema 1", "schema 9")).unwrap();
    assert!(matches!(restore(&backup, &restored, SERVER), Err(StorageError::NewerSchema { found: 9, known: 1 })));
    fs::write(backup.join("manifest"), "something").unwrap();
    assert!(matches!(restore(&backup, &restored, SERVER), Err(StorageError::Refused(_))));
    fs::remove_file(backup.join("manifest")).unwrap();
    assert!(matches!(restore(&backup, &restored, SERVER), Err(StorageError::Refused(_))));
    assert!(!restored.exists() || fs::read_dir(&restored).unwrap().next().is_none());
}

/// Writes bytes that no transaction would write.
async fn put_raw<T: Table>(store: &Store, key: &T::Key, value: &[u8]) {
    let mut batch = store.txn().finish().unwrap();
    let key = append(&mut batch.arena, |out| encode_address::<T>(key, out));
    let value = append(&mut batch.arena, |out| out.extend_from_slice(value));
    let kind = OpKind::Set { value, key_stamp: None, value_stamp: None };
    batch.ops.push(Op { profile: T::PROFILE, key, kind });
    store.submit(batch).await.unwrap();
}

#[tokio::test]
async fn the_check_names_what_is_wrong() {
    for rig in [Rig::memory(MemoryFaults::default()), Rig::rocks()] {
        let store = rig.open(2).await;
        assert_eq!(store.check().await.unwrap(), []);
        let beyond = store.head(Lane(0)).next();
        put_raw::<Outbox>(&store, &(Lane(0), beyond), &crate::Value::encode(&OutboxRow::default())).await;
        put_raw::<Outbox>(&store, &(Lane(1), LanePos(1)), &[9, 9]).await;
        put_raw::<Applied>(&store, &(Lane(7), Lane(0)), &crate::Value::encode(&LanePos(1))).await;
        put_raw::<Log>(&store, &(Lane(0), LanePos(1)), &[]).await;
        let found = store.check().await.unwrap();
        let named = |table: &str, problem: &str| found.iter().any(|f| f.table == table && f.problem.contains(problem));
        assert!(named("outbox", "ahead of its lane's head"), "{found:?}");
        assert!(named("outbox", "value version 9"), "{found:?}");
        assert!(named("applied", "does not exist"), "{found:?}");
        assert!(named("", "no table has number"), "{found:?}");
        assert_eq!(found.len(), 4);
        let error = store.scan::<Outbox, _>(&Lane(1), Page::first(1)).await.err().unwrap();
        assert!(matches!(error, StorageError::Corrupt { table: "outbox", .. }), "{error}");
    }
}
