//! Texts that may not occur, each with what to use instead.

use crate::source::{Tree, find_words, line_of};

/// A text, the paths where it may stand, and its replacement. Clippy bans most of these too; this
/// list also holds in code that is not compiled for the machine at hand.
const CODE: &[(&str, &[&str], &str)] = &[
    ("SystemTime::now", &["src/server/system.rs"], "`Clock::now`"),
    ("Instant::now", &["src/server/system.rs"], "`Clock::monotonic_ms`"),
    ("tokio::spawn", &["src/server/"], "a `Worker`, listed in the server crate"),
    ("thread::spawn", &["src/storage/engine/"], "a `Worker`"),
    ("rand::rng(", &["src/server/system.rs"], "`Arc<dyn Rng>`"),
    ("thread_rng", &[], "`Arc<dyn Rng>`"),
    ("OsRng", &["src/server/"], "`Arc<dyn Rng>`"),
    ("getrandom::", &["src/server/"], "`Arc<dyn Rng>`"),
    ("todo!", &[], "the code itself"),
    ("unimplemented!", &[], "the code itself"),
    ("dbg!", &[], "a tracing event"),
    ("println!", &["src/build.rs", "src/web/build.rs"], "tracing, or `writeln!` to a writer that is an argument"),
    ("eprintln!", &[], "tracing, or `writeln!` to a writer that is an argument"),
    ("#[allow(", &[], "`#[expect(lint, reason = \"..\")]`"),
    ("OnceLock<Arc", &[], "a value made at assembly and given as an argument"),
    ("Weak<", &[], "a lower handle, or the output log: nothing points upwards"),
    ("lazy_static", &[], "a value made at assembly, or `LazyLock` for a constant table"),
    ("static mut", &[], "a value made at assembly"),
    ("unbounded_channel", &[], "a channel with a limit that has a name"),
    ("anyhow", &[], "a closed enum of this layer"),
    ("Box<dyn Error", &[], "a closed enum of this layer"),
    ("Box<dyn std::error::Error", &[], "a closed enum of this layer"),
];

/// Banned in test code too.
const EVERYWHERE: &[(&str, &str)] =
    &[("#[ignore", "a test that runs, or none"), ("TODO", "the code itself"), ("FIXME", "mend it")];

/// Words of any text file. In two halves, so that this file does not hold them.
const WORDS: &[(&str, &str, &str)] = &[
    ("/wo", "rk/", "a path relative to the repository"),
    ("../sh", "ared", "nothing: it is not part of the repository"),
    ("/ro", "ot/", "$HOME"),
    ("/tmp/he", "arth", "a temporary folder made at run time"),
];

/// File and folder names that say nothing.
const NAMES: &[&str] =
    &["utils", "util", "helpers", "helper", "common", "misc", "manager", "service", "services", "stuff"];

pub fn check_code(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.production_files() {
        for (text, places, instead) in CODE {
            if places.iter().any(|place| file.path.starts_with(place)) {
                continue;
            }
            for at in find_words(&file.production, text) {
                let line = line_of(&file.production, at);
                complaints.push(format!("{}:{line}: `{text}` is banned; use {instead}", file.path));
            }
        }
    }
    // Measurements are no tests: they may wait to be asked for.
    let is_measurement = |text: &str| text.starts_with("#[ignore = \"a measurement");
    let tests_of_tidy = |path: &str| path.starts_with("tests/tidy");
    for file in tree.files.values().filter(|file| file.is_rust() && !tests_of_tidy(&file.path)) {
        for (text, instead) in EVERYWHERE {
            for at in find_words(&file.text, text) {
                if is_measurement(&file.text[at..]) {
                    continue;
                }
                let line = line_of(&file.text, at);
                complaints.push(format!("{}:{line}: `{text}` is banned; use {instead}", file.path));
            }
        }
    }
    complaints
}

pub fn check_words(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.files.values() {
        for (head, tail, instead) in WORDS {
            let word = format!("{head}{tail}");
            for (at, _) in file.text.match_indices(&word) {
                let line = line_of(&file.text, at);
                complaints.push(format!("{}:{line}: names `{word}`; use {instead}", file.path));
            }
        }
    }
    complaints
}

pub fn check_file_names(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in tree.files.values().filter(|file| file.is_rust()) {
        for part in file.path.trim_end_matches(".rs").split('/') {
            let part = part.trim_end_matches("_tests");
            if NAMES.contains(&part) {
                complaints.push(format!("{}: `{part}` says nothing; name the thing it holds", file.path));
            }
        }
    }
    complaints
}

#[test]
fn a_banned_call_is_found_in_production_code_only() {
    let tree = Tree::of(&[
        (
            "src/storage/store.rs",
            "fn f() { let t = SystemTime::now(); }\n#[cfg(test)]\nmod tests { fn g() { Instant::now(); } }",
        ),
        ("src/server/system.rs", "fn f() { SystemTime::now(); }"),
        ("src/api/error.rs", "//! \"println!\"\n// eprintln!\nfn f() {}"),
    ]);
    let complaints = check_code(&tree);
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert!(complaints[0].contains("store.rs:1: `SystemTime::now`"));
}

#[test]
fn an_ignored_test_and_a_leftover_are_found() {
    let tree = Tree::of(&[
        ("tests/it/client/sync.rs", "#[test]\n#[ignore]\nfn f() {}"),
        ("src/api/error.rs", "// TODO: later"),
    ]);
    assert_eq!(check_code(&tree).len(), 2);
}

#[test]
fn a_foreign_path_is_found_in_any_text() {
    let (head, tail, _) = WORDS[0];
    let text = format!("see {head}{tail}x");
    assert_eq!(check_words(&Tree::of(&[("README.md", text.as_str())])).len(), 1);
}

#[test]
fn a_name_that_says_nothing_is_found() {
    let tree = Tree::of(&[("src/api/utils.rs", ""), ("src/api/error.rs", "")]);
    assert_eq!(check_file_names(&tree).len(), 1);
}
