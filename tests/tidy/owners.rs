//! Each table has one owner, named in its doc comment (`Owner: rooms.`), and only the owner writes it.
//!
//! An owner is a path below `src/homeserver/`, or `storage`. The tables of `schema/rooms.rs` that belong
//! to rooms are written by the pipeline's commit step alone. Where the table's doc names none, the
//! file's doc does. `Owner: the ..` is a table of many, each with rows of their own.

use crate::layers::FOLDERS;
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
            let below = |root: &str| file.path.strip_prefix(root).is_some_and(|rest| rest.starts_with(&owned.owner));
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
            let owner = match stated_owner(&file.text, &table).as_deref() {
                Some("the") => continue,
                None | Some("rooms") if file.path == EVENT_TABLES => COMMIT_STEP.to_owned(),
                Some(owner) => owner.to_owned(),
                None => {
                    complaints.push(format!("{place}: say who writes {table}: `/// .. Owner: FOLDER.`"));
                    continue;
                }
            };
            tables.push(Owned { table, owner, place });
        }
    }
    tables
}

/// Names behind `impl Table for`, and the first words of `table!` calls.
fn list_table_names(code: &str) -> Vec<(usize, String)> {
    let marker = "impl Table for ";
    let mut names: Vec<_> =
        find_words(code, marker).map(|at| (at, word_at(code, at + marker.len()).to_owned())).collect();
    for at in find_words(code, "table! {") {
        let marker = "pub struct ";
        let Some(found) = code[at..].find(marker) else {
            continue;
        };
        names.push((at, word_at(code, at + found + marker.len()).to_owned()));
    }
    names
}

/// The owner that the doc comment above `pub struct TABLE` names, or else the file's doc.
fn stated_owner(text: &str, table: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at =
        lines.iter().position(|line| line.strip_prefix("pub struct ").is_some_and(|rest| word_at(rest, 0) == table))?;
    let is_doc = |line: &&&str| line.starts_with("///") || line.starts_with("#[");
    let of_table = lines[..at].iter().rev().take_while(is_doc).find_map(|line| owner_in(line));
    let of_file = || lines.iter().take_while(|line| line.starts_with("//!")).find_map(|line| owner_in(line));
    of_table.or_else(of_file)
}

/// The word behind `Owner: `, or behind `Written by ` where that is a folder.
fn owner_in(line: &str) -> Option<String> {
    let word = |rest: &str| {
        let rest = rest.trim_start_matches(['`', '[']);
        let end = rest.bytes().position(|byte| !is_word(byte) && byte != b'/').unwrap_or(rest.len());
        rest[..end].to_owned()
    };
    if let Some((_, rest)) = line.split_once("Owner: ") {
        return Some(word(rest));
    }
    let (_, rest) = line.split_once("Written by ")?;
    Some(word(rest)).filter(|word| FOLDERS.contains(&word.as_str()))
}

/// Every `writer::<Table` in the code, with the table's bare name.
fn list_writes(code: &str) -> Vec<(usize, String)> {
    let mut writes = Vec::new();
    for (at, _) in code.match_indices("::<") {
        let writer = code[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
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
    let meta = "//! Heads. Owner: storage.\npub struct Heads;\nimpl Table for Heads {}\n\
                /// Rows of many. Owner: the domain of the change.\npub struct Changes;\nimpl Table for Changes {}";
    let tree = Tree::of(&[
        (EVENT_TABLES, rooms),
        ("src/storage/schema/users.rs", users),
        ("src/storage/schema/meta.rs", meta),
        ("src/homeserver/rooms/pipeline/commit.rs", "txn.put_at::<schema::Arrival>(a, s, v);"),
        ("src/homeserver/rooms/receipts.rs", "txn.put::<Receipts>(k, v);"),
        ("src/homeserver/rooms/send.rs", "txn.put::<Arrival>(k, v); txn.assert_absent::<Arrival>(k);"),
        (
            "src/homeserver/flows/register.rs",
            "txn.delete::<Sessions>(k); txn.put::<Heads>(k, v); txn.put::<Changes>(k, v);",
        ),
    ]);
    let complaints = check(&tree);
    assert_eq!(complaints.len(), 4, "{complaints:?}");
    assert!(complaints.iter().any(|text| text.contains("say who writes Orphan")));
    assert!(complaints.iter().any(|text| text.starts_with("src/homeserver/rooms/send.rs:1:")));
    assert!(complaints.iter().any(|text| text.starts_with("src/homeserver/flows/register.rs:1:")));
}
