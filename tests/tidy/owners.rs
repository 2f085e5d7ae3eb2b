//! Each table has one owner, named in its doc comment (`Owner: rooms.`), and only the owner writes it.
//!
//! The tables of `schema/rooms.rs` are written by the pipeline's commit step alone, unless a table's
//! own doc names another owner: a path below `src/homeserver/` or `src/storage/`.

use crate::source::{Tree, find_words, is_word, line_of, word_at};

const SCHEMA: &str = "src/storage/schema/";
const EVENT_TABLES: &str = "src/storage/schema/rooms.rs";
const COMMIT_STEP: &str = "rooms/pipeline/commit";

/// Functions of a transaction that change a row.
const WRITERS: &[&str] = &[
    "put",
    "put_at",
    "put_stamped",
    "put_with_pos",
    "put_slot",
    "delete",
    "delete_range",
    "add",
    "max",
    "outbox_put",
    "outbox_delete",
];

struct Owned {
    table: String,
    owner: String,
    place: String,
}

pub fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let tables = list_tables(tree, &mut complaints);
    for file in tree.production_files() {
        if file.path.starts_with("src/storage/") && !file.path.starts_with(SCHEMA) {
            continue;
        }
        for (at, table) in list_writes(&file.production) {
            let Some(owned) = tables.iter().find(|owned| owned.table == table) else {
                continue;
            };
            let below = |root: &str| {
                file.path
                    .strip_prefix(root)
                    .is_some_and(|rest| rest.starts_with(&owned.owner))
            };
            if !below("src/homeserver/") && !below("src/storage/") {
                let line = line_of(&file.production, at);
                complaints.push(format!(
                    "{}:{line}: {table} is written only by its owner, {} ({}); ask the owner",
                    file.path, owned.owner, owned.place
                ));
            }
        }
    }
    complaints
}

/// The tables of the schema with their owners.
fn list_tables(tree: &Tree, complaints: &mut Vec<String>) -> Vec<Owned> {
    let mut tables = Vec::new();
    for file in tree.rust_below(SCHEMA).filter(|file| !file.is_test()) {
        for (at, table) in list_table_names(&file.production) {
            let line = line_of(&file.production, at);
            let place = format!("{}:{line}", file.path);
            let stated = stated_owner(&file.text, &table);
            let owner = match stated {
                Some(owner) if file.path != EVENT_TABLES => owner,
                Some(owner) if owner != "rooms" => owner,
                _ if file.path == EVENT_TABLES => COMMIT_STEP.to_owned(),
                _ => {
                    complaints.push(format!(
                        "{place}: say who writes {table}: `/// .. Owner: FOLDER.`"
                    ));
                    continue;
                }
            };
            tables.push(Owned {
                table,
                owner,
                place,
            });
        }
    }
    tables
}

/// Names behind `impl Table for`, and the first words of `table!` calls.
fn list_table_names(code: &str) -> Vec<(usize, String)> {
    let marker = "impl Table for ";
    let mut names: Vec<_> = find_words(code, marker)
        .map(|at| (at, word_at(code, at + marker.len()).to_owned()))
        .collect();
    for at in find_words(code, "table! {") {
        let marker = "pub struct ";
        let Some(found) = code[at..].find(marker) else {
            continue;
        };
        names.push((at, word_at(code, at + found + marker.len()).to_owned()));
    }
    names
}

/// The owner that the doc comment above `pub struct TABLE` names.
fn stated_owner(text: &str, table: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| {
        line.strip_prefix("pub struct ")
            .is_some_and(|rest| word_at(rest, 0) == table)
    })?;
    let docs = lines[..at]
        .iter()
        .rev()
        .take_while(|line| line.starts_with("///") || line.starts_with("#["));
    for line in docs {
        if let Some((_, rest)) = line.split_once("Owner: ") {
            let rest = rest.trim_start_matches(['`', '[']);
            let end = rest
                .bytes()
                .position(|byte| !is_word(byte) && byte != b'/')
                .unwrap_or(rest.len());
            return Some(rest[..end].to_owned());
        }
    }
    None
}

/// Every `writer::<Table` in the code, with the table's bare name.
fn list_writes(code: &str) -> Vec<(usize, String)> {
    let mut writes = Vec::new();
    for (at, _) in code.match_indices("::<") {
        let writer = code[..at]
            .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next();
        if !writer.is_some_and(|name| WRITERS.contains(&name)) {
            continue;
        }
        let mut from = at + "::<".len();
        loop {
            let word = word_at(code, from);
            let behind = from + word.len();
            if code[behind..].starts_with("::") {
                from = behind + 2;
            } else {
                writes.push((at, word.to_owned()));
                break;
            }
        }
    }
    writes
}

#[test]
fn a_write_by_another_than_the_owner_is_found() {
    let rooms = "/// New events. Owner: rooms.\npub struct Arrival;\nimpl Table for Arrival {}\n\
                 /// Read receipts. Owner: rooms/receipts.\npub struct Receipts;\nimpl Table for Receipts {}";
    let users = "/// Sessions. Owner: users.\npub struct Sessions;\nimpl Table for Sessions {}\n\
                 pub struct Orphan;\nimpl Table for Orphan {}";
    let tree = Tree::of(&[
        (EVENT_TABLES, rooms),
        ("src/storage/schema/users.rs", users),
        (
            "src/homeserver/rooms/pipeline/commit.rs",
            "txn.put_at::<schema::Arrival>(a, s, v);",
        ),
        (
            "src/homeserver/rooms/receipts.rs",
            "txn.put::<Receipts>(k, v);",
        ),
        (
            "src/homeserver/rooms/send.rs",
            "txn.put::<Arrival>(k, v); txn.assert_absent::<Arrival>(k);",
        ),
        (
            "src/homeserver/flows/register.rs",
            "txn.delete::<Sessions>(k);",
        ),
    ]);
    let complaints = check(&tree);
    assert_eq!(complaints.len(), 3, "{complaints:?}");
    assert!(
        complaints
            .iter()
            .any(|text| text.contains("say who writes Orphan"))
    );
    assert!(
        complaints
            .iter()
            .any(|text| text.starts_with("src/homeserver/rooms/send.rs:1:"))
    );
    assert!(
        complaints
            .iter()
            .any(|text| text.starts_with("src/homeserver/flows/register.rs:1:"))
    );
}
