//! Every Rust file opens with `//!`: what it is, and what it must never do.

use crate::source::Tree;

pub fn check_module_docs(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.files.values().filter(|file| file.is_rust()) {
        let first = file
            .text
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        if !first.starts_with("//! ") {
            complaints.push(format!(
                "{}:1: open the file with `//!`: what it is, what it must never do",
                file.path
            ));
        }
    }
    complaints
}

#[test]
fn a_file_without_docs_is_found() {
    let tree = Tree::of(&[
        ("src/api/a.rs", "use x;\n//! late"),
        ("src/api/b.rs", "//! Fine.\n"),
    ]);
    assert_eq!(check_module_docs(&tree).len(), 1);
}
