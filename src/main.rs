//! The `hearth` program. Everything it does stands in the crate `hearth-server`.

/// Gives the memory of hashed passwords and flushed tables back to the system, which glibc's allocator keeps.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    hearth_server::run()
}
