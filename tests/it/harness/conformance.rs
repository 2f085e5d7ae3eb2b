//! What holds for every answer, checked on each exchange of each test.
//!
//! This is the place where answers are to be compared with the specification's OpenAPI as well.

use http::{Method, header::CONTENT_TYPE};

use super::Response;

/// Looks at one exchange.
#[track_caller]
pub fn check_exchange(method: &Method, path: &str, response: &Response) {
    let what = format!("{method} {path}: {} {}", response.status, response.text());
    assert!(!response.status.is_server_error(), "a server error: {what}");
    let origin = response.headers.get("access-control-allow-origin");
    assert_eq!(origin.map(http::HeaderValue::as_bytes), Some(&b"*"[..]), "every origin is allowed: {what}");
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
}
