//! What a browser sees: the web UI, or, where it was not built or is switched off, a page that says
//! that Hearth runs here and how to connect a client; and a page that does a login for clients that cannot.
//!
//! Nothing here loads anything from elsewhere, and nothing knows of the homeserver but what [`About`] says.

mod files;
mod login;
mod page;
mod policy;

use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::HeaderMap;

use crate::files::EmbeddedFile;
use crate::policy::PAGE_POLICY;

/// What the page tells.
#[derive(Clone, Debug)]
pub struct About {
    /// The name that ends the ids of this server's users.
    pub server_name: String,
    /// The version that runs.
    pub version: &'static str,
    /// The address for clients, if the configuration has one.
    pub base_url: Option<String>,
}

/// Where the web UI is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: `/` shows the page.
    Nowhere,
    /// Below this path: `/`, or one as `/chat`.
    Below(String),
}

/// Whether this program was built with the web UI in it.
pub fn has_ui() -> bool {
    !files::FILES.is_empty()
}

/// Serves the web UI at its place, the page with its style sheet and icon, and the login page.
pub fn router(about: &About, place: &Place) -> Router {
    router_of(files::FILES, about, place)
}

fn router_of(files: &'static [EmbeddedFile], about: &About, place: &Place) -> Router {
    let ui = match place {
        Place::Below(path) if !files.is_empty() => Some(format!("/{}", path.trim_matches('/'))),
        _ => None,
    };
    let missing = files.is_empty() && *place != Place::Nowhere;
    let page: Arc<str> = page::build_page(about, ui.as_deref(), missing).into();
    let router = Router::new().route("/hearth.css", get(|| async { small("text/css; charset=utf-8", STYLE) }));
    let router = router.merge(login::router(about));
    match ui.as_deref() {
        Some("/") => serve_files(router, files, ""),
        Some(path) => serve_files(with_page(router, page), files, path),
        None => with_page(router, page),
    }
}

const STYLE: &str = include_str!("hearth.css");
const ICON: &str = include_str!("hearth.svg");

fn with_page(router: Router, page: Arc<str>) -> Router {
    router
        .route("/", get(move || async move { small("text/html; charset=utf-8", String::from(&*page)) }))
        .route("/hearth.svg", get(|| async { small("image/svg+xml", ICON) }))
}

/// A route for each file, so that no other path is taken from the rest of the server.
fn serve_files(mut router: Router, files: &'static [EmbeddedFile], below: &str) -> Router {
    for file in files {
        let answer = move |headers: HeaderMap| async move { file.answer(&headers) };
        if file.path == "index.html" {
            router = router.route(&format!("{below}/"), get(answer));
            if !below.is_empty() {
                // The files' addresses are relative, so the page needs its slash.
                let with_slash = format!("{below}/");
                router = router.route(below, get(move || async move { Redirect::permanent(&with_slash) }));
            }
        } else {
            router = router.route(&format!("{below}/{}", file.path), get(answer));
        }
    }
    router
}

/// One of the page's own files.
fn small(kind: &'static str, text: impl IntoResponse) -> Response {
    (policy::headers(kind, PAGE_POLICY, "no-cache"), text).into_response()
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;
