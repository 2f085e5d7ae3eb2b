//! What the operator sees: logs, and figures for Prometheus.
//!
//! No token, password, message content or query string ever gets into either,
//! and no user or room is a label of a figure.

mod exposition;
mod homeserver;
mod logs;
mod observe;
mod process;
mod requests;

pub use exposition::write_exposition;
pub use homeserver::HomeserverFigures;
pub use logs::{LogError, start_logs};
pub use observe::{Probe, observation_router};
pub use process::ProcessFigures;
pub use requests::{RequestStats, around_request};
