//! Opening: the right database, a schema this program knows, every lane under a new epoch.

use std::{path::PathBuf, sync::Arc};

use futures_util::future::try_join_all;
use hearth_protocol::{Clock, Lane, Rng};
use ruma::OwnedServerName;
use tokio::sync::oneshot;

use super::{
    Calls, Inner, StorageWorkers, Store,
    migrate::{MIGRATIONS, Migration, SCHEMA},
    read::{address, decode_value},
};
use crate::{
    engine::{
        OpenEngine, Refusal,
        faults::WriteFaults,
        heads::Heads,
        limits::LANES_MAX,
        memory::{MemoryEngine, MemoryFaults},
        rocks::{Memory, RocksEngine, RocksOptions},
    },
    error::{CommitError, StorageError},
    schema::meta::{About, Database},
    table::Table,
    txn::Txn,
};

/// How often a busy engine is asked while opening.
const OPEN_TRIES_MAX: usize = 12;

/// When a commit is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// When it is on disk: what was acknowledged survives a power cut.
    #[default]
    Sync,
    /// When the operating system has it: it survives the process, not a power cut.
    Os,
}

/// The engine to open.
#[derive(Debug, Clone)]
pub enum Engine {
    /// On disk.
    Rocks {
        /// The data directory; made when it does not exist.
        path: PathBuf,
        /// Ceiling of blocks, indexes and write buffers together, in bytes.
        block_cache_bytes: usize,
        /// The share of it that write buffers may take before they are flushed, in bytes.
        write_buffer_bytes: usize,
        /// When a commit is answered.
        durability: Durability,
    },
    /// In memory, for tests.
    Memory(MemoryFaults),
}

/// How to open the store.
#[derive(Clone)]
pub struct StoreOptions {
    /// The engine.
    pub engine: Engine,
    /// Number of lanes; another one than the database has is refused. 0: as it is, 1 when it is new.
    pub lanes: u16,
    /// The server whose database it must be.
    pub server_name: OwnedServerName,
    /// Tells when the database is made.
    pub clock: Arc<dyn Clock>,
    /// Draws the database's number.
    pub rng: Arc<dyn Rng>,
}

impl Store {
    /// Opens or makes the database and takes its lanes. The workers must be run for as long as the
    /// store is used.
    pub async fn open(options: StoreOptions) -> Result<(Store, StorageWorkers), StorageError> {
        open_with(options, WriteFaults::default(), SCHEMA, MIGRATIONS).await
    }

    /// As [`open`](Self::open), with a fault at a planned write of RocksDB; the engine in memory
    /// brings its own.
    pub async fn open_with_faults(
        options: StoreOptions,
        faults: WriteFaults,
    ) -> Result<(Store, StorageWorkers), StorageError> {
        open_with(options, faults, SCHEMA, MIGRATIONS).await
    }
}

/// As [`Store::open`], with a schema number and migrations of the caller's choice.
pub(super) async fn open_with(
    options: StoreOptions,
    faults: WriteFaults,
    schema: u32,
    migrations: &[Migration],
) -> Result<(Store, StorageWorkers), StorageError> {
    if options.lanes > LANES_MAX {
        return Err(StorageError::Refused(format!("{} lanes are asked for, {LANES_MAX} are the most", options.lanes)));
    }
    let heads = Arc::new(Heads::new());
    let engine = open_engine(&options, faults, &heads).await?;
    let database = load_or_make_database(&engine, &options, schema).await?;
    try_join_all((0..database.lanes).map(|lane| take_lane(&engine, Lane(lane)))).await?;
    let store = Store(Arc::new(Inner { engine, heads, database, calls: Calls::default() }));
    store.find_outbox_rows().await?;
    store.migrate(schema, migrations).await?;
    let workers = StorageWorkers::of(&store);
    Ok((store, workers))
}

