//! What api-spec says of an operation's caller and rate limits is what its handler does: `security`
//! against the handler's arguments, `x-rate-limit` against the limits that it names.

use crate::mirrors::{handler_path, snake_case};
use crate::source::{Tree, end_of_block, find_words, is_word, word_at};

/// Who may call.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Caller {
    Anyone,
    Optional,
    User,
}

/// What api-spec says of one operation.
struct Described {
    place: String,
    area: String,
    stem: String,
    id: String,
    caller: Option<Caller>,
    limits: Vec<String>,
}

pub fn check(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for described in list_described(tree) {
        let Described { place, id, .. } = &described;
        let path = handler_path(&described.area, &described.stem);
        let Some(file) = tree.files.get(&path) else {
            continue;
        };
        let Some((signature, body)) = find_function(&file.production, &snake_case(id)) else {
            continue;
        };
        let caller = caller_of(signature);
        if described.caller != Some(caller) {
            complaints.push(format!(
                "{place}: `security` of {id} says {:?}, the handler in {path} takes {caller:?}",
                described.caller
            ));
        }
        let limits = limits_of(body);
        if described.limits != limits {
            complaints.push(format!(
                "{place}: `x-rate-limit` of {id} is {:?}, the handler in {path} counts {limits:?}",
                described.limits
            ));
        }
    }
    complaints
}

fn list_described(tree: &Tree) -> Vec<Described> {
    let mut all: Vec<Described> = Vec::new();
    for file in tree.files.values() {
        let Some((area, name)) = file.path.strip_prefix("api-spec/").and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        let Some(stem) = name.strip_suffix(".yaml") else {
            continue;
        };
        for (index, line) in file.text.lines().enumerate() {
            let line = line.trim();
            if let Some(id) = line.strip_prefix("operationId: ") {
                let place = format!("{}:{}", file.path, index + 1);
                let (area, stem, id) = (area.to_owned(), stem.to_owned(), id.to_owned());
                all.push(Described { place, area, stem, id, caller: None, limits: Vec::new() });
            }
            let Some(last) = all.last_mut() else { continue };
            match line.split_once(": ") {
                Some(("security", "[]")) => last.caller = Some(Caller::Anyone),
                Some(("security", list)) if list.starts_with("[{}") => last.caller = Some(Caller::Optional),
                Some(("security", _)) => last.caller = Some(Caller::User),
                Some(("x-rate-limit", list)) => {
                    let names = list.trim_matches(['[', ']']).split(", ");
                    last.limits = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
                }
                _ => {}
            }
        }
    }
    all
}

/// A function's arguments, and its body.
fn find_function<'a>(code: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let head = format!("fn {name}");
    let at = find_words(code, &head).find(|at| !is_word(code.as_bytes()[at + head.len()]))?;
    let open = at + code[at..].find('{')?;
    Some((&code[at..open], &code[open..end_of_block(code, open)]))
}

fn caller_of(signature: &str) -> Caller {
    let Some(at) = signature.find("Caller") else {
        return Caller::Anyone;
    };
    let line = signature[..at].rsplit('\n').next().unwrap_or_default();
    if line.contains("Option") { Caller::Optional } else { Caller::User }
}

/// `Operation::LoginAddress` as `login_address`, each once, in the order of the code.
fn limits_of(body: &str) -> Vec<String> {
    let mut limits = Vec::new();
    for at in find_words(body, "Operation::") {
        let limit = snake_case(word_at(body, at + "Operation::".len()));
        if !limits.contains(&limit) {
            limits.push(limit);
        }
    }
    limits
}

#[test]
fn a_wrong_caller_and_a_wrong_limit_are_found() {
    let yaml = "paths:\n  /a:\n    get:\n      operationId: getA\n      security: [{ accessToken: [] }]\n      x-rate-limit: [login_address]\n";
    let cases = [
        ("pub async fn get_a(\n    Caller(user): Caller,\n) { limits.check(Operation::LoginAddress) }", 0),
        ("pub async fn get_a() { limits.check(Operation::LoginAddress) }", 1),
        ("pub async fn get_a(\n    user: Option<Caller>,\n) { limits.check(Operation::LoginAddress) }", 1),
        ("pub async fn get_a() {}", 2),
    ];
    for (handler, expected) in cases {
        let tree = Tree::of(&[("api-spec/client-server/a.yaml", yaml), ("src/api/client/a.rs", handler)]);
        let complaints = check(&tree);
        assert_eq!(complaints.len(), expected, "{handler}: {complaints:?}");
    }
}
