//! Words that have to be true: every Rust file says what it is, and the documents name only files and
//! tests that exist.

use std::collections::BTreeSet;

use crate::source::{Tree, find_words, has_extension, word_at};

/// The document whose promises name the tests that hold them.
const PROMISES: &str = "docs/PROMISES.md";

/// Every Rust file opens with `//!`. Only `x_tests.rs` beside `x.rs` may go without: its name says it all.
pub fn check_module_docs(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let beside = |path: &str| path.ends_with("_tests.rs") || path.ends_with("/tests.rs");
    for file in tree.files.values().filter(|file| file.is_rust() && !beside(&file.path)) {
        let first = file.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if !first.starts_with("//! ") {
            complaints.push(format!("{}:1: open the file with `//!`: what it is, what it must never do", file.path));
        }
    }
    complaints
}

/// Paths in backticks exist, in all documents; names of tests exist, in the promises.
pub fn check_documents(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let tests: BTreeSet<&str> = tree.files.values().flat_map(|file| functions_of(&file.code)).collect();
    for file in tree.files.values().filter(|file| has_extension(&file.path, "md")) {
        for (number, word) in list_quoted(&file.text) {
            if is_path(word) && !exists(tree, word) {
                complaints.push(format!("{}:{number}: there is no `{word}`", file.path));
            }
            if file.path == PROMISES && is_test_name(word) && !tests.contains(word) {
                complaints.push(format!("{}:{number}: there is no test `{word}`", file.path));
            }
        }
    }
    complaints
}

fn functions_of(code: &str) -> impl Iterator<Item = &str> {
    find_words(code, "fn ").map(|at| word_at(code, at + "fn ".len()))
}

/// What stands in backticks outside of code blocks, with its line.
fn list_quoted(text: &str) -> Vec<(usize, &str)> {
    let mut quoted = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            quoted.extend(line.split('`').skip(1).step_by(2).map(|word| (index + 1, word)));
        }
    }
    quoted
}

/// A path below our own folders, or a Rust file; not a pattern, a URL or a placeholder.
fn is_path(word: &str) -> bool {
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte));
    let ours = ["src/", "tests/", "docs/", "api-spec/", "config/", ".ci/"].iter().any(|root| word.starts_with(root));
    let rust = word.rsplit_once('.').is_some_and(|(stem, extension)| extension == "rs" && !stem.starts_with('x'));
    plain && !word.contains("..") && (ours || rust)
}

/// Whether a file or folder has this path, or a path that ends in it.
fn exists(tree: &Tree, word: &str) -> bool {
    let inside = format!("/{}/", word.trim_end_matches('/'));
    tree.files.keys().any(|known| format!("/{known}/").contains(&inside))
}

/// Four words or more, as tests are named here.
fn is_test_name(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && word.matches('_').count() >= 3
}

#[test]
fn a_file_without_docs_is_found() {
    let tree =
        Tree::of(&[("src/api/a.rs", "use x;\n//! late"), ("src/api/b.rs", "//! Fine.\n"), ("src/api/a_tests.rs", "")]);
    assert_eq!(check_module_docs(&tree).len(), 1);
}

#[test]
fn a_document_that_names_what_is_not_there_is_found() {
    let document = "`src/api/a.rs` `rooms/b.rs` `b.rs` `src/api/` `x_tests.rs` `a_test_that_is_there`\n\
                    `src/api/gone.rs` `api/b.rs`\n```\n`src/gone.rs`\n```\n`a_test_that_is_gone`";
    let tree = Tree::of(&[
        (PROMISES, document),
        ("src/api/a.rs", "fn a_test_that_is_there() {}"),
        ("src/homeserver/rooms/b.rs", ""),
    ]);
    let complaints = check_documents(&tree);
    assert_eq!(complaints.len(), 3, "{complaints:?}");
}
