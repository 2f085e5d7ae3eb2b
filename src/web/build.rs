//! Embeds the built web UI: lists the files below `ui/dist/files`, with their compressed forms, as a
//! table of constants. Without them, as where nobody has Node, the table is empty and the build goes on.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells where the crate is"));
    let dist = root.join("ui/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let files = dist.join("files");
    let mut paths = Vec::new();
    collect(&files, &mut paths);
    paths.sort();

    let mut table = String::from("pub(crate) static FILES: &[EmbeddedFile] = &[\n");
    for path in paths.iter().filter(|path| !is_compressed(path)) {
        let name = path.strip_prefix(&files).expect("it was found below").to_string_lossy().replace('\\', "/");
        let _ = writeln!(
            table,
            "    EmbeddedFile {{ path: {name:?}, version: \"{:016x}\", plain: include_bytes!({:?}), \
             brotli: {}, gzip: {} }},",
            fingerprint(&fs::read(path).expect("a readable file")),
            path.display().to_string(),
            compressed(path, "br"),
            compressed(path, "gz"),
        );
    }
    table.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo gives a folder"));
    fs::write(out.join("files.rs"), table).expect("a writable folder");
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else {
            into.push(path);
        }
    }
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "br" || extension == "gz")
}

fn compressed(path: &Path, extension: &str) -> String {
    let beside = format!("{}.{extension}", path.display());
    if Path::new(&beside).exists() { format!("Some(include_bytes!({beside:?}))") } else { "None".to_owned() }
}

/// FNV-1a: enough to tell versions of one file apart.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
