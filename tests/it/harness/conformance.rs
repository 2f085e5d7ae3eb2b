//! What holds for every answer, checked on each exchange of each test.
//!
//! When `MATRIX_SPEC_DATA` names a folder with the specification's OpenAPI documents, each answer is also held against
//! what they say of its operation and status.

use http::{Method, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;

use super::Response;
use super::spec::{Found, Spec};

/// Where the specification's documents contradict its text or themselves, or a proposal changes them: a part of the
/// path, and two parts of the complaint.
const CONTRADICTIONS: [(&str, &str, &str); 5] = [
    // `oneOf` of "an object" and "a state event": a whole event (`?format=event`) is both.
    ("/state/", "", "fits 2 of oneOf"),
    // MSC4140: an event that is put off has no id yet.
    ("org.matrix.msc4140.delay=", "/event_id", "is missing"),
    // A filter with `event_fields` takes away fields that every event must have.
    ("filter=", "/events/", "is missing"),
    // The conformance suite and clients want the name and the avatar of each member, `null` where there is none.
    ("/joined_members", "/joined/", "is no string"),
    // Without a TURN server there is nothing to tell, and no error is defined: clients take the empty answer.
    ("/voip/turnServer", "", "is missing"),
];

/// Looks at one exchange.
#[track_caller]
pub fn check_exchange(method: &Method, path: &str, response: &Response) {
    let what = format!("{method} {path}: {} {}", response.status, response.text());
    let is_late = response.status == StatusCode::GATEWAY_TIMEOUT && response.json()["errcode"] == "M_NOT_YET_UPLOADED";
    assert!(is_late || !response.status.is_server_error(), "a server error: {what}");
    let origin = response.headers.get("access-control-allow-origin");
    assert_eq!(origin.map(http::HeaderValue::as_bytes), Some(&b"*"[..]), "every origin is allowed: {what}");
    if is_file(path, response) {
        return check_file(&what, response);
    }
    if is_page(path, response) {
        return check_page(&what, response);
    }
    if method == Method::OPTIONS || method == Method::HEAD {
        return;
    }
    let content_type = response.headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    assert_eq!(content_type, Some(&b"application/json"[..]), "answers are JSON: {what}");
    let json = response.json();
    if response.status.is_client_error() && json.get("flows").is_none() {
        assert!(json["errcode"].is_string(), "errors have an errcode: {what}");
        assert!(json["error"].is_string(), "errors have a sentence: {what}");
    }
    if let Some(spec) = Spec::of_environment() {
        let complaints = complain(spec, method, path, response);
        assert!(complaints.is_empty(), "against the specification: {}: {what}", complaints.join("; "));
    }
}

/// What the specification says against an answer.
fn complain(spec: &Spec, method: &Method, path: &str, response: &Response) -> Vec<String> {
    let is_unrecognized = || response.json()["errcode"] == "M_UNRECOGNIZED";
    match spec.find(method, path) {
        // By the first operation that fits: those that share a path differ in what they take.
        Found::Operations(operations) => {
            let each = operations.into_iter().map(|operation| complain_of(spec, operation, path, response));
            each.min_by_key(Vec::len).unwrap_or_default()
        }
        Found::OtherMethods if response.status == StatusCode::METHOD_NOT_ALLOWED && is_unrecognized() => Vec::new(),
        Found::OtherMethods => vec!["the specification has no such method here".to_owned()],
        Found::Nothing if is_of_an_api(path) && !is_unrecognized() => {
            vec!["the specification has no such path".to_owned()]
        }
        Found::Nothing => Vec::new(),
    }
}

/// Whether the path is one that the specification alone may give a meaning to.
fn is_of_an_api(path: &str) -> bool {
    // The text of the specification describes these pages, its documents do not.
    !path.contains("/fallback/web")
        && ["/_matrix/client/v", "/_matrix/client/r", "/_matrix/media/"].iter().any(|prefix| path.starts_with(prefix))
}

fn complain_of(spec: &Spec, operation: usize, path: &str, response: &Response) -> Vec<String> {
    let answer = spec.answer(operation, response.status.as_u16());
    // Unknown tokens, bad JSON, too large a body, too many requests.
    let body = || if response.body.is_empty() { Value::Null } else { response.json() };
    if response.status.is_client_error() && spec.common_error(response.status).complain(&body()).is_empty() {
        return Vec::new();
    }
    if !answer.is_listed {
        return vec![format!("the specification does not list {}", response.status)];
    }
    let mut complaints = answer.complain_about_headers(&response.headers);
    if answer.json.is_some() {
        complaints.extend(answer.complain_about_json(&body()));
    }
    complaints.retain(|complaint| {
        !CONTRADICTIONS
            .iter()
            .any(|(part, place, said)| path.contains(part) && complaint.contains(place) && complaint.contains(said))
    });
    complaints
}

/// Whether the answer is somebody's file, or word of one.
fn is_file(path: &str, response: &Response) -> bool {
    let is_media = path.contains("/media/") && (path.contains("/download/") || path.contains("/thumbnail/"));
    is_media && (response.status.is_success() || response.status == StatusCode::NOT_MODIFIED)
}

/// Whether the answer is one of the web pages on which a stage of registration is passed.
fn is_page(path: &str, response: &Response) -> bool {
    path.contains("/fallback/web") && response.header("content-type").starts_with("text/html")
}

/// Pages run nothing that is not named by its hash, load nothing, and tell nobody their address.
fn check_page(what: &str, response: &Response) {
    let policy = response.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "a strict policy: {what}");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}: {what}");
    assert_eq!(response.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(response.header("referrer-policy"), "no-referrer", "{what}");
}

/// No file that is served may run in a browser, or be taken for something else.
#[track_caller]
fn check_file(what: &str, response: &Response) {
    let header = |name: &str| response.headers.get(name).map_or("", |value| value.to_str().expect("text"));
    assert!(header("content-security-policy").starts_with("sandbox; default-src 'none';"), "a sandbox: {what}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("cross-origin-resource-policy"), "cross-origin", "{what}");
    assert!(header("cache-control").contains("immutable"), "{what}");
    if response.status.is_success() {
        let disposition = header("content-disposition");
        let kind = disposition.split(';').next().unwrap_or_default();
        assert!(kind == "inline" || kind == "attachment", "{disposition}: {what}");
        assert!(!header("content-type").is_empty(), "{what}");
    }
}
