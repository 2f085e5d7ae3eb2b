//! The files of the web UI as they lie in the program, and how one is answered: in the best form that
//! the browser takes, and not at all if it has it.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::policy::{ASK_FIRST, FOR_EVER, UI_POLICY, headers};

/// One file, with its compressed forms where they are smaller.
#[derive(Debug)]
pub(crate) struct EmbeddedFile {
    /// Below the place of the UI, without a leading slash.
    pub(crate) path: &'static str,
    /// Changes with the content.
    pub(crate) version: &'static str,
    pub(crate) plain: &'static [u8],
    pub(crate) brotli: Option<&'static [u8]>,
    pub(crate) gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Files below it bear a hash in their names.
const HASHED: &str = "assets/";

impl EmbeddedFile {
    /// The answer to a request with these headers.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let cache = if self.path.starts_with(HASHED) { FOR_EVER } else { ASK_FIRST };
        let mut answer = headers(self.kind(), UI_POLICY, cache);
        let tag = format!("\"{}\"", self.version);
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            answer.insert(header::ETAG, tag);
        }
        answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        let known = request.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        // A proxy that compresses again makes the tag a weak one.
        if known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)) {
            return (StatusCode::NOT_MODIFIED, answer).into_response();
        }
        let (encoding, bytes) = self.form_for(request);
        if let Some(encoding) = encoding {
            answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        (answer, bytes).into_response()
    }

    fn form_for(&self, request: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        let accepted = request.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if let Some(bytes) = self.brotli.filter(|_| accepts(accepted, "br")) {
            return (Some("br"), bytes);
        }
        if let Some(bytes) = self.gzip.filter(|_| accepts(accepted, "gzip")) {
            return (Some("gzip"), bytes);
        }
        (None, self.plain)
    }

    fn kind(&self) -> &'static str {
        match self.path.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "woff2" => "font/woff2",
            "webmanifest" => "application/manifest+json",
            "json" => "application/json",
            _ => "application/octet-stream",
        }
    }
}

/// Whether an `Accept-Encoding` names a form, and not with the weight 0 (RFC 9110, section 12.5.3).
fn accepts(header: &str, name: &str) -> bool {
    header.split(',').any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let named = parts.next().is_some_and(|form| form.eq_ignore_ascii_case(name));
        let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse::<f32>() == Ok(0.0)));
        named && !refused
    })
}
