//! Who may import whom: between crates, between the folders of `homeserver`, and which libraries may
//! be named where.

use crate::source::{SourceFile, Tree, end_of_block, find_words, line_of, word_at};

/// A crate, and the crates of ours that it may name. The order is the architecture.
const CRATES: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("storage", &["protocol"]),
    ("homeserver", &["protocol", "storage"]),
    ("api", &["protocol", "homeserver"]),
    ("web", &[]),
    ("server", &["protocol", "storage", "homeserver", "api", "web"]),
];

/// The folders of `homeserver`: each may import only those before it.
pub const FOLDERS: &[&str] = &[
    "outbound",
    "users",
    "e2ee",
    "media",
    "rooms",
    "search",
    "people",
    "push",
    "federation",
    "appservice",
    "sync",
    "flows",
    "admin",
];

/// What the rules of Matrix must do without.
const NOT_IN_PROTOCOL: &[&str] = &[
    "tokio",
    "axum",
    "hyper",
    "rocksdb",
    "reqwest",
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::io",
    "SystemTime",
    "Instant",
    "async fn",
    "async move",
    ".await",
];

/// A library, the paths that may name it, and what others use.
const LIBRARIES: &[(&str, &[&str], &str)] = &[
    ("rocksdb", &["src/storage/engine/"], "`Store` and `Txn`"),
    ("reqwest", &["src/homeserver/outbound/"], "the client of homeserver/outbound"),
    ("axum", &["src/api/", "src/server/", "src/web/"], "a domain function without HTTP"),
    ("hyper", &["src/api/", "src/server/", "src/homeserver/outbound/"], "the api crate"),
    ("clap", &["src/server/", "src/main.rs"], "the configuration"),
    ("argon2", &["src/homeserver/users/"], "the users domain"),
];

pub fn check_crates(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, may) in CRATES {
        let folder = format!("src/{name}/");
        if let Some(manifest) = tree.text(&format!("{folder}Cargo.toml")) {
            for (number, line) in manifest.lines().enumerate() {
                let Some(rest) = line.trim_start().strip_prefix("hearth-") else {
                    continue;
                };
                let other = word_at(rest, 0);
                if !may.contains(&other) {
                    let line = number + 1;
                    complaints.push(format!(
                        "{folder}Cargo.toml:{line}: {name} may not depend on {other} (docs/ARCHITECTURE.md, layers)"
                    ));
                }
            }
        }
        for file in tree.rust_below(&folder) {
            for at in find_words(&file.code, "hearth_") {
                let other = word_at(&file.code, at + "hearth_".len());
                let ours = CRATES.iter().any(|(known, _)| *known == other);
                if ours && other != *name && !may.contains(&other) {
                    let line = line_of(&file.code, at);
                    complaints.push(format!(
                        "{}:{line}: {name} may not name hearth_{other} (docs/ARCHITECTURE.md, layers)",
                        file.path
                    ));
                }
            }
        }
    }
    complaints
}

pub fn check_folders(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust_below("src/homeserver/").filter(|file| !file.is_test()) {
        let inside = &file.path["src/homeserver/".len()..];
        let parts: Vec<&str> = inside.split('/').collect();
        let own = parts[0].strip_suffix(".rs").unwrap_or(parts[0]);
        if own == "lib" {
            continue;
        }
        // A file at the root lies below every folder.
        let rank = FOLDERS.iter().position(|folder| *folder == own);
        if rank.is_none() && parts.len() > 1 {
            complaints.push(format!(
                "{}:1: `{own}` has no place in the order of folders; add it to FOLDERS and docs/ARCHITECTURE.md",
                file.path
            ));
            continue;
        }
        for (at, name) in root_imports(file, module_depth(&parts)) {
            let Some(target) = FOLDERS.iter().position(|folder| *folder == name) else {
                continue;
            };
            if rank.is_none_or(|rank| target > rank) {
                let line = line_of(&file.production, at);
                complaints.push(format!("{}:{line}: {own} may not import {name}: use the output log, a port, or flows/ (docs/ARCHITECTURE.md, layers)", file.path));
            }
        }
    }
    complaints
}

/// How many `super::` lead from a file's module to the crate's root.
fn module_depth(parts: &[&str]) -> usize {
    let last = parts.last().copied().unwrap_or_default();
    if last == "mod.rs" { parts.len() - 1 } else { parts.len() }
}

