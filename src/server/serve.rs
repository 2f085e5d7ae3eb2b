//! `hearth serve`: from the configuration to a server that answers, and back to silence.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hearth_homeserver::Stop;
use hearth_homeserver::users::Registration;
use tokio::signal::unix::{SignalKind, signal};

use crate::admin_socket::AdminListener;
use crate::assembly::{AssemblyError, Homeserver};
use crate::config::Config;
use crate::listeners::{Address, BindError, BoundListener, CertificateReloader, Edge, TlsError, bind};
use crate::plan::{Plan, PlanError};
use crate::runtime::raise_file_limit;
use crate::system::{SystemClock, SystemRng};
use crate::telemetry::{LogError, Probe, ProcessFigures, RequestStats, observation_router, start_logs};

/// The variable by which systemd names the socket that wants to know when the server is ready.
pub const NOTIFY_VARIABLE: &str = "NOTIFY_SOCKET";

/// How long connections get to notice that they are cut.
const CUT_WAIT: Duration = Duration::from_millis(200);

/// Why the server does not run, or does not run any more.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A setting cannot be used.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The logs cannot be set up.
    #[error(transparent)]
    Logs(#[from] LogError),
    /// An address is taken.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data folder cannot be opened.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
    /// The operating system refuses to tell of signals.
    #[error("cannot wait for signals: {0}")]
    Signals(std::io::Error),
    /// Something that cannot be started again within the process has failed.
    #[error("the server stopped because a vital worker failed; the log says which")]
    Failed,
}

/// Checks all that can be checked without opening anything.
///
/// # Errors
///
/// The first setting that cannot be used.
pub fn check_config(config: &Config) -> Result<(), PlanError> {
    Plan::of(config).map(drop)
}

/// Runs the server until it is told to stop. `notify` is where systemd waits for it.
///
/// # Errors
///
/// When it cannot start, or a vital worker failed.
pub async fn serve(config: Config, notify: Option<String>) -> Result<(), ServeError> {
    let clock = Arc::new(SystemClock::new());
    start_logs(&config.logging)?;
    raise_file_limit();
    let plan = Plan::of(&config)?;
    warn_of_open_registration(&config, &plan);
    let mut signals = Signals::listen()?;
    // Before the database: a taken address is told at once, and early callers wait in the kernel's queue.
    let bound = bind_all(&plan)?;
    let homeserver = Homeserver::open(&config, Arc::clone(&clock)).await?;
    let cut = Stop::new();
    let doors = Doors { config: &config, plan: &plan, stop: &homeserver.stop, cut: &cut };
    doors.open(&homeserver, bound, &clock)?;
    tell_systemd(notify.as_deref(), "READY=1");
    tracing::info!(start_ms = clock.monotonic_us() / 1_000, server_name = %plan.server_name, "Hearth is ready");
    let failed = tokio::select! {
        name = signals.wait() => {
            tracing::info!(signal = name, "stopping");
            false
        }
        () = homeserver.tasks.failed() => true,
    };
    tell_systemd(notify.as_deref(), "STOPPING=1");
    homeserver.stop.cancel();
    let grace = Duration::from_millis(u64::from(config.server.stop_grace_ms));
    if !homeserver.tasks.finish_connections(grace).await {
        cut.cancel();
        homeserver.tasks.finish_connections(CUT_WAIT).await;
    }
    homeserver.close().await;
    tracing::info!("stopped");
    if failed { Err(ServeError::Failed) } else { Ok(()) }
}

fn warn_of_open_registration(config: &Config, plan: &Plan) {
    if config.users.registration == Registration::Open && plan.is_public() {
        tracing::warn!("registration is open to everybody who reaches this server: expect spammers");
    }
}

/// The listeners of a plan.
struct Bound {
    plain: Vec<BoundListener>,
    tls: Vec<BoundListener>,
    metrics: Option<BoundListener>,
}

