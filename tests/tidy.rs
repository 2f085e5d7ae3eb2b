//! Holds the shape of the repository: layers, banned calls, sizes, docs, and the mirror between
//! api-spec, handlers and tests. Each rule says what to do instead.
//!
//! It uses the standard library only, so that `make test` can compile it alone with
//! `rustc --test` and run it before anything large is built.
//! Every check is a function from files to complaints, and has a self-test beside it that feeds it
//! a bad file: a check that cannot fail is no check.

#[path = "tidy/bans.rs"]
mod bans;
#[path = "tidy/callers.rs"]
mod callers;
#[path = "tidy/conformance.rs"]
mod conformance;
#[path = "tidy/docs.rs"]
mod docs;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/mirrors.rs"]
mod mirrors;
#[path = "tidy/owners.rs"]
mod owners;
#[path = "tidy/reach.rs"]
mod reach;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/source.rs"]
mod source;

use source::{Tree, load_tree};

fn repository() -> Tree {
    load_tree(option_env!("CARGO_MANIFEST_DIR").unwrap_or("."))
}

/// Fails with every complaint at once, so that one run shows all that is to be mended.
#[track_caller]
fn report(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaint(s):\n  {}\n", complaints.len(), complaints.join("\n  "));
}

#[test]
fn crates_import_only_lower_crates() {
    report(&layers::check_crates(&repository()));
}

#[test]
fn folders_of_homeserver_import_only_earlier_folders() {
    report(&layers::check_folders(&repository()));
}

#[test]
fn protocol_has_no_io_no_async_no_clock() {
    report(&layers::check_protocol(&repository()));
}

#[test]
fn libraries_are_named_only_where_they_belong() {
    report(&layers::check_libraries(&repository()));
}

#[test]
fn tables_are_written_only_by_their_owners() {
    report(&owners::check(&repository()));
}

#[test]
fn banned_texts_do_not_occur() {
    report(&bans::check_code(&repository()));
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    report(&bans::check_words(&repository()));
}

#[test]
fn files_have_names_that_say_something() {
    report(&bans::check_file_names(&repository()));
}

#[test]
fn every_file_says_what_it_is() {
    report(&docs::check_module_docs(&repository()));
}

#[test]
fn what_conformance_tests_check_is_held_here_too() {
    report(&conformance::check(&repository()));
}

#[test]
fn documents_name_what_exists() {
    report(&docs::check_documents(&repository()));
}

#[test]
fn files_and_functions_keep_their_size() {
    report(&sizes::check(&repository()));
}

#[test]
fn every_file_is_reached_by_a_mod() {
    report(&reach::check(&repository()));
}

#[test]
fn the_specification_says_who_calls_and_how_often() {
    report(&callers::check(&repository()));
}

#[test]
fn specification_handlers_and_tests_mirror_each_other() {
    report(&mirrors::check(&repository()));
}
