//! `schema.snap` lists every table as it is; a change shows in review and asks for a migration.

use std::{collections::HashSet, fmt::Write as _, path::Path};

use super::registry;

/// Set to any value, the test writes the file instead of comparing.
const RENEW: &str = "HEARTH_RENEW_SCHEMA";

fn snapshot() -> String {
    let mut tables = registry();
    tables.sort_by_key(|table| table.number);
    let mut text = String::from("# number | name | key | value, version | profile, place\n");
    for table in tables {
        let large = if table.large { ", large" } else { "" };
        writeln!(
            text,
            "{} | {} | {} | {} v{} | {}, {:?}{large}",
            table.number,
            table.name,
            table.key_layout,
            table.value_layout,
            table.value_version,
            table.profile.name(),
            table.place,
        )
        .unwrap();
    }
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test's switch, not the program's configuration")]
fn the_snapshot_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/schema.snap");
    let now = snapshot();
    if std::env::var(RENEW).is_ok() {
        std::fs::write(&file, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == now,
        "schema.snap is stale. If rows that exist change, write a migration or raise the value's version; then renew the \
         file: {RENEW}=1 cargo test -p hearth-storage the_snapshot_is_fresh\n\nnow:\n{now}"
    );
}

#[test]
fn numbers_and_names_are_unique_and_places_fit_the_keys() {
    let (mut numbers, mut names) = (HashSet::new(), HashSet::new());
    for table in registry() {
        assert!(numbers.insert(table.number), "number {} is used twice", table.number);
        assert!(names.insert(table.name), "name {} is used twice", table.name);
        let first = table.key_layout.split(", ").next().unwrap_or_default();
        let fits = match table.place {
            crate::Place::ByRoom => matches!(first, "room" | "room_id"),
            crate::Place::ByUser => matches!(first, "user" | "user_id"),
            crate::Place::ByLane => matches!(first, "lane" | "nothing"),
            crate::Place::ByDestination | crate::Place::ByKey => !matches!(first, "lane" | "nothing"),
        };
        assert!(fits, "table {} lies {:?}, but its key begins with {first}", table.name, table.place);
    }
}
