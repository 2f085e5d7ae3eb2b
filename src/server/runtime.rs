//! The process: its threads, and how many files it may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Threads for work that blocks: hashing passwords and little else, so few are enough.
const BLOCKING_THREADS_MAX: usize = 32;

/// The runtime that everything runs on; `threads` of 0 means one for each processor core.
///
/// # Errors
///
/// When the operating system gives no threads.
pub fn build_runtime(threads: u16) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if threads > 0 {
        builder.worker_threads(usize::from(threads));
    }
    builder.max_blocking_threads(BLOCKING_THREADS_MAX).thread_name("hearth").enable_all().build()
}

/// Allows as many open files as the operating system lets this process have: each connection is one,
/// and the usual limit of 1,024 is for programs that call `select`.
pub fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum && setrlimit(Resource::Nofile, raised).is_err() {
        tracing::warn!(current = limit.current, "the limit of open files could not be raised");
    }
}
