//! The specification's OpenAPI documents, read from the folder that `MATRIX_SPEC_DATA` names: which
//! operation a request asks for, and what its answer must look like.
//!
//! It knows nothing of the server, and is not read at all when the variable is not set.

use std::collections::{BTreeMap, HashMap};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};

use super::schema::Schema;
use super::server::from_environment;
use super::yaml::parse_yaml;

/// References that lead through this many others lead in a circle.
const REFERENCES_DEEP_MAX: usize = 64;

/// A folder with fewer operations is not the specification's.
const OPERATIONS_MIN: usize = 150;

/// Where the client-server API's documents lie in the folder.
const CLIENT_SERVER: &str = "api/client-server";

/// The form of every error, in that folder.
const ERROR: &str = "definitions/errors/error.yaml";

/// The form of 429 `M_LIMIT_EXCEEDED`, there too.
const RATE_LIMITED: &str = "definitions/errors/rate_limited.yaml";

/// The documents, and the schemas compiled so far.
pub struct Spec {
    documents: HashMap<PathBuf, Value>,
    operations: Vec<Operation>,
    /// By operation and status.
    compiled: Mutex<HashMap<(usize, u16), Arc<Answer>>>,
}

/// A method on a path.
struct Operation {
    method: String,
    /// The path's segments; a parameter is `{name}`.
    segments: Vec<String>,
    document: PathBuf,
    /// By status code, as it is written.
    responses: Map<String, Value>,
}

/// What an answer of one status must look like.
#[derive(Default)]
pub struct Answer {
    /// The specification names this status for this operation.
    pub is_listed: bool,
    /// Headers that it must have.
    pub headers: Vec<String>,
    /// The form of its JSON.
    pub json: Option<Schema>,
}

impl Answer {
    /// What is wrong with these headers.
    pub fn complain_about_headers(&self, headers: &HeaderMap) -> Vec<String> {
        let missing = self.headers.iter().filter(|name| !headers.contains_key(name.as_str()));
        missing.map(|name| format!("the header {name} is missing")).collect()
    }

    /// What is wrong with this body.
    pub fn complain_about_json(&self, body: &Value) -> Vec<String> {
        self.json.as_ref().map_or_else(Vec::new, |schema| schema.complain(body))
    }
}

/// What the specification has at a path.
pub enum Found {
    /// These operations: nearly always one, but two may share a method and a path.
    Operations(Vec<usize>),
    /// The path, but not with this method.
    OtherMethods,
    /// No such path.
    Nothing,
}

