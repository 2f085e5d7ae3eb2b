//! Files and functions keep their size. What is longer is a line in `tests/tidy/exceptions.txt` with
//! its reason; the list may only shrink.

use crate::source::{SourceFile, Tree, end_of_block, find_words, list_test_items, word_at};

const EXCEPTIONS: &str = "tests/tidy/exceptions.txt";
const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 800;
const FUNCTION_LINES_MAX: usize = 70;

/// `path` or `path::function`, the most lines it may have, and why.
struct Exception<'a> {
    subject: &'a str,
    lines_max: usize,
    number: usize,
}

pub fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let exceptions = parse_exceptions(tree.text(EXCEPTIONS).unwrap_or_default(), &mut complaints);
    let mut needed = vec![false; exceptions.len()];
    for file in tree.files.values().filter(|file| file.is_rust()) {
        for (subject, lines, max) in measure(file) {
            if lines <= max {
                continue;
            }
            match exceptions.iter().position(|exception| exception.subject == subject) {
                Some(at) if lines <= exceptions[at].lines_max => needed[at] = true,
                Some(at) => {
                    needed[at] = true;
                    complaints.push(format!(
                        "{subject}: {lines} lines, and its exception allows {}: split it",
                        exceptions[at].lines_max
                    ));
                }
                None => complaints.push(format!("{subject}: {lines} lines, at most {max}: split it by what it does")),
            }
        }
    }
    for (exception, needed) in exceptions.iter().zip(needed) {
        if !needed {
            complaints.push(format!(
                "{EXCEPTIONS}:{}: {} needs no exception any more: remove the line",
                exception.number, exception.subject
            ));
        }
    }
    complaints
}

/// Every subject of a file with its lines and the limit.
fn measure(file: &SourceFile) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    let lines = file.text.lines().count();
    if file.is_test() {
        found.push((file.path.clone(), lines, TEST_FILE_LINES_MAX));
    } else {
        found.push((file.path.clone(), production_lines(file), FILE_LINES_MAX));
    }
    for at in find_words(&file.code, "fn ") {
        let name = word_at(&file.code, at + "fn ".len());
        let rest = &file.code[at..];
        let Some(open) = rest.find(['{', ';']) else {
            continue;
        };
        if name.is_empty() || rest.as_bytes()[open] == b';' {
            continue;
        }
        let body = &file.code[at + open..end_of_block(&file.code, at + open)];
        let lines = body.lines().filter(|line| !line.trim().is_empty()).count().saturating_sub(2);
        found.push((format!("{}::{name}", file.path), lines, FUNCTION_LINES_MAX));
    }
    found
}

/// Lines of a file without those that only tests compile.
fn production_lines(file: &SourceFile) -> usize {
    let items = list_test_items(&file.code);
    let tests = items.iter().map(|(from, to)| file.code[*from..*to].lines().count());
    file.text.lines().count() - tests.sum::<usize>()
}

/// Lines `subject | lines | reason`; a first line `# N exceptions; ..` holds their number.
fn parse_exceptions<'a>(text: &'a str, complaints: &mut Vec<String>) -> Vec<Exception<'a>> {
    let mut exceptions = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        match (parts.as_slice(), parts.get(1).and_then(|lines| lines.parse().ok())) {
            ([subject, _, reason], Some(lines_max)) if !reason.is_empty() => {
                exceptions.push(Exception { subject, lines_max, number: index + 1 });
            }
            _ => complaints.push(format!("{EXCEPTIONS}:{}: write `path[::function] | lines | reason`", index + 1)),
        }
    }
    complaints.extend(check_count(EXCEPTIONS, text, exceptions.len()));
    exceptions
}

/// A list that may only shrink says its length in its first line, so that growth shows in review.
pub fn check_count(path: &str, text: &str, count: usize) -> Option<String> {
    let first = text.lines().next().unwrap_or_default();
    let stated = first.trim_start_matches("# ").split(' ').next().and_then(|word| word.parse().ok());
    if count > 0 && stated != Some(count) {
        return Some(format!(
            "{path}:1: the first line says how many lines the list has, `# {count} ..`; the number may only go down"
        ));
    }
    None
}

#[test]
fn a_long_file_and_a_long_function_are_found() {
    let long = "let a = 1;\n".repeat(FUNCTION_LINES_MAX + 1);
    let function =
        format!("fn long() {{\n{long}}}\nfn short() {{\n}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(500));
    let file = "// x\n".repeat(FILE_LINES_MAX + 1);
    let tree = Tree::of(&[
        ("src/a/f.rs", function.as_str()),
        ("src/a/g.rs", file.as_str()),
        ("src/a/g_tests.rs", file.as_str()),
    ]);
    let complaints = check(&tree);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[0].starts_with("src/a/f.rs::long: 71 lines"));
    assert!(complaints[1].starts_with("src/a/g.rs: 401 lines"));
}

#[test]
fn an_exception_holds_to_its_number_and_goes_when_it_is_needless() {
    let file = "// x\n".repeat(FILE_LINES_MAX + 10);
    let cases = [
        ("src/a.rs | 410 | a table", 0),
        ("src/a.rs | 405 | a table", 1),
        ("src/a.rs | 410 |", 2),
        ("src/b.rs | 500 | gone\nsrc/a.rs | 410 | x", 2),
    ];
    for (list, expected) in cases {
        let list = format!("# 1 exceptions\n{list}");
        let tree = Tree::of(&[("src/a.rs", file.as_str()), (EXCEPTIONS, list.as_str())]);
        let complaints = check(&tree);
        assert_eq!(complaints.len(), expected, "{list}: {complaints:?}");
    }
}
