//! Puts the parts together, from the bottom up, in one place.
//!
//! Each part is given what stands before it. If this compiles in this order, no part knows one above it.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use futures_util::future::BoxFuture;
use hearth_api::{AppState, Handles, RateLimits, Sockets};
use hearth_homeserver::admin::{Notices, Reporting};
use hearth_homeserver::appservice::AppServices;
use hearth_homeserver::federation::ServerKeys;
use hearth_homeserver::flows::Flows;
use hearth_homeserver::media::{Media, MediaSetup, NoRemoteMedia};
use hearth_homeserver::metrics::Metered;
use hearth_homeserver::outbound::Outbound;
use hearth_homeserver::people::Directory;
use hearth_homeserver::rooms::{
    DelayedEventWorker, DelayedEvents, NoRemote, Receipts, RoomWorkers, Rooms, ThreadSubscriptions, Typing,
};
use hearth_homeserver::search::Search;
use hearth_homeserver::sync::Sync;
use hearth_homeserver::turn::Turn;
use hearth_homeserver::users::Users;
use hearth_homeserver::{Env, Stop, Worker};
use hearth_protocol::{Clock, Rng};
use hearth_storage::{Engine, StorageError, StorageWorker, StorageWorkers, Store, StoreOptions};

use crate::admin_socket::{Operator, OperatorParts};
use crate::appservices::load_appservices;
use crate::config::{Config, Durability};
use crate::identity::{KeyError, load_or_make_key};
use crate::plan::{PlanError, require_server_name};
use crate::system::{SystemClock, SystemRng};
use crate::telemetry::{HomeserverFigures, RequestStats, around_request};
use crate::workers::Tasks;

/// The database's folder within the data folder.
pub const DATABASE_FOLDER: &str = "database";

/// The folder of uploaded files within the data folder.
pub const MEDIA_FOLDER: &str = "media";

/// How long workers may take to end.
const WORKERS_STOP: Duration = Duration::from_millis(700);

/// Why the homeserver could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// A setting cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The data folder cannot be made.
    #[error("cannot make the data folder {path}: {error}")]
    DataFolder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The signing key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A whole homeserver that runs, without listeners.
pub struct Homeserver {
    /// What all parts share.
    pub env: Env,
    /// Accounts.
    pub users: Users,
    /// Files.
    pub media: Media,
    /// Rooms.
    pub rooms: Rooms,
    /// Events that are sent later.
    pub delayed_events: DelayedEvents,
    /// Operations over several parts.
    pub flows: Flows,
    /// What changed for a reader.
    pub sync: Sync,
    /// Reports by users.
    pub reporting: Reporting,
    /// Connections that outlive a request.
    pub sockets: Sockets,
    /// Ends what waits: no new requests, and an answer to those that wait for news.
    pub stop: Stop,
    /// Its workers and connections.
    pub tasks: Tasks,
    state: AppState,
}

/// Makes the data folder, for its owner only.
///
/// # Errors
///
/// When the operating system refuses.
pub fn make_data_folder(path: &Path) -> Result<(), AssemblyError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| AssemblyError::DataFolder { path: path.to_owned(), error })
}

impl Homeserver {
    /// Opens the data folder and starts the workers.
    ///
    /// # Errors
    ///
    /// When the folder, the key or the database cannot be opened, or belongs to another server.
    pub async fn open(config: &Config, clock: Arc<SystemClock>) -> Result<Self, AssemblyError> {
        let server_name = require_server_name(config)?;
        let data = &config.server.data;
        make_data_folder(data)?;
        let clock: Arc<dyn Clock> = clock;
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let options = StoreOptions {
            engine: engine(config, data),
            lanes: config.storage.lanes,
            server_name: server_name.clone(),
            clock: Arc::clone(&clock),
            rng: Arc::clone(&rng),
        };
        let (store, storage_workers) = Store::open(options).await?;
        let signer = Arc::new(load_or_make_key(data, &server_name, &*rng)?);
        let env = Env { store, clock, rng, server_name, signer };
        let services = load_appservices(&config.server.appservices, &env.server_name).map_err(PlanError::from)?;
        Ok(Self::assemble(env, storage_workers, config, services))
    }

    /// Puts the parts together over an open database, and starts their workers.
    pub fn assemble(env: Env, storage_workers: StorageWorkers, config: &Config, services: AppServices) -> Self {
        let tasks = Tasks::new(Arc::clone(&env.clock));
        let users = Users::with_names(&env, config.users.clone(), Arc::new(services.clone()));
        let media = open_media(&env, config, Outbound::new(&config.outbound));
        let (rooms, room_workers) = Rooms::new(&env, config.rooms.clone(), users.clone(), Arc::new(NoRemote));
        let (receipts, typing) = (Receipts::new(&env), Typing::new(&env));
        let sync = Sync::new(&env, users.clone(), rooms.clone(), typing.clone(), receipts.clone());
        let search = Search::new(&env, &config.search, rooms.clone());
        let directory = Directory::new(&env, &config.user_directory, users.clone(), rooms.clone());
        let flows = Flows::new(&env, users.clone(), rooms.clone(), search.clone());
        let delayed_events = DelayedEvents::new(&env, users.clone(), rooms.clone());
        let reporting = Reporting::new(&env, users.clone(), rooms.clone());
        let limits = RateLimits::new(config.rate_limits.clone(), Arc::clone(&env.clock));
        let stop = Stop::new();
        let sockets = Sockets::new(&env, config.websocket.clone(), users.clone(), Arc::new(tasks.clone()));
        let state = AppState::new(Handles {
            users: users.clone(),
            rooms: rooms.clone(),
            receipts,
            typing,
            delayed_events: delayed_events.clone(),
            thread_subscriptions: ThreadSubscriptions::new(&env),
            sync: sync.clone(),
            flows: flows.clone(),
            server_keys: ServerKeys::new(&env),
            media: media.clone(),
            directory: directory.clone(),
            services,
            reporting: reporting.clone(),
            notices: Notices::new(&env, users.clone(), rooms.clone()),
            turn: Turn::new(config.turn.clone(), Arc::clone(&env.clock)),
            limits,
            sockets: sockets.clone(),
            default_room_version: config.rooms.default_version.clone(),
            stop: stop.clone(),
            config: config.api.clone(),
        });
        start_workers(&tasks, storage_workers, room_workers, &users, &media, &sync);
        let watched = sockets.clone();
        tasks.start_workers(move || watched.list_workers());
        tasks.start_workers(move || search.list_workers());
        tasks.start_workers(move || directory.list_workers());
        tasks.start_vital_worker(Box::new(DelayedEventWorker::new(delayed_events.clone())));
        Self { env, users, media, rooms, delayed_events, flows, sync, reporting, sockets, stop, tasks, state }
    }

