//! What the tests of every folder stand on: a store in memory with its workers running, a clock and randomness of its own.

use std::sync::Arc;

use hearth_protocol::{MockClock, SeededRng, Signer, UnixMs};
use hearth_storage::{Engine, MemoryFaults, StorageWorkers, Store, StoreOptions};
use ruma::OwnedServerName;

use crate::users::UsersConfig;
use crate::{Env, Stop, Worker};

/// Settings under which a password costs next to nothing.
pub(crate) fn cheap_users() -> UsersConfig {
    UsersConfig { password_hash_kib: 8, password_hash_passes: 1, ..UsersConfig::default() }
}

/// The surroundings of the server `hs1`; its workers end with it.
pub(crate) struct TestServer {
    pub(crate) env: Env,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) stop: Stop,
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl TestServer {
    pub(crate) async fn new(lanes: u16, faults: MemoryFaults) -> Self {
        Self::at(Arc::new(MockClock::new(UnixMs(1_700_000_000_000))), lanes, faults).await
    }

    /// With a clock that goes on, for a second start.
    #[expect(clippy::disallowed_methods, reason = "a test is its own supervisor")]
    pub(crate) async fn at(clock: Arc<MockClock>, lanes: u16, faults: MemoryFaults) -> Self {
        let rng = Arc::new(SeededRng::new(7));
        let server_name: OwnedServerName = "hs1".try_into().unwrap();
        let options = StoreOptions {
            engine: Engine::Memory(faults),
            lanes,
            server_name: server_name.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
        };
        let (store, workers) = open(options).await;
        let signer = Arc::new(Signer::from_seed(server_name.clone(), [1; 32], "ed25519:test").unwrap());
        let env = Env { store, clock: clock.clone(), rng, server_name, signer };
        let stop = Stop::new();
        for worker in workers {
            tokio::spawn(worker.run(stop.clone()));
        }
        Self { env, clock, stop }
    }

    /// Runs a worker beside the test, as the server would.
    #[expect(clippy::disallowed_methods, reason = "a test is its own supervisor")]
    pub(crate) fn run(&self, worker: Box<dyn Worker>) {
        tokio::spawn(worker.run(self.stop.clone()));
    }
}

/// Opens the store, again when an injected fault hits the opening itself.
async fn open(mut options: StoreOptions) -> (Store, StorageWorkers) {
    for _ in 0..100 {
        match Store::open(options.clone()).await {
            Ok(opened) => return opened,
            Err(_) => {
                let Engine::Memory(faults) = &mut options.engine else { break };
                faults.seed += 1_000;
            }
        }
    }
    panic!("the store does not open");
}
