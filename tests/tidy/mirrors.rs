//! One family of endpoints, one stem in three places: `api-spec/AREA/STEM.yaml`, the handler file, and
//! the test file. What the specification has and this server has not is a line in
//! `api-spec/not-served.txt`, which may only shrink.

use std::collections::{BTreeMap, BTreeSet};

use crate::sizes::check_count;
use crate::source::{Tree, find_words};

const OPERATIONS: &str = "api-spec/operations.txt";
const NOT_SERVED: &str = "api-spec/not-served.txt";

/// Area of the specification, its handlers, its tests.
const AREAS: &[(&str, &str, &str)] = &[
    ("client-server", "src/api/client/", "tests/it/client/"),
    ("server-server", "src/api/federation/", "tests/it/federation/"),
    ("synapse-admin", "src/api/synapse_admin/", "tests/it/synapse_admin/"),
    ("application-service", "src/homeserver/appservice/", "tests/it/appservice/"),
];

/// An operation: area, stem, operation id, method, path.
type Operation = [String; 5];

pub fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let operations = parse_operations(tree.text(OPERATIONS).unwrap_or_default());
    let served = list_served(tree);
    let known: BTreeSet<&Operation> = operations.iter().collect();
    for (place, operation) in &served {
        let of_the_specification = operations.iter().any(|known| known[0] == operation[0] && known[2] == operation[2]);
        if of_the_specification && !known.contains(operation) {
            complaints.push(format!("{place}: {} differs from {OPERATIONS} in stem, method or path", operation[2]));
        }
        complaints.extend(check_mirror(tree, place, operation));
    }
    let not_served = tree.text(NOT_SERVED).unwrap_or_default();
    complaints.extend(check_not_served(tree, &operations, &served, not_served));
    complaints.extend(check_stems(tree, &operations, &served));
    complaints
}

fn parse_operations(text: &str) -> Vec<Operation> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace().map(str::to_owned);
            std::array::from_fn(|_| words.next().unwrap_or_default())
        })
        .collect()
}

/// The operations of all `api-spec/AREA/*.yaml`, with the place of each.
fn list_served(tree: &Tree) -> Vec<(String, Operation)> {
    let mut served = Vec::new();
    for file in tree.files.values() {
        let Some((area, name)) = file.path.strip_prefix("api-spec/").and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        let Some(stem) = name.strip_suffix(".yaml") else {
            continue;
        };
        let (mut path, mut method) = (String::new(), String::new());
        for (index, line) in file.text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let word = line.trim().trim_end_matches(':').trim_matches('"');
            if indent == 2 && word.starts_with('/') {
                word.clone_into(&mut path);
            } else if indent == 4 && line.ends_with(':') {
                method = word.to_uppercase();
            } else if let Some(id) = line.trim().strip_prefix("operationId: ") {
                let operation = [area.to_owned(), stem.to_owned(), id.to_owned(), method.clone(), path.clone()];
                served.push((format!("{}:{}", file.path, index + 1), operation));
            }
        }
    }
    served
}

/// The handler and the test file of a served operation.
fn check_mirror(tree: &Tree, place: &str, operation: &Operation) -> Vec<String> {
    let [area, stem, id, ..] = operation;
    let Some((_, handlers, tests)) = AREAS.iter().find(|(name, ..)| name == area) else {
        return vec![format!("{place}: unknown area `{area}`")];
    };
    let mut complaints = Vec::new();
    let function = snake_case(id);
    let handler = format!("{handlers}{stem}.rs");
    if !has_function(tree, &handler, &function) {
        complaints.push(format!("{place}: {id} wants `fn {function}` in {handler}"));
    }
    let test = format!("{tests}{stem}.rs");
    if tree.text(&test).is_none() {
        complaints.push(format!("{place}: {id} wants its tests in {test}"));
    }
    complaints
}

/// Where the operations of a stem are handled.
pub fn handler_path(area: &str, stem: &str) -> String {
    let handlers = AREAS.iter().find(|(name, ..)| *name == area).map_or("", |(_, handlers, _)| *handlers);
    format!("{handlers}{stem}.rs")
}

fn has_function(tree: &Tree, path: &str, function: &str) -> bool {
    tree.files.get(path).is_some_and(|file| {
        let head = format!("fn {function}");
        find_words(&file.production, &head).any(|at| file.production[at + head.len()..].starts_with(['(', '<']))
    })
}

/// Each operation is either served or on the list, and the list is exact.
fn check_not_served(tree: &Tree, operations: &[Operation], served: &[(String, Operation)], list: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let served: BTreeSet<(&str, &str)> =
        served.iter().map(|(_, operation)| (operation[0].as_str(), operation[2].as_str())).collect();
    let mut listed = BTreeMap::new();
    for (index, line) in list.lines().enumerate().filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty())
    {
        let mut words = line.split_whitespace();
        listed.insert((words.next().unwrap_or_default(), words.next().unwrap_or_default()), index + 1);
    }
    complaints.extend(check_count(NOT_SERVED, list, listed.len()));
    for operation in operations {
        let key = (operation[0].as_str(), operation[2].as_str());
        let line = listed.remove(&key);
        match (served.contains(&key), line) {
            (true, Some(line)) => complaints.push(format!("{NOT_SERVED}:{line}: {} is served: remove the line", key.1)),
            (false, None) => {
                complaints
                    .push(format!("{OPERATIONS}: {} {} is neither in api-spec nor in {NOT_SERVED}", key.0, key.1));
            }
            (false, Some(line)) => {
                if has_function(tree, &handler_path(key.0, &operation[1]), &snake_case(key.1)) {
                    complaints.push(format!(
                        "{NOT_SERVED}:{line}: {} has a handler: describe it in api-spec and remove the line",
                        key.1
                    ));
                }
            }
            (true, None) => {}
        }
    }
    for ((_, id), line) in listed {
        complaints.push(format!("{NOT_SERVED}:{line}: `{id}` is no operation of the specification"));
    }
    complaints
}

