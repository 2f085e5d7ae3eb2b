//! What the conformance suite checks is held by tests of our own too: each of its tests that needs one server and
//! nothing else stands in `complement/held-by.txt` with tests that exist.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Tree;

const UPSTREAM: &str = "complement/tests.csv";
const HELD_BY: &str = "complement/held-by.txt";

pub fn check(tree: &Tree) -> Vec<String> {
    let wanted = list_wanted(tree.text(UPSTREAM).unwrap_or_default());
    let (held, mut complaints) = parse(tree, tree.text(HELD_BY).unwrap_or_default());
    for test in wanted.iter().filter(|test| held.get(*test).is_none_or(|ours| *ours == 0)) {
        complaints.push(format!("{HELD_BY}: which test of ours holds what `{test}` checks?"));
    }
    for test in held.keys().filter(|test| !wanted.contains(*test)) {
        complaints.push(format!("{HELD_BY}: `{test}` is no test of {UPSTREAM} that needs nothing else"));
    }
    complaints
}

/// Package and name of the tests that need nothing beside the client-server API of one server.
fn list_wanted(csv: &str) -> BTreeSet<String> {
    let rows = csv.lines().filter(|line| !line.starts_with('#')).skip(1);
    let parts = rows.map(|row| row.split(',').collect::<Vec<_>>());
    parts.filter(|row| row.last() == Some(&"")).map(|row| format!("{} {}", row[0], row[1])).collect()
}

/// How many tests of ours stand under each; and what is said of those that are not there.
fn parse(tree: &Tree, text: &str) -> (BTreeMap<String, usize>, Vec<String>) {
    let (mut held, mut complaints, mut current) = (BTreeMap::new(), Vec::new(), String::new());
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
    for (index, line) in lines {
        let Some(ours) = line.strip_prefix("    ") else {
            line.clone_into(&mut current);
            held.insert(current.clone(), 0);
            continue;
        };
        let (file, name) = ours.split_once(' ').unwrap_or((ours, ""));
        let code = tree.files.get(&format!("tests/it/{file}.rs")).map_or("", |file| &file.code);
        if name.is_empty() || !code.contains(&format!("async fn {name}()")) {
            complaints.push(format!("{HELD_BY}:{}: there is no test `{name}` in tests/it/{file}.rs", index + 1));
        }
        *held.entry(current.clone()).or_default() += 1;
    }
    (held, complaints)
}

#[test]
fn a_test_that_nobody_holds_or_that_is_not_there_is_found() {
    let upstream = "# Of upstream.\npackage,test,area,needs\ntests,TestA,a,\ntests,TestB,b,federation\n";
    let ours = "async fn held() {}";
    for (held_by, expected) in [
        ("tests TestA\n    client/a held\n", 0),
        ("", 1),
        ("tests TestA\n", 1),
        ("tests TestA\n    client/a other\n", 1),
        ("tests TestA\n    client/b held\n", 1),
        ("tests TestA\n    client/a held\ntests TestB\n    client/a held\n", 1),
    ] {
        let tree = Tree::of(&[(UPSTREAM, upstream), (HELD_BY, held_by), ("tests/it/client/a.rs", ours)]);
        let complaints = check(&tree);
        assert_eq!(complaints.len(), expected, "{held_by}: {complaints:?}");
    }
}
