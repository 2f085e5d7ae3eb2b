//! The `hearth` program. Everything it does stands in the crate `hearth-server`.

fn main() -> std::process::ExitCode {
    hearth_server::run()
}
