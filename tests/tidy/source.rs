//! The files of the repository as the checks see them: text, text without comments and strings, and
//! text without what only tests compile.
//!
//! This is a scanner, not a parser: it knows comments, strings, braces and attributes, and no more.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::reach::mark_tests;

/// Folders that hold nothing of ours.
const SKIPPED_FOLDERS: &[&str] = &[".git", "target", "node_modules", ".venv", "__pycache__", "data", "dist"];
/// What counts as text; a file without an extension counts too.
const TEXT_EXTENSIONS: &[&str] = &[
    "rs", "md", "toml", "txt", "yaml", "yml", "py", "js", "mjs", "ts", "tsx", "css", "html", "sh", "service", "json",
    "snap", "mod", "csv",
];
/// Written by package managers, or by git in a second worktree.
const SKIPPED_FILES: &[&str] = &["package-lock.json", "Cargo.lock", "LICENSE", ".git"];

/// One text file.
pub struct SourceFile {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
    /// Rust only: the text with comments and the insides of strings blanked, line for line.
    pub code: String,
    /// Rust only: `code` with the items under `#[cfg(test)]` blanked.
    pub production: String,
    /// Reached only by a `mod` under `#[cfg(test)]`.
    pub tests_only: bool,
}

impl SourceFile {
    pub fn new(path: &str, text: &str) -> SourceFile {
        let (code, production) = if has_extension(path, "rs") {
            let code = mask(text);
            let production = blank_tests(&code);
            (code, production)
        } else {
            (String::new(), String::new())
        };
        SourceFile { path: path.to_owned(), text: text.to_owned(), code, production, tests_only: false }
    }

    pub fn is_rust(&self) -> bool {
        has_extension(&self.path, "rs")
    }

    /// A file that is compiled for tests, examples or measurements only, by its place or its name.
    pub fn is_test(&self) -> bool {
        self.tests_only
            || self.path.starts_with("tests/")
            || ["/tests/", "/examples/", "/benches/"].iter().any(|folder| self.path.contains(folder))
            || self.path.ends_with("_tests.rs")
            || self.path.ends_with("/tests.rs")
            || self.text.contains("#![cfg(test)]")
    }
}

/// All text files, by path.
pub struct Tree {
    pub files: BTreeMap<String, SourceFile>,
}

impl Tree {
    /// A tree for the self-tests.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let mut files: BTreeMap<String, SourceFile> =
            files.iter().map(|(path, text)| ((*path).to_owned(), SourceFile::new(path, text))).collect();
        mark_tests(&mut files);
        Tree { files }
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(|file| file.text.as_str())
    }

    /// Rust files below a folder (given with its trailing `/`).
    pub fn rust_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.files.values().filter(move |file| file.is_rust() && file.path.starts_with(folder))
    }

    /// Rust files below `src/` that are part of the product.
    pub fn production_files(&self) -> impl Iterator<Item = &SourceFile> {
        self.rust_below("src/").filter(|file| !file.is_test())
    }
}

pub fn load_tree(root: &str) -> Tree {
    let mut files = BTreeMap::new();
    load_folder(Path::new(root), "", &mut files);
    assert!(files.contains_key("Cargo.toml"), "run the tidy test from the repository's root");
    mark_tests(&mut files);
    Tree { files }
}

fn load_folder(folder: &Path, prefix: &str, files: &mut BTreeMap<String, SourceFile>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let entry = entry.expect("a readable entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().expect("a file type");
        if kind.is_dir() {
            if !SKIPPED_FOLDERS.contains(&name.as_str()) {
                load_folder(&entry.path(), &format!("{path}/"), files);
            }
        } else if kind.is_file() && is_text(&name) {
            let bytes = fs::read(entry.path()).expect("a readable file");
            if let Ok(text) = String::from_utf8(bytes) {
                files.insert(path.clone(), SourceFile::new(&path, &text));
            }
        }
    }
}

fn is_text(name: &str) -> bool {
    if SKIPPED_FILES.contains(&name) {
        return false;
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) => stem.is_empty() || TEXT_EXTENSIONS.contains(&extension),
        None => true,
    }
}

pub fn has_extension(path: &str, wanted: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension == wanted)
}

/// The 1-based line of a byte offset.
pub fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

/// Whether `text[offset..]` starts a word, that is, follows no letter, digit, `_`.
pub fn starts_word(text: &str, offset: usize) -> bool {
    offset == 0 || !is_word(text.as_bytes()[offset - 1])
}

pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The identifier that starts at `offset`.
pub fn word_at(text: &str, offset: usize) -> &str {
    let rest = &text[offset..];
    let end = rest.bytes().position(|byte| !is_word(byte)).unwrap_or(rest.len());
    &rest[..end]
}