fn bind_all(plan: &Plan) -> Result<Bound, BindError> {
    let bind_each = |addresses: &[Address]| -> Result<Vec<BoundListener>, BindError> {
        addresses.iter().map(|address| bind(address, plan.unix_mode)).collect()
    };
    Ok(Bound {
        plain: bind_each(&plan.addresses)?,
        tls: bind_each(&plan.tls_addresses)?,
        metrics: bind_each(plan.metrics_address.as_slice())?.pop(),
    })
}

/// Opens the doors of a homeserver that runs.
struct Doors<'a> {
    config: &'a Config,
    plan: &'a Plan,
    stop: &'a Stop,
    cut: &'a Stop,
}

impl Doors<'_> {
    fn open(&self, homeserver: &Homeserver, bound: Bound, clock: &Arc<SystemClock>) -> Result<(), ServeError> {
        let stats = RequestStats::new(Arc::clone(clock), &SystemRng);
        let edge = self.edge(homeserver, homeserver.router(self.config, &stats));
        for listener in bound.plain {
            tracing::info!(address = %listener.address, "listening");
            homeserver.tasks.start_listener(crate::listeners::serve(listener, None, Arc::clone(&edge)));
        }
        if let Some(certificate) = &self.plan.certificate {
            let acceptor = certificate.acceptor()?;
            for listener in bound.tls {
                tracing::info!(address = %listener.address, "listening with TLS");
                let serving = crate::listeners::serve(listener, Some(acceptor.clone()), Arc::clone(&edge));
                homeserver.tasks.start_listener(serving);
            }
            let reloader = CertificateReloader::new(certificate.clone(), self.config.tls.reload_check_ms);
            homeserver.tasks.start_worker(move || Box::new(reloader.clone()));
        }
        if let Some(listener) = bound.metrics {
            tracing::info!(address = %listener.address, "figures at /metrics");
            let edge = self.edge(homeserver, figures_router(homeserver, stats, clock));
            homeserver.tasks.start_listener(crate::listeners::serve(listener, None, edge));
        }
        self.open_admin_socket(homeserver);
        Ok(())
    }

    fn edge(&self, homeserver: &Homeserver, router: Router) -> Arc<Edge> {
        let (stop, cut) = (self.stop.clone(), self.cut.clone());
        Edge::new(router, &self.config.listeners, homeserver.tasks.clone(), stop, cut)
    }

    /// Without it the server serves all the same: only the operator's commands have to wait for a stop.
    fn open_admin_socket(&self, homeserver: &Homeserver) {
        let data = &self.config.server.data;
        match AdminListener::bind(data) {
            Ok(listener) => {
                let (tasks, stop) = (homeserver.tasks.clone(), self.stop.clone());
                let serving = listener.serve(homeserver.operator(data), tasks, stop);
                homeserver.tasks.start_listener(serving);
            }
            Err(error) => {
                tracing::error!(%error, "no admin socket: `hearth user` and the like cannot reach this server");
            }
        }
    }
}

fn figures_router(homeserver: &Homeserver, stats: RequestStats, clock: &Arc<SystemClock>) -> Router {
    let mut sources = homeserver.list_metered();
    sources.push(Arc::new(stats));
    sources.push(Arc::new(ProcessFigures::new(Arc::clone(clock) as _)));
    let (stop, store) = (homeserver.stop.clone(), homeserver.env.store.clone());
    let ready: Probe = Arc::new(move || {
        let (stopping, store) = (stop.is_cancelled(), store.clone());
        Box::pin(async move {
            if stopping {
                return Err("the server stops".to_owned());
            }
            store.check_writable().await.map_err(|error| error.to_string())
        })
    });
    observation_router(sources, ready)
}

/// The signals that end the server.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> Result<Self, ServeError> {
        let terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
        Ok(Self { terminate, interrupt })
    }

    async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Tells systemd how it stands, if it wants to know. Nobody else asks, so failures do not matter.
fn tell_systemd(socket: Option<&str>, state: &str) {
    let Some(socket) = socket else { return };
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(socket),
    };
    if let (Ok(address), Ok(sender)) = (address, UnixDatagram::unbound()) {
        let _ = sender.send_to_addr(state.as_bytes(), &address);
    }
}