/// Handler and test files bear the stem of a file of the specification, or of our own api-spec.
fn check_stems(tree: &Tree, operations: &[Operation], served: &[(String, Operation)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (area, handlers, tests) in AREAS.iter().filter(|(area, ..)| *area != "application-service") {
        let ours = served.iter().map(|(_, operation)| operation);
        let stems: BTreeSet<&str> = operations
            .iter()
            .chain(ours)
            .filter(|operation| operation[0] == *area)
            .map(|operation| operation[1].as_str())
            .collect();
        for file in tree.files.values().filter(|file| file.is_rust()) {
            let rest = file.path.strip_prefix(handlers).or_else(|| file.path.strip_prefix(tests));
            let Some(stem) = rest.and_then(|rest| rest.strip_suffix(".rs")) else {
                continue;
            };
            let stem = stem.trim_end_matches("_tests");
            if stem != "mod" && !stem.contains('/') && !stems.contains(stem) {
                complaints.push(format!(
                    "{}: `{stem}` is no file of the specification's {area} API: use its stem",
                    file.path
                ));
            }
        }
    }
    complaints
}

/// `sendMessage` is `send_message`, `uploadContentToMXC` is `upload_content_to_mxc`, and
/// `getAccount3PIDs` is `get_account3pids`.
pub fn snake_case(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let lower = |at: usize| letters.get(at).is_some_and(char::is_ascii_lowercase);
        let new_word = before.is_some_and(|before| {
            before.is_ascii_lowercase() || (before.is_ascii_uppercase() && lower(at + 1) && lower(at + 2))
        });
        if letter.is_ascii_uppercase() && new_word {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[test]
fn operation_ids_become_function_names() {
    let cases = [
        ("sendMessage", "send_message"),
        ("sync", "sync"),
        ("logout_all", "logout_all"),
        ("uploadContentToMXC", "upload_content_to_mxc"),
        ("getAccount3PIDs", "get_account3pids"),
        ("requestTokenTo3PIDEmail", "request_token_to3pid_email"),
        ("getWhoIs", "get_who_is"),
        ("queryUserByID", "query_user_by_id"),
        ("redirectToIdP", "redirect_to_id_p"),
    ];
    for (id, name) in cases {
        assert_eq!(snake_case(id), name);
    }
}

#[test]
fn a_missing_handler_test_or_line_is_found() {
    let operations = "# x\nclient-server sync sync GET /v3/sync\nclient-server logout logout POST /v3/logout\nclient-server tags getTag GET /v3/tag\n";
    let yaml = "paths:\n  /v3/sync:\n    get:\n      operationId: sync\n";
    let good = [
        (OPERATIONS, operations),
        ("api-spec/client-server/sync.yaml", yaml),
        (NOT_SERVED, "# 2 lines\nclient-server logout\nclient-server getTag\n"),
        ("src/api/client/sync.rs", "pub async fn sync(a: A) {}"),
        ("tests/it/client/sync.rs", ""),
    ];
    assert_eq!(check(&Tree::of(&good)), Vec::<String>::new());
    let changes: [(usize, (&str, &str), &str); 7] = [
        (3, ("src/api/client/sync.rs", "fn sync_all() {}"), "wants `fn sync`"),
        (4, ("tests/it/client/other.rs", ""), "wants its tests"),
        (4, ("tests/it/client/other.rs", ""), "is no file of the specification"),
        (2, (NOT_SERVED, "# 1 lines\nclient-server logout\n"), "neither"),
        (2, (NOT_SERVED, "# 3 lines\nclient-server logout\nclient-server getTag\nclient-server sync\n"), "is served"),
        (2, (NOT_SERVED, "# 9 lines\nclient-server logout\nclient-server getTag\n"), "may only go down"),
        (
            1,
            ("api-spec/client-server/sync.yaml", "paths:\n  /v3/sync:\n    post:\n      operationId: sync\n"),
            "differs",
        ),
    ];
    for (at, file, expected) in changes {
        let mut files = good;
        files[at] = file;
        let complaints = check(&Tree::of(&files));
        assert!(complaints.iter().any(|text| text.contains(expected)), "{expected}: {complaints:?}");
    }
}

#[test]
fn a_handler_that_the_list_denies_is_found() {
    let tree = Tree::of(&[
        (OPERATIONS, "client-server logout logout POST /v3/logout\n"),
        (NOT_SERVED, "# 1 lines\nclient-server logout\n"),
        ("src/api/client/logout.rs", "pub async fn logout() {}"),
    ]);
    assert!(check(&tree).iter().any(|text| text.contains("has a handler")));
}