/// Offsets of `needle` in `text` where it starts a word.
pub fn find_words<'a>(text: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(needle)
        .map(|(offset, _)| offset)
        .filter(move |at| !is_word(needle.as_bytes()[0]) || starts_word(text, *at))
}

/// Offset behind the brace that closes the one at `open`.
pub fn end_of_block(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Blanks comments and the insides of strings and character literals; keeps every line where it is.
pub fn mask(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => end_of_line(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'*') => end_of_comment(bytes, at),
            b'r' if is_raw_string(bytes, at) => end_of_raw_string(bytes, at + 1),
            b'"' => end_of_string(bytes, at),
            b'\'' => end_of_char(bytes, at),
            _ => {
                at += 1;
                continue;
            }
        };
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    String::from_utf8(out).expect("whole characters were blanked")
}

fn end_of_line(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |n| from + n)
}

fn end_of_comment(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0usize;
    let mut at = from;
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'/', b'*') => {
                depth += 1;
                at += 2;
            }
            (b'*', b'/') => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

fn is_raw_string(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|i| bytes[i]);
    let fresh = before.is_none_or(|b| !is_word(b) || b == b'b' || b == b'c');
    let hashes = bytes[at + 1..].iter().take_while(|b| **b == b'#').count();
    fresh && bytes.get(at + 1 + hashes) == Some(&b'"')
}

fn end_of_raw_string(bytes: &[u8], from: usize) -> usize {
    let hashes = bytes[from..].iter().take_while(|b| **b == b'#').count();
    let mut at = from + hashes + 1;
    while at < bytes.len() {
        let closes = bytes[at] == b'"' && bytes[at + 1..].iter().take(hashes).filter(|b| **b == b'#').count() == hashes;
        if closes {
            return (at + 1 + hashes).min(bytes.len());
        }
        at += 1;
    }
    bytes.len()
}

fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// A character literal's end, or the quote's own end where it begins a lifetime.
fn end_of_char(bytes: &[u8], from: usize) -> usize {
    if bytes.get(from + 1) == Some(&b'\\') {
        let mut at = from + 3;
        while at < bytes.len() && bytes[at] != b'\'' {
            at += 1;
        }
        return (at + 1).min(bytes.len());
    }
    let width = match bytes.get(from + 1) {
        Some(byte) if *byte >= 0xF0 => 4,
        Some(byte) if *byte >= 0xE0 => 3,
        Some(byte) if *byte >= 0xC0 => 2,
        _ => 1,
    };
    if bytes.get(from + 1 + width) == Some(&b'\'') { from + width + 2 } else { from + 1 }
}

/// Blanks every item under `#[cfg(test)]`.
fn blank_tests(code: &str) -> String {
    let mut out = code.as_bytes().to_vec();
    for (start, end) in list_test_items(code) {
        for byte in &mut out[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(out).expect("whole characters were blanked")
}

/// From where to where the items under `#[cfg(test)]` reach, in blanked code.
pub fn list_test_items(code: &str) -> Vec<(usize, usize)> {
    let mut items: Vec<(usize, usize)> = Vec::new();
    for marker in ["#[cfg(test)]", "#[cfg(any(test"] {
        for (start, _) in code.match_indices(marker) {
            if items.iter().all(|(from, to)| start < *from || start >= *to) {
                items.push((start, end_of_item(code, start)));
            }
        }
    }
    items
}

/// Offset behind the item whose first attribute starts at `start`.
fn end_of_item(code: &str, start: usize) -> usize {
    let bytes = code.as_bytes();
    let mut at = start;
    let mut nested = 0usize;
    while at < bytes.len() {
        match bytes[at] {
            b'[' | b'(' => nested += 1,
            b']' | b')' => nested = nested.saturating_sub(1),
            b';' if nested == 0 => return at + 1,
            b'{' if nested == 0 => return end_of_block(code, at),
            b'}' if nested == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[test]
fn comments_strings_and_characters_are_blanked() {
    let text = "let a = \"x // y\"; // crate::z\nlet b = '\"'; let c: &'a str = r#\"q\"r\"#; /* d */ e";
    let masked = mask(text);
    assert!(!masked.contains("crate") && !masked.contains('q') && !masked.contains(" d "));
    assert!(masked.contains("let b =") && masked.contains("& a str") && masked.ends_with('e'));
    assert_eq!(masked.matches('\n').count(), 1);
}

#[test]
fn test_items_are_not_production() {
    let text = "fn a() {}\n#[cfg(test)]\n#[path = \"x_tests.rs\"]\nmod tests;\nfn b() {}\n#[cfg(test)]\nmod t { fn c() {} }\nfn d() {}";
    let file = SourceFile::new("src/x.rs", text);
    assert!(file.production.contains("fn a") && file.production.contains("fn b"));
    assert!(file.production.contains("fn d") && !file.production.contains("fn c"));
    assert!(!file.production.contains("mod tests"));
}