async fn open_engine(
    options: &StoreOptions,
    faults: WriteFaults,
    heads: &Arc<Heads>,
) -> Result<OpenEngine, StorageError> {
    match options.engine.clone() {
        Engine::Memory(memory) => Ok(OpenEngine::Memory(MemoryEngine::new(memory, Arc::clone(heads)))),
        Engine::Rocks { path, block_cache_bytes, write_buffer_bytes, durability } => {
            let heads = Arc::clone(heads);
            let memory = Memory { block_cache_bytes, write_buffer_bytes };
            let sync = durability == Durability::Sync;
            let open = move || RocksEngine::open(&RocksOptions { path: &path, memory, sync, faults }, heads);
            off_thread(open).await?.map(OpenEngine::Rocks)
        }
    }
}

/// Runs blocking work on a thread of its own.
pub(crate) async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StorageError> {
    let (reply, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name("storage-open".to_owned())
        // Nobody waits any more when the reply cannot be sent.
        .spawn(move || drop(reply.send(work())))
        .map_err(|e| StorageError::Io(e.to_string()))?;
    answer.await.map_err(|_| StorageError::Down)
}

async fn load_database(engine: &OpenEngine) -> Result<Option<Database>, StorageError> {
    let address = address::<About>(&());
    let row = engine.multi_get(vec![(About::PROFILE, address.clone())]).await?.pop().flatten();
    row.map(|row| decode_value::<About>(&address, &row)).transpose()
}

fn check_database(database: Database, options: &StoreOptions, schema: u32) -> Result<Database, StorageError> {
    if database.server_name != options.server_name.as_str() {
        let expected = options.server_name.to_string();
        return Err(StorageError::ForeignDatabase { found: database.server_name, expected });
    }
    if database.schema > schema {
        return Err(StorageError::NewerSchema { found: database.schema, known: schema });
    }
    if options.lanes != 0 && options.lanes != database.lanes {
        return Err(StorageError::LanesFixed { found: database.lanes, asked: options.lanes });
    }
    Ok(database)
}

/// The facts of the database, made when it is new.
async fn load_or_make_database(
    engine: &OpenEngine,
    options: &StoreOptions,
    schema: u32,
) -> Result<Database, StorageError> {
    let mut refusal = Refusal::Busy;
    for _ in 0..OPEN_TRIES_MAX {
        if let Some(database) = load_database(engine).await? {
            return check_database(database, options, schema);
        }
        refusal = match make_database(engine, options, schema).await? {
            Ok(()) => continue,
            Err(refusal @ Refusal::Down(_)) => return Err(refused(refusal)),
            Err(refusal) => refusal,
        };
    }
    Err(refused(refusal))
}

async fn make_database(
    engine: &OpenEngine,
    options: &StoreOptions,
    schema: u32,
) -> Result<Result<(), Refusal>, StorageError> {
    let mut database_id = [0; 16];
    options.rng.fill(&mut database_id);
    let database = Database {
        schema,
        server_name: options.server_name.to_string(),
        database_id,
        lanes: options.lanes.max(1),
        created_at: options.clock.now(),
    };
    let mut txn = Txn::new(1);
    txn.assert_absent::<About>(&());
    txn.put::<About>(&(), &database);
    Ok(engine.commit(txn.finish()?).await.map(drop).map_err(|refused| refused.why))
}

async fn take_lane(engine: &OpenEngine, lane: Lane) -> Result<(), StorageError> {
    for _ in 0..OPEN_TRIES_MAX {
        match engine.acquire(lane, None).await {
            Ok(_) => return Ok(()),
            Err(Refusal::Busy | Refusal::Unknown) => {}
            Err(refusal) => return Err(refused(refusal)),
        }
    }
    Err(refused(Refusal::Busy))
}

fn refused(refusal: Refusal) -> StorageError {
    match refusal {
        Refusal::Down(reason) => StorageError::Write(CommitError::Down(reason)),
        other => StorageError::Io(format!("the database could not be taken: {other:?}")),
    }
}
