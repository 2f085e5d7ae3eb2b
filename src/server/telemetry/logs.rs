//! Logs: one line an event, as text or JSON, to standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::{LogFormat, LoggingConfig};

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be parsed.
    #[error("logging.filter is not understood: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else logs already.
    #[error("logs are set up already: {0}")]
    Twice(#[from] TryInitError),
}

/// Sets up the logs of the process, and has panics logged in the same form.
///
/// # Errors
///
/// When the filter is not understood, or logs were set up before.
pub fn start_logs(config: &LoggingConfig) -> Result<(), LogError> {
    let filter = EnvFilter::builder().parse(&config.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => {
            builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).finish().try_init()?;
        }
        LogFormat::Json => {
            builder.json().flatten_event(true).with_current_span(true).with_span_list(false).finish().try_init()?;
        }
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let reason = crate::workers::panic_text(panic.payload());
        let trace = std::backtrace::Backtrace::capture();
        tracing::error!(place, reason, %trace, "panic");
    }));
    Ok(())
}
