//! Keeps debugging information, of which RocksDB's alone is half a gigabyte, out of the program. Names of functions stay.

fn main() {
    println!("cargo:rerun-if-changed=src/build.rs");
    if std::env::var_os("CARGO_CFG_TARGET_OS").is_some_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg-bins=-Wl,--strip-debug");
    }
}
