//! Every Rust file is reached by a `mod` from a crate's root: a file that nothing compiles is dead.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{SourceFile, Tree, find_words, word_at};

/// Roots besides `src/*/lib.rs`: what Cargo finds by itself.
fn is_root(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(
        parts.as_slice(),
        ["src", "main.rs" | "build.rs"]
            | ["build.rs"]
            | ["src", _, "lib.rs" | "build.rs"]
            | ["tests" | "benches" | "examples", _]
            | ["tests" | "examples", _, "main.rs"]
            | ["src", _, "tests" | "benches" | "examples", _]
    )
}

pub fn check(tree: &Tree) -> Vec<String> {
    let rust: BTreeSet<&str> =
        tree.files.values().filter(|file| file.is_rust()).map(|file| file.path.as_str()).collect();
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<String> = rust.iter().filter(|path| is_root(path)).map(|path| (*path).to_owned()).collect();
    while let Some(path) = waiting.pop() {
        let Some(file) = tree.files.get(&path) else {
            continue;
        };
        if reached.insert(path.clone()) {
            waiting.extend(list_children(&path, &file.text, &file.code, &rust));
        }
    }
    rust.iter()
        .filter(|path| !reached.contains(**path))
        .map(|path| format!("{path}: no `mod` reaches this file: declare it or remove it"))
        .collect()
}

/// Marks the files of `src/` that only tests compile: those that no production `mod` reaches, but some
/// `mod` under `#[cfg(test)]` does.
pub fn mark_tests(files: &mut BTreeMap<String, SourceFile>) {
    let rust: BTreeSet<&str> = files.values().filter(|file| file.is_rust()).map(|file| file.path.as_str()).collect();
    let (mut production, mut any) = (BTreeSet::new(), BTreeSet::new());
    for file in files.values().filter(|file| file.is_rust()) {
        production.extend(list_children(&file.path, &file.text, &file.production, &rust));
        any.extend(list_children(&file.path, &file.text, &file.code, &rust));
    }
    let mut waiting: Vec<String> = any.into_iter().filter(|path| !production.contains(path)).collect();
    let mut marked = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if marked.insert(path.clone()) {
            let file = &files[&path];
            waiting.extend(list_children(&file.path, &file.text, &file.code, &rust));
        }
    }
    for path in marked {
        files.get_mut(&path).expect("a file of the tree").tests_only = true;
    }
}

/// The files that the `mod x;` lines of a file name.
fn list_children(path: &str, text: &str, code: &str, rust: &BTreeSet<&str>) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let owns_folder = name == "mod.rs" || is_root(path);
    let stem = name.trim_end_matches(".rs");
    let base = if owns_folder { folder.to_owned() } else { format!("{folder}/{stem}") };
    let mut children = Vec::new();
    for at in find_words(code, "mod ") {
        let module = word_at(code, at + "mod ".len());
        let behind = at + "mod ".len() + module.len();
        if module.is_empty() || !code[behind..].trim_start().starts_with(';') {
            continue;
        }
        if let Some(given) = path_attribute(text, at) {
            children.push(format!("{folder}/{given}"));
        } else {
            children.push(format!("{base}/{module}.rs"));
            children.push(format!("{base}/{module}/mod.rs"));
        }
    }
    for at in find_words(code, "include!(") {
        if let Some(given) = text[at..].split('"').nth(1) {
            children.push(format!("{folder}/{given}"));
        }
    }
    children.retain(|child| rust.contains(child.as_str()));
    children
}

/// The `#[path = ".."]` among the attributes right before a `mod` at `at`.
fn path_attribute(text: &str, at: usize) -> Option<&str> {
    let before = text[..at].trim_end_matches("pub ").trim_end_matches("pub(crate) ");
    let line = before.trim_end().lines().next_back()?;
    let start = line.find("#[path = \"")? + "#[path = \"".len();
    line[start..].split('"').next()
}

#[test]
fn a_file_that_nothing_declares_is_found() {
    let tree = Tree::of(&[
        ("src/a/lib.rs", "mod x;\npub mod y;\n// mod dead;"),
        ("src/a/x.rs", "#[cfg(test)]\n#[path = \"x_tests.rs\"]\nmod tests;"),
        ("src/a/x_tests.rs", ""),
        ("src/a/y/mod.rs", "mod z;"),
        ("src/a/y/z.rs", ""),
        ("src/a/dead.rs", ""),
    ]);
    let complaints = check(&tree);
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].starts_with("src/a/dead.rs"));
}

#[test]
fn what_only_tests_reach_is_marked() {
    let tree = Tree::of(&[
        ("src/a/lib.rs", "mod x;\n#[cfg(test)]\nmod testing;"),
        ("src/a/x.rs", ""),
        ("src/a/testing/mod.rs", "mod deep;"),
        ("src/a/testing/deep.rs", ""),
    ]);
    let marked: Vec<_> = tree.files.values().filter(|file| file.is_test()).map(|file| file.path.as_str()).collect();
    assert_eq!(marked, ["src/a/testing/deep.rs", "src/a/testing/mod.rs"]);
}
