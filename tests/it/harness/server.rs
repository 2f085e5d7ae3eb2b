//! The homeserver under test: assembled in this process, with time and randomness in the test's hand.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use hearth_homeserver::appservice::AppServices;
use hearth_homeserver::users::{NewRegistrationToken, Registration, UsersConfig};
use hearth_homeserver::{Env, Stop};
use hearth_protocol::{MockClock, SeededRng, Signer, UnixMs};
use hearth_server::assembly::Homeserver;
use hearth_server::config::{Config, ListenersConfig};
use hearth_server::listeners::{Address, Edge, bind, serve};
use hearth_server::runtime::raise_file_limit;
use hearth_server::system::SystemClock;
use hearth_server::telemetry::RequestStats;
use hearth_storage::{Durability, Engine, EngineCalls, MemoryFaults, Store, StoreOptions};
use ruma::OwnedServerName;
use ruma::api::appservice::Registration as ServiceRegistration;
use serde_json::json;
use tempfile::TempDir;

use super::{Client, PASSWORD};

/// The server's name.
pub const SERVER_NAME: &str = "test.hearth";

/// When each test begins.
const BEGIN: UnixMs = UnixMs(1_767_225_600_000);

/// Ceilings for the caches of a database that lives for one test.
const CACHE_BYTES: usize = 8 << 20;

/// Memory of a password's hash, in KiB: as little as argon2 takes, so that tests are quick.
const PASSWORD_HASH_KIB: u32 = 64;

/// The configuration of a server under test, unless the test says otherwise: everybody may register, and nothing is
/// limited.
fn configuration() -> Config {
    let users = UsersConfig {
        registration: Registration::Open,
        password_hash_kib: PASSWORD_HASH_KIB,
        password_hash_passes: 1,
        ..UsersConfig::default()
    };
    let mut config = Config { users, ..Config::default() };
    config.rate_limits.enabled = false;
    config
}

/// A running homeserver. It ends with the test, and its data goes, when this is dropped.
pub struct TestServer {
    pub clock: Arc<MockClock>,
    pub homeserver: Homeserver,
    app: Router,
    /// Where files lie that users upload.
    pub data: Arc<TempDir>,
    config: Config,
    engine: Engine,
    /// Where RocksDB keeps its files.
    _folder: Option<TempDir>,
}

impl TestServer {
    /// An open server with nobody on it.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A server with other settings.
    pub async fn start_with(tune: impl FnOnce(&mut Config)) -> Self {
        Self::start_with_services(tune, &[]).await
    }

    /// A server with other settings and with application services.
    pub async fn start_with_services(tune: impl FnOnce(&mut Config), services: &[ServiceRegistration]) -> Self {
        let data = Arc::new(tempfile::tempdir().expect("a folder"));
        let mut config = configuration();
        data.path().clone_into(&mut config.server.data);
        tune(&mut config);
        let clock = Arc::new(MockClock::new(BEGIN));
        Self::assemble(config, services, clock, data, engine_to_test()).await
    }

    /// Ends this server and starts another one on what it stored, at the same time of day. Clients go on by
    /// [`Client::at`]. It has no application services.
    pub async fn start_again(self) -> Self {
        let Self { clock, homeserver, data, config, engine, .. } = self;
        homeserver.close().await;
        let engine = match engine {
            Engine::Memory(_) => (engine, None),
            // The files themselves stay locked while any client of the first server lives.
            Engine::Rocks { path, .. } => {
                let folder = tempfile::tempdir().expect("a folder");
                copy_folder(&path, folder.path());
                (rocks(folder.path().to_owned()), Some(folder))
            }
        };
        Self::assemble(config, &[], clock, data, engine).await
    }

    async fn assemble(
        config: Config,
        services: &[ServiceRegistration],
        clock: Arc<MockClock>,
        data: Arc<TempDir>,
        (engine, folder): (Engine, Option<TempDir>),
    ) -> Self {
        let rng = Arc::new(SeededRng::new(7));
        let server_name = OwnedServerName::try_from(SERVER_NAME).expect("a name");
        let options = StoreOptions {
            engine: engine.clone(),
            lanes: lanes_to_test(),
            server_name: server_name.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
        };
        let (store, storage_workers) = Store::open(options).await.expect("a database");
        let signer = Signer::from_seed(server_name.clone(), [7; 32], "ed25519:test").expect("a key");
        let signer = Arc::new(signer);
        let stats = RequestStats::new(Arc::new(SystemClock::new()), &*rng);
        let env = Env { store, clock: clock.clone(), rng, server_name, signer };
        let services = AppServices::new(services, &env.server_name).expect("application services");
        let homeserver = Homeserver::assemble(env, storage_workers, &config, services);
        let app = homeserver.router(&config, &stats);
        Self { clock, homeserver, app, data, config, engine, _folder: folder }
    }

    /// A client that is not logged in.
    pub fn client(&self) -> Client {
        Client::new(self.app.clone())
    }

    /// A client of a new account.
    pub async fn register(&self, username: &str) -> Client {
        let auth = json!({ "type": "m.login.dummy" });
        let body = json!({ "username": username, "password": PASSWORD, "auth": auth });
        self.client().signed_in(&self.client().post("/register", body).await.ok())
    }

    /// A new registration token that may be used any number of times.
    pub async fn registration_token(&self) -> String {
        self.homeserver.users.create_registration_token(NewRegistrationToken::default()).await.expect("a token")
    }

    /// Serves a port of this machine, for what needs a connection that lasts. It ends with the server's stop.
    pub fn listen(&self) -> SocketAddr {
        raise_file_limit();
        let (tasks, stop) = (self.homeserver.tasks.clone(), self.homeserver.stop.clone());
        let edge = Edge::new(self.app.clone(), &ListenersConfig::default(), tasks.clone(), stop, Stop::new());
        let listener = bind(&Address::parse("127.0.0.1:0").expect("an address"), 0).expect("a port");
        let Address::Tcp(address) = listener.address else { panic!("TCP was asked for") };
        tasks.start_listener(serve(listener, None, edge));
        address
    }

    /// Whatever is served, for requests that no client makes.
    pub fn app(&self) -> Router {
        self.app.clone()
    }

    /// What the engine was asked for so far.
    pub fn engine_calls(&self) -> EngineCalls {
        self.homeserver.env.store.counters()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where tests read the environment")]
pub(super) fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn lanes_to_test() -> u16 {
    from_environment("HEARTH_TEST_LANES").map_or(1, |lanes| lanes.parse().expect("a number of lanes"))
}

fn engine_to_test() -> (Engine, Option<TempDir>) {
    match from_environment("HEARTH_TEST_ENGINE").as_deref() {
        None | Some("memory") => (Engine::Memory(MemoryFaults::default()), None),
        Some("rocksdb") => {
            let folder = tempfile::tempdir().expect("a folder");
            (rocks(folder.path().to_owned()), Some(folder))
        }
        Some(other) => panic!("HEARTH_TEST_ENGINE is `memory` or `rocksdb`, not `{other}`"),
    }
}

fn rocks(path: PathBuf) -> Engine {
    Engine::Rocks {
        path,
        block_cache_bytes: CACHE_BYTES,
        write_buffer_bytes: CACHE_BYTES / 2,
        durability: Durability::Sync,
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