impl Spec {
    /// The specification, if the environment says where it is.
    pub fn of_environment() -> Option<&'static Self> {
        static SPEC: OnceLock<Option<Spec>> = OnceLock::new();
        SPEC.get_or_init(|| {
            let folder = from_environment("MATRIX_SPEC_DATA")?;
            let spec = Self::read(Path::new(&folder));
            assert!(spec.operations.len() > OPERATIONS_MIN, "MATRIX_SPEC_DATA: no specification in {folder}");
            Some(spec)
        })
        .as_ref()
    }

    fn read(folder: &Path) -> Self {
        let mut documents = HashMap::new();
        read_documents(folder, Path::new(""), &mut documents);
        let mut spec = Self { documents, operations: Vec::new(), compiled: Mutex::default() };
        let mut names: Vec<PathBuf> =
            spec.documents.keys().filter(|name| name.parent() == Some(Path::new(CLIENT_SERVER))).cloned().collect();
        names.sort();
        for name in names {
            let operations = spec.list_operations(&name);
            spec.operations.extend(operations);
        }
        spec
    }

    fn list_operations(&self, document: &Path) -> Vec<Operation> {
        let root = &self.documents[document];
        let base = root["servers"][0]["variables"]["basePath"]["default"].as_str().unwrap_or_default();
        let mut operations = Vec::new();
        for (path, methods) in root["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                let Some(responses) = operation["responses"].as_object() else { continue };
                operations.push(Operation {
                    method: method.to_ascii_uppercase(),
                    // A space at the end tells apart two operations of the same path.
                    segments: format!("{base}{}", path.trim_end()).split('/').map(str::to_owned).collect(),
                    document: document.to_owned(),
                    responses: responses.clone(),
                });
            }
        }
        operations
    }

    /// The operations that a request asks for. Of several templates the one with most fixed segments counts.
    pub fn find(&self, method: &Method, path: &str) -> Found {
        let asked = spellings(path.split('?').next().unwrap_or_default());
        for path in &asked {
            let segments: Vec<&str> = path.split('/').collect();
            let matching = self.operations.iter().enumerate().filter_map(|(index, operation)| {
                fixed_segments(&operation.segments, &segments).map(|fixed| (fixed, index))
            });
            let mut by_fixed: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
            for (fixed, index) in matching {
                by_fixed.entry(fixed).or_default().push(index);
            }
            let Some((_, mut best)) = by_fixed.pop_last() else { continue };
            best.retain(|index| self.operations[*index].method == method.as_str());
            return if best.is_empty() { Found::OtherMethods } else { Found::Operations(best) };
        }
        Found::Nothing
    }

    /// What an operation's answer of this status must look like.
    pub fn answer(&self, operation: usize, status: u16) -> Arc<Answer> {
        let mut compiled = self.compiled.lock().expect("no test panics in here");
        let answer = compiled.entry((operation, status)).or_insert_with(|| {
            let operation = &self.operations[operation];
            let listed = operation.responses.get(&status.to_string());
            Arc::new(listed.map_or_else(Answer::default, |listed| self.compile_answer(&operation.document, listed)))
        });
        Arc::clone(answer)
    }

    /// The form of the errors that every operation may answer with, whatever it lists.
    pub fn common_error(&self, status: StatusCode) -> &Schema {
        static FORMS: OnceLock<[Schema; 2]> = OnceLock::new();
        let forms = FORMS.get_or_init(|| {
            [ERROR, RATE_LIMITED].map(|form| {
                let document = Path::new(CLIENT_SERVER).join(form);
                Schema::compile(&self.inline(&document, &self.documents[&document], 0))
            })
        });
        &forms[usize::from(status == StatusCode::TOO_MANY_REQUESTS)]
    }

    fn compile_answer(&self, document: &Path, listed: &Value) -> Answer {
        let (document, listed) = self.follow(document, listed);
        let headers = listed["headers"].as_object().into_iter().flatten();
        let headers = headers.filter(|(_, header)| self.follow(&document, header).1["required"] == true);
        let content = listed["content"].as_object();
        let json = content
            .and_then(|content| content.get("application/json"))
            .map(|content| Schema::compile(&self.inline(&document, &content["schema"], 0)));
        Answer { is_listed: true, headers: headers.map(|(name, _)| name.clone()).collect(), json }
    }

    /// What a node says, in which document, after its references.
    fn follow<'a>(&'a self, document: &Path, node: &'a Value) -> (PathBuf, &'a Value) {
        let mut at = (document.to_owned(), node);
        for _ in 0..REFERENCES_DEEP_MAX {
            let Some(reference) = at.1.get("$ref").and_then(Value::as_str) else { return at };
            at = self.resolve(&at.0, reference);
        }
        panic!("references in a circle in {}", document.display())
    }

    fn resolve(&self, document: &Path, reference: &str) -> (PathBuf, &Value) {
        let (file, pointer) = reference.trim().split_once('#').unwrap_or((reference.trim(), ""));
        let target = match file {
            "" => document.to_owned(),
            file => without_dots(&document.parent().unwrap_or(Path::new("")).join(file)),
        };
        let root = self.documents.get(&target);
        let node = root.and_then(|root| root.pointer(pointer));
        (target, node.unwrap_or_else(|| panic!("{}: nothing at {reference}", document.display())))
    }

    /// A schema with what it refers to in the references' places.
    fn inline(&self, document: &Path, schema: &Value, depth: usize) -> Value {
        assert!(depth < REFERENCES_DEEP_MAX, "references in a circle in {}", document.display());
        let Value::Object(fields) = schema else {
            let Value::Array(items) = schema else { return schema.clone() };
            return items.iter().map(|item| self.inline(document, item, depth + 1)).collect();
        };
        let mut whole = Map::new();
        for (keyword, value) in fields {
            let inlined = match keyword.as_str() {
                // Examples are no schemas, though they too have references.
                "$ref" | "example" | "examples" | "$schema" => continue,
                "properties" | "patternProperties" => {
                    let named = value.as_object().into_iter().flatten();
                    named.map(|(name, schema)| (name.clone(), self.inline(document, schema, depth + 1))).collect()
                }
                _ => self.inline(document, value, depth + 1),
            };
            whole.insert(keyword.clone(), inlined);
        }
        let Some(reference) = fields.get("$ref").and_then(Value::as_str) else { return Value::Object(whole) };
        let (target, node) = self.resolve(document, reference);
        json!({ "allOf": [self.inline(&target, node, depth + 1), whole] })
    }
}

fn read_documents(folder: &Path, below: &Path, documents: &mut HashMap<PathBuf, Value>) {
    let entries = std::fs::read_dir(folder.join(below));
    let entries = entries.unwrap_or_else(|error| panic!("MATRIX_SPEC_DATA: {}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("an entry of a folder");
        let name = below.join(entry.file_name());
        if folder.join(&name).is_dir() {
            if entry.file_name() != "examples" {
                read_documents(folder, &name, documents);
            }
        } else if name.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(folder.join(&name)).expect("a readable file");
            let document = parse_yaml(&text).unwrap_or_else(|error| panic!("{}: {error}", name.display()));
            documents.insert(name, document);
        }
    }
}

/// The path without `.` and `..`.
fn without_dots(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(whole.pop()),
            Component::Normal(name) => whole.push(name),
            _ => {}
        }
    }
    whole
}

