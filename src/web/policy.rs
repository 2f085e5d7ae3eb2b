//! The headers of every file: what a page may load, and how long a file is kept.

use http::{HeaderMap, HeaderValue, header};

/// For the page without the UI: this server's own style sheet and icon, and no script.
pub(crate) const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For the page that does a login: its own script, and calls of this server.
pub(crate) const LOGIN_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For the UI. Nothing from elsewhere, nothing inline, no `eval`; `blob:` are files that the page itself has made.
/// End-to-end encryption will need `'wasm-unsafe-eval'` among the scripts.
pub(crate) const UI_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
     img-src 'self' blob:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Asks the server whether the file has changed before it is used again.
pub(crate) const ASK_FIRST: &str = "no-cache";

/// The name has a hash of the content in it, so it never changes.
pub(crate) const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(crate) fn headers(kind: &'static str, policy: &'static str, cache: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers
}
