//! Every Rust file opens with `//!`: what it is, and what it must never do. Only `x_tests.rs` beside
//! `x.rs` may go without: its name says it all.

use crate::source::Tree;

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

#[test]
fn a_file_without_docs_is_found() {
    let tree =
        Tree::of(&[("src/api/a.rs", "use x;\n//! late"), ("src/api/b.rs", "//! Fine.\n"), ("src/api/a_tests.rs", "")]);
    assert_eq!(check_module_docs(&tree).len(), 1);
}