/// The path as the specification would write it: as it is, with today's version in place of an older one, and with
/// the empty state key, or the slash at the end of push rules, that clients leave out.
fn spellings(path: &str) -> Vec<String> {
    const OLD: [(&str, &str); 4] = [
        ("/_matrix/client/r0/", "/_matrix/client/v3/"),
        ("/_matrix/client/v1/", "/_matrix/client/v3/"),
        ("/_matrix/media/r0/", "/_matrix/media/v3/"),
        ("/_matrix/media/v1/", "/_matrix/media/v3/"),
    ];
    let mut all = vec![path.to_owned()];
    all.extend(OLD.iter().filter_map(|(old, new)| path.strip_prefix(old).map(|rest| format!("{new}{rest}"))));
    let may_lack = |path: &&String| path.contains("/state/") || path.contains("/pushrules");
    let with_slash: Vec<String> = all.iter().filter(may_lack).map(|path| format!("{path}/")).collect();
    all.extend(with_slash);
    all
}

/// How many segments of the template a path has word for word, if it fits the template.
fn fixed_segments(template: &[String], path: &[&str]) -> Option<usize> {
    if template.len() != path.len() {
        return None;
    }
    let is_parameter = |segment: &str| segment.starts_with('{') && segment.ends_with('}');
    let mut fixed = 0;
    for (template, segment) in template.iter().zip(path) {
        if template == segment {
            fixed += 1;
        } else if !is_parameter(template) {
            return None;
        }
    }
    Some(fixed)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use http::{HeaderMap, Method};
    use serde_json::json;

    use super::{CLIENT_SERVER, Found, Spec};

    const THINGS: &str = r##"
servers: [{ variables: { basePath: { default: /_matrix/client/v3 } } }]
paths:
  "/things/{thingId}":
    get:
      responses:
        "200":
          headers: { ETag: { required: true }, Other: {} }
          content: { application/json: { schema: { $ref: ../../events/thing.yaml } } }
        "404": { $ref: "#/components/responses/gone" }
  "/things/new": { post: { responses: { "200": {} } } }
  "/rooms/{roomId}/state/{eventType}/{stateKey}": { get: { responses: { "200": {} } } }
components:
  responses:
    gone: { content: { application/json: { schema: { type: object, required: [errcode] } } } }
"##;
    const THING: &str = "type: object\nallOf: [{ $ref: part.yaml }]\nproperties: { example: { pattern: '^!' } }";
    const PART: &str = "required: [id]\nproperties: { id: { type: string, example: 5 } }";

    fn spec() -> Spec {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in
            [("things.yaml", THINGS), ("../../events/thing.yaml", THING), ("../../events/part.yaml", PART)]
        {
            let path = folder.path().join(CLIENT_SERVER).join(path);
            fs::create_dir_all(folder.path().join(CLIENT_SERVER)).expect("a folder");
            fs::create_dir_all(folder.path().join("events")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        Spec::read(Path::new(folder.path()))
    }

    fn operation(spec: &Spec, method: &Method, path: &str) -> Option<usize> {
        match spec.find(method, path) {
            Found::Operations(found) => Some(found[0]),
            _ => None,
        }
    }

    #[test]
    fn operations_are_found_by_method_and_template() {
        let spec = spec();
        let one = operation(&spec, &Method::GET, "/_matrix/client/v3/things/a?x=/y");
        assert!(one.is_some());
        assert_eq!(operation(&spec, &Method::GET, "/_matrix/client/r0/things/a"), one);
        let new = operation(&spec, &Method::POST, "/_matrix/client/v3/things/new");
        assert!(new.is_some() && new != one, "fixed words count more than parameters");
        assert!(operation(&spec, &Method::GET, "/_matrix/client/v3/rooms/!r/state/m.room.name").is_some());
        let found = |method, path| spec.find(method, path);
        assert!(matches!(found(&Method::PUT, "/_matrix/client/v3/things/a"), Found::OtherMethods));
        assert!(matches!(found(&Method::GET, "/_matrix/client/v3/thing"), Found::Nothing));
    }

    #[test]
    fn answers_are_held_against_schemas_through_references() {
        let spec = spec();
        let get = operation(&spec, &Method::GET, "/_matrix/client/v3/things/a").expect("an operation");
        let ok = spec.answer(get, 200);
        assert!(ok.is_listed && !spec.answer(get, 403).is_listed);
        assert_eq!(ok.complain_about_headers(&HeaderMap::new()), ["the header ETag is missing"]);
        assert!(ok.complain_about_json(&json!({ "id": "a", "example": "!b" })).is_empty());
        assert_eq!(ok.complain_about_json(&json!({})).len(), 1, "required, two references away");
        assert_eq!(ok.complain_about_json(&json!({ "id": 1, "example": "b" })).len(), 2);
        assert_eq!(spec.answer(get, 404).complain_about_json(&json!({})).len(), 1);
    }
}