/// The names behind `crate::` or enough `super::`, one level deep, also in braces.
fn root_imports(file: &SourceFile, depth: usize) -> Vec<(usize, String)> {
    let code = &file.production;
    let supers = "super::".repeat(depth);
    let mut found = Vec::new();
    for root in ["crate::", supers.as_str()] {
        for at in find_words(code, root) {
            let behind = at + root.len();
            if code.as_bytes().get(behind) == Some(&b'{') {
                let inside = &code[behind + 1..end_of_block(code, behind) - 1];
                found.extend(top_names(inside).into_iter().map(|name| (at, name)));
            } else {
                found.push((at, word_at(code, behind).to_owned()));
            }
        }
    }
    found
}

/// First names of a brace list, without what is nested deeper.
fn top_names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0usize;
    let mut start = 0;
    for (at, byte) in list.bytes().chain([b',']).enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                let item = list[start..at].trim();
                names.push(word_at(item, 0).to_owned());
                start = at + 1;
            }
            _ => {}
        }
    }
    names
}

pub fn check_protocol(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.rust_below("src/protocol/").filter(|file| !file.is_test()) {
        for banned in NOT_IN_PROTOCOL {
            for at in find_words(&file.production, banned) {
                let line = line_of(&file.production, at);
                complaints.push(format!(
                    "{}:{line}: protocol is pure and may not name `{banned}`: take the value as an argument",
                    file.path
                ));
            }
        }
    }
    complaints
}

pub fn check_libraries(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.production_files() {
        for (library, places, instead) in LIBRARIES {
            if places.iter().any(|place| file.path.starts_with(place)) {
                continue;
            }
            for at in find_words(&file.production, &format!("{library}::")) {
                let line = line_of(&file.production, at);
                let places = places.join(", ");
                complaints.push(format!("{}:{line}: `{library}` is named only in {places}; use {instead}", file.path));
            }
        }
    }
    complaints
}

#[test]
fn an_upward_crate_import_is_found() {
    let tree = Tree::of(&[
        ("src/api/Cargo.toml", "[dependencies]\nhearth-storage.workspace = true\nhearth-homeserver.workspace = true\n"),
        ("src/api/client/sync.rs", "use hearth_storage::Store;\nuse hearth_homeserver::Rooms;"),
        ("src/protocol/lib.rs", "// hearth_storage in a comment is fine"),
    ]);
    let complaints = check_crates(&tree);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[0].starts_with("src/api/Cargo.toml:2:"));
    assert!(complaints[1].starts_with("src/api/client/sync.rs:1:"));
}

#[test]
fn an_upward_folder_import_is_found_in_every_spelling() {
    let tree = Tree::of(&[
        ("src/homeserver/users/mod.rs", "use crate::rooms::Rooms;"),
        ("src/homeserver/users/login.rs", "use crate::{env::Env, sync::{A, B}};"),
        ("src/homeserver/users/a/b.rs", "use super::super::super::flows::Register;"),
        ("src/homeserver/worker.rs", "use crate::users::Users;"),
        ("src/homeserver/rooms/send.rs", "use crate::users::LocalUser;\n#[cfg(test)]\nuse crate::sync::Sync;"),
        ("src/homeserver/stuff/mod.rs", ""),
    ]);
    let complaints = check_folders(&tree);
    assert_eq!(complaints.len(), 5, "{complaints:?}");
    assert!(!complaints.iter().any(|text| text.contains("rooms/send.rs")));
}

#[test]
fn io_in_protocol_is_found() {
    let bad = [("src/protocol/auth.rs", "async fn f() { std::fs::read(p); }")];
    assert_eq!(check_protocol(&Tree::of(&bad)).len(), 2);
    let good = [("src/protocol/auth.rs", "// std::fs\nfn f() {}")];
    assert!(check_protocol(&Tree::of(&good)).is_empty());
}

#[test]
fn a_library_in_the_wrong_place_is_found() {
    let tree = Tree::of(&[
        ("src/storage/store.rs", "use rocksdb::DB;"),
        ("src/storage/engine/rocks.rs", "use rocksdb::DB;"),
        ("src/homeserver/push/gateway.rs", "use reqwest::Client;"),
    ]);
    assert_eq!(check_libraries(&tree).len(), 2);
}