    /// All that is served to clients and other servers. Needs no listener, so tests call it directly.
    pub fn router(&self, config: &Config, stats: &RequestStats) -> Router {
        let about = hearth_web::About {
            server_name: self.env.server_name.to_string(),
            version: env!("CARGO_PKG_VERSION"),
            base_url: config.api.public_base_url.clone(),
        };
        let place =
            if config.web.ui { hearth_web::Place::Below(config.web.path.clone()) } else { hearth_web::Place::Nowhere };
        let around = |router: Router| router.layer(from_fn_with_state(stats.clone(), around_request));
        around(hearth_api::build_router(self.state.clone(), around).merge(hearth_web::router(&about, &place)))
    }

    /// Who does the operator's commands here.
    pub fn operator(&self, data: &Path) -> Operator {
        Operator::new(OperatorParts {
            env: self.env.clone(),
            users: self.users.clone(),
            media: self.media.clone(),
            rooms: self.rooms.clone(),
            flows: self.flows.clone(),
            reporting: Reporting::new(&self.env, self.users.clone(), self.rooms.clone()),
            tasks: self.tasks.clone(),
            data: data.to_owned(),
        })
    }

    /// Everything that has figures to show.
    pub fn list_metered(&self) -> Vec<Arc<dyn Metered>> {
        let homeserver = HomeserverFigures::new(self.env.store.clone(), &self.rooms);
        vec![
            Arc::new(self.tasks.clone()),
            Arc::new(homeserver),
            self.rooms.pipeline_stats(),
            Arc::new(self.media.clone()),
            Arc::new(self.sync.clone()),
            Arc::new(self.sockets.clone()),
        ]
    }

    /// Stops the workers and closes the database.
    pub async fn close(self) {
        let late = self.tasks.stop_workers(WORKERS_STOP).await;
        if !late.is_empty() {
            tracing::warn!(?late, "workers did not end in time");
        }
        self.env.store.close().await;
    }
}

fn open_media(env: &Env, config: &Config, outbound: Outbound) -> Media {
    let setup = MediaSetup {
        config: config.media.clone(),
        url_previews: config.url_previews.clone(),
        folder: &config.server.data.join(MEDIA_FOLDER),
        remote: Arc::new(NoRemoteMedia),
        outbound,
    };
    Media::new(env, setup)
}

/// Starts all workers of the homeserver. With those of the doors (`serve.rs`) these are all there are.
fn start_workers(
    tasks: &Tasks,
    storage: StorageWorkers,
    rooms: RoomWorkers,
    users: &Users,
    media: &Media,
    sync: &Sync,
) {
    for worker in storage {
        tasks.start_vital_worker(Box::new(OutboxWorker(worker)));
    }
    for lane in rooms.lanes {
        tasks.start_vital_worker(Box::new(lane));
    }
    tasks.start_vital_worker(Box::new(rooms.erasure));
    tasks.start_vital_worker(Box::new(rooms.transactions));
    tasks.start_vital_worker(Box::new(rooms.directory));
    tasks.start_vital_worker(Box::new(rooms.departures));
    tasks.start_vital_worker(rooms.guests);
    let (users, media, sync) = (users.clone(), media.clone(), sync.clone());
    tasks.start_workers(move || users.list_workers());
    tasks.start_workers(move || media.list_workers());
    tasks.start_workers(move || sync.list_workers());
}

/// A worker of the storage crate, which does not know what a worker is.
struct OutboxWorker(StorageWorker);

impl Worker for OutboxWorker {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn follows(&self) -> &'static str {
        "the outbox of its lane"
    }

    fn run(self: Box<Self>, stop: Stop) -> BoxFuture<'static, ()> {
        Box::pin(self.0.run(stop))
    }
}

fn engine(config: &Config, data: &Path) -> Engine {
    let storage = &config.storage;
    Engine::Rocks {
        path: data.join(DATABASE_FOLDER),
        block_cache_bytes: usize::try_from(storage.block_cache_bytes).unwrap_or(usize::MAX),
        write_buffer_bytes: usize::try_from(storage.write_buffer_bytes).unwrap_or(usize::MAX),
        durability: match storage.durability {
            Durability::Sync => hearth_storage::Durability::Sync,
            Durability::Os => hearth_storage::Durability::Os,
        },
    }
}
